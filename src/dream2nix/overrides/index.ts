/** Changes that packages are known to need, whoever builds them. Applied to locked dependencies by name. */
import type { Native, NativeObject } from "../../lang/index.ts";
import { defineModule, mkDefault, mkIf, type ModuleScope, type NativeModule, type View } from "../../modules/index.ts";
import { later } from "../support.ts";
import { sourceText } from "../modules/pip/source-text.ts";

type Scope = ModuleScope & { readonly packageSets: View };

function override(name: string, config: (m: Scope) => NativeObject): readonly [string, NativeModule] {
  return [name, defineModule({ file: `dream2nix/overrides/python/${name}`, args: ["packageSets"], config })];
}

const isSdist = (m: ModuleScope) => (): boolean => /\.(?:tar\.\w+|tgz|zip)$/.test(sourceText(m));
const isWheel = (m: ModuleScope) => (): boolean => sourceText(m).endsWith(".whl");

/** Attributes of the package set, as replaceable `deps`. */
function inherited(m: Scope, names: readonly string[]): NativeObject {
  return Object.fromEntries(names.map((name) => [name, mkDefault(m.packageSets.at("nixpkgs", name))]));
}

/** Those of the named `deps` that the package set has: libraries without which the package builds as well. */
function whereThere(m: Scope, names: readonly string[]): () => Native {
  return () => names.filter((name) => m.packageSets.has("nixpkgs", name)).map((name) => m.config.at("deps", name));
}

/** A library that the wheel wants and the platform of wheels does not promise. */
function library(m: Scope, name: string): NativeObject {
  return { deps: inherited(m, [name]), mkDerivation: { buildInputs: mkIf(isWheel(m), later(whereThere(m, [name]))) } };
}

/** Every nvidia package installs the same bytecode file, and environments do not take a file twice. */
const nvidia = [
  "nvidia-cublas-cu12",
  "nvidia-cuda-cupti-cu12",
  "nvidia-cuda-nvrtc-cu12",
  "nvidia-cuda-runtime-cu12",
  "nvidia-cudnn-cu12",
  "nvidia-cufft-cu12",
  "nvidia-curand-cu12",
  "nvidia-cusolver-cu12",
  "nvidia-cusparse-cu12",
  "nvidia-nccl-cu12",
  "nvidia-nvjitlink-cu12",
];

const pillowLibraries = ["zlib", "libjpeg", "freetype", "lcms2", "libtiff", "libwebp", "openjpeg"];

/** Those that give something to source distributions. */
export const sourceOverrides = ["pillow", "psycopg2"];

/** Canonical name to module. */
export const communityOverrides: ReadonlyMap<string, NativeModule> = new Map([
  ...nvidia.map((name) =>
    override(name, (m) => ({
      mkDerivation: { postFixup: mkIf(isWheel(m), "rm -f $out/lib/*/site-packages/nvidia/__pycache__/__init__.*\n") },
    })),
  ),
  override("numba", (m) => library(m, "tbb")),
  override("pyodbc", (m) => library(m, "unixODBC")),
  override("opencv-python", (m) => ({
    deps: inherited(m, ["libglvnd", "glib"]),
    env: { autoPatchelfIgnoreMissingDeps: true },
    mkDerivation: { buildInputs: later(whereThere(m, ["libglvnd", "glib"])) },
  })),
  override("pillow", (m) => ({
    deps: inherited(m, ["pkg-config", ...pillowLibraries]),
    mkDerivation: {
      nativeBuildInputs: mkIf(
        isSdist(m),
        later(() => [m.config.at("deps", "pkg-config")]),
      ),
      buildInputs: mkIf(isSdist(m), later(whereThere(m, pillowLibraries))),
    },
  })),
  override("psycopg2", (m) => ({
    // All that is asked for is `pg_config`, which need not bring the server.
    deps: {
      postgresql: mkDefault(
        later(() => {
          const nixpkgs = m.packageSets.at("nixpkgs");
          return nixpkgs.has("libpq", "pg_config") ? nixpkgs.at("libpq", "pg_config") : nixpkgs.at("postgresql");
        }),
      ),
    },
    mkDerivation: {
      nativeBuildInputs: mkIf(
        isSdist(m),
        later(() => [m.config.at("deps", "postgresql")]),
      ),
    },
  })),
  override("reuse", (m) => ({
    buildPythonPackage: { pyproject: mkIf(isSdist(m), true) },
    mkDerivation: {
      nativeBuildInputs: mkIf(
        isSdist(m),
        later(() => [m.config.at("deps", "python", "pkgs", "poetry-core")]),
      ),
    },
  })),
  override("torch", (m) => ({
    deps: inherited(m, ["autoAddDriverRunpath"]),
    // Stripping takes long and saves little. The driver's library comes from the machine.
    mkDerivation: { dontStrip: true, nativeBuildInputs: later(whereThere(m, ["autoAddDriverRunpath"])) },
    env: { autoPatchelfIgnoreMissingDeps: ["libcuda.so.1"] },
  })),
  // Requires torch, which requires it.
  override("triton", () => ({ buildPythonPackage: { pythonRemoveDeps: ["torch"] } })),
]);
