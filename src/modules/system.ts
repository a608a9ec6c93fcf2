/** The module system over one evaluator: types, `evalModules`, and the `lib` that all of it is part of. */
import {
  Attrs,
  type Evaluator,
  force,
  forceAttrs,
  type Lazy,
  type Native,
  nixValue,
  toNix,
  utf8,
  type Value,
} from "../lang/index.ts";
import { isNativeModule, type NativeModule } from "./define.ts";
import { once } from "./once.ts";
import { type Evaluation, type EvaluationContext, evaluateModules } from "./evaluation.ts";
import { moduleFunction } from "./native-module.ts";
import { createTypes, type AllTypes } from "./option-types/index.ts";
import { typeFrom } from "./option-types/define.ts";
import { createModuleLib } from "./nix/index.ts";
import type { Configuration, EvalModulesArguments, ModuleLike, ModuleSystem } from "./types.ts";
import { View } from "./view.ts";

const systems = new WeakMap<Evaluator, ModuleSystem>();

/** The module system of an evaluator; the same one whenever it is asked for. */
export function createModuleSystem(ev: Evaluator): ModuleSystem {
  let system = systems.get(ev);
  if (system === undefined) {
    system = makeSystem(ev, []);
    systems.set(ev, system);
  }
  return system;
}

/** nixpkgs' `lib`, with types, options and modules in it. */
export function createLib(ev: Evaluator): Attrs {
  return createModuleSystem(ev).lib;
}

/** @param overlays what `lib.extend` was given so far */
function makeSystem(ev: Evaluator, overlays: readonly Lazy[]): ModuleSystem {
  const modules = new WeakMap<NativeModule, Value>();
  const warned = new Set<string>();
  const context: EvaluationContext = {
    ev,
    from: (value: Lazy) => typeFrom(context, value),
    get unspecified() {
      return types().unspecified;
    },
    warn: (message) => {
      if (warned.has(message)) return;
      warned.add(message);
      ev.host.message("warning", message);
    },
    lib: () => lib(),
    internalOptions: (nested) => internalOptions(types(), nested),
    submoduleWith: (list, specialArgs, moduleClass) =>
      types().submoduleOf({
        modules: list,
        specialArgs,
        shorthandOnlyDefinesConfig: false,
        description: null,
        class: moduleClass,
      }),
    submoduleOption: (options) =>
      Attrs.from([
        ["_type", "option"],
        [
          "type",
          types().submoduleOf({
            modules: [Attrs.from([["options", options]])],
            specialArgs: Attrs.empty,
            shorthandOnlyDefinesConfig: null,
            description: null,
            class: null,
          })[nixValue],
        ],
      ]),
  };
  const module = (like: ModuleLike): Value => {
    if (!isNativeModule(like)) return force(toNix(like));
    let value = modules.get(like);
    if (value === undefined) {
      value = moduleFunction(system, like);
      modules.set(like, value);
    }
    return value;
  };
  const types = once(() => createTypes(context, module));
  const lib = once(() =>
    createModuleLib(context, types, overlays, (overlay) => makeSystem(ev, [...overlays, overlay]).lib),
  );
  const view = (value: Native, name = "value"): View => new View(ev, toNix(value), name);
  const attrs = (value: Native | undefined): Attrs => (value === undefined ? Attrs.empty : forceAttrs(toNix(value)));

  const configuration = (evaluation: Evaluation): Configuration => ({
    config: view(evaluation.config, "config"),
    options: view(evaluation.options, "options"),
    module: view(evaluation.module, "config._module"),
    value: evaluation.value,
    extendModules: (more) =>
      configuration(
        evaluation.extend({
          modules: (more.modules ?? []).map(module),
          specialArgs: attrs(more.specialArgs),
          prefix: more.prefix,
        }),
      ),
    get type() {
      const { modules: own, specialArgs, class: moduleClass } = evaluation.arguments;
      return context.submoduleWith(own, specialArgs, moduleClass);
    },
    [nixValue]: evaluation.value,
  });

  const system: ModuleSystem = {
    ev,
    get types() {
      return types();
    },
    get lib() {
      return lib();
    },
    module,
    evalModules: (args: EvalModulesArguments) =>
      configuration(
        evaluateModules(context, {
          modules: args.modules.map(module),
          specialArgs: attrs(args.specialArgs),
          prefix: args.prefix ?? [],
          class: args.class ?? null,
        }),
      ),
    view,
  };
  return system;
}

/** The options that every evaluation has. */
function internalOptions(types: AllTypes, nested: boolean): Attrs {
  const option = (fields: Record<string, Native>): Native => ({ _type: "option", ...fields });
  return toNix({
    _module: {
      args: option({
        type: types.lazyAttrsOf(types.raw),
        ...(nested ? { internal: true } : {}),
        description: utf8(
          "Additional arguments passed to each module, in addition to `lib`, `config`, `options` and what `specialArgs` holds. They can be computed from the configuration; `imports` can only depend on `specialArgs`.",
        ),
      }),
      check: option({
        type: types.bool,
        internal: true,
        default: true,
        description: "Whether to check whether all option definitions have matching declarations.",
      }),
      freeformType: option({
        type: types.nullOr(types.optionType),
        internal: true,
        default: null,
        description: "The type of all definitions together that have no option; null makes such definitions an error.",
      }),
      specialArgs: option({
        readOnly: true,
        internal: true,
        description: "Module arguments given from outside, which `imports` may depend on.",
      }),
    },
  }) as Attrs;
}
