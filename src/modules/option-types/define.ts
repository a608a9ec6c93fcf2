/** Option types as native objects and as Nix values, and the way between the two. */
import {
  Attrs,
  type Evaluator,
  EvalError,
  force,
  forceAttrs,
  forceBool,
  forceList,
  forceText,
  type Lazy,
  lazy,
  nixValue,
} from "../../lang/index.ts";
import { call, fn, tagOf, textList, getOr } from "../../lib/index.ts";
import type { Definition, Functor, OptionPath, OptionType } from "../types.ts";
import { typeName } from "../show.ts";

/** What the types need around them. */
export interface TypeContext {
  readonly ev: Evaluator;
  /** `lib.types.<name>`: what functors refer to. */
  readonly from: (value: Lazy) => OptionType;
}

export interface TypeSpec {
  readonly name: string;
  readonly description?: string | (() => string);
  readonly descriptionClass?: string | null | (() => string | null);
  readonly deprecationMessage?: string;
  readonly check?: (value: Lazy) => boolean;
  readonly merge: (path: OptionPath, definitions: readonly Definition[]) => Lazy;
  readonly emptyValue?: () => Lazy | undefined;
  readonly subOptions?: (prefix: OptionPath) => Lazy;
  readonly subModules?: () => readonly Lazy[] | null;
  readonly withSubModules?: (modules: readonly Lazy[]) => OptionType;
  readonly nestedTypes?: () => Readonly<Record<string, OptionType>>;
  /** Absent: types of the same name merge to themselves. `null`: never merges. */
  readonly functor?: (FunctorSpec & { readonly name?: string }) | null;
  readonly mergeWith?: (other: Functor) => OptionType | null;
  /** The functor of the type that this one is a changed form of. */
  readonly functorOf?: () => Functor;
}

export interface FunctorSpec {
  readonly payload: () => Attrs;
  readonly make: (payload: Attrs) => OptionType;
  readonly join: (mine: Attrs, other: Attrs) => Attrs | null;
}

/** Native types and functors by their Nix values, so that a value which comes back is recognised. */
const knownTypes = new WeakMap<Attrs, OptionType>();
const knownFunctors = new WeakMap<Attrs, Functor>();
const knownDefinitions = new WeakMap<Attrs, Definition>();

const none = (): null => null;

export function defineType(context: TypeContext, spec: TypeSpec): OptionType {
  let value: Attrs | undefined;
  let functor: Functor | undefined;
  const evaluated = <T>(field: T | (() => T)): T => (typeof field === "function" ? (field as () => T)() : field);
  const type: OptionType = {
    name: spec.name,
    get description() {
      return spec.description === undefined ? spec.name : evaluated(spec.description);
    },
    get descriptionClass() {
      return evaluated(spec.descriptionClass ?? null);
    },
    deprecationMessage: spec.deprecationMessage ?? null,
    check: spec.check ?? (() => true),
    merge: spec.merge,
    emptyValue: spec.emptyValue ?? (() => undefined),
    subOptions: spec.subOptions ?? (() => Attrs.empty),
    subModules: spec.subModules ?? none,
    withSubModules: spec.withSubModules ?? (() => type),
    mergeWith: spec.mergeWith ?? ((other) => (spec.functor === null ? null : mergeFunctors(type.functor, other))),
    get functor() {
      functor ??= spec.functorOf?.() ?? defineFunctor(type, spec.functor ?? undefined);
      return functor;
    },
    get nestedTypes() {
      return spec.nestedTypes?.() ?? {};
    },
    get [nixValue]() {
      value ??= toValue(context, type, spec);
      return value;
    },
  };
  return type;
}

function defineFunctor(type: OptionType, spec: (TypeSpec["functor"] & object) | undefined): Functor {
  let value: Attrs | undefined;
  const functor: Functor = {
    name: spec?.name ?? type.name,
    payload: () => spec?.payload() ?? null,
    make: (payload) => (spec === undefined ? type : payload === null ? null : spec.make(payload)),
    join: (mine, other) => spec?.join(mine, other) ?? null,
    get [nixValue]() {
      if (value === undefined) {
        value = functorValue(functor, spec !== undefined);
        knownFunctors.set(value, functor);
      }
      return value;
    },
  };
  return functor;
}

function functorValue(functor: Functor, hasPayload: boolean): Attrs {
  return Attrs.from([
    ["name", functor.name],
    ["payload", lazy(() => functor.payload())],
    ["wrapped", null],
    [
      "type",
      hasPayload
        ? fn("type", 1, (payload) => functor.make(forceAttrs(payload))?.[nixValue] ?? null)
        : lazy(() => functor.make(null)?.[nixValue] ?? null),
    ],
    ["binOp", fn("binOp", 2, (a, b) => (hasPayload ? functor.join(forceAttrs(a), forceAttrs(b)) : null))],
  ]);
}

/** nixpkgs' `defaultTypeMerge`. */
export function mergeFunctors(mine: Functor, other: Functor): OptionType | null {
  if (mine.name !== other.name) return null;
  const a = mine.payload();
  const b = other.payload();
  if ((a === null) !== (b === null)) return null;
  if (a === null || b === null) return mine.make(null);
  const joined = mine.join(a, b);
  return joined === null ? null : mine.make(joined);
}

function toValue(context: TypeContext, type: OptionType, spec: TypeSpec): Attrs {
  const value = Attrs.from([
    ["_type", "option-type"],
    ["name", type.name],
    ["description", lazy(() => type.description)],
    ["descriptionClass", lazy(() => type.descriptionClass)],
    ["deprecationMessage", type.deprecationMessage],
    ["check", fn("check", 1, (candidate) => type.check(candidate))],
    [
      "merge",
      fn("merge", 2, (path, definitions) => type.merge(textList(path), forceList(definitions).map(definitionFrom))),
    ],
    [
      "emptyValue",
      lazy(() => {
        const empty = type.emptyValue();
        return empty === undefined ? Attrs.empty : Attrs.from([["value", empty]]);
      }),
    ],
    ["getSubOptions", fn("getSubOptions", 1, (prefix) => type.subOptions(textList(prefix)))],
    ["getSubModules", lazy(() => type.subModules())],
    [
      "substSubModules",
      fn("substSubModules", 1, (modules) =>
        spec.withSubModules === undefined ? null : type.withSubModules(forceList(modules))[nixValue],
      ),
    ],
    [
      "typeMerge",
      fn("typeMerge", 1, (other) => type.mergeWith(functorFrom(context, force(other)))?.[nixValue] ?? null),
    ],
    ["functor", lazy(() => type.functor[nixValue])],
    [
      "nestedTypes",
      lazy(() => Attrs.from(Object.entries(type.nestedTypes).map(([name, nested]) => [name, nested[nixValue]]))),
    ],
  ]);
  knownTypes.set(value, type);
  return value;
}

/** A definition as Nix code sees it: `{ file, value }`. */
export function definitionValue(definition: Definition): Attrs {
  const value = Attrs.from([
    ["file", definition.file],
    ["value", definition.value],
  ]);
  knownDefinitions.set(value, definition);
  return value;
}

export function definitionFrom(lazyDefinition: Lazy): Definition {
  const attrs = forceAttrs(lazyDefinition);
  const known = knownDefinitions.get(attrs);
  if (known !== undefined) return known;
  return { file: forceText(getOr(attrs, "file", "<unknown-file>")), value: required(attrs, "value") };
}

function required(attrs: Attrs, name: string): Lazy {
  const found = attrs.get(name);
  if (found === undefined) throw new EvalError(`attribute '${name}' missing`);
  return found;
}

/** The type that a Nix value is. @throws D2nError if it is none */
export function typeFrom(context: TypeContext, lazyValue: Lazy): OptionType {
  const value = force(lazyValue);
  if (!(value instanceof Attrs) || tagOf(value) !== "option-type")
    throw new EvalError(`expected an option type, like \`lib.types.str\`, but found ${typeName(value)}`, {
      code: "option-declaration",
    });
  let type = knownTypes.get(value);
  if (type === undefined) {
    type = foreignType(context, value);
    knownTypes.set(value, type);
  }
  return type;
}

/** A type that Nix code made: by `mkOptionType`, or out of another with `//`. */
function foreignType(context: TypeContext, value: Attrs): OptionType {
  const optional = (name: string): Lazy | undefined => value.get(name);
  const text = (name: string): string | null => {
    const found = optional(name);
    if (found === undefined) return null;
    const forced = force(found);
    return forced === null ? null : forceText(forced);
  };
  const path = (steps: OptionPath): Lazy => [...steps];
  const type: OptionType = {
    get name() {
      return text("name") ?? "unnamed";
    },
    get description() {
      return text("description") ?? type.name;
    },
    get descriptionClass() {
      return text("descriptionClass");
    },
    get deprecationMessage() {
      return text("deprecationMessage");
    },
    check: (candidate) => {
      const check = optional("check");
      return check === undefined || forceBool(call(check, candidate), "while checking the type of a definition");
    },
    merge: (steps, definitions) => call(required(value, "merge"), path(steps), definitions.map(definitionValue)),
    emptyValue: () => {
      const empty = optional("emptyValue");
      return empty === undefined ? undefined : forceAttrs(empty).get("value");
    },
    subOptions: (prefix) => {
      const get = optional("getSubOptions");
      return get === undefined ? Attrs.empty : call(get, path(prefix));
    },
    subModules: () => {
      const modules = optional("getSubModules");
      const forced = modules === undefined ? null : force(modules);
      return forced === null ? null : forceList(forced);
    },
    withSubModules: (modules) => context.from(call(required(value, "substSubModules"), modules)),
    mergeWith: (other) => {
      const merge = optional("typeMerge");
      const merged = merge === undefined ? null : call(merge, other[nixValue]);
      return merged === null ? null : context.from(merged);
    },
    get functor() {
      return functorFrom(context, force(required(value, "functor")));
    },
    get nestedTypes() {
      const nested = optional("nestedTypes");
      if (nested === undefined) return {};
      return Object.fromEntries([...forceAttrs(nested).entries()].map(([name, inner]) => [name, context.from(inner)]));
    },
    [nixValue]: value,
  };
  return type;
}

export function functorFrom(context: TypeContext, lazyFunctor: Lazy): Functor {
  const attrs = forceAttrs(lazyFunctor);
  const known = knownFunctors.get(attrs);
  if (known !== undefined) return known;
  const functor: Functor = {
    get name() {
      return forceText(required(attrs, "name"));
    },
    payload: () => {
      const payload = attrs.get("payload");
      const forced = payload === undefined ? null : force(payload);
      return forced === null ? null : forceAttrs(forced);
    },
    make: (payload) => {
      const type = force(required(attrs, "type"));
      if (type === null) return null;
      return context.from(payload === null ? type : call(type, payload));
    },
    join: (mine, other) => {
      const joined = call(required(attrs, "binOp"), mine, other);
      return joined === null ? null : forceAttrs(joined);
    },
    [nixValue]: attrs,
  };
  knownFunctors.set(attrs, functor);
  return functor;
}

/** A type with some of its fields changed, as `type // { … }` does. */
export function changeType(
  context: TypeContext,
  type: OptionType,
  changes: Partial<Omit<TypeSpec, "functor" | "mergeWith">>,
): OptionType {
  return defineType(context, {
    name: type.name,
    description: () => type.description,
    descriptionClass: () => type.descriptionClass,
    check: type.check,
    merge: type.merge,
    emptyValue: type.emptyValue,
    subOptions: type.subOptions,
    subModules: type.subModules,
    withSubModules: type.withSubModules,
    nestedTypes: () => type.nestedTypes,
    mergeWith: (other) => type.mergeWith(other),
    functorOf: () => type.functor,
    ...changes,
  });
}

/** A type that is made of itself: everything is asked of it later. */
export function delayType(type: () => OptionType): OptionType {
  return {
    get name() {
      return type().name;
    },
    get description() {
      return type().description;
    },
    get descriptionClass() {
      return type().descriptionClass;
    },
    get deprecationMessage() {
      return type().deprecationMessage;
    },
    check: (value) => type().check(value),
    merge: (path, definitions) => type().merge(path, definitions),
    emptyValue: () => type().emptyValue(),
    subOptions: (prefix) => type().subOptions(prefix),
    subModules: () => type().subModules(),
    withSubModules: (modules) => type().withSubModules(modules),
    mergeWith: (other) => type().mergeWith(other),
    get functor() {
      return type().functor;
    },
    get nestedTypes() {
      return type().nestedTypes;
    },
    get [nixValue]() {
      return type()[nixValue];
    },
  };
}

/** How a type's phrase goes into another's: as it is if its class is one of these, else in parentheses. */
export function phrase(type: OptionType, ...bare: readonly string[]): string {
  const kind = type.descriptionClass;
  return kind !== null && bare.includes(kind) ? type.description : `(${type.description})`;
}

/** A functor for types made of one element type. */
export function elementFunctor(
  context: TypeContext,
  element: OptionType,
  make: (element: OptionType) => OptionType,
): FunctorSpec {
  return {
    payload: () => Attrs.from([["elemType", element[nixValue]]]),
    make: (payload) => make(context.from(required(payload, "elemType"))),
    join: (mine, other) => {
      const merged = context
        .from(required(mine, "elemType"))
        .mergeWith(context.from(required(other, "elemType")).functor);
      return merged === null ? null : Attrs.from([["elemType", merged[nixValue]]]);
    },
  };
}
