/** Types of numbers within bounds. */
import { EvalError, force, isInteger, type Lazy, lessThan, NixFloat } from "../../lang/index.ts";
import type { OptionType, Types } from "../types.ts";
import { changeType, type TypeContext } from "./define.ts";

interface Numbers {
  readonly ints: Types["ints"];
  readonly numbers: Types["numbers"];
}

export function numberTypes(context: TypeContext, int: OptionType, number: OptionType): Numbers {
  const atLeast =
    (bound: number) =>
    (value: Lazy): boolean =>
      !lessThan(force(value), bound);
  const within =
    (lowest: number, highest: number) =>
    (value: Lazy): boolean => {
      const forced = force(value);
      return !lessThan(forced, lowest) && !lessThan(highest, forced);
    };
  const restricted = (
    base: OptionType,
    name: string,
    description: string,
    check: (value: Lazy) => boolean,
    descriptionClass?: string,
  ): OptionType =>
    changeType(context, base, {
      name,
      description,
      ...(descriptionClass === undefined ? {} : { descriptionClass }),
      check: (value) => base.check(value) && check(value),
    });
  const bounds = (lowest: number, highest: number): string => `${lowest} and ${highest} (both inclusive)`;
  const ordered = (lowest: number, highest: number, name: string): void => {
    if (lowest > highest)
      throw new EvalError(`${name}.between: lowest must be smaller than highest`, { code: "option-declaration" });
  };
  const sized = (lowest: number, highest: number, name: string, what: string): OptionType =>
    restricted(int, name, `${what}; between ${bounds(lowest, highest)}`, within(lowest, highest));
  const unsigned = (bits: number): OptionType =>
    sized(0, 2 ** bits - 1, `unsignedInt${bits}`, `${bits} bit unsigned integer`);
  const signed = (bits: number): OptionType =>
    sized(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, `signedInt${bits}`, `${bits} bit signed integer`);
  const clause = "nonRestrictiveClause";
  const more =
    (bound: number) =>
    (value: Lazy): boolean =>
      lessThan(bound, force(value));
  return {
    ints: {
      between(lowest, highest) {
        ordered(lowest, highest, "ints");
        return restricted(int, "intBetween", `integer between ${bounds(lowest, highest)}`, within(lowest, highest));
      },
      unsigned: restricted(int, "unsignedInt", "unsigned integer, meaning >=0", atLeast(0), clause),
      positive: restricted(int, "positiveInt", "positive integer, meaning >0", more(0), clause),
      u8: unsigned(8),
      u16: unsigned(16),
      u32: unsigned(32),
      s8: signed(8),
      s16: signed(16),
      s32: signed(32),
    },
    numbers: {
      between(lowest, highest) {
        ordered(lowest, highest, "numbers");
        return restricted(
          number,
          "numberBetween",
          `integer or floating point number between ${bounds(lowest, highest)}`,
          within(lowest, highest),
        );
      },
      nonnegative: restricted(
        number,
        "numberNonnegative",
        "nonnegative integer or floating point number, meaning >=0",
        atLeast(0),
        clause,
      ),
      positive: restricted(
        number,
        "numberPositive",
        "positive integer or floating point number, meaning >0",
        more(0),
        clause,
      ),
    },
  };
}

/** A number of either kind as JavaScript has it. */
export function plainNumber(value: Lazy): number {
  const forced = force(value);
  if (forced instanceof NixFloat) return forced.value;
  if (isInteger(forced)) return Number(forced);
  throw new EvalError("expected a number");
}
