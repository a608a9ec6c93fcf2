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

export interface PipBuilds {
  /** What is known of a locked package; undefined where d2n.lock says nothing. */
  readonly of: (name: string) => SourceBuild | undefined;
  /** Whether it is known what a package is built with. */
  readonly has: (name: string) => boolean;
  /** What the package itself is built with, where it is not locked and its own build system is not, either. */
  readonly forRoot: () => Lazy[] | undefined;
  /** The packages that it is built with: exactly those, and every one by itself. */
  readonly inputs: (name: string) => Lazy[];
}

export function pipBuilds(root: ModuleScope, packageSets: View, specialArgs: View, metadata: View): PipBuilds {
  const systems = buildSystemsOf(specialArgs, root.config.at("paths", "lockFileAbs"));
  const packages = new Map<string, Lazy>();

  const of = (name: string): SourceBuild | undefined => {
    const known = systems();
    if (known === undefined || !metadata.has("sources", name)) return undefined;
    return known.sources[buildKey(name, metadata.at("sources", name, "version").text())];
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
    has: (name) => of(name)?.inputs !== undefined,
    inputs: (name) => (of(name)?.inputs ?? []).map(packageOf),
  };
}
