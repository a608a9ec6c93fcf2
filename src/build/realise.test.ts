import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { D2nError, Event } from "../base/index.ts";
import { ContentCache } from "../fetchers/index.ts";
import {
  type Derivation,
  DerivationHashes,
  type DerivationOutput,
  formatHash,
  hashBytes,
  hashNar,
  makeFixedOutputPath,
} from "../formats/index.ts";
import { LocalStore } from "../store/index.ts";
import { realise, type RealiseOptions, type Wanted } from "./index.ts";
import { removeTree } from "./workspace.ts";

const bubblewrap = process.env.D2N_TEST_BWRAP;
const shell = process.env.D2N_TEST_BUSYBOX;
const storeDir = "/nix/store";

let directory: string;
let store: LocalStore;
let events: Event[];
let server: Server;
let answer: (url: string) => Buffer | number;
let asked: string[];
let base: string;
let busybox: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "d2n-build-"));
  store = await LocalStore.open({ rootDir: join(directory, "root") });
  events = [];
  asked = [];
  answer = () => 404;
  server = createServer((request, response) => {
    asked.push(request.url!);
    const got = answer(request.url!);
    if (typeof got === "number") response.writeHead(got).end();
    else response.end(got);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  if (shell) {
    const folder = join(directory, "busybox");
    mkdirSync(folder);
    cpSync(shell, join(folder, "busybox"));
    chmodSync(join(folder, "busybox"), 0o755);
    busybox = (await store.addTree({ path: folder }, { name: "busybox" })).path;
  }
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await store.close();
  await removeTree(directory);
});

interface Recipe {
  readonly name?: string;
  readonly script?: string;
  readonly outputs?: readonly string[];
  readonly inputs?: Readonly<Record<string, readonly string[]>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly builder?: string;
  readonly args?: readonly string[];
  readonly system?: string;
  readonly fixed?: { readonly hashAlgo: string; readonly hash: string; readonly path: string };
}

const hashes = () => new DerivationHashes(storeDir, (path) => store.readDerivationSync(path));

/** Writes a derivation whose outputs have the paths that Nix would give them. */
async function derive({
  name = "test",
  script = "",
  outputs = ["out"],
  inputs = {},
  env = {},
  builder,
  args,
  system = "x86_64-linux",
  fixed,
}: Recipe): Promise<string> {
  const inputDrvs = new Map(Object.entries(inputs));
  const all = new Map(
    Object.entries({ name, system, builder: builder ?? `${busybox}/busybox`, PATH: `/nix/bin`, ...env }),
  );
  for (const output of outputs) all.set(output, fixed?.path ?? "");
  const draft: Derivation = {
    name,
    outputs: new Map(
      outputs.map((output): [string, DerivationOutput] => [
        output,
        { path: fixed?.path ?? "", hashAlgo: fixed?.hashAlgo ?? "", hash: fixed?.hash ?? "" },
      ]),
    ),
    inputDrvs,
    inputSrcs: builder === undefined ? [busybox] : [],
    system,
    builder: builder ?? `${busybox}/busybox`,
    args: args ?? (builder === undefined ? ["sh", "-ec", `b=${busybox}/busybox; ${script}`] : []),
    env: all,
  };
  const finished = hashes().withOutputPaths(draft);
  return store.addDerivation(finished);
}

const out = (drvPath: string, output = "out") => store.readDerivationSync(drvPath).outputs.get(output)!.path;
const physical = (drvPath: string, output = "out") => store.toPhysical(out(drvPath, output));

function make(wanted: string | readonly Wanted[], more: Partial<RealiseOptions> = {}) {
  return realise({
    store,
    wanted: typeof wanted === "string" ? [{ drvPath: wanted, outputs: "all" }] : wanted,
    system: "x86_64-linux",
    sandbox: async () => ({ bubblewrap: bubblewrap?.split(" ") ?? [], shell: shell ?? "" }),
    environment: {},
    maxJobs: 2,
    cores: 3,
    sink: (event) => events.push(event),
    ...more,
  });
}

async function failure(promise: Promise<unknown>): Promise<D2nError> {
  try {
    await promise;
  } catch (error) {
    // Nothing half-made: neither build folders nor locks.
    expect(
      readdirSync(store.physicalStoreDir).filter(
        (name) => /\.chroot$|\.lock$|\.tmp/.test(name) && !name.endsWith(".lock"),
      ),
    ).toEqual([]);
    return error as D2nError;
  }
  throw new Error("it succeeded");
}

function fetching(content: Buffer | string, env: Record<string, string> = {}, hash?: string): Promise<string> {
  const digest = createHash("sha256").update(content).digest();
  const path = makeFixedOutputPath(storeDir, "file", "flat", { algorithm: "sha256", bytes: digest });
  return derive({
    name: "file",
    builder: "builtin:fetchurl",
    system: "builtin",
    env: { url: `${base}/file`, outputHashMode: "flat", ...env },
    fixed: { hashAlgo: "sha256", hash: hash ?? digest.toString("hex"), path },
  });
}

describe("builtin:fetchurl", () => {
  it("fetches a file, keeps it by its hash, and is content-addressed then", async () => {
    answer = () => Buffer.from("content");
    const drvPath = await fetching("content");
    const cache = new ContentCache(join(directory, "cache"));
    const result = await make(drvPath, { contentCache: cache });
    expect(result.realised).toEqual([{ drvPath, how: "fetched" }]);
    expect(readFileSync(physical(drvPath), "utf8")).toBe("content");
    expect(statSync(physical(drvPath)).mode & 0o777).toBe(0o444);
    const info = await store.queryPathInfo(out(drvPath));
    expect(info.ca).toMatch(/^fixed:sha256:/);
    expect(info.deriver).toBe(drvPath);
    expect(await cache.lookup(hashBytes("sha256", "content"))).toBeDefined();
    expect((await make(drvPath)).realised).toEqual([]);
    expect(asked).toHaveLength(1);
    expect(events[0]).toEqual({ type: "expected", builds: 0, downloads: 1 });
  });

  it("takes what the cache has, also offline", async () => {
    const cache = new ContentCache(join(directory, "cache"));
    writeFileSync(join(directory, "x"), "content");
    await cache.add(join(directory, "x"));
    await make(await fetching("content"), { contentCache: cache, offline: true });
    expect(asked).toEqual([]);
  });

  it("shows both hashes of a mismatch and registers nothing", async () => {
    answer = () => Buffer.from("tampered");
    const drvPath = await fetching("content");
    const error = await failure(make(drvPath));
    expect(error.code).toBe("hash-mismatch");
    expect(error.message).toContain(drvPath);
    for (const text of ["content", "tampered"])
      expect(error.details).toContain(formatHash(hashBytes("sha256", text), "sri"));
    expect(await store.isValidPath(out(drvPath))).toBe(false);
    expect(existsSync(physical(drvPath))).toBe(false);
  });

  it("asks the resolver for more addresses", async () => {
    answer = (url) => (url === "/mirror/file" ? Buffer.from("content") : 404);
    const seen: unknown[] = [];
    await make(await fetching("content"), {
      resolveUrls: (wanted) => {
        seen.push(wanted);
        return [wanted.url, `${base}/mirror/file`];
      },
    });
    expect(asked).toEqual(["/file", "/mirror/file"]);
    expect(seen).toEqual([{ url: `${base}/file`, hash: { algorithm: "sha256", bytes: expect.anything() } }]);
  });

  it("makes executables and unpacks NARs, hashed as trees", async () => {
    const folder = join(directory, "program");
    writeFileSync(folder, "#!/bin/sh\n", { mode: 0o755 });
    chmodSync(folder, 0o755);
    const { hash } = await hashNar(folder);
    const fixed = {
      hashAlgo: "r:sha256",
      hash: formatHash(hash, "base16"),
      path: makeFixedOutputPath(storeDir, "program", "nar", hash),
    };
    answer = (url) => Buffer.from(url === "/file" ? "#!/bin/sh\n" : nar);
    const pieces: Uint8Array[] = [];
    const { readNar } = await import("../formats/index.ts");
    for await (const piece of readNar(folder)) pieces.push(piece);
    const nar = Buffer.concat(pieces);
    const ways: Record<string, string>[] = [
      { url: `${base}/file`, executable: "1" },
      { url: `${base}/nar`, unpack: "1" },
    ];
    for (const env of ways) {
      const drvPath = await derive({ name: "program", builder: "builtin:fetchurl", system: "builtin", env, fixed });
      await make(drvPath);
      expect(statSync(physical(drvPath)).mode & 0o777).toBe(0o555);
      await store.collectGarbage({ action: { type: "delete-paths", paths: [out(drvPath)], ignoreLiveness: true } });
    }
    expect(asked).toHaveLength(2);
  });

  it("says what cannot be fetched: no URL, no hash, offline", async () => {
    expect((await failure(make(await fetching("content", { url: "" })))).message).toMatch(/needs the attribute 'url'/);
    expect((await failure(make(await fetching("other"), { offline: true }))).code).toBe("network-unreachable");
    const loose = await derive({ builder: "builtin:fetchurl", system: "builtin", env: { url: base } });
    expect((await failure(make(loose))).message).toMatch(/fixed-output/);
    const unknown = await derive({ builder: "builtin:whatever", system: "builtin" });
    expect((await failure(make(unknown))).code).toBe("system-unsupported");
  });
});

describe("realise()", () => {
  it("does nothing for what is valid", async () => {
    const path = await store.addText("x", "y");
    expect(await make([{ path }])).toEqual({ wanted: [{ path }], realised: [] });
    expect(events).toEqual([]);
  });

  it("says what nothing can make", async () => {
    const error = await failure(make([{ path: `${storeDir}/${"0".repeat(32)}-x` }]));
    expect(error.code).toBe("path-unavailable");
  });

  it("uses a substituter for paths and for outputs", async () => {
    const drvPath = await derive({ builder: "/none", system: "riscv64-linux" });
    const got: string[] = [];
    const result = await make(drvPath, {
      substituter: {
        query: async (paths) => new Set(paths),
        substitute: async (path) => {
          got.push(path);
          const folder = join(directory, "substitute");
          writeFileSync(folder, "substituted");
          const { hash, size } = await hashNar(folder);
          const { readNar } = await import("../formats/index.ts");
          await store.addNar({ path, narHash: hash, narSize: size, references: [] }, readNar(folder));
        },
      },
    });
    expect(got).toEqual([out(drvPath)]);
    expect(result.realised).toEqual([{ drvPath, how: "substituted" }]);
  });

  it("refuses other systems, features, jobs, unknown outputs", async () => {
    expect((await failure(make(await derive({ builder: "/none", system: "aarch64-linux" })))).message).toMatch(
      /'aarch64-linux' machine/,
    );
    expect(
      (await failure(make(await derive({ builder: "/none", env: { requiredSystemFeatures: "kvm" } })))).message,
    ).toMatch(/'kvm'/);
    expect((await failure(make(await derive({ builder: "/none" }), { maxJobs: 0 }))).message).toMatch(/switched off/);
    expect((await failure(make([{ drvPath: await derive({ builder: "/none" }), outputs: ["dev"] }]))).message).toMatch(
      /no output 'dev'/,
    );
  });
});

describe.skipIf(!bubblewrap || !shell)("realise() with builds", () => {
  it("builds a graph: references, several outputs, log, phases", async () => {
    const lib = await derive({ name: "lib", script: "echo lib > $out" });
    const program = await derive({
      name: "program",
      outputs: ["dev", "out"],
      inputs: { [lib]: ["out"] },
      env: { lib: out(lib) },
      script: `echo '@nix {"action":"setPhase","phase":"buildPhase"}'; $b mkdir $out $dev; echo $lib $out > $out/file; echo $out > $dev/file; echo building; printf 'no end'`,
    });
    const result = await make(program);
    expect(result.realised).toEqual([
      { drvPath: lib, how: "built" },
      { drvPath: program, how: "built" },
    ]);
    expect((await store.queryPathInfo(out(program))).references).toEqual([out(lib), out(program)].sort());
    expect((await store.queryPathInfo(out(program, "dev"))).references).toEqual([out(program)]);
    expect(Buffer.from((await store.readLog(program))!).toString()).toContain("building\nno end");
    expect(events).toContainEqual(expect.objectContaining({ type: "activity-phase", phase: "buildPhase" }));
    expect(
      events.filter(({ type }) => type === "activity-log").map((event) => (event as { line: string }).line),
    ).toEqual(["building", "no end"]);
    expect(events[0]).toEqual({ type: "expected", builds: 2, downloads: 0 });
    expect((await store.verify({ contents: true })).problems).toEqual([]);
    expect((await make(program)).wanted[0]).toMatchObject({ how: "valid" });
  });

  it("shows the end of the log, the phase and the status of a failing build, and leaves nothing", async () => {
    const drvPath = await derive({
      script: `echo '@nix {"action":"setPhase","phase":"installPhase"}'; for i in $($b seq 40); do echo line $i; done; echo made > $out; exit 3`,
    });
    const user = await derive({ name: "user", inputs: { [drvPath]: ["out"] }, script: "echo > $out" });
    const error = await failure(make(user));
    expect(error.code).toBe("build-failed");
    expect(error.message).toBe("the builder of 'test' failed with exit code 3 in the phase 'installPhase'");
    expect(error.details).toMatch(/> line 16\n[^]*> line 40\nThe whole log: /);
    expect(error.details).not.toContain("line 15\n");
    expect(error.hint).toContain(`d2n log ${drvPath}`);
    expect(error.trace).toEqual([{ message: "needed by 'user'" }]);
    expect(existsSync(physical(drvPath))).toBe(false);
    expect(readdirSync(store.physicalStoreDir).filter((name) => name.startsWith(basename(drvPath)))).toEqual([
      basename(drvPath),
    ]);
  });

  it("keeps going, and lists all failures", async () => {
    const bad = await derive({ name: "bad", script: "echo oops1; exit 1" });
    const worse = await derive({ name: "worse", script: "echo oops2; exit 2" });
    const good = await derive({ name: "good", script: "echo > $out" });
    const user = await derive({
      name: "user",
      inputs: { [bad]: ["out"], [good]: ["out"], [worse]: ["out"] },
      script: "echo > $out",
    });
    const error = await failure(make(user, { keepGoing: true }));
    expect(error.message).toMatch(/2 builds or downloads failed, 1 more/);
    for (const text of ["oops1", "oops2", "bad", "worse"]) expect(error.details).toContain(text);
    expect(await store.isValidPath(out(good))).toBe(true);
  });

  it("gives builders Nix's environment", async () => {
    const drvPath = await derive({
      env: { passAsFile: "text", text: "in a file", multi: "a\nb" },
      script: "$b env > $out; $b cat $textPath >> $out; $b cat /proc/self/cgroup > /dev/null; umask >> $out",
    });
    await make(drvPath);
    const text = readFileSync(physical(drvPath), "utf8");
    for (const line of [
      "HOME=/homeless-shelter",
      "NIX_BUILD_TOP=/build",
      "TMPDIR=/build",
      "NIX_STORE=/nix/store",
      "NIX_BUILD_CORES=3",
      "NIX_LOG_FD=2",
      "TERM=xterm-256color",
      "PATH=/nix/bin",
      `out=${out(drvPath)}`,
      "multi=a\nb",
    ])
      expect(text).toContain(`${line}\n`);
    expect(text).toMatch(/textPath=\/build\/\.attr-[0-9a-z]{52}\n/);
    expect(text).toMatch(/in a file0022\n$/);
    expect(text).not.toMatch(/^text=/m);
  });

  it("gives structured attributes as files, and the graph of references", async () => {
    const lib = await derive({ name: "lib", script: "echo lib > $out" });
    const attrs = {
      builder: busybox,
      exportReferencesGraph: { graph: [out(lib)] },
      list: ["a b", 1, true],
      name: "s",
      num: 1.5,
      set: { k: "it's", n: null },
      nested: { a: [1] },
    };
    const drvPath = await derive({
      name: "s",
      inputs: { [lib]: ["out"] },
      env: { __json: JSON.stringify(attrs) },
      script: `. /dev/null; out=$($b sed -n 's/.*declare -A outputs=(\\[.out.\\]=.\\([^ ]*\\). )/\\1/p' $NIX_ATTRS_SH_FILE); $b mkdir $out; $b cp $NIX_ATTRS_SH_FILE $out/sh; $b cp $NIX_ATTRS_JSON_FILE $out/json`,
    });
    await make(drvPath);
    expect(readFileSync(join(physical(drvPath), "sh"), "utf8")).toBe(
      `declare builder='${busybox}'\ndeclare -a list=('a b' 1 1 )\ndeclare name='s'\ndeclare -A outputs=(['out']='${out(drvPath)}' )\ndeclare -A set=(['k']='it'\\''s' ['n']='' )\n`,
    );
    const json = JSON.parse(readFileSync(join(physical(drvPath), "json"), "utf8")) as {
      graph: { path: string; closureSize: number }[];
      outputs: unknown;
    };
    expect(json.outputs).toEqual({ out: out(drvPath) });
    expect(json.graph).toMatchObject([{ path: out(lib), references: [], valid: true }]);
  });

  it("refuses what may not enter the store", async () => {
    const missing = await failure(make(await derive({ name: "a", script: "true" })));
    expect(missing).toMatchObject({ code: "output-rejected" });
    expect(missing.message).toMatch(/did not make its output 'out'/);
    const writable = await failure(make(await derive({ name: "b", script: "echo > $out; $b chmod 666 $out" })));
    expect(writable.message).toMatch(/can be written by others/);
    await failure(make(await derive({ name: "c", script: "$b mkfifo $out" })));
    const lib = await derive({ name: "lib", script: "echo > $out" });
    const forbidden = await derive({
      name: "d",
      inputs: { [lib]: ["out"] },
      env: { allowedReferences: "", lib: out(lib) },
      script: "echo $lib > $out",
    });
    expect((await failure(make(forbidden))).message).toMatch(/is not allowed to refer/);
    const requisites = await derive({
      name: "e",
      inputs: { [lib]: ["out"] },
      env: { disallowedRequisites: out(lib), lib: out(lib) },
      script: "echo $lib > $out",
    });
    expect((await failure(make(requisites))).message).toMatch(/is not allowed to refer/);
    const self = await derive({ name: "f", env: { allowedReferences: "out" }, script: "echo $out > $out" });
    await make(self);
  });

  it("sees declared inputs only", async () => {
    const lib = await derive({ name: "lib", script: "echo > $out" });
    await make(lib);
    const drvPath = await derive({ script: `[ ! -e ${out(lib)} ]; there=$($b ls /nix/store); echo $there > $out` });
    await make(drvPath);
    expect(readFileSync(physical(drvPath), "utf8").trim().split("\n")).toEqual([basename(busybox)]);
  });

  it("runs fixed-output builders with impure variables, and checks their hash", async () => {
    const hash = hashBytes("sha256", "value\n");
    const recipe = (script: string): Recipe => ({
      name: "fixed",
      env: { impureEnvVars: "WANTED" },
      script,
      fixed: {
        hashAlgo: "sha256",
        hash: formatHash(hash, "base16"),
        path: makeFixedOutputPath(storeDir, "fixed", "flat", hash),
      },
    });
    const wrong = await failure(make(await derive(recipe("echo other > $out"))));
    expect(wrong.code).toBe("hash-mismatch");
    expect(wrong.details).toContain(formatHash(hash, "sri"));
    const right = await derive(recipe("echo $WANTED > $out; [ -e /etc/nsswitch.conf ]; [ $NIX_OUTPUT_CHECKED = 1 ]"));
    await make(right, { environment: { WANTED: "value", OTHER: "x" } });
    expect(await store.isValidPath(out(right))).toBe(true);
  });

  it("takes a fixed output from the cache instead of building it", async () => {
    const hash = hashBytes("sha256", "content");
    const cache = new ContentCache(join(directory, "cache"));
    writeFileSync(join(directory, "x"), "content");
    await cache.add(join(directory, "x"));
    const drvPath = await derive({
      name: "fixed",
      script: "exit 1",
      fixed: {
        hashAlgo: "sha256",
        hash: formatHash(hash, "base16"),
        path: makeFixedOutputPath(storeDir, "fixed", "flat", hash),
      },
    });
    expect((await make(drvPath, { contentCache: cache })).realised).toEqual([{ drvPath, how: "fetched" }]);
  });

  it("checks by building again", async () => {
    const stable = await derive({ name: "stable", script: "echo x > $out" });
    expect((await failure(make(stable, { check: true }))).message).toMatch(/has not been built yet/);
    await make(stable);
    expect((await make(stable, { check: true })).realised).toEqual([{ drvPath: stable, how: "checked" }]);
    const random = await derive({ name: "random", script: "$b head -c 16 /dev/urandom > $out" });
    await make(random);
    const before = readFileSync(physical(random));
    const error = await failure(make(random, { check: true, keepFailed: true }));
    expect(error.code).toBe("not-deterministic");
    expect(readFileSync(physical(random))).toEqual(before);
    expect(existsSync(`${physical(random)}.check`)).toBe(true);
  });

  it("limits time, keeps the build directory if wanted", async () => {
    const drvPath = await derive({ script: "echo begun; echo x > here; $b mkdir d; $b chmod 0 d; $b sleep 60" });
    const error = await failure(
      make(drvPath, { timeout: 1, keepFailed: true, buildDirectory: join(directory, "kept") }),
    );
    expect(error.code).toBe("build-timeout");
    const place = /kept at (.*)$/m.exec(error.details!)![1]!;
    expect(readFileSync(join(place, "here"), "utf8")).toBe("x\n");
  });

  it("can be interrupted, and does it again afterwards", async () => {
    const drvPath = await derive({ script: "[ -e /build ]; $b sleep ${wait}; echo > $out", env: { wait: "2" } });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 400);
    expect((await failure(make(drvPath, { signal: controller.signal }))).code).toBe("interrupted");
    expect(events.at(-1)).toMatchObject({ type: "activity-stop", ok: false });
    await make(drvPath);
    expect(await store.isValidPath(out(drvPath))).toBe(true);
  });

  it("builds the same only once, though two ask for it at the same time", async () => {
    const drvPath = await derive({ script: "$b sleep 0.5; $b head -c 16 /dev/urandom > $out" });
    const results = await Promise.all([make(drvPath), make(drvPath)]);
    expect(results.map(({ realised }) => realised[0]!.how).sort()).toEqual(["built", "valid"]);
  });

  it("works on two at once, and cleans up what a killed process left", async () => {
    const lib = await derive({ name: "lib", script: "$b sleep 1; echo > $out" });
    const other = await derive({ name: "other", script: "$b sleep 1; echo > $out" });
    const left = join(store.physicalStoreDir, `${basename(lib)}.chroot`);
    mkdirSync(left);
    writeFileSync(join(left, "x"), "");
    const start = Date.now();
    await make([
      { drvPath: lib, outputs: ["out"] },
      { drvPath: other, outputs: ["out"] },
    ]);
    expect(Date.now() - start).toBeLessThan(1900);
    expect(existsSync(left)).toBe(false);
  });
});
