import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Derivation, DerivationHashes, formatHash, hashNarSync } from "../../src/formats/index.ts";
import { LocalStore } from "../../src/store/index.ts";

const oracle = process.env["NIX_ORACLE"];

describe.skipIf(oracle === undefined)("the store against real Nix", () => {
  let root: string;
  let dir: string;
  let source: string;
  let store: LocalStore;
  const run = (tool: string, ...args: string[]) => {
    const done = spawnSync(oracle!, [tool, "--store", dir, ...args], { encoding: "latin1" });
    return { status: done.status, stdout: done.stdout.trim(), stderr: done.stderr.trim() };
  };
  const nix = (tool: string, ...args: string[]) => {
    const { status, stdout, stderr } = run(tool, ...args);
    if (status !== 0) throw new Error(`${tool} ${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  const lines = (text: string) => (text === "" ? [] : text.split("\n")).sort();

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "d2n-store-"));
    dir = join(root, "store");
    source = join(root, "source");
    mkdirSync(join(source, "sub"), { recursive: true });
    writeFileSync(join(source, "run"), "#!/bin/sh\n", { mode: 0o755 });
    writeFileSync(Buffer.concat([Buffer.from(`${source}/sub/`), Buffer.from([0xe4, 0x20, 0xff])]), "bytes");
    writeFileSync(join(source, "empty"), "");
    symlinkSync("../x", join(source, "link"));
    store = await LocalStore.open({ rootDir: dir });
  });
  afterEach(async () => {
    await store.close();
    execFileSync("chmod", ["-R", "u+w", root]);
    rmSync(root, { recursive: true, force: true });
  });

  const graph = async () => {
    const hashes = new DerivationHashes(store.storeDir, (path) => store.readDerivationSync(path));
    const text = store.addTextSync("builder.sh", "echo hi > $out\n");
    const make = async (name: string, derivation: Partial<Derivation>): Promise<Derivation & { path: string }> => {
      const drv = hashes.withOutputPaths({
        name,
        outputs: new Map([["out", { path: "", hashAlgo: "", hash: "" }]]),
        inputDrvs: new Map(),
        inputSrcs: [],
        system: "x86_64-linux",
        builder: "/bin/sh",
        args: [],
        env: new Map([["name", name]]),
        ...derivation,
      });
      return { ...drv, path: await store.addDerivation(drv) };
    };
    const low = await make("low", { inputSrcs: [text], args: ["-e", text] });
    const top = await make("top", {
      inputDrvs: new Map([[low.path, ["out"]]]),
      args: ["-c", `: ${low.outputs.get("out")!.path}; echo done > $out`],
    });
    return { text, low, top };
  };

  it("sources get the same paths, and the other's are found", async () => {
    const tree = await store.addTree({ path: source }, { name: "source" });
    const flat = await store.addTree({ path: join(source, "run") }, { name: "run", method: "flat" });
    const md5 = await store.addTree({ path: source }, { name: "source", algorithm: "md5" });
    await store.close();
    expect(nix("nix-store", "--verify", "--check-contents")).toBe("");
    expect(nix("nix-store", "--add", source)).toBe(tree.path);
    expect(nix("nix-store", "--add-fixed", "sha256", join(source, "run"))).toBe(flat.path);
    expect(nix("nix-store", "--add-fixed", "--recursive", "md5", source)).toBe(md5.path);
    writeFileSync(join(root, "other"), "other");
    const other = nix("nix-store", "--add", join(root, "other"));
    store = await LocalStore.open({ rootDir: dir });
    const info = await store.queryPathInfo(other);
    expect(info.narHash).toEqual(hashNarSync(store.toPhysical(other)).hash);
    expect((await store.verify({ contents: true })).problems).toEqual([]);
    const json = JSON.parse(nix("nix", "path-info", "--json", tree.path)) as Record<
      string,
      { narHash: string; narSize: number; ca: string }
    >;
    expect(json[tree.path] ?? Object.values(json)[0]).toMatchObject({
      narHash: formatHash(tree.narHash, "sri"),
      narSize: tree.narSize,
    });
  });

  it("NARs are the same bytes", async () => {
    const { path } = await store.addTree({ path: source }, { name: "source" });
    const pieces: Uint8Array[] = [];
    for await (const piece of store.narFromPath(path)) pieces.push(piece);
    expect(spawnSync(oracle!, ["nix-store", "--dump", source]).stdout.equals(Buffer.concat(pieces))).toBe(true);
  });

  it("derivations, their queries and their builds are Nix's", async () => {
    const { text, low, top } = await graph();
    const log = store.logPath(low.path);
    mkdirSync(join(log, ".."), { recursive: true });
    writeFileSync(log, "built by hand\n");
    await store.close();
    expect(nix("nix-store", "--verify", "--check-contents")).toBe("");
    expect(lines(nix("nix-store", "--query", "--requisites", top.path))).toEqual([low.path, text, top.path].sort());
    expect(nix("nix-store", "--query", "--outputs", top.path)).toBe(top.outputs.get("out")!.path);
    expect(nix("nix-store", "--read-log", low.path)).toBe("built by hand");
    // The derivation itself must be acceptable: Nix checks output paths when it reads one for building.
    expect(run("nix-store", "--realise", "--dry-run", top.path).stderr).toContain(low.path);
    store = await LocalStore.open({ rootDir: dir });
  });

  it("outputs registered by d2n are Nix's valid paths, with references, derivers and signatures kept", async () => {
    const { text, low, top } = await graph();
    const out = low.outputs.get("out")!.path;
    const end = top.outputs.get("out")!.path;
    writeFileSync(store.toPhysical(out), `refers to ${text} and itself ${out}`);
    await store.registerOutputs([{ name: "out", path: out }], { candidates: [text], deriver: low.path });
    mkdirSync(store.toPhysical(end));
    symlinkSync(out, join(store.toPhysical(end), "link"));
    await store.registerOutputs([{ name: "out", path: end }], {
      candidates: await store.closure([out]),
      deriver: top.path,
    });
    await store.addPermanentRoot(end, join(root, "result"));
    await store.close();
    expect(nix("nix-store", "--verify", "--check-contents")).toBe("");
    expect(nix("nix-store", "--query", "--deriver", end)).toBe(top.path);
    expect(lines(nix("nix-store", "--query", "--references", out))).toEqual([out, text].sort());
    expect(lines(nix("nix-store", "--query", "--requisites", end))).toEqual([end, out, text].sort());
    expect(lines(nix("nix-store", "--query", "--referrers", out))).toEqual([end, out].sort());
    expect(nix("nix-store", "--realise", top.path)).toBe(end);
    expect(nix("nix-store", "--query", "--roots", end)).toContain(join(root, "result"));
    const before = new Set(readdirSync(join(dir, "nix/store")));
    nix("nix-store", "--gc");
    expect(new Set(readdirSync(join(dir, "nix/store")))).toEqual(before);
    rmSync(join(root, "result"));
    nix("nix-store", "--gc");
    expect(readdirSync(join(dir, "nix/store"))).toEqual([".links"]);
    store = await LocalStore.open({ rootDir: dir });
    expect((await store.queryAllValidPaths()).size).toBe(0);
  });

  it("a store that Nix made is ours, and both collectors agree on what is dead", async () => {
    await store.close();
    rmSync(dir, { recursive: true });
    const expression = join(root, "e.nix");
    writeFileSync(
      expression,
      `let d = a: derivation ({ system = "x86_64-linux"; builder = "/bin/sh"; } // a); in
       d { name = "top"; args = [ "-c" "echo $dep > $out" ]; dep = d { name = "dep"; args = [ "-c" "echo x > $out; echo y > $dev" ]; outputs = [ "out" "dev" ]; src = ./source; }; }`,
    );
    const drv = nix("nix-instantiate", "--add-root", join(root, "drv"), expression);
    expect(drv).toBe(join(root, "drv"));
    nix("nix-store", "--add", expression);
    store = await LocalStore.open({ rootDir: dir });
    expect((await store.verify({ contents: true })).problems).toEqual([]);
    const valid = [...(await store.queryAllValidPaths())];
    const hashes = new DerivationHashes(store.storeDir, (path) => store.readDerivationSync(path));
    for (const path of valid.filter((each) => each.endsWith(".drv")))
      hashes.check(path, await store.readDerivation(path));
    expect(lines(nix("nix-store", "--gc", "--print-dead"))).toEqual([
      ...(await store.collectGarbage({ action: { type: "list-dead" } })).paths,
    ]);
    expect(lines(nix("nix-store", "--gc", "--print-live"))).toEqual([
      ...(await store.collectGarbage({ action: { type: "list-live" } })).paths,
    ]);
    await store.collectGarbage({ action: { type: "delete-dead" } });
    expect(nix("nix-store", "--verify", "--check-contents")).toBe("");
    expect(nix("nix-store", "--gc", "--print-dead")).toBe("");
  });

  it("what d2n uses, Nix's collector leaves alone", async () => {
    const path = store.addTextSync("used", "x");
    nix("nix-store", "--gc");
    // Nix tells by flock(2), which d2n does by the program of that name where there is one.
    if (spawnSync("/usr/bin/flock", ["--version"]).status === 0) expect(await store.isValidPath(path)).toBe(true);
  });
});
