/**
 * Integer and float arithmetic (manual, "Operators", "Arithmetic"): integers have 64 bits and overflow is an error; one float
 * makes the result a float. Integers are kept as JavaScript numbers while those are exact.
 */
import { EvalError } from "../errors.ts";
import { force, type Lazy } from "../values/thunk.ts";
import { NixFloat, type Value } from "../values/value.ts";
import { forceFloat, forceInt } from "./force.ts";
import { isInteger } from "./types.ts";

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;
const MAX_SAFE = Number.MAX_SAFE_INTEGER;

/** A 64-bit integer in its canonical form: a number where that is exact. The caller has checked the range. */
export function normalizeInt(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

/** Parses decimal digits with an optional sign; undefined if it does not fit in 64 bits. */
export function parseInteger(digits: string): number | bigint | undefined {
  const value = Number(digits);
  if (Math.abs(value) <= MAX_SAFE) return value + 0;
  const exact = BigInt(digits);
  return exact < MIN || exact > MAX ? undefined : normalizeInt(exact);
}

/** Whether a number of any kind fits in a Nix integer. */
export function fitsInteger(value: bigint): boolean {
  return value >= MIN && value <= MAX;
}

type Operation = "adding" | "subtracting" | "multiplying" | "dividing";
const signs: Readonly<Record<Operation, string>> = { adding: "+", subtracting: "-", multiplying: "*", dividing: "/" };

function checked(result: bigint, operation: Operation, a: number | bigint, b: number | bigint): number | bigint {
  if (result < MIN || result > MAX)
    throw new EvalError(`integer overflow in ${operation} ${a} ${signs[operation]} ${b}`, { wantsPlace: true });
  return normalizeInt(result);
}

export function addIntegers(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === "number" && typeof b === "number") {
    const result = a + b;
    if (result <= MAX_SAFE && result >= -MAX_SAFE) return result;
  }
  return checked(BigInt(a) + BigInt(b), "adding", a, b);
}

/** `builtins.add`; the operator `+`, which also joins strings, is `add` in `strings.ts`. */
export function addNumbers(left: Lazy, right: Lazy): Value {
  const a = force(left);
  const b = force(right);
  if (isInteger(a) && isInteger(b)) return addIntegers(a, b);
  if (a instanceof NixFloat || b instanceof NixFloat)
    return new NixFloat(
      forceFloat(a, "while evaluating the first argument of the addition") +
        forceFloat(b, "while evaluating the second argument of the addition"),
    );
  return addIntegers(
    forceInt(a, "while evaluating the first argument of the addition"),
    forceInt(b, "while evaluating the second argument of the addition"),
  );
}

export function subtract(left: Lazy, right: Lazy): Value {
  const a = force(left);
  const b = force(right);
  if (typeof a === "number" && typeof b === "number") {
    const result = a - b;
    if (result <= MAX_SAFE && result >= -MAX_SAFE) return result;
  }
  if (a instanceof NixFloat || b instanceof NixFloat)
    return new NixFloat(
      forceFloat(a, "while evaluating the first argument of the subtraction") -
        forceFloat(b, "while evaluating the second argument of the subtraction"),
    );
  const x = forceInt(a, "while evaluating the first argument of the subtraction");
  const y = forceInt(b, "while evaluating the second argument of the subtraction");
  return checked(BigInt(x) - BigInt(y), "subtracting", x, y);
}

export function multiply(left: Lazy, right: Lazy): Value {
  const a = force(left);
  const b = force(right);
  if (typeof a === "number" && typeof b === "number") {
    const result = a * b;
    // Adding zero turns the -0 of `0 * -1`, which no integer has, into 0.
    if (result <= MAX_SAFE && result >= -MAX_SAFE) return result + 0;
  }
  if (a instanceof NixFloat || b instanceof NixFloat)
    return new NixFloat(
      forceFloat(a, "while evaluating the first of the multiplication") *
        forceFloat(b, "while evaluating the second argument of the multiplication"),
    );
  const x = forceInt(a, "while evaluating the first argument of the multiplication");
  const y = forceInt(b, "while evaluating the second argument of the multiplication");
  return checked(BigInt(x) * BigInt(y), "multiplying", x, y);
}

/** Division; of integers, rounded towards zero. */
export function divide(left: Lazy, right: Lazy): Value {
  const a = force(left);
  const b = force(right);
  if (forceFloat(b, "while evaluating the second operand of the division") === 0)
    throw new EvalError("division by zero");
  if (typeof a === "number" && typeof b === "number") return Math.trunc(a / b) + 0;
  if (a instanceof NixFloat || b instanceof NixFloat)
    return new NixFloat(
      forceFloat(a, "while evaluating the first operand of the division") /
        forceFloat(b, "while evaluating the second operand of the division"),
    );
  const x = forceInt(a, "while evaluating the first operand of the division");
  const y = forceInt(b, "while evaluating the second operand of the division");
  return checked(BigInt(x) / BigInt(y), "dividing", x, y);
}

/** `-value`. */
export function negate(value: Lazy): Value {
  return subtract(0, value);
}
