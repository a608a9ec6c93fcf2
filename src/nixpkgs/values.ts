/** Small tools for Nix values, for the package set's code. */
import {
  Attrs,
  callFunction,
  ContextString,
  type Evaluator,
  EvalError,
  force,
  InfiniteRecursionError,
  isDerivation,
  isString,
  type Lazy,
  lazy,
  makeString,
  type Native,
  type NixString,
  PrimOp,
  type Formals,
  Lambda,
  textOf,
  toNix,
  updateAttrs,
  type Value,
} from "../lang/index.ts";

/** A set out of a native object: getters are lazy attributes, `undefined` leaves one out. */
export function set(fields: { readonly [name: string]: Native }): Attrs {
  return toNix(fields) as Attrs;
}

/** An attribute, evaluated; undefined if there is none. */
export function attribute(attrs: Attrs, name: string): Value | undefined {
  const value = attrs.get(name);
  return value === undefined ? undefined : force(value);
}

/** An attribute, evaluated; undefined if there is none or it is null. */
export function given(attrs: Attrs, name: string): Exclude<Value, null> | undefined {
  const value = attribute(attrs, name);
  return value === null ? undefined : value;
}

/** A string attribute's text. @throws EvalError if it is something else */
export function textAttribute(attrs: Attrs, name: string): string | undefined {
  const value = given(attrs, name);
  if (value === undefined) return undefined;
  if (!isString(value)) throw new EvalError(`the attribute '${name}' must be a string`);
  return textOf(value);
}

/** True if the attribute is there and true. */
export function flag(attrs: Attrs, name: string, otherwise = false): boolean {
  const value = given(attrs, name);
  return value === undefined ? otherwise : value === true;
}

/** A list attribute's elements; none if it is missing or null. A single value counts as a list of one. */
export function listAttribute(attrs: Attrs, name: string): readonly Lazy[] {
  const value = given(attrs, name);
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly Lazy[]) : [value];
}

export function setAttribute(attrs: Attrs, name: string): Attrs {
  const value = given(attrs, name);
  if (value === undefined) return Attrs.empty;
  if (!(value instanceof Attrs)) throw new EvalError(`the attribute '${name}' must be a set`);
  return value;
}

/** `a // b // …`. */
export function merge(...sets: readonly Attrs[]): Attrs {
  return sets.reduce((left, right) => updateAttrs(left, right), Attrs.empty);
}

/** Without some attributes. */
export function omit(attrs: Attrs, names: ReadonlySet<string>): Attrs {
  const kept = [...attrs.entries()].filter(([name]) => !names.has(name));
  return kept.length === attrs.size
    ? attrs
    : Attrs.from(kept.map(([name, value]) => [name, value, attrs.position(name)]));
}

export function expectSet(value: Lazy, what: string): Attrs {
  const forced = force(value);
  if (!(forced instanceof Attrs)) throw new EvalError(`${what} must be a set`);
  return forced;
}

export function expectList(value: Lazy, what: string): readonly Lazy[] {
  const forced = force(value);
  if (!Array.isArray(forced)) throw new EvalError(`${what} must be a list`);
  return forced as readonly Lazy[];
}

export function expectText(value: Lazy, what: string): string {
  const forced = force(value);
  if (!isString(forced)) throw new EvalError(`${what} must be a string`);
  return textOf(forced);
}

export function expectString(value: Lazy, what: string): NixString {
  const forced = force(value);
  if (!isString(forced)) throw new EvalError(`${what} must be a string`);
  return forced;
}

/** Strings between each other, contexts kept. */
export function join(ev: Evaluator, separator: string, parts: readonly Lazy[]): NixString {
  let text = "";
  const context = new Set<string>();
  parts.forEach((part, index) => {
    const string = ev.coerceToString(part, { coerceMore: true });
    if (index > 0) text += separator;
    text += textOf(string);
    if (string instanceof ContextString) for (const element of string.context) context.add(element);
  });
  return makeString(text, context);
}

/** A function of a set whose formals others can ask for, with defaults left to the function. */
export function setFunction(
  name: string,
  formals: Readonly<Record<string, boolean>>,
  run: (args: Attrs) => Lazy,
): PrimOp {
  const declared: Formals = { names: new Map(Object.entries(formals)), ellipsis: true };
  return new PrimOp(name, 1, (argument) => run(expectSet(argument, `the argument of ${name}`)), { formals: declared });
}

/** A function of some arguments that gives a Nix value. */
export function fn(name: string, arity: number, run: (...args: Lazy[]) => Lazy): PrimOp {
  return new PrimOp(name, arity, run);
}

/** The names of a function's formals with "has a default"; empty if it takes a plain argument. */
export function formalsOf(value: Value): ReadonlyMap<string, boolean> {
  if (value instanceof Lambda) return value.info.formals?.names ?? new Map();
  if (value instanceof PrimOp) return value.args.length === 0 ? (value.formals?.names ?? new Map()) : new Map();
  if (value instanceof Attrs) {
    const declared = attribute(value, "__functionArgs");
    if (declared instanceof Attrs)
      return new Map([...declared.entries()].map(([name, has]) => [name, force(has) === true]));
    const functor = attribute(value, "__functor");
    if (functor !== undefined) return formalsOf(callFunction(functor, value));
  }
  return new Map();
}

/**
 * What a fix point of overlays is: the base and each overlay see the result (`final`), and each overlay what is below it (`prev`).
 */
export function fixOverlays(base: (final: Lazy) => Attrs, overlays: readonly Lazy[]): Attrs {
  const box: { result?: Attrs } = {};
  // Reading it while the names are still being found is infinite recursion, as in Nix.
  const final = lazy(() => {
    if (box.result === undefined) throw new InfiniteRecursionError();
    return box.result;
  });
  let result = base(final);
  for (const overlay of overlays) {
    const added = callFunction(force(overlay), final, result);
    result = updateAttrs(result, expectSet(added, "the result of an overlay"));
  }
  box.result = result;
  return result;
}

/** A dependency as build inputs take it: the output with the development files, unless an output was chosen. */
export function developmentOutput(value: Lazy): Lazy {
  const forced = force(value);
  if (!(forced instanceof Attrs) || !isDerivation(forced)) return forced;
  if (attribute(forced, "outputSpecified") === true) return forced;
  return forced.get("dev") ?? forced.get("out") ?? forced;
}
