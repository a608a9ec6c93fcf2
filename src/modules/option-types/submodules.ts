/** Types whose values are configurations of modules of their own. */
import {
  Attrs,
  EvalError,
  force,
  forceBool,
  forceList,
  forceText,
  type Lazy,
  lazy,
  nixValue,
  updateAttrs,
} from "../../lang/index.ts";
import { escapeNixIdentifier, isFunctionLike, tagOf, getOr, isStringLike, mapValues } from "../../lib/index.ts";
import {
  type Declaration,
  evaluateOption,
  mergeDeclarations,
  positionValue,
  setDefaultModuleLocation,
} from "../declarations.ts";
import { type Evaluation, type EvaluationContext, evaluateModules } from "../evaluation.ts";
import { declarationInvalid, optionMixed } from "../errors.ts";
import { once } from "../once.ts";
import { makeOverride } from "../properties.ts";
import { showOption } from "../show.ts";
import type { Definition, OptionPath, OptionType } from "../types.ts";
import { defineType, phrase } from "./define.ts";

export interface SubmoduleParts {
  readonly modules: readonly Lazy[];
  readonly specialArgs: Attrs;
  readonly shorthandOnlyDefinesConfig: boolean | null;
  readonly description: string | null;
  readonly class: string | null;
}

/** The value of `_module.args.name` where a submodule is looked at without one: in documentation. */
const PLACEHOLDER = Buffer.from("‹name›", "utf8").toString("latin1");

/** What declares an option of a tagged union that stands in no file. */
const ANONYMOUS_TAG = "<attrTag {...}>";

function argumentName(name: Lazy): Attrs {
  return Attrs.from([["_module", Attrs.from([["args", Attrs.from([["name", name]])]])]]);
}

const unchecked = Attrs.from([
  ["_file", "<built-in module that disables checks for the purpose of documentation generation>"],
  ["config", Attrs.from([["_module", Attrs.from([["check", makeOverride(50, false)]])]])],
]);

function isModuleLike(value: Lazy): boolean {
  const forced = force(value);
  return forced instanceof Attrs || isFunctionLike(forced) || isStringLike(forced);
}

export function submoduleTypes(context: EvaluationContext) {
  const { ev } = context;
  const isModule = (value: Lazy): boolean => {
    if (!isModuleLike(value)) return false;
    const forced = force(value);
    if (forced instanceof Attrs || isFunctionLike(forced)) return true;
    return forceText(ev.coerceToString(forced, { copyToStore: false })).startsWith("/");
  };

  const submoduleWith = (parts: SubmoduleParts): OptionType => {
    const base = once((): Evaluation =>
      evaluateModules(context, {
        modules: [argumentName(makeOverride(1500, PLACEHOLDER)), ...parts.modules],
        specialArgs: parts.specialArgs,
        prefix: [],
        class: parts.class,
      }),
    );
    const documented = (prefix?: OptionPath): Evaluation =>
      base().extend({ modules: [unchecked], specialArgs: Attrs.empty, prefix });
    const freeform = (evaluation: Evaluation): OptionType | undefined => {
      const type = force((force(evaluation.module) as Attrs).get("freeformType")!);
      return type === null ? undefined : context.from(type);
    };
    const asModule = ({ file, value }: Definition): Lazy =>
      lazy(() => {
        const isConfig = parts.shorthandOnlyDefinesConfig === true && force(value) instanceof Attrs;
        return Attrs.from([["_file", file], isConfig ? ["config", value] : ["imports", [value]]]);
      });
    return defineType(context, {
      name: "submodule",
      description: () => {
        if (parts.description !== null) return parts.description;
        const type = freeform(documented());
        return type === undefined ? "submodule" : `open submodule of ${phrase(type, "noun", "composite")}`;
      },
      check: isModule,
      merge: (path, definitions) =>
        base().extend({
          modules: [argumentName(path.at(-1) ?? ""), ...definitions.map(asModule)],
          specialArgs: Attrs.empty,
          prefix: path,
        }).config,
      emptyValue: () => lazy(() => base().config),
      subOptions: (prefix) => {
        const evaluation = documented(prefix);
        const options = force(evaluation.options) as Attrs;
        const type = freeform(evaluation);
        return type === undefined
          ? options
          : updateAttrs(options, Attrs.from([["_freeformOptions", lazy(() => type.subOptions(prefix))]]));
      },
      subModules: () => parts.modules,
      withSubModules: (modules) => submoduleWith(withModules(parts, modules)),
      nestedTypes: (): Readonly<Record<string, OptionType>> => {
        const type = freeform(base());
        return type === undefined ? {} : { freeformType: type };
      },
      functor: {
        payload: () =>
          Attrs.from([
            ["modules", lazy(() => parts.modules)],
            ["specialArgs", lazy(() => parts.specialArgs)],
            ["shorthandOnlyDefinesConfig", lazy(() => parts.shorthandOnlyDefinesConfig)],
            ["description", lazy(() => parts.description)],
            ["class", lazy(() => parts.class)],
          ]),
        make: (payload) => submoduleWith(submodulePartsFrom(payload)),
        join: joinSubmodules,
      },
    });
  };

  const deferredModuleWith = (staticModules: readonly Lazy[]): OptionType => {
    const documented = once(() =>
      submoduleWith({
        modules: staticModules,
        specialArgs: Attrs.empty,
        shorthandOnlyDefinesConfig: false,
        description: null,
        class: null,
      }),
    );
    return defineType(context, {
      name: "deferredModule",
      description: "module",
      descriptionClass: "noun",
      check: isModule,
      merge: (path, definitions) =>
        Attrs.from([
          [
            "imports",
            [
              ...staticModules,
              ...definitions.map((definition) =>
                setDefaultModuleLocation(`${definition.file}, via option ${showOption(path)}`, definition.value),
              ),
            ],
          ],
        ]),
      subOptions: (prefix) => documented().subOptions(prefix),
      subModules: () => staticModules,
      withSubModules: deferredModuleWith,
      functor: {
        name: "deferredModuleWith",
        payload: () => Attrs.from([["staticModules", staticModules]]),
        make: (payload) => deferredModuleWith(forceList(payload.get("staticModules")!)),
        join: (mine, other) =>
          Attrs.from([
            ["staticModules", [...forceList(mine.get("staticModules")!), ...forceList(other.get("staticModules")!)]],
          ]),
      },
    });
  };

  const optionType = defineType(context, {
    name: "optionType",
    description: "optionType",
    descriptionClass: "noun",
    check: (value) => tagOf(force(value)) === "option-type",
    merge: (path, definitions) => {
      if (definitions.length === 1) return definitions[0]!.value;
      const declarations = definitions.map(({ file, value, position }): Declaration => ({
        file,
        options: Attrs.from([
          ["_type", "option"],
          ["type", value],
        ]),
        position,
      }));
      return mergeDeclarations(context, path, declarations).type[nixValue];
    },
  });

  const attrTag = (given: Attrs): OptionType => {
    /** An option that knows where it was declared, if only as part of this type. */
    const declaredTag = (name: string, lazyOption: Lazy): Attrs => {
      const option = force(lazyOption);
      if (tagOf(option) !== "option")
        throw declarationInvalid(
          ev,
          `In attrTag, each tag value must be an option, but tag ${escapeNixIdentifier(name)} ${tagOf(option) === "option-type" ? "was a bare type, not wrapped in mkOption" : "was not"}`,
          () => given.position(name),
        );
      const position = given.position(name);
      const files = position === undefined ? [] : [position.file];
      const positions = position === undefined ? [] : [positionValue(position.file, position)];
      return updateAttrs(
        Attrs.from([
          ["declarations", files],
          ["declarationPositions", positions],
        ]),
        option as Attrs,
      );
    };
    const tags = mapValues(given, (option, name) => lazy(() => declaredTag(name, option)));
    const declarationOf = (name: string): Declaration => {
      const position = tags.position(name);
      return { file: position?.file ?? ANONYMOUS_TAG, options: tags.get(name)!, position };
    };
    const choices = tags.names().map(escapeNixIdentifier).join(", ");
    const only = (value: Lazy): string | undefined => {
      const forced = force(value);
      return forced instanceof Attrs && forced.size === 1 ? forced.names()[0] : undefined;
    };
    return defineType(context, {
      name: "attrTag",
      description: `attribute-tagged union with choices: ${choices}`,
      descriptionClass: "noun",
      check: (value) => {
        const name = only(value);
        return name !== undefined && tags.has(name);
      },
      merge: (path, definitions) => {
        const choice = only(definitions[0]!.value)!;
        if (definitions.some((definition) => only(definition.value) !== choice))
          throw optionMixed(ev, path, definitions, "is defined as different choices of a tagged union");
        const own = definitions.map((definition): Definition => {
          const value = force(definition.value) as Attrs;
          return { file: definition.file, value: value.get(choice)!, position: () => value.position(choice) };
        });
        const at = [...path, choice];
        const { value } = evaluateOption(
          context,
          at,
          mergeDeclarations(context, at, [declarationOf(choice)]),
          () => own,
        );
        return Attrs.from([[choice, value]]);
      },
      subOptions: (prefix) =>
        mapValues(tags, (option, name) =>
          lazy(() => updateAttrs(force(option) as Attrs, Attrs.from([["loc", [...prefix, name]]]))),
        ),
      functor: {
        payload: () => Attrs.from([["tags", tags]]),
        make: (payload) => attrTag(force(payload.get("tags")!) as Attrs),
        join: (mine, other) => {
          const left = force(mine.get("tags")!) as Attrs;
          const right = force(other.get("tags")!) as Attrs;
          const both = (field: string, name: string): Lazy =>
            [left, right].flatMap((set) => forceList(getOr(force(set.get(name)!) as Attrs, field, [])));
          const shared = right
            .names()
            .filter((name) => left.has(name))
            .map((name): [string, Lazy] => [
              name,
              lazy(() => {
                const declarations = [left, right].map((set): Declaration => ({
                  file: ANONYMOUS_TAG,
                  options: set.get(name)!,
                  position: () => set.position(name),
                }));
                return updateAttrs(
                  mergeDeclarations(context, [name], declarations).attrs,
                  Attrs.from([
                    ["declarations", both("declarations", name)],
                    ["declarationPositions", both("declarationPositions", name)],
                  ]),
                );
              }),
            ]);
          return Attrs.from([["tags", updateAttrs(updateAttrs(left, right), Attrs.from(shared))]]);
        },
      },
    });
  };

  return { submoduleWith, deferredModuleWith, optionType, attrTag };
}

/** The settings of `submoduleWith` as Nix code gives them, each looked at when it is needed. */
export function submodulePartsFrom(args: Attrs): SubmoduleParts {
  const text = (name: string): string | null => {
    const value = force(getOr(args, name, null));
    return value === null ? null : forceText(value);
  };
  if (!args.has("modules")) throw new EvalError("function 'submoduleWith' called without required argument 'modules'");
  return {
    get modules() {
      return forceList(args.get("modules")!);
    },
    get specialArgs() {
      return force(getOr(args, "specialArgs", Attrs.empty)) as Attrs;
    },
    get shorthandOnlyDefinesConfig() {
      const shorthand = force(getOr(args, "shorthandOnlyDefinesConfig", false));
      return shorthand === null ? null : forceBool(shorthand);
    },
    get description() {
      return text("description");
    },
    get class() {
      return text("class");
    },
  };
}

/** The same settings with other modules, the rest still not looked at. */
function withModules(parts: SubmoduleParts, modules: readonly Lazy[]): SubmoduleParts {
  return {
    modules,
    get specialArgs() {
      return parts.specialArgs;
    },
    get shorthandOnlyDefinesConfig() {
      return parts.shorthandOnlyDefinesConfig;
    },
    get description() {
      return parts.description;
    },
    get class() {
      return parts.class;
    },
  };
}

function joinSubmodules(mineAttrs: Attrs, otherAttrs: Attrs): Attrs {
  const mine = submodulePartsFrom(mineAttrs);
  const other = submodulePartsFrom(otherAttrs);
  const fail = (what: string): never => {
    throw new EvalError(`A submoduleWith option is declared multiple times with ${what}`, {
      code: "option-declaration",
    });
  };
  const agreed = <T extends string | boolean>(a: T | null, b: T | null, what: string): T | null => {
    if (a === null) return b;
    return b === null || a === b ? a : fail(what);
  };
  return Attrs.from([
    ["modules", lazy(() => [...mine.modules, ...other.modules])],
    [
      "specialArgs",
      lazy(() => {
        const twice = mine.specialArgs.names().filter((name) => other.specialArgs.has(name));
        return twice.length > 0
          ? fail(`the same specialArgs "${twice.join(" ")}"`)
          : updateAttrs(mine.specialArgs, other.specialArgs);
      }),
    ],
    [
      "shorthandOnlyDefinesConfig",
      lazy(() =>
        agreed(
          mine.shorthandOnlyDefinesConfig,
          other.shorthandOnlyDefinesConfig,
          "conflicting shorthandOnlyDefinesConfig values",
        ),
      ),
    ],
    ["description", lazy(() => agreed(mine.description, other.description, "conflicting descriptions"))],
    [
      "class",
      lazy(() => agreed(mine.class, other.class, `conflicting class values "${mine.class}" and "${other.class}"`)),
    ],
  ]);
}
