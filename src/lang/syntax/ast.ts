/**
 * The syntax tree. `offset` is where Nix's messages point to for that node, as a byte offset in the source; -1 where Nix
 * knows no place.
 *
 * Fields marked "resolved" are filled in by `resolve`, once, right after parsing.
 */
import type { Symbol } from "../values/attrs.ts";

export type Expression =
  | IntegerNode
  | FloatNode
  | StringNode
  | InterpolationNode
  | PathNode
  | VariableNode
  | ListNode
  | AttrsNode
  | LetNode
  | LambdaNode
  | CallNode
  | SelectNode
  | HasAttributeNode
  | WithNode
  | IfNode
  | AssertNode
  | NotNode
  | NegateNode
  | BinaryNode
  | CurrentPositionNode
  | DeferredNode;

export interface IntegerNode {
  readonly kind: "integer";
  readonly offset: number;
  readonly value: number | bigint;
}

export interface FloatNode {
  readonly kind: "float";
  readonly offset: number;
  readonly value: number;
}

export interface StringNode {
  readonly kind: "string";
  readonly offset: number;
  readonly value: string;
}

/** Pieces joined: `"a${b}"`, or a path when `path` is set, whose first piece is a `PathNode`. */
export interface InterpolationNode {
  readonly kind: "interpolation";
  readonly offset: number;
  readonly parts: readonly Expression[];
  /** Where each part begins: its `${`, or the literal. */
  readonly starts: readonly number[];
  readonly path: boolean;
}

/** A path as written; `home` for those that begin with `~`. */
export interface PathNode {
  readonly kind: "path";
  readonly offset: number;
  readonly text: string;
  readonly home: boolean;
}

export interface VariableNode {
  readonly kind: "variable";
  readonly offset: number;
  readonly name: Symbol;
  /** Resolved: how many environments up, or -1 if no scope of the source has the name. */
  level: number;
  /** Resolved: the slot in that environment. */
  slot: number;
  /** Resolved: what kind of environment it is. */
  shape: Shape;
  /** Resolved, for names that no scope has: the enclosing `with`s, innermost first. */
  withs: readonly WithLevel[];
}

export interface WithLevel {
  readonly level: number;
  readonly node: WithNode;
}

export interface ListNode {
  readonly kind: "list";
  readonly offset: number;
  readonly elements: readonly Expression[];
}

export interface AttrsNode {
  readonly kind: "attrs";
  offset: number;
  recursive: boolean;
  readonly statics: Map<Symbol, Binding>;
  readonly dynamics: DynamicBinding[];
  /** The expressions of `inherit (…)`. */
  readonly sources: Expression[];
}

export interface Binding {
  readonly offset: number;
  /** The value; for `inherit x`, the variable; for `inherit (…) x`, undefined. */
  readonly value: Expression | undefined;
  /** A plain definition lives in the set's own scope, an inherited one in the scope around it. */
  readonly inherited: boolean;
  /** For `inherit (…) x`: which of `sources`. */
  source: number;
  /** Resolved: the slot of a `rec` or `let` environment. */
  slot: number;
}

export interface DynamicBinding {
  readonly offset: number;
  readonly name: Expression;
  readonly value: Expression;
}

export interface LetNode {
  readonly kind: "let";
  readonly offset: number;
  readonly bindings: AttrsNode;
  readonly body: Expression;
  /** Resolved. */
  shape: Shape;
}

export interface LambdaNode {
  readonly kind: "lambda";
  readonly offset: number;
  /** `x` of `x: …` and of `{ … } @ x: …`. */
  readonly argument: Symbol | undefined;
  readonly formals: FormalsNode | undefined;
  readonly body: Expression;
  /** The attribute it was bound to. */
  name: Symbol | undefined;
  /** Resolved. */
  shape: Shape;
}

export interface FormalsNode {
  readonly formals: readonly FormalNode[];
  readonly ellipsis: boolean;
}

export interface FormalNode {
  readonly offset: number;
  readonly name: Symbol;
  readonly fallback: Expression | undefined;
}

export interface CallNode {
  readonly kind: "call";
  readonly offset: number;
  readonly fn: Expression;
  readonly args: Expression[];
}

/** A name in an attribute path: fixed, or an expression. */
export type AttributeName = Symbol | Expression;

export interface SelectNode {
  readonly kind: "select";
  readonly offset: number;
  readonly of: Expression;
  readonly path: readonly AttributeName[];
  readonly fallback: Expression | undefined;
}

export interface HasAttributeNode {
  readonly kind: "has";
  readonly offset: number;
  readonly of: Expression;
  readonly path: readonly AttributeName[];
}

export interface WithNode {
  readonly kind: "with";
  readonly offset: number;
  readonly scope: Expression;
  readonly body: Expression;
}

export interface IfNode {
  readonly kind: "if";
  readonly offset: number;
  readonly condition: Expression;
  readonly yes: Expression;
  readonly no: Expression;
}

export interface AssertNode {
  readonly kind: "assert";
  readonly offset: number;
  readonly condition: Expression;
  readonly body: Expression;
}

export interface NotNode {
  readonly kind: "not";
  readonly offset: number;
  readonly operand: Expression;
}

/** `-x`, which means `__sub 0 x`. */
export interface NegateNode {
  readonly kind: "negate";
  readonly offset: number;
  readonly operand: Expression;
  /** Resolved: the variable `__sub` if the source binds one. */
  overridden: VariableNode | undefined;
}

export type BinaryOperator =
  "==" | "!=" | "<" | "<=" | ">" | ">=" | "&&" | "||" | "->" | "//" | "+" | "-" | "*" | "/" | "++";

export interface BinaryNode {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  /** Of the operator. */
  readonly offset: number;
  readonly left: Expression;
  readonly right: Expression;
  /** Where the operands begin, brackets included. */
  readonly leftStart: number;
  readonly rightStart: number;
  /** Resolved: the variable (`__sub`, `__lessThan`, …) that the operator stands for if the source binds one. */
  overridden: VariableNode | undefined;
}

export interface CurrentPositionNode {
  readonly kind: "position";
  readonly offset: number;
}

/** A part of a tree that is read when it is needed. See `deferred.ts`. */
export interface DeferredNode {
  readonly kind: "deferred";
  readonly offset: number;
  /** Where it is in the tree, and what reading it needs to know: the reader's own affair. */
  readonly place: number;
  readonly last: number;
  readonly scope: unknown;
  readonly tree: PartReader;
  expanded: Expression | undefined;
}

/** Where the deferred parts of a tree come from. */
export interface PartReader {
  part(node: DeferredNode): Expression;
}

/** How an environment keeps its slots: one field, four fields, or an array. */
export type Shape = 1 | 4 | 0;

export function shapeFor(slots: number): Shape {
  return slots <= 1 ? 1 : slots <= 4 ? 4 : 0;
}
