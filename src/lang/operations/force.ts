/**
 * Evaluating a value that has to be of a certain type. `context` says what for ("while evaluating the first argument passed
 * to builtins.head") and becomes a step of the trace when it fails.
 */
import { EvalError } from "../errors.ts";
import { showForError } from "../print/printer.ts";
import { Attrs } from "../values/attrs.ts";
import { force, type Lazy } from "../values/thunk.ts";
import {
  ContextString,
  NixFloat,
  type NixFunction,
  type NixList,
  type NixString,
  type Position,
  type Value,
} from "../values/value.ts";
import { addTrace } from "./trace.ts";
import { isCallable, showType } from "./types.ts";

/** "expected a set but found a string: "x"". */
export function typeMismatch(wanted: string, found: Value): EvalError {
  return new EvalError(`expected ${wanted} but found ${showType(found)}: ${showForError(found)}`, {
    // As in Nix, where a set or a list is wanted only the step that wanted it has a place.
    wantsPlace: wanted !== "a set" && wanted !== "a list",
  });
}

/** Evaluates; a failure is told what the value was wanted for. */
export function forceFor(lazy: Lazy, context: string | undefined): Value {
  try {
    return force(lazy);
  } catch (error) {
    throw addTrace(error, context);
  }
}

/** As in Nix, the step is told of a value that is no set, not of a failure to evaluate it; so with lists. */
export function forceAttrs(lazy: Lazy, context?: string): Attrs {
  const value = force(lazy);
  if (value instanceof Attrs) return value;
  throw addTrace(typeMismatch("a set", value), context);
}

export function forceList(lazy: Lazy, context?: string, place?: Position): NixList {
  const value = force(lazy);
  if (Array.isArray(value)) return value as NixList;
  throw addTrace(typeMismatch("a list", value), context, place);
}

export function forceBool(lazy: Lazy, context?: string): boolean {
  const value = forceFor(lazy, context);
  if (typeof value === "boolean") return value;
  throw addTrace(typeMismatch("a Boolean", value), context);
}

export function forceInt(lazy: Lazy, context?: string): number | bigint {
  const value = forceFor(lazy, context);
  if (typeof value === "number" || typeof value === "bigint") return value;
  throw addTrace(typeMismatch("an integer", value), context);
}

/** A float, or an integer taken as one. */
export function forceFloat(lazy: Lazy, context?: string): number {
  const value = forceFor(lazy, context);
  if (typeof value === "number") return value;
  if (value instanceof NixFloat) return value.value;
  if (typeof value === "bigint") return Number(value);
  throw addTrace(typeMismatch("a float", value), context);
}

/** A string with its context. */
export function forceString(lazy: Lazy, context?: string): NixString {
  const value = forceFor(lazy, context);
  if (typeof value === "string" || value instanceof ContextString) return value;
  throw addTrace(typeMismatch("a string", value), context);
}

/** The bytes of a string whose context is of no interest to the caller. */
export function forceText(lazy: Lazy, context?: string): string {
  const value = forceString(lazy, context);
  return typeof value === "string" ? value : value.text;
}

/** A string that must not depend on a store path: names of attributes, environment variables, hashes. */
export function forceStringNoContext(lazy: Lazy, context?: string): string {
  const value = forceString(lazy, context);
  if (typeof value === "string") return value;
  const [first = ""] = value.context;
  throw addTrace(
    new EvalError(
      `the string '${value.text}' is not allowed to refer to a store path (such as '${displayElement(first)}')`,
    ),
    context,
  );
}

/** A function or a set with `__functor`. */
export function forceFunction(lazy: Lazy, context?: string): NixFunction | Attrs {
  const value = forceFor(lazy, context);
  if (isCallable(value)) return value as NixFunction | Attrs;
  throw addTrace(typeMismatch("a function", value), context);
}

/** An element of a context as messages show it. */
function displayElement(element: string): string {
  if (element.startsWith("=")) return `${element.slice(1)} (deep)`;
  if (!element.startsWith("!")) return element;
  const end = element.indexOf("!", 1);
  return `${element.slice(end + 1)}^${element.slice(1, end)}`;
}
