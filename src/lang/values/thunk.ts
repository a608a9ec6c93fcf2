import type { Value } from "./value.ts";
import { InfiniteRecursionError, asEvalError } from "../errors.ts";

/** Computes a thunk's value from what it closed over. May return another thunk. */
export type ThunkCode<X = unknown> = (captured: X) => Lazy;

/**
 * A value that is computed when it is first needed: code and environment before, the value after. Forcing that throws leaves
 * the thunk as it was, so that `tryEval` and a second look see the same error.
 */
export class Thunk<X = unknown> {
  /** null once the value is known. */
  code: ThunkCode<X> | null;
  /** What the code closed over; the value once `code` is null. */
  x: X | Value;

  constructor(code: ThunkCode<X>, captured: X) {
    this.code = code;
    this.x = captured;
  }
}

/** A value, or a promise in the old sense of the word to compute one. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a thunk closed over is nobody else's business
export type Lazy = Value | Thunk<any>;

/** The code of a thunk that is being forced: whoever forces it again depends on itself. */
export function blackhole(): never {
  throw new InfiniteRecursionError();
}

/** Weak head normal form. Use `force`, which tests for the common cases inline. */
export function forceThunk(thunk: Thunk<unknown>): Value {
  const code = thunk.code;
  if (code === null) return thunk.x as Value;
  const captured = thunk.x;
  thunk.code = blackhole;
  let value: Lazy;
  try {
    value = code(captured);
    while (value instanceof Thunk) value = forceThunk(value);
  } catch (error) {
    thunk.code = code;
    throw asEvalError(error);
  }
  thunk.code = null;
  thunk.x = value;
  return value;
}

export function force(value: Lazy): Value {
  return value instanceof Thunk ? (value.code === null ? (value.x as Value) : forceThunk(value)) : value;
}

/** The value if it is known already, else undefined. */
export function evaluated(value: Lazy | undefined): Value | undefined {
  if (!(value instanceof Thunk)) return value;
  return value.code === null ? (value.x as Value) : undefined;
}

/** A thunk over a JavaScript closure: the way native code makes lazy values. */
export function lazy(compute: () => Lazy): Thunk {
  return new Thunk(runClosure, compute) as Thunk;
}

function runClosure(compute: () => Lazy): Lazy {
  return compute();
}
