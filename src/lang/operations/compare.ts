/** Equality and order (manual, "Comparison operators"). */
import { enterCall, leaveCall } from "../call-depth.ts";
import { EvalError } from "../errors.ts";
import { showForError } from "../print/printer.ts";
import { Attrs } from "../values/attrs.ts";
import { force, type Lazy } from "../values/thunk.ts";
import { ContextString, NixFloat, type NixList, NixPath, type Value } from "../values/value.ts";
import { addTrace } from "./trace.ts";
import { isDerivation, isInteger, showType, typeOf } from "./types.ts";

/**
 * `a == b`. Derivations are equal if their `outPath`s are; functions never are, except that elements of lists and sets which
 * are one and the same value always are.
 */
export function equal(left: Lazy, right: Lazy): boolean {
  return equalValues(force(left), force(right));
}

export function equalValues(a: Value, b: Value): boolean {
  switch (typeof a) {
    case "string":
      return typeof b === "string" ? a === b : b instanceof ContextString && a === b.text;
    case "number":
      return typeof b === "number" ? a === b : b instanceof NixFloat && a === b.value;
    case "bigint":
      return typeof b === "bigint" ? a === b : b instanceof NixFloat && Number(a) === b.value;
    case "boolean":
      return a === b;
    default:
  }
  if (a === null) return b === null;
  if (a instanceof Attrs) return b instanceof Attrs && equalAttrs(a, b);
  if (Array.isArray(a)) return Array.isArray(b) && equalLists(a as NixList, b as NixList);
  if (a instanceof ContextString)
    return typeof b === "string" ? a.text === b : b instanceof ContextString && a.text === b.text;
  if (a instanceof NixFloat) {
    if (b instanceof NixFloat) return a.value === b.value;
    return isInteger(b) && a.value === Number(b);
  }
  if (a instanceof NixPath) return b instanceof NixPath && a.path === b.path;
  return false;
}

/** Equality of elements, for which being the same value is enough. */
function equalElements(a: Lazy, b: Lazy): boolean {
  if (a === b) {
    // Even so it is evaluated, as Nix does: an error in it counts.
    force(a);
    return true;
  }
  return equalValues(force(a), force(b));
}

function equalLists(a: NixList, b: NixList): boolean {
  if (a.length !== b.length) return false;
  enterCall();
  let same = true;
  for (let i = 0; same && i < a.length; i++) same = equalElements(a[i]!, b[i]!);
  leaveCall();
  return same;
}

function equalAttrs(a: Attrs, b: Attrs): boolean {
  if (isDerivation(a) && isDerivation(b)) {
    const left = a.get("outPath");
    const right = b.get("outPath");
    if (left !== undefined && right !== undefined) return equalElements(left, right);
  }
  const size = a.values.length;
  if (size !== b.values.length) return false;
  const leftIds = a.keys.ids;
  const rightIds = b.keys.ids;
  enterCall();
  let same = true;
  for (let i = 0; same && i < size; i++) same = leftIds[i] === rightIds[i] && equalElements(a.values[i]!, b.values[i]!);
  leaveCall();
  return same;
}

/** `a < b` of evaluated values: numbers, strings, paths, and lists of them. `context` becomes a step of the trace. */
export function lessThan(a: Value, b: Value, context?: string): boolean {
  if (typeof a === "number" && typeof b === "number") return a < b;
  if (typeof a === "string" && typeof b === "string") return a < b;
  try {
    return compareValues(a, b, context);
  } catch (error) {
    throw addTrace(error, context);
  }
}

function compareValues(a: Value, b: Value, context: string | undefined): boolean {
  if (isInteger(a)) {
    if (isInteger(b)) return a < b;
    if (b instanceof NixFloat) return Number(a) < b.value;
  }
  if (a instanceof NixFloat) {
    if (b instanceof NixFloat) return a.value < b.value;
    if (isInteger(b)) return a.value < Number(b);
  }
  const type = typeOf(a);
  if (type !== typeOf(b))
    throw new EvalError(
      `cannot compare ${showType(a)} with ${showType(b)}; values are ${showForError(a)} and ${showForError(b)}`,
    );
  if (type === "string") return textOfString(a as string | ContextString) < textOfString(b as string | ContextString);
  if (type === "path") return (a as NixPath).path < (b as NixPath).path;
  if (type === "list") {
    const left = a as NixList;
    const right = b as NixList;
    for (let i = 0; ; i++) {
      if (i === right.length) return false;
      if (i === left.length) return true;
      if (!equalElementsFor(left[i]!, right[i]!, context))
        return lessThan(force(left[i]!), force(right[i]!), "while comparing two list elements");
    }
  }
  throw new EvalError(
    `cannot compare ${showType(a)} with ${showType(b)}; values of that type are incomparable (values are ${showForError(a)} and ${showForError(b)})`,
  );
}

function equalElementsFor(a: Lazy, b: Lazy, context: string | undefined): boolean {
  try {
    return equalElements(a, b);
  } catch (error) {
    throw addTrace(error, context);
  }
}

function textOfString(value: string | ContextString): string {
  return typeof value === "string" ? value : value.text;
}

/** Three-way comparison by `lessThan`, for sorting. */
export function compare(a: Value, b: Value): number {
  return lessThan(a, b) ? -1 : lessThan(b, a) ? 1 : 0;
}
