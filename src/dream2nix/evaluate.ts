/** `dream2nix.lib`: what flakes call. */
import {
  Attrs,
  canonicalPath,
  type Evaluator,
  type Lazy,
  type Native,
  nativeFormals,
  NixPath,
  textOf,
  toNix,
} from "../lang/index.ts";
import type { ModuleSystem, View } from "../modules/index.ts";
import { type BuildSystemsOf, buildSystemsArgument, nixBuildSystems } from "./build-systems.ts";
import { core } from "./modules/core/index.ts";
import { builtin, later, merged } from "./support.ts";

export interface Dream2nixLibrary {
  readonly evalModules: Lazy;
  readonly importPackages: Lazy;
}

/**
 * @param dream2nix what modules get as their argument `dream2nix`, without `lib`
 * @param buildSystems how the source distributions of a lock file are built
 */
export function createLibrary(
  ev: Evaluator,
  system: ModuleSystem,
  dream2nix: Native,
  buildSystems: BuildSystemsOf = () => undefined,
): Dream2nixLibrary {
  const evaluate = (args: Attrs): Lazy => {
    const given = system.view(args, "the argument of evalModules");
    const forwarded = Attrs.from([...args.entries()].filter(([name]) => name !== "packageSets" && name !== "raw"));
    const special = later(() =>
      merged(given.or(["specialArgs"], {}).attrs(), [
        ["packageSets", later(() => given.at("packageSets"))],
        ["dream2nix", later(() => merged(system.view(dream2nix).attrs(), [["lib", toNix({ evalModules })]]))],
        [
          buildSystemsArgument,
          toNix((file) =>
            nixBuildSystems(buildSystems(canonicalPath(textOf(ev.coerceToString(file, { copyToStore: false }))))),
          ),
        ],
      ]),
    );
    const evaluated = system.view(
      ev.call(
        toNix(system.view(system.lib).at("evalModules")),
        merged(forwarded, [
          ["modules", later(() => [...given.at("modules").list(), system.module(core)])],
          ["specialArgs", special],
        ]),
      ),
      "the evaluation",
    );
    return given.or(["raw"], false).bool() ? evaluated.get() : evaluated.at("config", "public").get();
  };
  const evalModules = nativeFormals(
    "evalModules",
    { packageSets: false, modules: false, raw: true, specialArgs: true },
    (args) => later(() => evaluate(args)),
    {
      ellipsis: true,
    },
  );

  const importPackages = nativeFormals(
    "importPackages",
    { projectRoot: false, projectRootFile: false, packagesDir: false },
    (args) => {
      const given = system.view(args, "the argument of importPackages");
      const plain = (view: View): string =>
        textOf(ev.coerceToString(view.get(), { coerceMore: true, copyToStore: false }));
      const root = plain(given.at("projectRoot"));
      const folder = plain(given.at("packagesDir"));
      const inside = new NixPath(canonicalPath(folder.startsWith(root) ? folder : `${root}/${folder}`));
      const own = new Set(["projectRoot", "projectRootFile", "packagesDir"]);
      const forwarded = [...args.entries()].filter(([name]) => !own.has(name));
      return Attrs.from(
        system
          .view(builtin(ev, "readDir", inside))
          .names()
          .map((name) => [
            name,
            later(() =>
              evaluate(
                merged(forwarded, [
                  [
                    "modules",
                    later(() => [
                      ...given.or(["modules"], []).list(),
                      new NixPath(`${inside.path}/${name}`),
                      {
                        paths: {
                          // As it was given: a path in a string would be no input of what is built from it.
                          projectRoot: given.at("projectRoot"),
                          projectRootFile: given.at("projectRootFile"),
                          package: `${folder}/${name}`,
                        },
                      },
                    ]),
                  ],
                ]),
              ),
            ),
          ]),
      );
    },
    { ellipsis: true },
  );
  return { evalModules, importPackages };
}
