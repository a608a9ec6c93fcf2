/** Numbers (manual, "add" … "lessThan"). */
import { EvalError } from "../errors.ts";
import {
  addNumbers,
  divide,
  fitsInteger,
  forceFloat,
  forceInt,
  formatGeneral,
  isInteger,
  lessThan as isLess,
  multiply,
  normalizeInt,
  subtract,
} from "../operations/index.ts";
import { force, type Lazy } from "../values/thunk.ts";
import type { Value } from "../values/value.ts";
import type { Family } from "./interpreter.ts";

/** The order of the operator `<`; `sort` recognises it. */
export const lessThan = (a: Lazy, b: Lazy): boolean => isLess(force(a), force(b));

export const arithmetic: Family = {
  /** The sum of two numbers. */
  add: (a: Lazy, b: Lazy): Value => addNumbers(a, b),
  /** The difference of two numbers. */
  sub: (a: Lazy, b: Lazy): Value => subtract(a, b),
  /** The product of two numbers. */
  mul: (a: Lazy, b: Lazy): Value => multiply(a, b),
  /** The quotient; of integers, rounded towards zero. */
  div: (a: Lazy, b: Lazy): Value => divide(a, b),
  lessThan,
  /** The least integer that is not less than the number. */
  ceil: (value: Lazy): Value => rounded(value, "ceil", Math.ceil),
  /** The greatest integer that is not greater than the number. */
  floor: (value: Lazy): Value => rounded(value, "floor", Math.floor),
  /** Bitwise and, on 64 bits in two's complement. */
  bitAnd: (a: Lazy, b: Lazy): Value => bits("bitAnd", a, b, (x, y) => x & y),
  /** Bitwise or. */
  bitOr: (a: Lazy, b: Lazy): Value => bits("bitOr", a, b, (x, y) => x | y),
  /** Bitwise exclusive or. */
  bitXor: (a: Lazy, b: Lazy): Value => bits("bitXor", a, b, (x, y) => x ^ y),
};

function bits(name: string, a: Lazy, b: Lazy, operation: (a: bigint, b: bigint) => bigint): Value {
  const x = forceInt(a, `while evaluating the first argument passed to builtins.${name}`);
  const y = forceInt(b, `while evaluating the second argument passed to builtins.${name}`);
  return normalizeInt(operation(BigInt(x), BigInt(y)));
}

/** Integers are kept, but only those that a double holds: for others, earlier versions of Nix gave wrong results. */
function rounded(lazy: Lazy, name: string, round: (value: number) => number): Value {
  const result = round(forceFloat(lazy, `while evaluating the first argument passed to builtins.${name}`));
  const value = force(lazy);
  const exact = Number.isFinite(result) ? BigInt(result) : undefined;
  if (isInteger(value)) {
    if (exact === undefined || !fitsInteger(exact))
      throw new EvalError(
        `Due to a bug (see https://github.com/NixOS/nix/issues/12899) the NixInt argument ${value} caused undefined behavior in previous Nix versions.\n\tFuture Nix versions might implement the correct behavior.`,
      );
    if (exact !== BigInt(value))
      throw new EvalError(
        `Due to a bug (see https://github.com/NixOS/nix/issues/12899) a loss of precision occurred in previous Nix versions because the NixInt argument ${value} was rounded to ${exact}.\n\tFuture Nix versions might implement the correct behavior.`,
      );
    return value;
  }
  if (exact === undefined || !fitsInteger(exact))
    throw new EvalError(`NixFloat argument ${formatGeneral(forceFloat(value))} is not in the range of NixInt`);
  return normalizeInt(exact);
}
