/** What the native functions of `lib` share. */
import {
  Attrs,
  callFunction,
  EvalError,
  expectFormals,
  force,
  forceList,
  forceText,
  type Formals,
  isFunction,
  Lambda,
  type Lazy,
  lazy,
  type LazyPosition,
  PrimOp,
  symbolName,
  textOf,
  type Value,
  isString,
} from "../lang/index.ts";

/** The functions of one namespace by name. */
export type Namespace = Record<string, Lazy>;

/** A native function whose result is a Nix value already. */
export function fn(name: string, arity: number, run: (...args: Lazy[]) => Lazy): PrimOp {
  return new PrimOp(name, arity, run);
}

/** A native function of one set with known formals: `true` marks those with a default. */
export function fnWithFormals(
  name: string,
  formals: Readonly<Record<string, boolean>>,
  run: (args: Attrs) => Lazy,
  ellipsis = false,
): PrimOp {
  const declared: Formals = { names: new Map(Object.entries(formals)), ellipsis };
  return new PrimOp(name, 1, (argument) => run(expectFormals(name, argument, declared)), { formals: declared });
}

export function call(fn: Lazy, ...args: Lazy[]): Value {
  return callFunction(force(fn), ...args);
}

/** A call that is made when its result is needed. */
export function callLater(fn: Lazy, ...args: Lazy[]): Lazy {
  return lazy(() => callFunction(force(fn), ...args));
}

/** A function, or a set that can be called: what `lib.isFunction` means. */
export function isFunctionLike(value: Value): boolean {
  if (isFunction(value)) return true;
  if (!(value instanceof Attrs)) return false;
  const functor = value.get("__functor");
  return functor !== undefined && isFunctionLike(call(functor, value));
}

/** `lib.functionArgs`: formals with whether each has a default; of a functor its `__functionArgs`, or what it returns. */
export function functionFormals(value: Value): Map<string, Lazy> {
  if (value instanceof Attrs) {
    const declared = value.get("__functionArgs");
    if (declared !== undefined) return new Map((force(declared) as Attrs).entries());
    const functor = value.get("__functor");
    if (functor === undefined) throw new EvalError("cannot tell the arguments of a set that is no function");
    return functionFormals(call(functor, value));
  }
  if (value instanceof Lambda) return new Map(value.info.formals?.names ?? []);
  if (value instanceof PrimOp) return new Map(value.args.length === 0 ? (value.formals?.names ?? []) : []);
  throw new EvalError("'functionArgs' requires a function");
}

/** The same keys with other values; positions stay. */
export function mapValues(attrs: Attrs, change: (value: Lazy, name: string) => Lazy): Attrs {
  const ids = attrs.keys.ids;
  return new Attrs(
    attrs.keys,
    attrs.values.map((value, slot) => change(value, symbolName(ids[slot]!))),
    attrs.positions,
  );
}

/** The same keys with other values and without positions, as builtins make sets. */
export function mapBare(attrs: Attrs, change: (value: Lazy, name: string) => Lazy): Attrs {
  const ids = attrs.keys.ids;
  return new Attrs(
    attrs.keys,
    attrs.values.map((value, slot) => change(value, symbolName(ids[slot]!))),
  );
}

/** Some of the attributes, with their positions. `keep` is asked in byte order of the names. */
export function filterAttributes(attrs: Attrs, keep: (name: string, value: Lazy) => boolean): Attrs {
  const kept: [string, Lazy, LazyPosition][] = [];
  for (const slot of attrs.keys.byName()) {
    const name = symbolName(attrs.keys.ids[slot]!);
    const value = attrs.values[slot]!;
    if (keep(name, value)) kept.push([name, value, attrs.positionAt(slot)]);
  }
  return kept.length === attrs.size ? attrs : Attrs.from(kept);
}

/** The value of `_type`, if it is a string. */
export function tagOf(value: Value): string | undefined {
  if (!(value instanceof Attrs)) return undefined;
  const tag = value.get("_type");
  if (tag === undefined) return undefined;
  const text = force(tag);
  return isString(text) ? textOf(text) : undefined;
}

/** A list of strings as text, contexts dropped: attribute paths, names. */
export function textList(value: Lazy): string[] {
  return forceList(value).map((element) => forceText(element));
}

export function isDefinedAttr(attrs: Attrs, name: string): boolean {
  const value = attrs.get(name);
  return value !== undefined && force(value) !== null;
}

/** Natives by name; the number of parameters is the arity. */
export function functions(definitions: Readonly<Record<string, (...args: Lazy[]) => Lazy>>): Namespace {
  return Object.fromEntries(
    Object.entries(definitions).map(([name, run]) => [name, new PrimOp(name, run.length, run)]),
  );
}

/** Some of the builtins, under their names. */
export function builtinsNamed(builtins: Attrs, names: readonly string[]): Namespace {
  return Object.fromEntries(names.flatMap((name) => (builtins.has(name) ? [[name, builtins.get(name)!]] : [])));
}

/** Some names of a namespace. */
export function pick(namespace: Namespace, names: readonly string[]): Namespace {
  return Object.fromEntries(names.flatMap((name) => (namespace[name] === undefined ? [] : [[name, namespace[name]]])));
}

/** The attribute, or another value where there is none. (`??` would take an attribute that is null for none.) */
export function getOr(attrs: Attrs, name: string, otherwise: Lazy): Lazy {
  const found = attrs.get(name);
  return found === undefined ? otherwise : found;
}

/** The attribute, or an error as a select gives it. */
export function attribute(attrs: Attrs, name: string): Lazy {
  const found = attrs.get(name);
  if (found === undefined) throw new EvalError(`attribute '${name}' missing`);
  return found;
}

/** Elements or attributes changed when they are looked at. */
export function lazyMap(value: Attrs | readonly Lazy[], change: (element: Lazy, name: string) => Lazy): Lazy {
  if (value instanceof Attrs) return mapBare(value, (element, name) => lazy(() => change(element, name)));
  return value.map((element, index) => lazy(() => change(element, String(index))));
}
