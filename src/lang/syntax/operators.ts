/** The operators: how tightly they bind, and in which direction. */
import type { BinaryOperator } from "./ast.ts";
import { T, type TokenKind } from "./tokens.ts";

/** Levels of binding, loosest first. */
export const LEVEL = {
  implies: 1,
  or: 2,
  and: 3,
  equality: 4,
  comparison: 5,
  update: 6,
  not: 7,
  sum: 8,
  product: 9,
  concat: 10,
  has: 11,
  negate: 12,
};

export interface Operator {
  readonly operator: BinaryOperator;
  readonly level: number;
  /** The lowest level of an operator that the right operand may hold. */
  readonly right: number;
  /** `a == b == c` is no expression. */
  readonly chains: boolean;
}

function operators(): ReadonlyMap<TokenKind, Operator> {
  const table = new Map<TokenKind, Operator>();
  const add = (kind: TokenKind, operator: BinaryOperator, level: number, associativity: "left" | "right" | "none") =>
    table.set(kind, {
      operator,
      level,
      right: associativity === "right" ? level : level + 1,
      chains: associativity !== "none",
    });
  add(T.implies, "->", LEVEL.implies, "right");
  add(T.orOperator, "||", LEVEL.or, "left");
  add(T.and, "&&", LEVEL.and, "left");
  add(T.equal, "==", LEVEL.equality, "none");
  add(T.notEqual, "!=", LEVEL.equality, "none");
  add(T.less, "<", LEVEL.comparison, "none");
  add(T.greater, ">", LEVEL.comparison, "none");
  add(T.lessOrEqual, "<=", LEVEL.comparison, "none");
  add(T.greaterOrEqual, ">=", LEVEL.comparison, "none");
  add(T.update, "//", LEVEL.update, "right");
  add(T.plus, "+", LEVEL.sum, "left");
  add(T.minus, "-", LEVEL.sum, "left");
  add(T.times, "*", LEVEL.product, "left");
  add(T.divide, "/", LEVEL.product, "left");
  add(T.concat, "++", LEVEL.concat, "right");
  return table;
}

export const binaryOperators = operators();
