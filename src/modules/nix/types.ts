/** `lib.types`, as Nix code calls it. */
import {
  Attrs,
  force,
  forceAttrs,
  forceBool,
  forceList,
  forceText,
  type Lazy,
  lazy,
  nixValue,
  Thunk,
  updateAttrs,
} from "../../lang/index.ts";
import { attribute, call, fn, fnWithFormals, type Namespace, tagOf, textList, getOr } from "../../lib/index.ts";
import type { EvaluationContext } from "../evaluation.ts";
import { mergeDefault } from "../option-types/basic.ts";
import { defineType, definitionFrom, delayType, functorFrom, mergeFunctors } from "../option-types/define.ts";
import type { AllTypes } from "../option-types/index.ts";
import { plainNumber } from "../option-types/numbers.ts";
import { submodulePartsFrom } from "../option-types/submodules.ts";
import { once } from "../once.ts";
import type { OptionType } from "../types.ts";

const SUBMODULE_FORMALS = {
  modules: false,
  specialArgs: true,
  shorthandOnlyDefinesConfig: true,
  description: true,
  class: true,
};
const TYPE_FORMALS = {
  name: false,
  description: true,
  descriptionClass: true,
  check: true,
  merge: true,
  emptyValue: true,
  getSubOptions: true,
  getSubModules: true,
  substSubModules: true,
  typeMerge: true,
  functor: true,
  deprecationMessage: true,
  nestedTypes: true,
};

/** Types that take nothing. */
const PLAIN = [
  "raw",
  "anything",
  "unspecified",
  "bool",
  "boolByOr",
  "int",
  "port",
  "float",
  "number",
  "str",
  "nonEmptyStr",
  "singleLineStr",
  "lines",
  "commas",
  "envVar",
  "path",
  "pathInStore",
  "externalPath",
  "package",
  "shellPackage",
  "pkgs",
  "attrs",
  "deferredModule",
  "optionType",
  "optionDeclaration",
  "luaInline",
  "json",
  "toml",
] as const satisfies readonly (keyof AllTypes)[];

/** Types that take one type. */
const UNARY = [
  "nullOr",
  "listOf",
  "nonEmptyListOf",
  "attrsOf",
  "lazyAttrsOf",
  "uniq",
  "functionTo",
  "passwdEntry",
] as const;

export function typesNamespace(context: EvaluationContext, types: AllTypes): Namespace {
  // A type that nobody has looked at yet may well be made of the one that is being made.
  const from = (value: Lazy): OptionType =>
    value instanceof Thunk && value.code !== null ? delayType(once(() => context.from(value))) : context.from(value);
  const result = (type: OptionType): Lazy => type[nixValue];
  const namespace: Namespace = {};
  for (const name of PLAIN) namespace[name] = lazy(() => result(types[name]));
  for (const name of UNARY) namespace[name] = fn(name, 1, (element) => result(types[name](from(element))));
  const sized = (set: object): [string, Lazy][] =>
    Object.entries(set).flatMap(([name, type]) =>
      typeof type === "function" ? [] : [[name, result(type as OptionType)] as [string, Lazy]],
    );

  const boolOrNull = (value: Lazy | undefined): boolean | null => {
    const forced = value === undefined ? null : force(value);
    return forced === null ? null : forceBool(forced);
  };

  return {
    ...namespace,
    ints: Attrs.from([
      ...sized(types.ints),
      ["between", fn("between", 2, (low, high) => result(types.ints.between(plainNumber(low), plainNumber(high))))],
    ]),
    numbers: Attrs.from([
      ...sized(types.numbers),
      ["between", fn("between", 2, (low, high) => result(types.numbers.between(plainNumber(low), plainNumber(high))))],
    ]),
    string: lazy(() => {
      context.warn(
        "The type `types.string` is deprecated. See https://github.com/NixOS/nixpkgs/pull/66346 for better alternative types.",
      );
      return result(types.separatedString(""));
    }),
    strMatching: fn("strMatching", 1, (pattern) => result(types.strMatching(forceText(pattern)))),
    separatedString: fn("separatedString", 1, (separator) => result(types.separatedString(forceText(separator)))),
    fileset: lazy(() => filesetType(context)),
    serializableValueWith: fnWithFormals("serializableValueWith", { typeName: false, nullable: true }, (args) =>
      result(types.serializable(forceText(args.get("typeName")!), forceBool(getOr(args, "nullable", true)))),
    ),
    pathWith: fnWithFormals("pathWith", { inStore: true, absolute: true }, (args) =>
      result(types.pathWith({ inStore: boolOrNull(args.get("inStore")), absolute: boolOrNull(args.get("absolute")) })),
    ),
    enum: fn("enum", 1, (values) => result(types.enumOf(forceList(values)))),
    attrsWith: fnWithFormals("attrsWith", { elemType: false, lazy: true, placeholder: true }, (args) =>
      result(
        types.attrsWith({
          elemType: from(args.get("elemType")!),
          lazy: forceBool(getOr(args, "lazy", false)),
          placeholder: forceText(getOr(args, "placeholder", "name")),
        }),
      ),
    ),
    loaOf: fn("loaOf", 1, (element) =>
      updateAttrs(
        forceAttrs(result(types.attrsOf(from(element)))),
        Attrs.from([
          ["name", "loaOf"],
          [
            "deprecationMessage",
            "Mixing lists with attribute values is no longer possible; please use `types.attrsOf` instead.",
          ],
        ]),
      ),
    ),
    attrTag: fn("attrTag", 1, (tags) => result(types.attrTagOf(forceAttrs(tags)))),
    unique: fnWithFormals("unique", { message: false }, (args) =>
      fn("unique", 1, (element) => result(types.unique(forceText(attribute(args, "message")), from(element)))),
    ),
    either: fn("either", 2, (left, right) => result(types.either(from(left), from(right)))),
    oneOf: fn("oneOf", 1, (list) => result(types.oneOf(forceList(list).map(from)))),
    coercedTo: fn("coercedTo", 3, (coerced, coerce, final) =>
      result(types.coercedFrom(from(coerced), coerce, from(final))),
    ),
    submodule: fn("submodule", 1, (lazyModules) => {
      const modules = force(lazyModules);
      return result(
        types.submoduleOf({
          modules: Array.isArray(modules) ? forceList(modules) : [modules],
          specialArgs: Attrs.empty,
          shorthandOnlyDefinesConfig: true,
          description: null,
          class: null,
        }),
      );
    }),
    submoduleWith: fnWithFormals("submoduleWith", SUBMODULE_FORMALS, (args) =>
      result(types.submoduleOf(submodulePartsFrom(args))),
    ),
    deferredModuleWith: fnWithFormals("deferredModuleWith", { staticModules: true }, (args) =>
      result(types.deferredModuleOf(forceList(getOr(args, "staticModules", [])))),
    ),
    addCheck: fn("addCheck", 2, (lazyType, check) => {
      const type = from(lazyType);
      return updateAttrs(
        forceAttrs(lazyType),
        Attrs.from([["check", fn("check", 1, (value) => type.check(value) && forceBool(call(check, value)))]]),
      );
    }),
    mkOptionType: fnWithFormals("mkOptionType", TYPE_FORMALS, (args) => makeOptionType(context, args)),
    isType: fn("isType", 2, (tag, value) => tagOf(force(value)) === forceText(tag)),
    setType: fn("setType", 2, (tag, value) => updateAttrs(forceAttrs(value), Attrs.from([["_type", tag]]))),
    isOptionType: fn("isOptionType", 1, (value) => tagOf(force(value)) === "option-type"),
    defaultFunctor: fn("defaultFunctor", 1, (name) => defaultFunctor(context, forceText(name))),
    defaultTypeMerge: fn("defaultTypeMerge", 2, (mine, other) => {
      const merged = mergeFunctors(functorFrom(context, mine), functorFrom(context, other));
      return merged === null ? null : merged[nixValue];
    }),
    mergeTypes: fn("mergeTypes", 2, (left, right) => {
      const merged = from(left).mergeWith(from(right).functor);
      return merged === null
        ? Attrs.from([
            ["_type", "merge-error"],
            ["error", "Cannot merge types"],
          ])
        : merged[nixValue];
    }),
    optionDescriptionPhrase: fn("optionDescriptionPhrase", 2, (accepts, lazyType) => {
      const type = from(lazyType);
      return forceBool(call(accepts, type.descriptionClass)) ? type.description : `(${type.description})`;
    }),
  };
}

function defaultFunctor(context: EvaluationContext, name: string): Attrs {
  return Attrs.from([
    ["name", name],
    ["type", lazy(() => forceAttrs(context.lib().get("types")!).get(name) ?? null)],
    ["wrapped", null],
    ["payload", null],
    ["binOp", fn("binOp", 2, () => null)],
  ]);
}

/** A type over the functions of `lib.fileset`. */
function filesetType(context: EvaluationContext): Lazy {
  const fileset = forceAttrs(context.lib().get("fileset")!);
  return defineType(context, {
    name: "fileset",
    description: "fileset",
    descriptionClass: "noun",
    check: (value) => forceBool(call(fileset.get("isFileset")!, value)),
    merge: (_path, definitions) =>
      call(
        fileset.get("unions")!,
        definitions.map((definition) => definition.value),
      ),
    emptyValue: () => fileset.get("empty"),
  })[nixValue];
}

/** `mkOptionType`: a type that Nix code describes. */
function makeOptionType(context: EvaluationContext, args: Attrs): Attrs {
  const name = args.get("name")!;
  const functor = getOr(
    args,
    "functor",
    lazy(() => defaultFunctor(context, forceText(name))),
  );
  const description = args.get("description");
  const given = (field: string, otherwise: Lazy): [string, Lazy] => [field, getOr(args, field, otherwise)];
  return Attrs.from([
    ["_type", "option-type"],
    ["name", name],
    [
      "description",
      lazy(() => {
        const text = description === undefined ? null : force(description);
        return text === null ? name : text;
      }),
    ],
    given("descriptionClass", null),
    given(
      "check",
      fn("check", 1, () => true),
    ),
    given(
      "merge",
      fn("merge", 2, (path, definitions) =>
        mergeDefault(context, textList(path), forceList(definitions).map(definitionFrom)),
      ),
    ),
    given("emptyValue", Attrs.empty),
    given(
      "getSubOptions",
      fn("getSubOptions", 1, () => Attrs.empty),
    ),
    given("getSubModules", null),
    given(
      "substSubModules",
      fn("substSubModules", 1, () => null),
    ),
    given(
      "typeMerge",
      fn("typeMerge", 1, (other) => {
        const merged = mergeFunctors(functorFrom(context, functor), functorFrom(context, other));
        return merged === null ? null : merged[nixValue];
      }),
    ),
    ["functor", functor],
    given("deprecationMessage", null),
    given("nestedTypes", Attrs.empty),
  ]);
}
