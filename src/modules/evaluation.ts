/** `evalModules`. */
import {
  addTrace,
  Attrs,
  EvalError,
  force,
  forceAttrs,
  forceBool,
  forceList,
  forceText,
  InfiniteRecursionError,
  type Lazy,
  lazy,
  nixValue,
  updateAttrs,
} from "../lang/index.ts";
import { fnWithFormals, textList, getOr, recursiveUpdate } from "../lib/index.ts";
import { collectModules, type Collected } from "./collection.ts";
import { optionUnknown, type UnknownOption } from "./errors.ts";
import { type Level, type LevelContext, mergeLevel, type Unmatched } from "./levels.ts";
import { once } from "./once.ts";
import { makeOverride, nest, pushDown } from "./properties.ts";
import type { Definition, OptionPath, OptionType } from "./types.ts";

export interface EvaluationArguments {
  readonly modules: readonly Lazy[];
  readonly specialArgs: Attrs;
  readonly prefix: OptionPath;
  readonly class: string | null;
}

interface MoreModules {
  readonly modules: readonly Lazy[];
  readonly specialArgs: Attrs;
  readonly prefix?: OptionPath | undefined;
}

/** An evaluation of modules. All of it is lazy: making one costs nothing. */
export interface Evaluation {
  /** What `evalModules` gives Nix code. */
  readonly value: Attrs;
  /** The configuration with `_module`, unchecked: for the module system itself. */
  readonly rawConfig: Lazy;
  /** `config` as users get it: reading it checks that every definition has an option. */
  readonly config: Lazy;
  readonly options: Lazy;
  readonly module: Lazy;
  readonly arguments: EvaluationArguments;
  extend(more: MoreModules): Evaluation;
}

export interface EvaluationContext extends LevelContext {
  /** The `lib` that modules are given. */
  readonly lib: () => Attrs;
  /** The options of `_module`, and the module that declares them. */
  readonly internalOptions: (nested: boolean) => Attrs;
  readonly submoduleWith: (modules: readonly Lazy[], specialArgs: Attrs, moduleClass: string | null) => OptionType;
}

const INTERNAL = "lib/modules.nix";

export function evaluateModules(context: EvaluationContext, given: EvaluationArguments): Evaluation {
  const { ev } = context;
  const { prefix, specialArgs } = given;

  const rawConfig: Lazy = lazy(() => configuration());
  const options: Lazy = lazy(() => level().options);
  const args = updateAttrs(
    Attrs.from([
      ["lib", lazy(() => context.lib())],
      ["options", options],
      ["specialArgs", specialArgs],
      ["_class", given.class],
      ["_prefix", [...prefix]],
      ["config", hinted(rawConfig)],
    ]),
    specialArgs,
  );

  const internalModule = Attrs.from([
    ["_file", INTERNAL],
    ["key", INTERNAL],
    ["options", lazy(() => context.internalOptions(prefix.length > 0))],
    [
      "config",
      Attrs.from([
        [
          "_module",
          Attrs.from([
            [
              "args",
              Attrs.from([
                [
                  "extendModules",
                  fnWithFormals(
                    "extendModules",
                    { modules: true, specialArgs: true, prefix: true },
                    (more) => extend(moreFrom(more)).value,
                  ),
                ],
                ["moduleType", lazy(() => context.submoduleWith(given.modules, specialArgs, given.class)[nixValue])],
              ]),
            ],
            ["specialArgs", specialArgs],
          ]),
        ],
      ]),
    ],
  ]);

  const collected = once((): Collected =>
    collectModules(
      { ev, args, config: rawConfig, class: given.class, prefix, modulesPath: specialArgs.get("modulesPath") },
      [...given.modules, internalModule],
    ),
  );
  const level = once((): Level => {
    const modules = [...collected().modules].reverse();
    return mergeLevel(
      context,
      prefix,
      modules.map((module) => ({ file: module.file, options: module.options, position: undefined })),
      once(() =>
        modules.flatMap((module) => pushDown(module.config).map((value): Definition => ({ file: module.file, value }))),
      ),
    );
  });

  const configuration = (): Lazy => {
    const declared = level().config;
    const freeformType = force(attribute(forceAttrs(declared.get("_module")!), "freeformType"));
    if (freeformType === null) return declared;
    const unmatched = level().unmatched();
    if (unmatched.length === 0) return declared;
    const definitions = unmatched.map((definition): Definition => ({
      file: definition.file,
      value: nest(definition.path, definition),
      position: definition.position,
    }));
    return recursiveUpdate(forceAttrs(context.from(freeformType).merge(prefix, definitions)), declared);
  };

  const checked = once(() => {
    const module = forceAttrs(attribute(forceAttrs(rawConfig), "_module"));
    if (!forceBool(attribute(module, "check")) || force(attribute(module, "freeformType")) !== null) return;
    const unmatched = level().unmatched();
    if (unmatched.length > 0) throw unknownOption(context, prefix, level(), unmatched);
  });
  const afterCheck = (compute: () => Lazy): Lazy =>
    lazy(() => {
      checked();
      return compute();
    });

  function extend(more: MoreModules): Evaluation {
    return evaluateModules(context, {
      modules: [...given.modules, ...more.modules],
      specialArgs: updateAttrs(specialArgs, more.specialArgs),
      prefix: more.prefix ?? prefix,
      class: given.class,
    });
  }

  const config = afterCheck(() => {
    const all = forceAttrs(rawConfig);
    return Attrs.from([...all.entries()].filter(([name]) => name !== "_module"));
  });
  const checkedOptions = afterCheck(() => options);
  const module = afterCheck(() => attribute(forceAttrs(rawConfig), "_module"));
  const value = Attrs.from([
    ["_type", "configuration"],
    ["options", checkedOptions],
    ["config", config],
    ["_module", module],
    ["graph", lazy(() => collected().graph())],
    [
      "extendModules",
      fnWithFormals(
        "extendModules",
        { modules: true, specialArgs: true, prefix: true },
        (more) => extend(moreFrom(more)).value,
      ),
    ],
    ["type", lazy(() => context.submoduleWith(given.modules, specialArgs, given.class)[nixValue])],
    ["class", given.class],
  ]);
  return { value, rawConfig, config, options: checkedOptions, module, arguments: given, extend };
}

function moreFrom(args: Attrs): MoreModules {
  const prefix = args.get("prefix");
  return {
    modules: forceList(getOr(args, "modules", [])),
    specialArgs: forceAttrs(getOr(args, "specialArgs", Attrs.empty)),
    prefix: prefix === undefined ? undefined : textList(prefix),
  };
}

/** The arguments of `evalModules` as Nix code gives them. The old `args` and `check` become modules. */
export function argumentsFrom(args: Attrs): EvaluationArguments {
  const modules = [
    ...forceList(args.get("modules") ?? missing("modules"), "while evaluating the argument `modules` of `evalModules`"),
  ];
  const old = args.get("args");
  if (old !== undefined) modules.push(Attrs.from([["config", Attrs.from([["_module", Attrs.from([["args", old]])]])]]));
  const check = args.get("check");
  if (check !== undefined)
    modules.push(
      Attrs.from([["config", Attrs.from([["_module", Attrs.from([["check", makeOverride(1000, check)]])]])]]),
    );
  const moduleClass = force(getOr(args, "class", null));
  return {
    modules,
    specialArgs: forceAttrs(getOr(args, "specialArgs", Attrs.empty)),
    prefix: textList(getOr(args, "prefix", [])),
    class: moduleClass === null ? null : forceText(moduleClass),
  };
}

function missing(name: string): never {
  throw new EvalError(`function 'evalModules' called without required argument '${name}'`);
}

function attribute(attrs: Attrs, name: string): Lazy {
  const found = attrs.get(name);
  if (found === undefined) throw new EvalError(`attribute '${name}' missing`);
  return found;
}

const RECURSION_HINT =
  "If you get an infinite recursion here, you probably reference `config` in `imports`, or decide by `config` which options are set: import unconditionally, and put what depends on `config` into `mkIf`.";

/** `config` as modules see it: an infinite recursion through it says what usually causes it. */
function hinted(config: Lazy): Lazy {
  return lazy(() => {
    try {
      return force(config);
    } catch (error) {
      if (error instanceof InfiniteRecursionError) error.hint ??= RECURSION_HINT;
      throw addTrace(error, "while evaluating the configuration that modules are given as `config`");
    }
  });
}

function unknownOption(
  context: EvaluationContext,
  prefix: OptionPath,
  level: Level,
  unmatched: readonly Unmatched[],
): EvalError {
  const byPath = new Map<string, UnknownOption & { definitions: Definition[]; readonly relative: OptionPath }>();
  for (const definition of unmatched) {
    const id = definition.path.join("\0");
    const known = byPath.get(id);
    if (known === undefined)
      byPath.set(id, { path: [...prefix, ...definition.path], relative: definition.path, definitions: [definition] });
    else known.definitions.push(definition);
  }
  const [first, ...others] = [...byPath.values()];
  let siblings: Lazy | undefined = level.options;
  for (const step of first!.relative.slice(0, -1)) {
    const set: unknown = siblings === undefined ? null : force(siblings);
    siblings = set instanceof Attrs ? set.get(step) : undefined;
  }
  const set = siblings === undefined ? null : force(siblings);
  return optionUnknown(context.ev, prefix, first!, others, set instanceof Attrs ? set.names() : []);
}
