import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { D2nError } from "../base/index.ts";
import type { PackagePins } from "../debian/index.ts";
import type { Derivation } from "../formats/index.ts";
import { Attrs, ContextString, createEvaluator, force, type Lazy, lazy, PrimOp, type Value } from "../lang/index.ts";
import { MemoryHost } from "../lang/testing.ts";
import { createLib } from "../modules/index.ts";
import { createDebianPackages, createPackageSet } from "./index.ts";

/** A package set over an archive that has every package, in one version. */
interface TestSet {
  readonly host: MemoryHost;
  /** The value of an expression in which `pkgs`, `lib` and `importNixpkgs` are known. */
  evaluate(source: string): Value;
}

/** @param busybox a folder with a file `busybox` */
function testPackageSet(busybox: string, system = "x86_64-linux"): TestSet {
  const host = new MemoryHost({ system });
  const ev = createEvaluator({ host });
  const lib = createLib(ev);
  const pins: PackagePins = {
    lookup: (_suite, architecture, name) => ({
      package: name,
      version: "1.2.3-4",
      source: name.replace(/-dev$/, ""),
      archive: "main",
      filename: `pool/main/x/${name}_1.2.3-4_${architecture}.deb`,
      sha256: Buffer.from(name.padEnd(32).slice(0, 32)).toString("hex"),
      size: 1,
      depends: [],
    }),
  };
  const make = (wanted: string, config?: Lazy, overlays: readonly Lazy[] = []): Attrs =>
    createPackageSet(ev, {
      system: wanted,
      lib,
      ...(config === undefined ? {} : { config }),
      overlays,
      debian: () => {
        if (wanted !== system) throw new D2nError("debian-package", `no packages for ${wanted}`);
        return createDebianPackages(ev, {
          system: wanted,
          pins,
          url: (pin) => `https://mirror.example.org/debian/${pin.filename}`,
          busybox,
        });
      },
    });
  const importNixpkgs = new PrimOp("nixpkgs", 1, (argument) => {
    const args = force(argument) as Attrs;
    const overlays = args.get("overlays");
    return make(
      force(args.get("system")!) as string,
      args.get("config"),
      overlays === undefined ? [] : (force(overlays) as readonly Lazy[]),
    );
  });
  const scope = new Map<string, Lazy>([
    ["pkgs", lazy(() => make(system))],
    ["lib", lib],
    ["importNixpkgs", importNixpkgs],
  ]);
  return { host, evaluate: (source) => ev.evaluate(source, { basePath: "/nonexistent", scope }) };
}

let busybox: string;
let set: TestSet;
beforeAll(() => {
  busybox = mkdtempSync(join(tmpdir(), "d2n-busybox-"));
  writeFileSync(join(busybox, "busybox"), "a busybox", { mode: 0o755 });
  set = testPackageSet(busybox);
});
afterAll(() => rmSync(busybox, { recursive: true, force: true }));

/** A value as plain JavaScript, contexts dropped. */
function plain(lazy: Lazy): unknown {
  const value: Value = force(lazy);
  if (value instanceof ContextString) return value.text;
  if (Array.isArray(value)) return (value as readonly Lazy[]).map(plain);
  if (value instanceof Attrs)
    return Object.fromEntries([...value.entries()].map(([name, element]) => [name, plain(element)]));
  return value;
}
const evaluate = (source: string): unknown => plain(set.evaluate(source));
const derivation = (source: string): Derivation => set.host.derivations.get(evaluate(`(${source}).drvPath`) as string)!;
const hash = 'sha256 = "166c1cd4d24309b30d61f79f4a9114b7b2313d7450912277855ff5dfd7cd4a06"';

describe("mkDerivation", () => {
  it("hands attributes to the builder", () => {
    const { env, args, builder } = derivation(
      'pkgs.stdenv.mkDerivation { pname = "a"; version = "1"; outputs = [ "out" "dev" ]; buildInputs = [ pkgs.zlib null [ pkgs.expat ] ]; doCheck = true; nativeCheckInputs = [ pkgs.git ]; configureFlags = [ "--x" "--y" ]; env.FOO = 1; passthru.x = 1; meta.description = "d"; }',
    );
    expect(env.get("name")).toBe("a-1");
    expect(env.get("outputs")).toBe("out dev");
    expect(env.get("buildInputs")).toMatch(/^\/nix\/store\/\w+-zlib-1\.2\.3 \/nix\/store\/\w+-expat-1\.2\.3$/);
    expect(env.get("nativeBuildInputs")).toMatch(/-git-/);
    expect(env.get("configureFlags")).toBe("--x --y");
    expect(env.get("doCheck")).toBe("1");
    expect(env.get("FOO")).toBe("1");
    expect(env.has("passthru") || env.has("meta")).toBe(false);
    expect(builder).toMatch(/\/bin\/bash$/);
    expect(args[0]).toBe("-e");
    expect(env.get("stdenv")).toMatch(/-stdenv-linux$/);
  });

  it("takes a function of the final attributes, and overrideAttrs in all forms", () => {
    expect(
      evaluate(`let d = pkgs.stdenv.mkDerivation (final: { pname = "a"; version = "1"; x = final.version; });
        in [ d.x (d.overrideAttrs (old: { version = old.version + ".1"; })).x (d.overrideAttrs (final: prev: { version = "2"; y = final.x; })).y (d.overrideAttrs { version = "3"; }).name ]`),
    ).toEqual(["1", "1.1", "2", "a-3"]);
  });

  it("refuses what is no dependency, overlapping env, unfree and broken packages", () => {
    const fails = (attrs: string): unknown =>
      evaluate(`(builtins.tryEval (pkgs.stdenv.mkDerivation { name = "x"; ${attrs} }).outPath).success`);
    expect(fails("")).toBe(true);
    expect(fails("buildInputs = [ (x: x) ];")).toBe(false);
    expect(fails("buildInputs = [ 1 ];")).toBe(false);
    expect(fails("FOO = 1; env.FOO = 2;")).toBe(false);
    expect(fails("env.FOO = { };")).toBe(false);
    expect(fails("meta.broken = true;")).toBe(false);
    expect(fails("meta.license.free = false;")).toBe(false);
    expect(fails('meta.platforms = [ "x86_64-darwin" ];')).toBe(false);
    expect(fails('meta.platforms = [ "x86_64-linux" ];')).toBe(true);
    expect(fails('meta.knownVulnerabilities = [ "CVE" ];')).toBe(false);
    expect(() => evaluate('(pkgs.stdenv.mkDerivation { version = "1"; }).drvPath')).toThrow(/'pname'/);
    expect(
      evaluate(
        '(builtins.tryEval ((importNixpkgs { system = "x86_64-linux"; config.allowUnfree = true; }).stdenv.mkDerivation { name = "x"; meta.license.free = false; }).outPath).success',
      ),
    ).toBe(true);
  });

  it("does not force what nobody asks for", () => {
    expect(
      evaluate(
        '(pkgs.stdenv.mkDerivation { name = "x"; buildInputs = throw "forced"; meta.homepage = "h"; passthru.y = 2; }).y',
      ),
    ).toBe(2);
    expect(
      evaluate('(pkgs.stdenv.mkDerivation { name = "x"; src = throw "forced"; meta.homepage = "h"; }).meta.homepage'),
    ).toBe("h");
  });

  it("gives every output the attributes of the package", () => {
    expect(
      evaluate(
        'let d = pkgs.stdenv.mkDerivation { name = "x"; outputs = [ "out" "dev" ]; passthru.y = 2; }; in [ d.dev.outputName d.dev.y d.dev.outputSpecified d.outputName (d.dev.outPath != d.outPath) d.meta.outputsToInstall ]',
      ),
    ).toEqual(["dev", 2, true, "out", true, ["out"]]);
  });

  it("evaluates to the same derivation every time", () => {
    const source = '(pkgs.stdenv.mkDerivation { name = "x"; buildInputs = [ pkgs.zlib ]; }).drvPath';
    expect(plain(testPackageSet(busybox).evaluate(source))).toBe(evaluate(source));
  });
});

describe("the set", () => {
  it("has callPackage with override", () => {
    expect(
      evaluate(`let p = pkgs.callPackage ({ stdenv, zlib, foo ? "d", ... }: stdenv.mkDerivation { name = "p-\${foo}"; buildInputs = [ zlib ]; }) { };
        in [ p.name (p.override { foo = "x"; }).name ((p.override { foo = "y"; }).overrideAttrs { A = 1; }).A ((p.overrideAttrs { A = 2; }).override { foo = "z"; }).A ((p.overrideAttrs { A = 2; }).override (old: { foo = "q"; })).name ]`),
    ).toEqual(["p-d", "p-x", 1, 2, "p-q"]);
    expect(() => evaluate("pkgs.callPackage ({ zlibb }: 1) { }")).toThrow(/"zlibb"/);
  });

  it("has overlays", () => {
    expect(
      evaluate(`let p = importNixpkgs { system = "x86_64-linux"; overlays = [ (final: prev: { a = prev.zlib; b = final.c; }) (final: prev: { c = prev.a.pname; }) ]; };
        in [ p.b (p.extend (final: prev: { c = "new"; })).b (p.appendOverlays [ (final: prev: { c = "newer"; }) ]).b p.pkgs.b ]`),
    ).toEqual(["zlib", "new", "newer", "zlib"]);
  });

  it("exists for foreign systems until something is forced", () => {
    expect(
      evaluate(
        'let p = importNixpkgs { system = "aarch64-darwin"; }; in [ (p ? zlib) p.stdenv.isDarwin p.hostPlatform.system p.stdenv.hostPlatform.isAarch64 (p ? python313) ]',
      ),
    ).toEqual([true, true, "aarch64-darwin", true, true]);
    expect(() => evaluate('(importNixpkgs { system = "aarch64-darwin"; }).zlib.outPath')).toThrow(/aarch64-darwin/);
  });

  it("makes texts, scripts and shells", () => {
    expect(
      evaluate(
        '[ (pkgs.writeText "a" "b").name (pkgs.writeShellScriptBin "s" "echo").meta.mainProgram (pkgs.writeShellApplication { name = "q"; text = ""; runtimeInputs = [ pkgs.git ]; }).name ]',
      ),
    ).toEqual(["a", "s", "q"]);
    expect(
      evaluate(
        "map (p: p.name) [ pkgs.ruff pkgs.nodejs pkgs.pyright ] ++ pkgs.uv.src.urls ++ [ pkgs.ruff.meta.mainProgram ]",
      ),
    ).toEqual([
      expect.stringMatching(/^ruff-[0-9]/),
      expect.stringMatching(/^nodejs-2[0-9]/),
      expect.stringMatching(/^pyright-/),
      expect.stringMatching(/^mirror:\/\/pypi\/wheels\/u\/uv\/uv-.*\.whl$/),
      "ruff",
    ]);
    const shell = derivation(
      'pkgs.mkShell { packages = [ pkgs.git ]; inputsFrom = [ (pkgs.mkShell { buildInputs = [ pkgs.zlib ]; shellHook = "one"; }) ]; shellHook = "two"; }',
    );
    expect(shell.env.get("nativeBuildInputs")).toMatch(/-git-/);
    expect(shell.env.get("buildInputs")).toMatch(/-zlib-/);
    expect(shell.env.get("shellHook")).toBe("one\ntwo");
    const over =
      "pkgs.mkShell.override { stdenv = pkgs.stdenv // { mkDerivation = args: args // { mine = true; }; }; }";
    expect(
      evaluate(`((${over}) { packages = [ ]; }).mine && lib.isFunction (pkgs.mkShell.override (old: { })).override`),
    ).toBe(true);
  });

  it("python packages that Debian lacks come from the index, with Debian's beside them", () => {
    expect(
      evaluate(
        "map (p: p.pname) pkgs.python3.pkgs.python-lsp-ruff.dependencies ++ map (p: p.name) [ pkgs.hatch pkgs.python311.pkgs.pynvml ]",
      ),
    ).toEqual(["cattrs", "lsprotocol", "python-lsp-server", "ruff", "hatch-1.14.1", "python3.11-pynvml-13.0.1"]);
    expect(evaluate("with pkgs.python3.pkgs; ruff.src.urls ++ pdm-pep517.src.urls ++ uv-build.src.urls")).toEqual([
      expect.stringMatching(/^mirror:\/\/pypi\/wheels\/r\/ruff\/ruff-.*manylinux.*\.whl$/),
      expect.stringMatching(/\/wheels\/p\/pdm_pep517\/pdm_pep517-.*-py3-none-any\.whl$/),
      expect.stringMatching(/\/wheels\/u\/uv_build\/uv_build-.*manylinux.*\.whl$/),
    ]);
  });
});

describe("fetchers", () => {
  it("fetch files by builtin:fetchurl", () => {
    const { builder, env, outputs } = derivation(
      `pkgs.fetchurl { url = "https://files.example.org/a/x-1.0-py3-none-any.whl"; ${hash}; }`,
    );
    expect(builder).toBe("builtin:fetchurl");
    expect(env.get("urls")).toBe("https://files.example.org/a/x-1.0-py3-none-any.whl");
    expect(outputs.get("out")?.path).toMatch(/-x-1\.0-py3-none-any\.whl$/);
    expect(evaluate(`lib.hasSuffix ".whl" (pkgs.fetchurl { url = "https://files.example.org/x.whl"; ${hash}; })`)).toBe(
      true,
    );
  });

  it("have the store paths of nixpkgs without fetching", () => {
    const expected = evaluate(
      '(derivation { name = "source"; system = "x"; builder = "x"; outputHashMode = "recursive"; outputHashAlgo = "sha256"; outputHash = "166c1cd4d24309b30d61f79f4a9114b7b2313d7450912277855ff5dfd7cd4a06"; }).outPath',
    );
    expect(evaluate(`(pkgs.fetchFromGitHub { owner = "o"; repo = "r"; rev = "v1"; ${hash}; }).outPath`)).toBe(expected);
    expect(
      evaluate(
        `(pkgs.fetchFromGitHub { owner = "o"; repo = "r"; tag = "v1"; fetchSubmodules = true; ${hash}; }).outPath`,
      ),
    ).toBe(expected);
    expect(evaluate(`(pkgs.fetchFromGitLab { owner = "o"; repo = "r"; rev = "v1"; ${hash}; }).outPath`)).toBe(expected);
    expect(evaluate(`(pkgs.fetchzip { url = "https://example.org/x.zip"; ${hash}; }).outPath`)).toBe(expected);
    expect(
      evaluate(
        `(pkgs.fetchgit { url = "https://example.org/o/r.git"; rev = "0123456789012345678901234567890123456789"; ${hash}; }).name`,
      ),
    ).toBe("r-0123456");
  });

  it("want a hash", () => {
    expect(() => evaluate('(pkgs.fetchurl { url = "https://example.org/x"; }).outPath')).toThrow(/requires a hash/);
    expect(() => evaluate(`(pkgs.fetchurl { ${hash}; }).outPath`)).toThrow(/'url' or 'urls'/);
    expect(() => evaluate(`(pkgs.fetchFromGitHub { owner = "o"; repo = "r"; ${hash}; }).outPath`)).toThrow(
      /'rev' and 'tag'/,
    );
  });
});

describe("Python", () => {
  const build = (attrs: string): string =>
    `pkgs.python3.pkgs.buildPythonPackage { pname = "x"; version = "1"; src = "/src"; ${attrs} }`;

  it("knows interpreters without having them", () => {
    expect(
      evaluate(
        '[ pkgs.python310.pythonVersion pkgs.python3.sitePackages pkgs.python3.system (pkgs.python3.pkgs ? flit-core) (pkgs.python3.pythonAtLeast "3.9") pkgs.python3.isPy3 pkgs.python313Packages.python.pname ]',
      ),
    ).toEqual(["3.10", "lib/python3.13/site-packages", "x86_64-linux", true, true, true, "python3"]);
  });

  it("chooses the format", () => {
    const format = (attrs: string): unknown => derivation(build(attrs)).env.get("pythonFormat");
    expect(format("")).toBe("setuptools");
    expect(format("pyproject = null; format = null;")).toBe("setuptools");
    expect(format("pyproject = true;")).toBe("pyproject");
    expect(format("pyproject = false;")).toBe("other");
    expect(format('format = "wheel";')).toBe("wheel");
    expect(() => format('format = "egg";')).toThrow(/egg/);
    expect(() => format('format = "wheal";')).toThrow(/"wheal"/);
    expect(() => evaluate(`(${build("disabled = true;")}).outPath`)).toThrow(
      /not supported for interpreter python3.13/,
    );
  });

  it("propagates dependencies but not the interpreter", () => {
    const { env } = derivation(
      build(
        'dependencies = [ pkgs.python3.pkgs.six ]; propagatedBuildInputs = [ pkgs.zlib ]; pythonImportsCheck = [ "x" ];',
      ),
    );
    expect(env.get("name")).toBe("python3.13-x-1");
    expect(env.get("propagatedBuildInputs")).toMatch(/^\S+-zlib-\S+ \S+-six-\S+$/);
    expect(env.get("pythonImportsCheck")).toBe("x");
    expect(env.get("doInstallCheck")).toBe("1");
    expect(env.has("dependencies")).toBe(false);
  });

  it("makes modules that environments find", () => {
    expect(
      evaluate(`let six = pkgs.python3.pkgs.six; x = ${build("dependencies = [ pkgs.python3.pkgs.six ];")};
        in [ (x.pythonModule == pkgs.python3) (map (m: m.pname) x.requiredPythonModules) (x.overridePythonAttrs (o: { version = "2"; })).version (x.overrideAttrs { A = 1; }).pythonModule.pname x.out.pythonModule.pname
             (pkgs.python3.pkgs.hasPythonModule pkgs.zlib) ]`),
    ).toEqual([true, ["python3", "six"], "2", "python3", "python3", false]);
    const { env } = derivation(
      `pkgs.python3.withPackages (ps: [ (${build("dependencies = [ ps.six ];")}) pkgs.zlib ])`,
    );
    const chosen = env.get("chosenOutputs")!;
    expect(chosen).toMatch(/-six-/);
    expect(chosen).toMatch(/-python3\.13-x-1/);
    expect(chosen).not.toMatch(/-zlib-/);
    expect(
      evaluate(
        'let e = pkgs.python3.withPackages (ps: [ ]); in [ e.sitePackages (e.override (old: { postBuild = old.postBuild or "" + "x"; ignoreCollisions = true; })).name ]',
      ),
    ).toEqual(["lib/python3.13/site-packages", expect.stringMatching(/^python3-.*-env$/)]);
  });

  it("has packageOverrides", () => {
    expect(
      evaluate(
        'let p = pkgs.python3.override { packageOverrides = self: super: { six = super.six.overrideAttrs { pname = "seven"; }; eight = self.six; }; }; in [ p.pkgs.eight.pname (p.pkgs.hasPythonModule pkgs.python3.pkgs.six) ]',
      ),
    ).toEqual(["seven", true]);
  });
});
