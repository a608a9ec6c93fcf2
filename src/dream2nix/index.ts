/** dream2nix itself: what the flake input of that name gives. */
import { type Evaluator, type Native, type NativeObject } from "../lang/index.ts";
import type { ModuleSystem } from "../modules/index.ts";
import type { BuildSystemsLock } from "../python/index.ts";
import { createLibrary } from "./evaluate.ts";
import { communityOverrides } from "./overrides/index.ts";
import { builtInModules, missingModules } from "./registry.ts";
import { Dream2nixError, later } from "./support.ts";

export { builtInModules, missingModules } from "./registry.ts";
export { communityOverrides } from "./overrides/index.ts";
export { Dream2nixError } from "./support.ts";

export interface Dream2nixSettings {
  /** The flake's own inputs, `dream2nix.inputs.nixpkgs` for instance. */
  readonly inputs?: Native;
  /** What is known of how the source distributions of a lock file are built, by the absolute path of that file. */
  readonly buildSystems?: (lockFile: string) => BuildSystemsLock | undefined;
}

/**
 * The outputs of dream2nix' flake: `lib.evalModules`, `lib.importPackages`, `modules.dream2nix.<name>`,
 * `overrides.python.<name>`, `inputs`. Everything in it is lazy. `inputs` stands here because modules can ask for it; a flake's
 * own attributes (`outPath`, `rev`, …) are for the caller to add.
 */
export function createDream2nix(
  ev: Evaluator,
  system: ModuleSystem,
  { inputs = {}, buildSystems }: Dream2nixSettings = {},
): NativeObject {
  const named: NativeObject = {
    ...Object.fromEntries(missingModules.map((name) => [name, later(() => notYet(name))])),
    ...Object.fromEntries(
      Object.entries(builtInModules).map(([name, module]) => [name, later(() => system.module(module))]),
    ),
  };
  const python = Object.fromEntries(
    [...communityOverrides].map(([name, module]) => [name, later(() => system.module(module))]),
  );
  const modules = { dream2nix: named };
  const overrides = { python };
  const library = createLibrary(ev, system, { modules, overrides, inputs }, buildSystems);
  return {
    lib: { evalModules: library.evalModules, importPackages: library.importPackages },
    modules,
    overrides,
    inputs,
  };
}

function notYet(name: string): never {
  throw new Dream2nixError("evaluation", `the module dream2nix.modules.dream2nix.${name} is not part of d2n yet`, {
    hint: `d2n has: ${Object.keys(builtInModules).sort().join(", ")}. With the real dream2nix as input (--override-input dream2nix <its address>) every module is there.`,
  });
}
