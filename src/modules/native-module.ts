/** A module written in TypeScript as the Nix function that it is to the module system. */
import { Attrs, force, type Formals, type Lazy, lazy, nixValue, PrimOp, toNix } from "../lang/index.ts";
import { getOr } from "../lib/index.ts";
import type { ModuleScope, NativeModule } from "./define.ts";
import type { ModuleSystem } from "./types.ts";
import { View } from "./view.ts";

export function moduleFunction(system: ModuleSystem, module: NativeModule): PrimOp {
  const names = module.args ?? [];
  const formals: Formals = {
    names: new Map(["config", "options", "lib", ...names].map((name) => [name, false])),
    ellipsis: true,
  };
  return new PrimOp(module.file, 1, (argument) => moduleValue(system, module, names, force(argument) as Attrs), {
    formals,
  });
}

function moduleValue(system: ModuleSystem, module: NativeModule, names: readonly string[], args: Attrs): Attrs {
  const view = (name: string): View => new View(system.ev, getOr(args, name, missing(module, name)), name);
  const scope: Record<string, unknown> = { ev: system.ev, types: system.types, system };
  for (const name of ["config", "options", "lib", ...names]) scope[name] = view(name);
  const m = scope as unknown as ModuleScope & Record<string, View>;
  const entries: [string, Lazy][] = [
    ["_file", module.file],
    ["key", module.key ?? module.file],
  ];
  const { imports, disabledModules, options, config, freeformType } = module;
  if (module.class !== undefined) entries.push(["_class", module.class]);
  if (imports !== undefined)
    entries.push(["imports", lazy(() => imports(m).map((imported) => system.module(imported)))]);
  if (disabledModules !== undefined) entries.push(["disabledModules", lazy(() => toNix(disabledModules(m)))]);
  if (freeformType !== undefined) entries.push(["freeformType", lazy(() => freeformType(m)[nixValue])]);
  entries.push(["options", options === undefined ? Attrs.empty : lazy(() => toNix(options(m)))]);
  entries.push(["config", config === undefined ? Attrs.empty : lazy(() => toNix(config(m)))]);
  return Attrs.from(entries);
}

function missing(module: NativeModule, name: string): Lazy {
  return lazy(() => {
    throw new Error(`internal error: the module ${module.file} was not given ${name}`);
  });
}
