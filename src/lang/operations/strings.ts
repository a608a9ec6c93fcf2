/** Strings, their contexts, and what becomes a string (manual, "String interpolation" and "String context"). */
import { enterCall, leaveCall } from "../call-depth.ts";
import { EvalError } from "../errors.ts";
import { showForError } from "../print/printer.ts";
import { Attrs, symbol } from "../values/attrs.ts";
import { blackhole, force, type Lazy, Thunk } from "../values/thunk.ts";
import {
  type Context,
  ContextString,
  NixFloat,
  type NixList,
  NixPath,
  type NixString,
  type Value,
} from "../values/value.ts";
import { addIntegers } from "./arithmetic.ts";
import { callFunction1 } from "./call.ts";
import { formatFixed } from "./floats.ts";
import { addTrace } from "./trace.ts";
import { isInteger, showType } from "./types.ts";

/** What coercion needs of the world. */
export interface StringWorld {
  /** Copies a file tree to the store; returns its store path. */
  copyPathToStore(path: NixPath): string;
}

export interface Coercion {
  /** Paths become store paths, as in `"${./file}"`; otherwise their text. Default true. */
  readonly copyToStore?: boolean | undefined;
  /** Integers, floats, booleans, null and lists too, as `toString` and derivation attributes do. Default false. */
  readonly coerceMore?: boolean | undefined;
}

/** As interpolation does: paths are copied to the store, and little else becomes a string. */
export const interpolated: Coercion = { copyToStore: true, coerceMore: false };

const TO_STRING = symbol("__toString");
const OUT_PATH = symbol("outPath");

export function textOf(string: NixString): string {
  return typeof string === "string" ? string : string.text;
}

export function contextOf(string: NixString): Context | undefined {
  return typeof string === "string" ? undefined : string.context;
}

/** A string with what it depends on, if anything. */
export function makeString(text: string, context: Context | undefined): NixString {
  return context === undefined || context.size === 0 ? text : new ContextString(text, context);
}

/** Everything in either context; one of the arguments where that is enough. */
export function joinContexts(a: Context | undefined, b: Context | undefined): Context | undefined {
  if (a === undefined || a === b) return b;
  if (b === undefined) return a;
  if (b.size > a.size) [a, b] = [b, a];
  let joined: Set<string> | undefined;
  for (const element of b)
    if (!a.has(element)) {
      joined ??= new Set(a);
      joined.add(element);
    }
  return joined ?? a;
}

/**
 * A value as a string. Strings and paths always, sets by `__toString` or `outPath`, with `coerceMore` everything but
 * functions. `context` becomes a step of the trace of a failure.
 */
export function coerceToString(
  world: StringWorld,
  lazy: Lazy,
  options: Coercion = interpolated,
  context?: string,
): NixString {
  const value = force(lazy);
  if (typeof value === "string" || value instanceof ContextString) return value;
  if (value instanceof NixPath) {
    if (options.copyToStore === false) return value.path;
    const copied = world.copyPathToStore(value);
    return new ContextString(copied, new Set([copied]));
  }
  if (value instanceof Attrs) {
    const coerced = coerceAttrs(world, value, options, context);
    if (coerced !== undefined) return coerced;
  } else if (options.coerceMore === true) {
    if (value === null || value === false) return "";
    if (value === true) return "1";
    if (isInteger(value)) return String(value);
    if (value instanceof NixFloat) return formatFixed(value.value);
    if (Array.isArray(value)) return coerceList(world, value as NixList, options, context);
  }
  throw addTrace(new EvalError(`cannot coerce ${showType(value)} to a string: ${showForError(value)}`), context);
}

/** By `__toString` or `outPath`; undefined where there is neither. These nest, and without end, where nothing else is called. */
function coerceAttrs(
  world: StringWorld,
  attrs: Attrs,
  options: Coercion,
  context: string | undefined,
): NixString | undefined {
  const toString = attrs.getSymbol(TO_STRING);
  const outPath = toString === undefined ? attrs.getSymbol(OUT_PATH) : undefined;
  if (toString === undefined && outPath === undefined) return undefined;
  enterCall();
  const coerced =
    toString === undefined
      ? coerceToString(world, outPath!, options, context)
      : coerceToString(
          world,
          callFunction1(force(toString), attrs),
          options,
          "while evaluating the result of the `__toString` attribute",
        );
  leaveCall();
  return coerced;
}

/** Whether a set that is to become a string by its `outPath` is asked for it by that very `outPath`. */
export function refersToItself(value: Value): boolean {
  if (!(value instanceof Attrs) || value.getSymbol(TO_STRING) !== undefined) return false;
  const outPath = value.getSymbol(OUT_PATH);
  return outPath instanceof Thunk && outPath.code === blackhole;
}

/** Elements separated by spaces; empty lists in it leave no space behind. */
function coerceList(world: StringWorld, list: NixList, options: Coercion, context: string | undefined): NixString {
  let text = "";
  let joined: Context | undefined;
  enterCall();
  for (let i = 0; i < list.length; i++) {
    let element: NixString;
    try {
      element = coerceToString(world, list[i]!, options, "while evaluating one element of the list");
    } catch (error) {
      throw addTrace(error, context);
    }
    text += textOf(element);
    joined = joinContexts(joined, contextOf(element));
    if (i < list.length - 1) {
      const forced = force(list[i]!);
      if (!Array.isArray(forced) || forced.length > 0) text += " ";
    }
  }
  leaveCall();
  return makeString(text, joined);
}

const SEGMENT = "while evaluating a path segment";

/** The operator `+` on evaluated operands: sum, concatenation, or an extended path, as the left one says. */
export function add(world: StringWorld, a: Value, b: Value): Value {
  if (typeof a === "number" || typeof a === "bigint") {
    if (isInteger(b)) return addIntegers(a, b);
    if (b instanceof NixFloat) return new NixFloat(Number(a) + b.value);
    throw new EvalError(`cannot add ${showType(b)} to an integer`, { wantsPlace: true });
  }
  if (typeof a === "string" && typeof b === "string") return a + b;
  if (a instanceof NixFloat) {
    if (isInteger(b)) return new NixFloat(a.value + Number(b));
    if (b instanceof NixFloat) return new NixFloat(a.value + b.value);
    throw new EvalError(`cannot add ${showType(b)} to a float`, { wantsPlace: true });
  }
  if (a instanceof NixPath) return extendPath(world, [a, b]);
  // After a set that becomes a string by `outPath` or `__toString`, Nix does not copy paths.
  const options = { copyToStore: !(a instanceof Attrs) };
  return joinStrings(coerceToString(world, a, options, SEGMENT), coerceToString(world, b, options, SEGMENT));
}

export function joinStrings(a: NixString, b: NixString): NixString {
  if (typeof a === "string" && typeof b === "string") return a + b;
  return makeString(textOf(a) + textOf(b), joinContexts(contextOf(a), contextOf(b)));
}

/** `"…${value}…"`: literal pieces and interpolated values in order. */
export function interpolate(world: StringWorld, parts: readonly Lazy[]): NixString {
  let text = "";
  let context: Context | undefined;
  for (const part of parts) {
    if (typeof part === "string") {
      text += part;
      continue;
    }
    const string = coerceToString(world, part, interpolated, SEGMENT);
    if (typeof string === "string") text += string;
    else {
      text += string.text;
      context = joinContexts(context, string.context);
    }
  }
  return makeString(text, context);
}

/** A path followed by strings or paths: `./dir/${name}`, `path + "/x"`. Nothing is copied to the store. */
export function extendPath(world: StringWorld, parts: readonly Lazy[]): NixPath {
  let text = "";
  for (const part of parts) {
    const string = coerceToString(world, part, { copyToStore: false }, SEGMENT);
    if (typeof string !== "string")
      throw new EvalError("a string that refers to a store path cannot be appended to a path");
    text += string;
  }
  return new NixPath(canonicalPath(text));
}

/** An absolute path without `.`, `..`, empty components and a trailing slash. Symlinks are not looked at. */
export function canonicalPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}
