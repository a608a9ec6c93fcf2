/**
 * How a syntax tree is written down, so that the next run need not parse and resolve the text again.
 *
 * A tree is bytes: for each node a byte with its kind (low five bits) and flags, then its fields. Numbers are little-endian in
 * groups of seven bits; offsets are differences to the last one. Strings and names stand in the source, so only their places
 * are kept; what the source does not have (escapes replaced, indentation stripped) is text of its own behind the tree.
 *
 * Parts that an evaluation may never need (bodies of functions, bigger values) lie by themselves, before what refers to them,
 * and are read when somebody asks (`deferred.ts`).
 *
 * Nothing in it depends on the process that wrote it: names are numbered by file, and slots of a `rec`, which go by the
 * numbers that names have in a process, are written in the order of the source.
 */

/** To be changed with anything here or in `ast.ts`. */
export const TREE_FORMAT = 1;

/** Kinds of nodes. */
export const NODE = {
  integer: 0,
  bigInteger: 1,
  float: 2,
  string: 3,
  interpolation: 4,
  path: 5,
  /** A variable of the source, in an environment with one, four or any number of slots. */
  variable1: 6,
  variable4: 7,
  variableN: 8,
  /** … of a `rec`. */
  variableRec: 9,
  /** A global name, or one that a `with` may have. */
  free: 10,
  list: 11,
  attrs: 12,
  let: 13,
  lambda: 14,
  call: 15,
  select: 16,
  has: 17,
  with: 18,
  if: 19,
  assert: 20,
  not: 21,
  negate: 22,
  binary: 23,
  position: 24,
  deferred: 25,
} as const;

export const KIND_BITS = 5;

/** First flag of a node; the next are two and four times as much. */
export const FLAG = 1 << KIND_BITS;

export const OPERATORS = ["==", "!=", "<", "<=", ">", ">=", "&&", "||", "->", "//", "+", "-", "*", "/", "++"] as const;

/** Flags of a binding. */
export const BINDING = { inherited: 1, value: 2 };

/** Flags of a lambda's head. */
export const LAMBDA = { argument: 1, formals: 2, ellipsis: 4, name: 8 };
