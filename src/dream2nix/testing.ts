/** For tests: an evaluator with a small package set of derivations that nobody builds, and projects in memory. */
import { createEvaluator, type Evaluator, type Host, type Lazy, toNix, type Value } from "../lang/index.ts";
import { createModuleSystem, type View } from "../modules/index.ts";
import type { BuildSystemsLock } from "../python/index.ts";
import { createDream2nix } from "./index.ts";

/** Derivations whose attributes can be looked at; no more of nixpkgs than the modules ask for. */
const packageSet = `
{ system, pythonVersion }: let
  genAttrs = names: f: builtins.listToAttrs (map (name: { inherit name; value = f name; }) names);
  flatten = x: if builtins.isList x then builtins.concatLists (map flatten x) else [ x ];
  drv = name: attrs: derivation ({ inherit name system; builder = "/bin/sh"; } // attrs);
  package = pname: drv pname { inherit pname; } // { inherit pname; version = "1"; overrideAttrs = f: package pname; };
  flat = attrs: builtins.mapAttrs (_: v: if builtins.isList v then flatten v else v) (removeAttrs attrs [ "meta" "passthru" "pos" ]);
  names = [ "bash" "coreutils" "gawk" "gitMinimal" "unzip" "zlib" "libjpeg" "pkg-config" "autoPatchelfHook" "libglvnd" "glib" "freetype" "autoAddDriverRunpath" "postgresql" "openssl" "cmake" "tbb" ];
  stdenv = {
    isLinux = true;
    inherit system;
    cc = package "gcc";
    hostPlatform = { inherit system; };
    buildPlatform = { inherit system; };
    mkDerivation = attrs: let self = drv attrs.pname (flat attrs // { inherit (attrs) pname version; });
      in self // (attrs.passthru or {}) // { arguments = attrs; overrideAttrs = f: self; meta = attrs.meta or {}; out = self // (attrs.passthru or {}); };
  };
  interpreter = version: let
    minor = builtins.concatStringsSep "." (builtins.genList (builtins.elemAt (builtins.splitVersion version)) 2);
    python = (package "python3") // {
    inherit version system stdenv;
    sitePackages = "lib/python\${minor}/site-packages";
    pkgs = genAttrs [ "pip" "setuptools" "wheel" "flit-core" "poetry-core" ] package // {
      buildPythonPackage = attrs: let base = stdenv.mkDerivation (removeAttrs attrs [ "optional-dependencies" ]);
        in base // { arguments = attrs; pythonModule = python; requiredPythonModules = [ ]; override = f: base; overridePythonAttrs = f: base; };
    };
    withPackages = f: let env = drv "python-env" { packages = flatten (f python.pkgs); };
      in env // { inherit (python) sitePackages; override = g: drv "python-env" ({ packages = flatten (f python.pkgs); } // g { }) // { inherit (python) sitePackages; }; };
  }; in python;
  python = interpreter pythonVersion;
in genAttrs names package // {
  inherit stdenv python;
  python3 = python;
  python39 = interpreter "3.9.19";
  python310 = interpreter "3.10.14";
  python311 = interpreter "3.11.9";
  python312 = interpreter "3.12.7";
  python313 = interpreter "3.13.5";
  path = "/nixpkgs";
  pythonManylinuxPackages.manylinux1 = [ (package "glibc") ];
  fetchurl = { url, sha256, name ? baseNameOf url }: drv name { inherit url; outputHash = sha256; outputHashAlgo = "sha256"; outputHashMode = "flat"; };
  fetchgit = { url, rev, sha256, fetchSubmodules ? true }: drv "source" { inherit url rev fetchSubmodules; outputHash = sha256; outputHashAlgo = "sha256"; outputHashMode = "recursive"; };
  writeText = name: text: builtins.toFile name text;
  mkShell = attrs: drv "shell" (flat attrs);
  writeScript = name: text: package name;
  writeScriptBin = name: text: package name;
}
`;

export interface Playground<H extends Host> {
  readonly host: H;
  readonly ev: Evaluator;
  /** Evaluates Nix code with `dream2nix`, `lib` and `pkgs` in scope, relative to `/project`. */
  readonly evaluate: (source: string) => Value;
  readonly view: (source: string) => View;
}

export interface PlaygroundOptions {
  readonly pythonVersion?: string;
  /** Files of `/project`, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** What d2n.lock says of lock files, by path. */
  readonly buildSystems?: Readonly<Record<string, BuildSystemsLock>>;
}

/** Playgrounds over hosts that hold some files in memory. */
export function playgrounds<H extends Host>(
  createHost: (options: { readonly files: Readonly<Record<string, string>> }) => H,
): (options?: PlaygroundOptions) => Playground<H> {
  return ({ pythonVersion = "3.13.5", files = {}, buildSystems = {} } = {}) => {
    const host = createHost({
      files: Object.fromEntries(
        Object.entries({ "flake.nix": "", ...files }).map(([name, text]) => [`/project/${name}`, text]),
      ),
    });
    const ev = createEvaluator({ host });
    const system = createModuleSystem(ev);
    const pkgs = ev.call(ev.evaluate(packageSet, { basePath: "/" }), toNix({ system: "x86_64-linux", pythonVersion }));
    const scope = new Map<string, Lazy>([
      ["dream2nix", toNix(createDream2nix(ev, system, { buildSystems: (file) => buildSystems[file] }))],
      ["lib", system.lib],
      ["pkgs", pkgs],
    ]);
    const evaluate = (source: string): Value => ev.evaluate(source, { basePath: "/project", name: "test.nix", scope });
    return { host, ev, evaluate, view: (source) => system.view(evaluate(source), "result") };
  };
}

/** The second part of the guide's flake: `default.nix` evaluated, with more modules. */
export function evalModules(modules: string, more = ""): string {
  return `dream2nix.lib.evalModules {
    packageSets.nixpkgs = pkgs;
    modules = [ ${modules} { paths.projectRoot = ./.; paths.projectRootFile = "flake.nix"; paths.package = ./.; } ];
    ${more}
  }`;
}
