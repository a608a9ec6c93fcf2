import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Derivation,
  DerivationHashes,
  formatHash,
  hashBytes,
  hashNarSync,
  hashTree,
  type NarTree,
  narOfTree,
} from "../formats/index.ts";
import { LocalStore, type NewPathInfo } from "./index.ts";

let root: string;
let store: LocalStore;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "d2n-störe-"));
  store = await LocalStore.open({ rootDir: root });
});
afterEach(async () => {
  await store.close();
  execFileSync("chmod", ["-R", "u+rwX", root]);
  rmSync(root, { recursive: true, force: true });
});

const file = (text: string, executable = false): NarTree => ({
  type: "regular",
  executable,
  contents: Buffer.from(text),
});
const folder = (entries: Record<string, NarTree>): NarTree => ({
  type: "directory",
  entries: new Map(Object.entries(entries)),
});
const codeOf = async (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
const simple = (name: string, env: Record<string, string> = {}, inputs: Partial<Derivation> = {}): Derivation =>
  new DerivationHashes(store.storeDir, (path) => store.readDerivationSync(path)).withOutputPaths({
    name,
    outputs: new Map([["out", { path: "", hashAlgo: "", hash: "" }]]),
    inputDrvs: new Map(),
    inputSrcs: [],
    system: "x86_64-linux",
    builder: "/bin/sh",
    args: [],
    env: new Map(Object.entries({ name, out: "", ...env })),
    ...inputs,
  });

describe("adding", () => {
  it("a tree on disk lies canonical at the path that its contents make", async () => {
    const source = join(root, "source");
    mkdirSync(join(source, "dir"), { recursive: true });
    writeFileSync(join(source, "dir/run"), "#!/bin/sh\n", { mode: 0o700 });
    symlinkSync("dir/run", join(source, "link"));
    const info = await store.addTree({ path: source }, { name: "source" });
    expect(info.path).toMatch(/^\/nix\/store\/[0-9a-z]{32}-source$/);
    const place = store.toPhysical(info.path);
    expect(lstatSync(join(place, "dir/run")).mode & 0o7777).toBe(0o555);
    expect(lstatSync(join(place, "dir")).mtimeMs).toBe(1000);
    expect(hashNarSync(place).hash).toEqual(info.narHash);
    expect(info.ca).toBe(`fixed:r:${formatHash(info.narHash, "nix32", true)}`);
    expect(await store.addTree({ path: source }, { name: "source" })).toEqual(info);
    expect(readdirSync(store.physicalStoreDir).sort()).toEqual([".links", info.path.slice(11)]);
  });

  it("a tree larger than memory's share is read twice and right", async () => {
    const source = join(root, "big");
    writeFileSync(source, Buffer.alloc(40 << 20, "x"));
    const info = await store.addTree({ path: source }, { name: "big" });
    expect(info.narSize).toBeGreaterThan(40 << 20);
    expect(hashNarSync(store.toPhysical(info.path)).hash).toEqual(info.narHash);
    const flat = await store.addTree({ path: source }, { name: "big", method: "flat" });
    expect(flat.ca).toBe(`fixed:${formatHash(hashBytes("sha256", readFileSync(source)), "nix32", true)}`);
  });

  it("an expected hash that does not fit is refused before anything is written", async () => {
    const expected = hashBytes("sha256", "other");
    expect(await codeOf(store.addTree({ tree: file("x") }, { name: "x", expected }))).toBe("hash-mismatch");
    expect(readdirSync(store.physicalStoreDir)).toEqual([".links"]);
  });

  it("texts and derivations come back, and need their references", async () => {
    const text = store.addTextSync("text", "h\xe4llo");
    expect(readFileSync(store.toPhysical(text), "latin1")).toBe("h\xe4llo");
    const drv = simple("drv", { text }, { inputSrcs: [text] });
    const path = await store.addDerivation(drv);
    expect(await store.readDerivation(path)).toEqual(drv);
    const output = drv.outputs.get("out")!.path;
    expect([...(await store.queryDerivers(output))]).toEqual([path]);
    expect([...(await store.queryReferrers(text))]).toEqual([path]);
    expect([...(await store.closure([path]))].sort()).toEqual([path, text].sort());
    expect([...(await store.closure([text], { reverse: true }))].sort()).toEqual([path, text].sort());
    const orphan = simple("orphan", {}, { inputSrcs: [`${store.storeDir}/${"a".repeat(32)}-none`] });
    expect(await codeOf(store.addDerivation(orphan))).toBe("store-path-missing");
    expect(await codeOf(store.readDerivation(`${store.storeDir}/${"a".repeat(32)}-none.drv`))).toBe(
      "store-path-missing",
    );
    expect(
      (await store.verify({ contents: true })).problems.filter(({ problem }) => problem !== "unregistered"),
    ).toEqual([]);
  });

  it("an archive is taken only with the right hash, size and content address", async () => {
    const tree = folder({ a: file("a"), b: { type: "symlink", target: "a" } });
    const { hash, size } = hashTree(tree);
    const path = `${store.storeDir}/${"0".repeat(32)}-x`;
    const info: NewPathInfo = { path, narHash: hash, narSize: size, references: [path] };
    const wrong = { ...info, narHash: hashBytes("sha256", "no") };
    expect(await codeOf(store.addNar(wrong, narOfTree(tree)))).toBe("hash-mismatch");
    expect(await codeOf(store.addNar({ ...info, narSize: 3 }, narOfTree(tree)))).toMatch(/hash-mismatch|nar-malformed/);
    expect(await codeOf(store.addNar(info, [...narOfTree(tree)].slice(0, -1)))).toBe("nar-malformed");
    const ca = `fixed:r:${formatHash(hash, "nix32", true)}`;
    expect(await codeOf(store.addNar({ ...info, references: [], ca }, narOfTree(tree)))).toBe("hash-mismatch");
    const failing = (async function* () {
      yield* [...narOfTree(tree)].slice(0, 5);
      throw new Error("connection reset");
    })();
    expect(await codeOf(store.addNar(info, failing))).toBe("connection reset");
    expect(readdirSync(store.physicalStoreDir)).toEqual([".links"]);
    await store.addNar(info, narOfTree(tree));
    expect(await store.queryPathInfo(path)).toMatchObject({ path, narSize: size, references: [path] });
    const pieces: Uint8Array[] = [];
    for await (const piece of store.narFromPath(path)) pieces.push(piece);
    expect(hashBytes("sha256", Buffer.concat(pieces))).toEqual(hash);
    expect(await store.queryPathFromHashPart("0".repeat(32))).toBe(path);
    expect(await store.queryPathFromHashPart("1".repeat(32))).toBeUndefined();
  });
});

describe("closing", () => {
  const log = (): number => statSync(join(root, "nix/var/nix/db/db.sqlite-wal")).size;

  it("empties a long write-ahead log", async () => {
    const many = (from: number): readonly Derivation[] =>
      Array.from({ length: 100 }, (_, i) => simple(`many-${from + i}`));
    const other = await LocalStore.open({ rootDir: root });
    for (let from = 0; log() < 2 << 20; from += 100) other.addDerivationsSync(many(from));
    const paths = await other.queryAllValidPaths();
    await other.close();
    expect(log()).toBeLessThan(1 << 20);
    expect(await store.queryAllValidPaths()).toEqual(paths);
  });
});

describe("outputs of builds", () => {
  const outputs = async (contents: Record<string, string>) => {
    const paths = Object.keys(contents).map((name, index) => ({
      name,
      path: `${store.storeDir}/${String(index).repeat(32)}-${name}`,
    }));
    for (const { name, path } of paths) {
      mkdirSync(store.toPhysical(path));
      writeFileSync(join(store.toPhysical(path), "f"), contents[name]!, { mode: 0o777 });
    }
    return paths;
  };

  it("are scanned, canonicalised and registered together, though one refers to the other", async () => {
    const text = store.addTextSync("text", "x");
    const other = store.addTextSync("other", "y");
    const made = await outputs({ out: `lib at ${"1".repeat(32)}-lib and ${text}`, lib: `self ${"1".repeat(32)}` });
    const infos = await store.registerOutputs(made, {
      candidates: [text, other],
      deriver: `${store.storeDir}/${"2".repeat(32)}-x.drv`,
    });
    expect(infos[0]!.references).toEqual([made[1]!.path, text].sort());
    expect(infos[1]!.references).toEqual([made[1]!.path]);
    expect(infos[0]!.ultimate).toBe(true);
    expect(lstatSync(join(store.toPhysical(made[0]!.path), "f")).mode & 0o7777).toBe(0o555);
  });

  it("that refer to each other in a circle are refused", async () => {
    const made = await outputs({ out: "1".repeat(32), lib: "0".repeat(32) });
    expect(await codeOf(store.registerOutputs(made, { candidates: [] }))).toBe("output-cycle");
    expect((await store.queryAllValidPaths()).size).toBe(0);
  });

  it("that are missing, of another hash, or not what a check wants are refused", async () => {
    const path = `${store.storeDir}/${"3".repeat(32)}-none`;
    expect(await codeOf(store.registerOutputs([{ name: "out", path }], { candidates: [] }))).toBe("store-path-missing");
    writeFileSync(store.toPhysical(path), "content");
    const fixed = { method: "flat" as const, hash: hashBytes("sha256", "other") };
    await expect(store.registerOutputs([{ name: "out", path, fixed }], { candidates: [] })).rejects.toMatchObject({
      code: "hash-mismatch",
      exitCode: 102,
      details: expect.stringContaining(formatHash(hashBytes("sha256", "content"), "sri")) as string,
    });
    const check = () => {
      throw new Error("not allowed");
    };
    expect(await codeOf(store.registerOutputs([{ name: "out", path }], { candidates: [], check }))).toBe("not allowed");
    const right = { method: "flat" as const, hash: hashBytes("sha256", "content") };
    const [info] = await store.registerOutputs([{ name: "out", path, fixed: right }], { candidates: [] });
    expect(info!.ca).toBe(`fixed:${formatHash(right.hash, "nix32", true)}`);
  });

  it("with sockets or pipes are refused", async () => {
    const path = `${store.storeDir}/${"4".repeat(32)}-pipe`;
    const server = createServer().listen(store.toPhysical(path));
    await once(server, "listening");
    expect(await codeOf(store.registerOutputs([{ name: "out", path }], { candidates: [] }))).toBe("store-corrupt");
    server.close();
  });

  it("are moved from a build's own folder", async () => {
    const from = join(root, "build/out");
    mkdirSync(from, { recursive: true });
    writeFileSync(join(from, "f"), "x");
    const path = `${store.storeDir}/${"5".repeat(32)}-moved`;
    mkdirSync(store.toPhysical(path));
    writeFileSync(join(store.toPhysical(path), "leftover"), "x");
    await store.registerOutputs([{ name: "out", path, from }], { candidates: [] });
    expect(readdirSync(store.toPhysical(path))).toEqual(["f"]);
    expect(lstatSync(store.toPhysical(path)).mtimeMs).toBe(1000);
  });
});

describe("garbage", () => {
  /** A store that nothing temporary keeps. */
  const reopen = async () => {
    await store.close();
    store = await LocalStore.open({ rootDir: root });
  };

  it("keeps what links lead to, with derivers, and deletes the rest and leftovers", async () => {
    const dead = store.addTextSync("dead", "x");
    const source = store.addTextSync("source", "y");
    const drv = simple("kept", { source }, { inputSrcs: [source] });
    const drvPath = await store.addDerivation(drv);
    const output = drv.outputs.get("out")!.path;
    mkdirSync(store.toPhysical(output));
    await store.registerOutputs([{ name: "out", path: output }], { candidates: [source], deriver: drvPath });
    await store.addPermanentRoot(output, join(root, "project/result"));
    mkdirSync(join(store.physicalStoreDir, `${"9".repeat(32)}-half-built`));
    writeFileSync(join(store.physicalStoreDir, "rubbish"), "");
    await reopen();
    expect((await store.collectGarbage({ action: { type: "list-dead" } })).paths).toEqual([dead]);
    expect((await store.findRoots()).get(output)).toEqual(new Set([join(root, "project/result")]));
    const { paths, bytesFreed } = await store.collectGarbage({ action: { type: "delete-dead" } });
    expect(paths).toEqual([dead]);
    expect(bytesFreed).toBeGreaterThan(0);
    expect(readdirSync(store.physicalStoreDir).sort()).toEqual(
      [".links", ...[drvPath, output, source].map((path) => path.slice(11))].sort(),
    );
    rmSync(join(root, "project/result"));
    expect((await store.collectGarbage({ action: { type: "delete-dead" } })).paths.length).toBe(3);
    expect(readdirSync(join(store.stateDir, "gcroots/auto"))).toEqual([]);
    expect(readdirSync(store.physicalStoreDir)).toEqual([".links"]);
  });

  it("keeps temporary roots of running processes", async () => {
    const path = store.addTextSync("used", "x");
    const second = await LocalStore.open({ rootDir: root });
    expect((await second.collectGarbage({ action: { type: "delete-dead" } })).paths).toEqual([]);
    await store.close();
    expect((await second.collectGarbage({ action: { type: "delete-dead" } })).paths).toEqual([path]);
    await second.close();
    store = await LocalStore.open({ rootDir: root });
  });

  it("deletes named paths unless something needs them", async () => {
    const a = store.addTextSync("a", "x");
    const b = store.addTextSync("b", a, [a]);
    await reopen();
    expect(await codeOf(store.collectGarbage({ action: { type: "delete-paths", paths: [a] } }))).toBe("path-in-use");
    await store.addPermanentRoot(b, join(root, "result"));
    await reopen();
    expect(await codeOf(store.collectGarbage({ action: { type: "delete-paths", paths: [b] } }))).toBe("path-in-use");
    rmSync(join(root, "result"));
    expect((await store.collectGarbage({ action: { type: "delete-paths", paths: [a, b] } })).paths).toEqual(
      [a, b].sort(),
    );
  });

  it("a root never replaces what is not a link of ours", async () => {
    const path = store.addTextSync("a", "x");
    writeFileSync(join(root, "result"), "precious");
    expect(await codeOf(store.addPermanentRoot(path, join(root, "result")))).toBe("usage");
    expect(readFileSync(join(root, "result"), "utf8")).toBe("precious");
    await store.addPermanentRoot(path, join(root, "result-2"));
    await store.addPermanentRoot(store.addTextSync("b", "y"), join(root, "result-2"));
  });
});

describe("verification", () => {
  it("tells modified, missing, unregistered and unreadable paths", async () => {
    const modified = store.addTextSync("modified", "x");
    const missing = store.addTextSync("missing", "y");
    chmodSync(store.toPhysical(modified), 0o644);
    writeFileSync(store.toPhysical(modified), "z");
    rmSync(store.toPhysical(missing));
    mkdirSync(join(store.physicalStoreDir, `${"9".repeat(32)}-left`));
    const { problems } = await store.verify({ contents: true });
    expect(new Map(problems.map(({ path, problem }) => [path.slice(44), problem]))).toEqual(
      new Map([
        ["modified", "modified"],
        ["missing", "missing"],
        ["left", "unregistered"],
      ]),
    );
    await store.verify({ repairDatabase: true });
    expect(await store.isValidPath(missing)).toBe(false);
  });
});

describe("locks", () => {
  it("one waits for the other, which then sees the outcome", async () => {
    const path = `${store.storeDir}/${"6".repeat(32)}-x`;
    const first = await store.lockPaths([path]);
    const told: string[] = [];
    let entered = false;
    const second = store.lockPaths([path], { onWait: (waiting) => told.push(waiting) }).then((lock) => {
      entered = true;
      return lock;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(entered).toBe(false);
    expect(told).toEqual([path]);
    first.release({ delete: true });
    (await second).release({ delete: true });
    expect(existsSync(`${store.toPhysical(path)}.lock`)).toBe(false);
  });

  it("waiting ends when it is interrupted", async () => {
    const path = `${store.storeDir}/${"6".repeat(32)}-x`;
    const lock = await store.lockPaths([path]);
    const abort = new AbortController();
    const waiting = store.lockPaths([path], { signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toThrow(/abort/);
    lock.release();
  });
});

describe("opening", () => {
  it("makes Nix's layout and finds it again", async () => {
    expect(readFileSync(join(store.stateDir, "db/schema"), "utf8")).toBe("10");
    expect(readdirSync(store.stateDir).sort()).toEqual(["db", "gcroots", "profiles", "temproots"]);
    const path = store.addTextSync("a", "x");
    const second = await LocalStore.open({ rootDir: root });
    expect(await second.isValidPath(path)).toBe(true);
    await second.close();
  });

  it("refuses another schema, a damaged database, and places that cannot be written", async () => {
    await store.close();
    writeFileSync(join(store.stateDir, "db/schema"), "11");
    expect(await codeOf(LocalStore.open({ rootDir: root }))).toBe("store-database");
    writeFileSync(join(store.stateDir, "db/schema"), "10");
    writeFileSync(join(store.stateDir, "db/db.sqlite"), Buffer.alloc(8192, "rubbish"));
    rmSync(join(store.stateDir, "db/db.sqlite-wal"), { force: true });
    rmSync(join(store.stateDir, "db/db.sqlite-shm"), { force: true });
    expect(await codeOf(LocalStore.open({ rootDir: root }))).toBe("store-database");
    expect(await codeOf(LocalStore.open({ rootDir: "/proc/nowhere" }))).toBe("store-unwritable");
    writeFileSync(join(root, "file"), "");
    expect(await codeOf(LocalStore.open({ rootDir: join(root, "file/x") }))).toBe("store-unwritable");
    rmSync(root, { recursive: true });
    store = await LocalStore.open({ rootDir: root });
  });
});
