import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Event } from "../base/index.ts";
import {
  archiveKeys,
  discoverMirrors,
  emptyPins,
  mirrorCandidates,
  openArchive,
  parsePins,
  recordedPins,
  type Suite,
  verifyInRelease,
} from "./index.ts";
import { createTestArchive, stanza, type TestArchive } from "./testing.ts";

const now = new Date("2026-11-22T12:00:00Z");
const main = "https://mirror.example.org/debian";
const security = "https://mirror.example.org/debian-security";

let cacheDir: string;
let archive: TestArchive;
let events: Event[];
const warnings = () =>
  events.flatMap((event) => (event.type === "message" && event.level === "warning" ? [event.text] : []));

beforeEach(async () => {
  cacheDir = mkdtempSync(join(tmpdir(), "d2n-debian-"));
  archive = await createTestArchive(now);
  events = [];
});
afterEach(() => rmSync(cacheDir, { recursive: true, force: true }));

function open(options: Partial<Parameters<typeof openArchive>[0]> = {}) {
  return openArchive({
    mirrors: { main, security },
    fetch: archive.fetch,
    cacheDir,
    now,
    sink: (event) => events.push(event),
    keys: [archive.publicKey],
    ...options,
  });
}

async function publishAll() {
  await archive.publish(
    main,
    "trixie",
    stanza("zlib1g", "1:1.3-1", { Depends: "libc6 (>= 2.38)", Source: "zlib (1:1.3-0)" }) +
      stanza("zlib1g-dev", "1:1.3-1", { Depends: "zlib1g (= 1:1.3-1+deb13u1), libc6-dev | libc-dev" }) +
      stanza("zl", "1") +
      stanza("libc6", "2.41-12") +
      stanza("libc6-dev", "2.41-12", { Provides: "libc-dev (= 2.41-12)" }),
  );
  await archive.publish(main, "trixie-updates", stanza("libc6", "2.41-12+deb13u1"));
  await archive.publish(
    security,
    "trixie-security",
    stanza("zlib1g", "1:1.3-1+deb13u1", { Source: "zlib", "Pre-Depends": "libc6" }),
  );
}

describe("openArchive()", () => {
  it("answers with the highest version of all parts of a suite", async () => {
    await publishAll();
    const pin = await open().lookup("trixie", "amd64", "zlib1g");
    expect(pin).toMatchObject({
      package: "zlib1g",
      version: "1:1.3-1+deb13u1",
      source: "zlib",
      archive: "security",
      depends: ["libc6"],
      size: 1234,
    });
    expect((await open().lookup("trixie", "amd64", "libc6"))?.version).toBe("2.41-12+deb13u1");
    expect(warnings()).toEqual([]);
  });

  it("answers for virtual names, resolves dependencies over all parts, and knows what is missing", async () => {
    await publishAll();
    const opened = open();
    expect((await opened.lookup("trixie", "amd64", "libc-dev"))?.package).toBe("libc6-dev");
    expect((await opened.lookup("trixie", "amd64", "zlib1g-dev"))?.depends).toEqual(["libc6-dev", "zlib1g"]);
    expect(await opened.lookup("trixie", "amd64", "zlib1")).toBeUndefined();
    expect(await opened.lookup("trixie", "amd64", "zlib1g\tv")).toBeUndefined();
    expect(opened.indexes().map((index) => index.distribution)).toEqual([
      "trixie",
      "trixie-security",
      "trixie-updates",
    ]);
    expect(opened.url({ archive: "security", filename: "pool/x.deb" })).toBe(`${security}/pool/x.deb`);
  });

  it("asks for indexes by hash, once", async () => {
    await publishAll();
    await open().lookup("trixie", "amd64", "zl");
    expect(archive.requests.filter((url) => url.includes("/by-hash/SHA256/"))).toHaveLength(3);
    archive.requests.length = 0;
    await open().lookup("trixie", "amd64", "zl");
    expect(archive.requests.filter((url) => !url.endsWith("/InRelease"))).toEqual([]);
  });

  it("stays at pinned indexes without network", async () => {
    await publishAll();
    const first = open();
    await first.lookup("trixie", "amd64", "zl");
    archive.requests.length = 0;
    const again = open({ pinned: first.indexes() });
    expect((await again.lookup("trixie", "amd64", "zlib1g"))?.archive).toBe("security");
    expect(archive.requests).toEqual([]);
    expect(again.indexes()).toEqual(first.indexes());
  });

  it("warns without a security archive and does without", async () => {
    await publishAll();
    const opened = open({ mirrors: { main, security: undefined } });
    expect((await opened.lookup("trixie", "amd64", "zlib1g"))?.version).toBe("1:1.3-1");
    expect(warnings().join()).toMatch(/security/);
  });

  it("reads a damaged cache anew", async () => {
    await publishAll();
    await open().lookup("trixie", "amd64", "zl");
    for (const name of readdirSync(cacheDir)) writeFileSync(join(cacheDir, name), "d2n package index 1\ntruncated");
    expect((await open().lookup("trixie", "amd64", "zl"))?.version).toBe("1");
  });

  it("refuses an index that is not the signed one, and caches nothing of it", async () => {
    await archive.publish(main, "trixie", stanza("zl", "1"), { tamper: true });
    await expect(open().lookup("trixie", "amd64", "zl")).rejects.toMatchObject({ code: "debian-archive" });
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  it("refuses nonsense in an index", async () => {
    await archive.publish(main, "trixie", stanza("zl", "1").replace("pool/main/x/", "../../etc/"));
    await expect(open().lookup("trixie", "amd64", "zl")).rejects.toMatchObject({ code: "debian-archive" });
  });

  it("says when the mirror has no such suite", async () => {
    await expect(open().lookup("trixie", "amd64", "zl")).rejects.toMatchObject({ code: "debian-mirror" });
  });

  it("fails when all that it began has ended, so that nothing of it is left behind", async () => {
    let release = (): void => {};
    const slow = new Promise<void>((done) => (release = done));
    const fetch: typeof archive.fetch = async (url) => {
      if (url.startsWith(`${main}/`)) throw new Error("no network");
      await slow;
      return undefined;
    };
    let ended = false;
    const lookup = open({ fetch })
      .lookup("trixie", "amd64", "zlib1g")
      .finally(() => (ended = true));
    lookup.catch(() => {});
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(ended).toBe(false);
    release();
    await expect(lookup).rejects.toThrow("no network");
  });

  it("tries again after a failure", async () => {
    const opened = open();
    await expect(opened.lookup("trixie", "amd64", "zl")).rejects.toThrow();
    await publishAll();
    expect((await opened.lookup("trixie", "amd64", "zl"))?.version).toBe("1");
  });
});

describe("verifyInRelease()", () => {
  const inRelease = () => archive.files.get(`${main}/dists/trixie/InRelease`)!;
  const verify = (content: Uint8Array, changes: object = {}) =>
    verifyInRelease(content, {
      distribution: "trixie",
      now,
      keys: [archive.publicKey],
      origin: "InRelease",
      ...changes,
    });

  it("reads what is signed", async () => {
    await publishAll();
    const release = await verify(inRelease());
    expect(release).toMatchObject({
      codename: "trixie",
      byHash: true,
      architectures: ["all", "amd64"],
      validUntil: undefined,
    });
    expect([...release.files.keys()]).toEqual(["main/binary-amd64/Packages.xz"]);
  });
  it("refuses changed text, and text that is not signed at all", async () => {
    await publishAll();
    const changed = Buffer.from(inRelease().toString().replace("amd64", "amd65"));
    await expect(verify(changed)).rejects.toMatchObject({ code: "debian-signature" });
    await expect(verify(Buffer.from("Codename: trixie\n"))).rejects.toMatchObject({ code: "debian-signature" });
    await expect(verify(Buffer.concat([Buffer.from("Codename: evil\n"), inRelease()]))).rejects.toMatchObject({
      code: "debian-signature",
    });
    await expect(verify(Buffer.alloc(0))).rejects.toMatchObject({ code: "debian-signature" });
  });
  it("refuses another key, Debian's among them", async () => {
    await publishAll();
    await expect(verify(inRelease(), { keys: archiveKeys() })).rejects.toMatchObject({ code: "debian-signature" });
  });
  it("refuses another suite, an expired one, and one from the future", async () => {
    await publishAll();
    await expect(verify(inRelease(), { distribution: "forky" })).rejects.toMatchObject({ code: "debian-archive" });
    await archive.publish(main, "trixie", "", { validUntil: "Sat, 21 Nov 2026 00:00:00 UTC" });
    await expect(verify(inRelease())).rejects.toThrow(/expired/);
    await archive.publish(main, "trixie", "", { date: "Tue, 24 Nov 2026 00:00:00 UTC" });
    await expect(verify(inRelease())).rejects.toThrow(/future/);
    await archive.publish(main, "trixie", "", { date: "yesterday" });
    await expect(verify(inRelease())).rejects.toMatchObject({ code: "debian-archive" });
  });
  it("carries Debian's keys", async () => {
    expect(archiveKeys().length).toBeGreaterThanOrEqual(9);
    for (const key of archiveKeys()) expect(key).toMatch(/^-----BEGIN PGP PUBLIC KEY BLOCK-----/);
  });
});

describe("mirrors", () => {
  it("come from the settings alone, if there are any", () => {
    const apt = [{ name: "sources.list", text: "deb http://apt.example.org/debian trixie main" }];
    expect(mirrorCandidates({ main: "https://a.example.org/debian/" }, apt)).toEqual({
      main: ["https://a.example.org/debian"],
      security: ["https://a.example.org/debian-security"],
    });
    expect(mirrorCandidates({ main: "https://a.example.org/d", security: "https://s.example.org/" }, [])).toEqual({
      main: ["https://a.example.org/d"],
      security: ["https://s.example.org"],
    });
  });
  it("are read from both formats of apt's sources", () => {
    const list = `# deb http://no.example.org/debian trixie main
deb [arch=amd64 signed-by=/x.gpg] http://one.example.org/debian/ bookworm main contrib # a comment
deb-src http://src.example.org/debian bookworm main
deb cdrom:[Debian]/ bookworm main
deb http://sec.example.org/debian-security bookworm-security main
`;
    const sources = `Types: deb deb-src
URIs: http://two.example.org/debian
  http://three.example.org/debian
Suites: bookworm bookworm-updates
# a comment in between
Components: main

Types: deb
Enabled: no
URIs: http://off.example.org/debian
Suites: trixie

Types: deb
URIs: http://sec2.example.org/
Suites: bookworm-security
`;
    expect(
      mirrorCandidates({}, [
        { name: "/x/a.list", text: list },
        { name: "/x/b.sources", text: sources },
        { name: "c.list.bak", text: list },
      ]),
    ).toEqual({
      main: ["http://one.example.org/debian", "http://two.example.org/debian", "http://three.example.org/debian"],
      security: [
        "http://sec.example.org/debian-security",
        "http://sec2.example.org",
        "http://one.example.org/debian-security",
        "http://two.example.org/debian-security",
        "http://three.example.org/debian-security",
      ],
    });
  });
  const discover = (candidates: { main: string[]; security: string[] }) =>
    discoverMirrors({
      candidates,
      suite: "trixie",
      fetch: archive.fetch,
      now,
      sink: (event) => events.push(event),
      keys: [archive.publicKey],
    });

  it("are those that serve the suite, signed", async () => {
    await publishAll();
    archive.files.set("https://ubuntu.example.org/dists/trixie/InRelease", Buffer.from("<html>"));
    const found = await discover({
      main: ["https://nothing.example.org", "https://ubuntu.example.org", main],
      security: [security],
    });
    expect(found).toEqual({ main, security });
  });
  it("may lack a security archive, with a warning", async () => {
    await publishAll();
    expect(await discover({ main: [main], security: ["https://nothing.example.org"] })).toEqual({
      main,
      security: undefined,
    });
    expect(warnings().join()).toMatch(/without its security updates/);
  });
  it("are named in the hint when there are none", async () => {
    await expect(discover({ main: [], security: [] })).rejects.toMatchObject({
      code: "debian-mirror",
      hint: expect.stringMatching(/d2n config debian-mirror URL.*D2N_DEBIAN_MIRROR/),
    });
    await expect(discover({ main: ["https://nothing.example.org"], security: [] })).rejects.toMatchObject({
      code: "debian-mirror",
      details: expect.stringContaining("nothing.example.org"),
    });
  });
});

describe("pins", () => {
  it("are recorded, written and read back, and then need nobody else", async () => {
    await publishAll();
    const opened = open();
    const answers = new Map(
      await Promise.all(
        ["zl", "libc-dev", "libc6"].map(async (name) => [name, await opened.lookup("trixie", "amd64", name)] as const),
      ),
    );
    const asked: string[] = [];
    const recorded = recordedPins(emptyPins, (_suite: Suite, _architecture, name) => {
      asked.push(name);
      return answers.get(name);
    });
    for (const name of ["zl", "libc-dev", "libc-dev", "zl", "nothing"]) recorded.lookup("trixie", "amd64", name);
    expect(asked).toEqual(["zl", "libc-dev", "nothing"]);
    expect(recorded.changed).toBe(true);
    const json = JSON.parse(JSON.stringify(recorded.toJSON(opened.indexes())));
    expect(JSON.stringify(json)).not.toContain("example.org");
    const locked = recordedPins(parsePins(json, "d2n.lock"));
    expect(locked.lookup("trixie", "amd64", "libc-dev")?.package).toBe("libc6-dev");
    expect(locked.lookup("trixie", "amd64", "zl")).toMatchObject({ version: "1", size: 1234 });
    expect(locked.lookup("trixie", "amd64", "libc6")).toBeUndefined();
    expect(locked.changed).toBe(false);
    expect(locked.toJSON(opened.indexes())).toEqual(json);
  });
  it("are refused when damaged, with the place", () => {
    const bad = { indexes: [], packages: { trixie: { amd64: { zl: { version: "1" } } } } };
    expect(() => parsePins(bad, "d2n.lock")).toThrow(/d2n\.lock.*trixie\.amd64\.zl/);
    const leaving = {
      version: "1",
      source: "zl",
      archive: "main",
      filename: "../x",
      sha256: "0".repeat(64),
      size: 1,
      depends: [],
    };
    expect(() => parsePins({ indexes: [], packages: { trixie: { amd64: { zl: leaving } } } }, "d2n.lock")).toThrow(
      /filename/,
    );
    expect(() => parsePins(null, "d2n.lock")).toThrow();
  });
});
