/** What d2n.lock says of how locked source distributions are built, and the packages that takes. */
import type { Lazy, NativeObject } from "../../../lang/index.ts";
import type { ModuleScope, View } from "../../../modules/index.ts";
import {
  type BuildFile,
  buildKey,
  canonicalName,
  isWheel,
  type SourceBuild,
  splitBuildKey,
  versionVariables,
} from "../../../python/index.ts";
import { buildSystemsOf } from "../../build-systems.ts";
import { Dream2nixError, later } from "../../support.ts";

/** The version in the lock, which is looked at only where something is known of any; undefined for what is not locked. */
export type LockedVersion = () => string | undefined;

export interface PipBuilds {
  /** What is known of a locked package; undefined where d2n.lock says nothing, or no version is locked. */
  readonly of: (name: string, version: LockedVersion) => SourceBuild | undefined;
  /** Whether it is known what a package is built with. */
  readonly has: (name: string, version: LockedVersion) => boolean;
  /** What the package itself is built with, where it is not locked and its own build system is not, either. */
  readonly forRoot: () => Lazy[] | undefined;
  /** The packages that it is built with: exactly those, and every one by itself. */
  readonly inputs: (name: string, version: LockedVersion) => Lazy[];
}

/**
 * @param root scope of a module that has `fetchurl`, `autoPatchelfHook`, `unzip`, `python` and `stdenv` among its `deps`
 * @param lockFile as `d2n.lock` is asked for it
 */
export function pipBuilds(root: ModuleScope, packageSets: View, specialArgs: View, lockFile: View): PipBuilds {
  const systems = buildSystemsOf(specialArgs, lockFile);
  const packages = new Map<string, Lazy>();

  const of: PipBuilds["of"] = (name, versionOf) => {
    const known = systems();
    const version = known === undefined ? undefined : versionOf();
    return version === undefined ? undefined : known?.sources[buildKey(name, version)];
  };

  /** Packages are shared: two that want the same version of setuptools have the same one. */
  const packageOf = (key: string): Lazy => {
    let known = packages.get(key);
    if (known === undefined) {
      known = later(() => {
        const file = systems()?.files[key];
        if (file === undefined)
          throw new Dream2nixError("d2n-lock", `d2n.lock does not say where the build requirement ${key} comes from`, {
            hint: "Lock again: run the package's .lock.",
          });
        return build(key, file);
      });
      packages.set(key, known);
    }
    return known;
  };

  const build = (key: string, { url, sha256 }: BuildFile): View => {
    const [pname, version] = splitBuildKey(key);
    const { config } = root;
    const wheel = isWheel(url);
    // Wheels in pure Python have nothing to patch.
    const patched = wheel && !/-none-any\.whl/.test(url) && config.at("deps", "stdenv", "isLinux").bool();
    const source = systems()?.sources[key];
    const common: NativeObject = {
      pname,
      version,
      src: config.at("deps", "fetchurl").call({ url, sha256 }),
      doCheck: false,
      dontStrip: true,
      // What it needs is given beside it, not through it.
      catchConflicts: false,
      dontCheckRuntimeDeps: true,
    };
    return config.at("deps", "python", "pkgs", "buildPythonPackage").call(
      wheel
        ? {
            ...common,
            format: "wheel",
            nativeBuildInputs: patched ? [config.at("deps", "autoPatchelfHook")] : [],
            buildInputs: patched ? [packageSets.at("nixpkgs", "pythonManylinuxPackages", "manylinux1")] : [],
          }
        : {
            ...common,
            ...versionVariables(pname, version),
            pyproject: true,
            nativeBuildInputs: [config.at("deps", "unzip")],
            ...(source?.inputs === undefined
              ? { "build-system": [config.at("deps", "python", "pkgs", "setuptools")] }
              : { pythonIsolatedBuild: true, "build-system": source.inputs.map(packageOf) }),
          },
    );
  };

  return {
    forRoot: () => systems()?.sources[canonicalName(root.config.at("name").text())]?.inputs?.map(packageOf),
    of,
    has: (name, version) => of(name, version)?.inputs !== undefined,
    inputs: (name, version) => (of(name, version)?.inputs ?? []).map(packageOf),
  };
}
