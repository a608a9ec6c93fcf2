/** The subcommands of `nix` about stores, archives and derivations, on a store of their own. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ClassicRig } from "./classic-rig.ts";
import type { Outcome, RunOptions } from "./rig.ts";

const nixRig = new ClassicRig();
const { rig, root, said, refused } = nixRig;

function nix(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return nixRig.call("nix", args, options);
}

const expression = `let
  make = name: script: others: derivation ({ inherit name; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" script ]; } // others);
in rec {
  low = make "low-1" "echo low > $out" { };
  top = make "top-2" "echo $low > $out; echo dev > $dev; echo said" { inherit low; outputs = [ "out" "dev" ]; };
  fixed = make "fixed" "" { outputHash = "sha256-FRDST1teeiiH+PfrhcF1QOlgAHKRksFUq5q31JOPpfY="; outputHashMode = "recursive"; };
  structured = make "structured" "" { __structuredAttrs = true; x = { b = 1; a = [ "é" null ]; n = [ 1.0 "1.0" 9007199254740993 1.5e-7 ]; }; };
}`;
let low: string;
let top: string;
let dev: string;

beforeAll(async () => {
  await nixRig.start();
  writeFileSync(join(rig.folder, "all.nix"), expression);
  const paths = await said("build", "-f", "all.nix", "top", "low", "--print-out-paths", "-o", "kept");
  [dev, top, low] = sorted(paths) as [string, string, string];
});
afterAll(() => rig.remove());

/** The outputs by what they are. */
function sorted(paths: string): string[] {
  const all = paths.trim().split("\n");
  return ["-top-2-dev", "-top-2", "-low-1"].map((end) => all.find((path) => path.endsWith(end))!);
}

describe("nix build, path-info, why-depends, log", () => {
  it("build all outputs, and link them", async () => {
    for (const link of ["kept", "kept-dev", "kept-1"]) expect(existsSync(join(rig.folder, link)), link).toBe(true);
    expect(sorted(await said("build", "-f", "all.nix", "top^out", "--print-out-paths", "--no-link"))).toEqual([
      undefined,
      top,
      undefined,
    ]);
    expect(await said("build", "-f", "all.nix", "top.dev.outPath", "--print-out-paths", "--no-link")).toBe(`${dev}\n`);
    const fetched = await nixRig.script(
      `nix-build --no-out-link -E 'import <nix/fetchurl.nix>' --argstr url file://${rig.folder}/all.nix --argstr sha256 $(nix-hash --flat --type sha256 all.nix)`,
    );
    expect(fetched.stdout).toMatch(/-all\.nix\n$/);
    const dummy = ["eval", "--impure", "--raw", "--store", "dummy://?store=/foo", "--expr", "builtins.storeDir"];
    expect(await said(...dummy)).toBe("/foo");
    const json = JSON.parse(
      await said("build", "--no-link", "--json", "--expr", `(import ${rig.folder}/all.nix).low`, "--impure"),
    );
    expect(json).toEqual([{ drvPath: expect.stringMatching(/-low-1\.drv$/) as string, outputs: { out: low } }]);
    expect((await nix(["build", "-f", "all.nix", "structured", "--dry-run"])).stderr).toMatch(
      /will be built:\n {2}.*-structured\.drv\n/,
    );
    expect(await refused("build", "-f", "all.nix", "top^nope", "--no-link")).toContain("nope");
  });

  it("say what the store knows", async () => {
    expect(await said("path-info", "-r", top)).toBe(`${low}\n${top}\n`);
    expect(await said("path-info", "-rsS", top)).toMatch(/-low-1\t +\d+\t +\d+\n.*-top-2\t +\d+\t +\d+\n$/);
    const first = JSON.parse(await said("path-info", "--json", "--json-format", "1", "-S", top)) as Record<
      string,
      Record<string, unknown>
    >;
    expect(first[top]).toMatchObject({ ca: null, references: [low], ultimate: true, version: 1 });
    expect(first[top]!["closureSize"]).toBeGreaterThan(first[top]!["narSize"] as number);
    const second = JSON.parse(await said("path-info", "--json", "--json-format", "2", top)) as {
      info: Record<string, { references: string[] }>;
    };
    expect(second.info[basename(top)]!.references).toEqual([basename(low)]);
    expect(await refused("path-info", `${root}/store/00000000000000000000000000000000-x`)).toContain("is not valid");
    expect(await said("why-depends", top, low)).toBe(`${top}\n└───${low}\u001b[0m\n`);
    expect(await said("why-depends", "--precise", top, low)).toContain("└───/: …");
    expect((await nix(["why-depends", low, top])).stderr).toBe(`'${low}' does not depend on '${top}'\n`);
    expect(await said("log", top)).toBe("said\n");
    expect(await said("store", "diff-closures", low, dev)).toBe("low: 1 → ∅\ntop: ∅ → 2\n");
  });

  it("show derivations as JSON, and take them", async () => {
    const shownAs = JSON.parse(await said("derivation", "show", "-f", "all.nix", "fixed", "structured")) as {
      version: number;
      derivations: Record<string, Record<string, unknown>>;
    };
    const [fixed, structured] = Object.entries(shownAs.derivations).sort(([a], [b]) =>
      a.slice(33) < b.slice(33) ? -1 : 1,
    );
    expect(shownAs.version).toBe(4);
    expect(fixed![1]["outputs"]).toEqual({
      out: { hash: "sha256-FRDST1teeiiH+PfrhcF1QOlgAHKRksFUq5q31JOPpfY=", method: "nar" },
    });
    expect(structured![1]["structuredAttrs"]).toMatchObject({ x: { a: ["é", null], b: 1 } });
    const added = await nix(["derivation", "add"], { input: JSON.stringify(fixed![1]) });
    expect(added.stdout).toBe(`${root}/store/${fixed![0]}\n`);
    // The same with numbers written in other ways.
    const digits = JSON.stringify(structured![1]).replace(
      '[1,"1.0",9007199254740992,1.5e-7]',
      '[1e0, "1.0" ,9007199254740993,15E-8]',
    );
    expect(digits).toContain("1e0");
    expect((await nix(["derivation", "add"], { input: digits })).stdout).toBe(`${root}/store/${structured![0]}\n`);
    const huge = await nix(["derivation", "add"], { input: digits.replace("1e0", "1e999") });
    expect(huge.stderr).toContain("number overflow parsing '1e999'");
    const unnamed = { ...structured![1], outputs: { out: {} } };
    const named = await nix(["derivation", "add"], {
      input: JSON.stringify(unnamed).replace('[1,"1.0"', '[1.0,"1.0"'),
    });
    expect(named.stdout).toMatch(/-structured\.drv\n$/);
    const wrong = { ...structured![1], outputs: { out: { path: basename(low) } } };
    expect((await nix(["derivation", "add"], { input: JSON.stringify(wrong) })).stderr).toContain("incorrect output");
    expect((await nix(["derivation", "add"], { input: "{}" })).stderr).toContain("to contain key 'version'");
  });
});

describe("nix store, nix nar", () => {
  it("list and print what paths and archives hold", async () => {
    const tree = join(rig.folder, "tree");
    mkdirSync(join(tree, "sub"), { recursive: true });
    writeFileSync(join(tree, "a"), "content");
    writeFileSync(join(tree, "sub/x"), "x", { mode: 0o755 });
    symlinkSync("a", join(tree, "l"));
    const path = (await said("store", "add", tree)).trim();
    const long = `-r--r--r--                    7 ./a\nlrwxrwxrwx                    0 ./l -> a\ndr-xr-xr-x                    0 ./sub\n-r-xr-xr-x                    1 ./sub/x\n`;
    expect(await said("store", "ls", "-lR", path)).toBe(long);
    expect(JSON.parse(await said("store", "ls", "--json", path))).toEqual({
      entries: { a: {}, l: {}, sub: {} },
      type: "directory",
    });
    expect(JSON.parse(await said("store", "ls", "--json", "-R", `${path}/sub`))).toEqual({
      entries: { x: { executable: true, size: 1, type: "regular" } },
      type: "directory",
    });
    expect(await said("store", "ls", `${path}/sub/x`)).toBe("x\n");
    expect(await said("store", "ls", "-Rd", `${path}/sub/`)).toBe(".\n./x\n");
    expect(await said("store", "cat", `${path}/a`)).toBe("content");
    expect(await refused("store", "cat", `${path}/sub`)).toContain("is not a regular file");
    expect(await refused("store", "ls", `${path}/no`)).toContain("does not exist");
    await nixRig.script("nix nar pack tree > tree.nar");
    expect(await said("nar", "ls", "-lR", "tree.nar", "/")).toBe(long);
    expect(await said("nar", "cat", "tree.nar", "/sub/x")).toBe("x");
    const nar = readFileSync(join(rig.folder, "tree.nar"));
    const listed = await said("nar", "ls", "--json", "-R", "tree.nar", "/");
    const offsets = [...listed.matchAll(/"narOffset":(\d+),"size":(\d+)/g)].map((one) => one.slice(1).map(Number));
    expect(offsets.map(([at, size]) => nar.subarray(at, at! + size!).toString())).toEqual(["content", "x"]);
    expect(await refused("nar", "cat", "tree.nar", "sub")).toContain("NAR does not contain regular file '/sub'");
    const text = (await said("store", "add", "--mode", "text", join(tree, "a"))).trim();
    expect(await said("eval", "--raw", "--expr", '"${builtins.toFile "a" "content"}"')).toBe(text);
    expect(await refused("store", "add", "--mode", "text", tree)).toContain("cannot read");
    expect(await refused("store", "add", "--mode", "text", "--hash-algo", "sha1", join(tree, "a"))).toContain("sha256");
    expect((await nix(["path-info", "--stdin"], { input: `${text}\n ${path}\n` })).stdout).toBe(`${text}\n${path}\n`);
    expect((await nix(["path-info", "--stdin"], { input: "\n" })).stdout).toBe("");
    expect(await said("store", "path-from-hash-part", basename(path).slice(0, 32))).toBe(`${path}\n`);
    expect(await said("store", "verify", "--all")).toBe("");
    expect(await said("store", "delete", path)).toMatch(/^1 store paths deleted/);
    expect(JSON.parse(await said("store", "info", "--json"))).toMatchObject({ url: "local", trusted: true });
  });
});

describe("nix", () => {
  it("writes values to files", async () => {
    await said("eval", "--expr", '{ a = "x"; b.c = "y"; }', "--write-to", "values");
    expect(readFileSync(join(rig.folder, "values/b/c"), "utf8")).toBe("y");
    expect(await refused("eval", "--expr", '"x"', "--write-to", "values")).toContain("already exists");
    expect(await refused("eval", "--expr", "{ a = 1; }", "--write-to", "other")).toContain(
      "not a string or an attribute set",
    );
    expect(existsSync(join(rig.folder, "other"))).toBe(false);
  });

  it("shows settings", async () => {
    expect(await said("config", "show", "experimental-features")).toBe("flakes nix-command\n");
    expect(await said("config", "show")).toContain("\nsandbox = false\n");
    expect(await refused("config", "show", "nonsense")).toContain("could not find setting 'nonsense'");
  });

  it("has on what the configuration says, if it says anything", async () => {
    const off = { env: { NIX_CONFIG: "experimental-features = nix-command" } };
    expect((await nix(["eval", "--expr", "builtins ? getFlake"], off)).stdout).toBe("true\n");
    expect((await nix(["flake", "show"], off)).stderr).toBe(
      "error: experimental Nix feature 'flakes' is disabled; add '--extra-experimental-features flakes' to enable it\n",
    );
    const none = { env: { NIX_CONFIG: "experimental-features =" } };
    expect((await nix(["eval", "--expr", "1"], none)).stderr).toContain("Nix feature 'nix-command' is disabled");
    const given = ["--extra-experimental-features", "nix-command", "eval", "--expr", "1"];
    expect((await nix(given, none)).stdout).toBe("1\n");
    expect((await nix(["eval", "--expr", "1"], { env: { NIX_CONFIG: "" } })).stdout).toBe("1\n");
  });

  it("prints JSON over lines, and hashes", async () => {
    expect(await said("eval", "--expr", "{ a = [ 1.0 ]; }", "--json", "--pretty")).toBe(
      '{\n  "a": [\n    1.0\n  ]\n}\n',
    );
    expect(await refused("eval", "--raw", "--expr", "1")).toContain("while generating the eval command output");
    expect(await said("eval", "--expr", "{ x ? 1 }: x")).toMatch(/^«lambda @ /);
    expect(await said("hash", "file")).toBe("");
    expect(await refused("hash", "file", "none")).toBe(`error: path '${join(rig.folder, "none")}' does not exist\n`);
    expect(await refused("hash", "path", "--mode", "text", ".")).toContain("Unknown file ingestion method 'text'");
    expect(await refused("hash", "sum")).toContain("'sum' is not a recognised command");
    expect(await refused("hash")).toContain("nix hash requires a sub-command. Available sub-commands:");
    expect(await refused("flake", "nope")).toContain("'nope' is not a recognised command");
    expect(await refused("build", "--nope")).toContain("unknown option '--nope'");
  });

  it("says what it does not serve, and what is no command", async () => {
    expect(await refused("profile", "list")).toMatch(/does not serve 'nix profile'\n +hint: /);
    expect(await refused("store", "sign")).toContain("does not serve 'nix store sign'");
    expect(await refused("store", "nope")).toContain("'nope' is not a command of 'nix store'");
    expect(await refused("evla")).toMatch(/'evla' is not a recognised command\n +Did you mean eval\?/);
    for (const words of [
      ["--help"],
      ["path-info", "--help"],
      ["store", "ls", "--help"],
      ["eval", "--file", "x", "--help"],
    ])
      expect((await said(...words)).startsWith("Usage: nix "), words.join(" ")).toBe(true);
    expect((await nix(["show-config"])).stderr).toContain("'show-config' is a deprecated alias for 'config show'");
  });
});
