/** The guide's first example, with the real archive and the real Python index, and what can go wrong with it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasStack, type Outcome, repository, Rig, shown } from "./rig.ts";

const rig = new Rig({ sharedStore: true });
afterAll(() => rig.remove());

const lockName = "lock.x86_64-linux.json";
const example = (name: string): string => readFileSync(join(repository, "examples/pillow", name), "utf8");
const files = { "flake.nix": example("flake.nix"), "default.nix": example("default.nix") };
let project: string;

/** The locked project with a change. */
async function variant(change: (files: Record<string, string>) => void): Promise<string> {
  const changed: Record<string, string> = { ...files, [lockName]: readFileSync(join(project, lockName), "utf8") };
  if (existsSync(join(project, "d2n.lock"))) changed["d2n.lock"] = readFileSync(join(project, "d2n.lock"), "utf8");
  change(changed);
  return rig.project(changed);
}

async function refused(folder: string, args: readonly string[] = ["build", ".#default"]): Promise<string> {
  const outcome = await rig.d2n(folder, args);
  expect(outcome.status, shown(outcome)).toBe(1);
  expect(hasStack(outcome), shown(outcome)).toBe(false);
  return outcome.stderr;
}

const replaced = (from: string | RegExp, to: string) => (all: Record<string, string>) => {
  const text = all["default.nix"]!;
  all["default.nix"] = text.replace(from, to);
  expect(all["default.nix"], "the change changes something").not.toBe(text);
};

beforeAll(async () => {
  project = await rig.project(files);
});

describe("the guide's Pillow example", { timeout: 900_000 }, () => {
  it("says which command to run before it is locked", async () => {
    expect(await refused(project)).toMatch(/d2n run .*\.lock/);
  });

  it("is locked by pip", async () => {
    const outcome = await rig.d2n(project, ["run", ".#default.lock"]);
    expect(outcome.status, shown(outcome)).toBe(0);
    expect(outcome.stderr).toContain(`git add ${lockName}`);
    const lock = JSON.parse(readFileSync(join(project, lockName), "utf8")) as {
      fetchPipMetadata: { sources: Record<string, Record<string, unknown>>; targets: unknown };
      invalidationHash: string;
    };
    expect(lock.invalidationHash).toBe("0e7079891a40d9873f5b3f5fdd4d8007c92e4819e8801631a33bbb714fcf6b04");
    expect(lock.fetchPipMetadata.targets).toEqual({ default: { pillow: [] } });
    expect(lock.fetchPipMetadata.sources["pillow"]).toMatchObject({
      is_direct: false,
      sha256: "166c1cd4d24309b30d61f79f4a9114b7b2313d7450912277855ff5dfd7cd4a06",
      type: "url",
      version: "10.4.0",
    });
    expect((await rig.run(project, "git", ["add", lockName])).status).toBe(0);
  });

  it("is built", async () => {
    const outcome = await rig.d2n(project, ["build", ".#default"]);
    expect(outcome.status, shown(outcome)).toBe(0);
    const site = join(project, "result/lib/python3.13/site-packages/PIL");
    expect(readdirSync(site).some((name) => /^_imaging\..*\.so$/.test(name))).toBe(true);
    expect(readdirSync(project).sort()).toEqual([".git", "d2n.lock", "default.nix", "flake.nix", lockName, "result"]);
  });

  it("has JPEG and zlib and nothing else, in an environment of the same Python", async () => {
    const outcome = await rig.d2n(project, [
      "run",
      ".#env",
      "--",
      "-c",
      `
import io
from PIL import Image, features
b = io.BytesIO(); Image.new("RGB", (64, 48), (200, 30, 60)).save(b, "JPEG"); b.seek(0)
i = Image.open(b); i.load(); assert i.size == (64, 48) and i.format == "JPEG", i
print(sorted(f for f in features.get_supported() if f in ("jpg", "zlib", "libtiff", "webp", "freetype2", "littlecms2", "jpg_2000")))`,
    ]);
    expect(outcome.status, shown(outcome)).toBe(0);
    expect(outcome.stdout).toBe("['jpg', 'zlib']\n");
  });

  it("refers to its libraries, and to neither Python nor a compiler", async () => {
    const outcome = await rig.d2n(project, ["store", "path-info", "--recursive", "--json", "./result"]);
    const names = Object.keys(JSON.parse(outcome.stdout) as object).map((path) =>
      path.replace(/^.*\/[a-z0-9]{32}-/, "").replace(/-[0-9].*$/, ""),
    );
    expect(names.sort()).toEqual(["glibc", "libjpeg-turbo", "python3.13-pillow", "zlib"]);
  });

  it("has nothing to do the second time", async () => {
    const outcome = await rig.d2n(project, ["build", ".#default"]);
    expect(outcome).toEqual({ status: 0, stdout: "", stderr: "" } satisfies Outcome);
  });

  it("is the same when built again", async () => {
    const outcome = await rig.d2n(project, ["build", ".#default", "--rebuild", "--no-link"]);
    expect(outcome.status, shown(outcome)).toBe(0);
  });
});

describe("mistakes in the guide's example", { timeout: 300_000 }, () => {
  it("a bracket that is never closed: which one, and where", async () => {
    const text = await refused(
      await variant(
        (all) => (all["flake.nix"] = all["flake.nix"]!.replace(/ {4}\}\);\n {2}\};\n\}\n$/, "    });\n}\n")),
      ),
    );
    expect(text).toMatch(/flake\.nix:\d+:\d+/);
    expect(text).toMatch(/never closed|unclosed/);
  });

  it("a mistyped option: named, with the right name and the place", async () => {
    const text = await refused(await variant(replaced("requirementsList", "requirementList")));
    expect(text).toMatch(/requirementList[^a-z]/);
    expect(text).toContain("requirementsList");
    expect(text).toMatch(/default\.nix:\d+/);
  });

  it("a version that is no string: the option, its type and the place", async () => {
    const text = await refused(await variant(replaced('version = "10.4.0"', "version = 10.4")));
    expect(text).toMatch(/default\.nix:\d+/);
    expect(text).toContain("string");
    expect(text).toContain("version");
  });

  it("a missing semicolon: file, line and column", async () => {
    expect(await refused(await variant(replaced('name = "pillow";', 'name = "pillow"')))).toMatch(
      /default\.nix:\d+:\d+/,
    );
  });

  it("attributes that do not exist: named", async () => {
    expect(await refused(await variant(replaced("config.deps.zlib", "config.deps.zlibb")))).toContain("zlibb");
    expect(
      await refused(
        await variant((all) => {
          all["default.nix"] = all["default.nix"]!.replace(/^ {6}zlib$/m, "      zlib no-such-library").replace(
            "config.deps.libjpeg",
            "config.deps.no-such-library",
          );
        }),
      ),
    ).toContain("no-such-library");
  });

  it("a stale lock: what to run", async () => {
    expect(await refused(await variant(replaced("==${config.version}", "==10.3.0")))).toMatch(/d2n run .*\.lock/);
  });

  it("a truncated lock: its name", async () => {
    expect(await refused(await variant((all) => (all[lockName] = all[lockName]!.slice(0, 120))))).toContain(lockName);
  });

  it("a wrong hash: both are shown", async () => {
    const text = await refused(
      await variant((all) => (all[lockName] = all[lockName]!.replace("166c1cd4", "166c1cd5"))),
    );
    expect(text).toContain("hash mismatch");
    expect(text.match(/sha256-/g)?.length).toBeGreaterThanOrEqual(2);
  });

  it("a file that git does not know: git add is suggested", async () => {
    const folder = await variant(() => {});
    await rig.run(folder, "git", ["rm", "-q", "--cached", "default.nix"]);
    expect(await refused(folder)).toMatch(/git .*add .*default\.nix/);
  });

  it("a requirement that does not exist: pip's words, and the old lock as it was", async () => {
    const folder = await variant(
      replaced('"${config.name}==${config.version}"', '"d2n-no-such-package-anywhere==1.0"'),
    );
    const before = readFileSync(join(folder, lockName));
    expect(await refused(folder, ["run", ".#default.lock"])).toContain("d2n-no-such-package-anywhere");
    expect(readFileSync(join(folder, lockName)).equals(before)).toBe(true);
  });

  it("a build that fails: the last lines of its log, and the way to the rest", async () => {
    const folder = await variant(
      replaced("mkDerivation = {", 'mkDerivation = { preBuild = "echo reached-this-line; exit 3";'),
    );
    const text = await refused(folder);
    expect(text).toContain("reached-this-line");
    expect((await rig.d2n(folder, ["log"])).stdout).toContain("reached-this-line");
    const verified = await rig.d2n(folder, ["store", "verify", "--no-contents"]);
    expect(verified.status, shown(verified)).toBe(0);
  });
});

describe("without a mirror", () => {
  it("says how to name one", async () => {
    const folder = await rig.project(files);
    const outcome = await rig.d2n(folder, ["run", ".#default.lock"], {
      env: {
        HOME: join(rig.folder, "other-home"),
        XDG_CACHE_HOME: join(rig.folder, "other-cache"),
        D2N_STORE: join(rig.folder, "other-store"),
        D2N_DEBIAN_MIRROR: "http://127.0.0.1:9/debian",
      },
    });
    expect(outcome.status, shown(outcome)).toBe(1);
    expect(outcome.stderr).toContain("d2n config debian-mirror");
    expect(hasStack(outcome)).toBe(false);
  });
});
