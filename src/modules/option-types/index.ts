/** All option types, for native code (`Types`) and as the set `lib.types`. */
import {
  Attrs,
  callFunction,
  force,
  type Lazy,
  lazy,
  type Native,
  toNix,
  type Value,
  forceAttrs,
} from "../../lang/index.ts";
import type { EvaluationContext } from "../evaluation.ts";
import type { ModuleLike, OptionType, Types } from "../types.ts";
import { basicTypes } from "./basic.ts";
import { collectionTypes } from "./collections.ts";
import { changeType, delayType } from "./define.ts";
import { numberTypes } from "./numbers.ts";
import { type SubmoduleParts, submoduleTypes } from "./submodules.ts";

export interface AllTypes extends Types {
  readonly luaInline: OptionType;
  readonly submoduleOf: (parts: SubmoduleParts) => OptionType;
  readonly deferredModuleOf: (staticModules: readonly Lazy[]) => OptionType;
  readonly coercedFrom: (from: OptionType, coerce: Lazy, to: OptionType) => OptionType;
  readonly enumOf: (values: readonly Lazy[]) => OptionType;
  readonly passwdEntry: (type: OptionType) => OptionType;
  readonly serializable: (name: string, nullable: boolean) => OptionType;
  readonly attrTagOf: (tags: Attrs) => OptionType;
}

export function createTypes(context: EvaluationContext, module: (like: ModuleLike) => Value): AllTypes {
  const basic = basicTypes(context);
  const collections = collectionTypes(context, basic.addCheck);
  const number = collections.either(basic.int, basic.float);
  const { ints, numbers } = numberTypes(context, basic.int, number);
  const submodules = submoduleTypes(context);
  const listed = (modules: readonly ModuleLike[]): Lazy[] => modules.map((one) => lazy(() => module(one)));

  const serializable = (name: string, nullable: boolean): OptionType => {
    const { bool, int, float, str, path } = basic;
    const value: OptionType = delayType(() => described);
    const base = collections.oneOf([
      bool,
      int,
      float,
      str,
      path,
      collections.attrsOf(value),
      collections.listOf(value),
    ]);
    const described = changeType(context, nullable ? collections.nullOr(base) : base, { description: `${name} value` });
    return described;
  };

  return {
    ...basic,
    ...collections,
    ints,
    numbers,
    number,
    port: ints.u16,
    lazyAttrsOf: (elemType) => collections.attrsWith({ elemType, lazy: true }),
    uniq: (type) => collections.unique("", type),
    coercedTo: (from, coerce, to) => collections.coercedTo(from, (value) => toNix(coerce(value)), to),
    coercedFrom: (from, coerce, to) => collections.coercedTo(from, (value) => callFunction(force(coerce), value), to),
    enumOf: basic.enumeration,
    attrTag: (tags: Native) => submodules.attrTag(forceAttrs(toNix(tags))),
    attrTagOf: submodules.attrTag,
    optionType: submodules.optionType,
    submoduleOf: submodules.submoduleWith,
    deferredModuleOf: submodules.deferredModuleWith,
    submodule: (modules) =>
      submodules.submoduleWith({
        modules: listed(Array.isArray(modules) ? (modules as readonly ModuleLike[]) : [modules as ModuleLike]),
        specialArgs: Attrs.empty,
        shorthandOnlyDefinesConfig: true,
        description: null,
        class: null,
      }),
    submoduleWith: (settings) =>
      submodules.submoduleWith({
        modules: listed(settings.modules),
        specialArgs: settings.specialArgs === undefined ? Attrs.empty : forceAttrs(toNix(settings.specialArgs)),
        shorthandOnlyDefinesConfig:
          settings.shorthandOnlyDefinesConfig === undefined ? false : settings.shorthandOnlyDefinesConfig,
        description: settings.description ?? null,
        class: settings.class ?? null,
      }),
    deferredModule: submodules.deferredModuleWith([]),
    deferredModuleWith: (settings) => submodules.deferredModuleWith(listed(settings.staticModules ?? [])),
    serializable,
    json: serializable("JSON", true),
    toml: serializable("TOML", false),
    from: context.from,
  };
}
