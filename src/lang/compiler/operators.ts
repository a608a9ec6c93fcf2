/** Operators. What numbers and plain strings need is done in place; the rest is `operations`. */
import {
  add,
  concatLists,
  divide,
  equalValues,
  forceAttrs,
  forceList,
  isInteger,
  isString,
  lessThan,
  multiply,
  refersToItself,
  subtract,
  updateAttrs,
} from "../operations/index.ts";
import type { BinaryNode, Expression, NegateNode, NotNode, Source } from "../syntax/index.ts";
import { Attrs } from "../values/attrs.ts";
import { type Lazy, Thunk } from "../values/thunk.ts";
import { NixFloat, type NixList, NixPath, type Value } from "../values/value.ts";
import type { Code, Compiler, Delay } from "./compiler.ts";
import { compileCall } from "./calls.ts";
import { compileCondition } from "./control.ts";
import { addBuiltinFrame, addFrame, locate, locateNear, locateSteps, offsetInMessages } from "./trace.ts";
import { reader } from "./variables.ts";
import type { Environment, Slot } from "./environment.ts";

const MAX = Number.MAX_SAFE_INTEGER;

export function compileNot(compiler: Compiler, node: NotNode): Code {
  const operand = compileCondition(
    compiler,
    node.operand,
    offsetInMessages(node.operand),
    "in the argument of the not operator",
  );
  return (environment) => !operand(environment);
}

export function compileNegate(compiler: Compiler, node: NegateNode): Code {
  const zero: Expression = { kind: "integer", offset: node.offset, value: 0 };
  if (node.overridden !== undefined)
    return compileCall(compiler, {
      kind: "call",
      offset: node.offset,
      fn: node.overridden,
      args: [zero, node.operand],
    });
  return arithmetic(subtract, "sub", () => 0, compiler.compile(node.operand), compiler.source, node.offset);
}

export function compileBinary(compiler: Compiler, node: BinaryNode): Code {
  if (node.overridden !== undefined) return compileOverridden(compiler, node, node.overridden);
  const { operator, offset } = node;
  const { source } = compiler;
  switch (operator) {
    case "&&": {
      const left = compileCondition(compiler, node.left, offset, "in the left operand of the AND (&&) operator");
      const right = compileCondition(compiler, node.right, offset, "in the right operand of the AND (&&) operator");
      return (environment) => left(environment) && right(environment);
    }
    case "||": {
      const left = compileCondition(compiler, node.left, offset, "in the left operand of the OR (||) operator");
      const right = compileCondition(compiler, node.right, offset, "in the right operand of the OR (||) operator");
      return (environment) => left(environment) || right(environment);
    }
    case "->": {
      const left = compileCondition(compiler, node.left, offset, "in the left operand of the IMPL (->) operator");
      const right = compileCondition(compiler, node.right, offset, "in the right operand of the IMPL (->) operator");
      return (environment) => !left(environment) || right(environment);
    }
    case "//":
      return compileUpdate(compiler, node);
    case "++":
      return compileConcat(compiler, node);
    case "+":
      return compileAdd(compiler, node);
    default:
  }
  const left = compiler.compile(node.left);
  const right = compiler.compile(node.right);
  switch (operator) {
    case "==":
      return (environment) =>
        same(left(environment), right(environment), "while testing two values for equality", source, offset);
    case "!=":
      return (environment) =>
        !same(left(environment), right(environment), "while testing two values for inequality", source, offset);
    case "<":
      return less(left, right, source, offset);
    case "<=": {
      const swapped = less(left, right, source, offset, true);
      return (environment) => !swapped(environment);
    }
    case ">":
      return less(left, right, source, offset, true);
    case ">=": {
      const code = less(left, right, source, offset);
      return (environment) => !code(environment);
    }
    case "-":
      return (environment) => {
        try {
          const a = left(environment);
          const b = right(environment);
          if (typeof a === "number" && typeof b === "number") {
            const result = a - b;
            if (result <= MAX && result >= -MAX) return result;
          }
          return subtract(a, b);
        } catch (error) {
          throw addBuiltinFrame(error, "sub", source, offset);
        }
      };
    case "*":
      return arithmetic(multiply, "mul", left, right, source, offset);
    case "/":
      return arithmetic(divide, "div", left, right, source, offset);
  }
}

/** These operators are calls of builtins: what goes wrong in their operands goes wrong in the call. */
function arithmetic(
  operation: (a: Lazy, b: Lazy) => Value,
  name: string,
  left: Code,
  right: Code,
  source: Source,
  offset: number,
): Code {
  return (environment) => {
    try {
      return operation(left(environment), right(environment));
    } catch (error) {
      throw addBuiltinFrame(error, name, source, offset);
    }
  };
}

function same(a: Value, b: Value, step: string, source: Source, offset: number): boolean {
  if (typeof a === "string" && typeof b === "string") return a === b;
  if (typeof a === "number" && typeof b === "number") return a === b;
  try {
    return equalValues(a, b);
  } catch (error) {
    throw addFrame(error, step, source, offset);
  }
}

/** `left < right`, or with `swapped` `right < left`, which is what Nix makes of `>` and `<=`. */
function less(
  left: Code,
  right: Code,
  source: Source,
  offset: number,
  swapped = false,
): (environment: Environment) => boolean {
  const first = swapped ? right : left;
  const second = swapped ? left : right;
  return (environment) => {
    try {
      const a = first(environment);
      const b = second(environment);
      return typeof a === "number" && typeof b === "number" ? a < b : lessThan(a, b);
    } catch (error) {
      throw addBuiltinFrame(error, "lessThan", source, offset);
    }
  };
}

/** `+` of what is neither two numbers nor two plain strings. */
export function addSlowly({ source, context }: Compiler, node: BinaryNode): (a: Value, b: Value) => Value {
  return (a, b) => {
    try {
      return add(context.world, a, b);
    } catch (error) {
      const right = !refersToItself(a) && (isNumber(a) || coercible(a));
      const place = right ? node.rightStart : node.leftStart;
      throw locateSteps(refersToItself(right ? b : a) ? locate(error, source, place) : error, source, place);
    }
  };
}

function compileAdd(compiler: Compiler, node: BinaryNode): Code {
  const left = compiler.compile(node.left);
  const right = compiler.compile(node.right);
  const slow = addSlowly(compiler, node);
  return (environment) => {
    const a = left(environment);
    // What cannot be added to fails before the other operand is evaluated.
    if (typeof a !== "number" && typeof a !== "string" && !addable(a)) return slow(a, null);
    const b = right(environment);
    if (typeof a === "number" && typeof b === "number") {
      const result = a + b;
      if (result <= MAX && result >= -MAX) return result;
    } else if (typeof a === "string" && typeof b === "string" && a.length + b.length < 1 << 28) return a + b;
    return slow(a, b);
  };
}

function isNumber(value: Value): boolean {
  return isInteger(value) || value instanceof NixFloat;
}

/** Whether something can be added to a value at all. */
export function addable(value: Value): boolean {
  return isNumber(value) || coercible(value);
}

/** Whether the left operand of `+` is not the one to blame. */
function coercible(value: Value): boolean {
  if (value instanceof Attrs) return value.has("outPath") || value.has("__toString");
  return isString(value) || value instanceof NixPath;
}

/** The right operand first, as Nix does. */
function compileUpdate(compiler: Compiler, node: BinaryNode): Code {
  const left = compiler.compile(node.left);
  const right = compiler.compile(node.right);
  const { source } = compiler;
  const operand = (code: Code, of: Expression, step: string): ((environment: Parameters<Code>[0]) => Attrs) => {
    // Of `a // b // c`, the outer operators add nothing to what the inner ones say.
    const quiet = of.kind === "binary" && of.operator === "//";
    return (environment) => {
      try {
        const value = code(environment);
        return value instanceof Attrs ? value : forceAttrs(value);
      } catch (error) {
        if (quiet) throw error;
        throw addFrame(locateNear(error, source, of.offset), step, source, offsetInMessages(of));
      }
    };
  };
  const leftSet = operand(left, node.left, "in the left operand of the update (//) operator");
  const rightSet = operand(right, node.right, "in the right operand of the update (//) operator");
  return (environment) => {
    const over = rightSet(environment);
    return updateAttrs(leftSet(environment), over);
  };
}

/** `a ++ b ++ c` makes one new list, not two. */
function compileConcat(compiler: Compiler, node: BinaryNode): Code {
  const { source } = compiler;
  const operands: Code[] = [];
  let rest: Expression = node;
  while (rest.kind === "binary" && rest.operator === "++") {
    operands.push(compiler.compile(rest.left));
    rest = rest.right;
  }
  operands.push(compiler.compile(rest));
  return (environment) => {
    const lists = new Array<NixList>(operands.length);
    for (let i = 0; i < operands.length; i++) {
      const value = operands[i]!(environment);
      lists[i] = Array.isArray(value) ? (value as NixList) : expectList(value, source, node.offset);
    }
    return concatLists(lists);
  };
}

export function expectList(value: Value, source: Source, offset: number): NixList {
  try {
    return forceList(value, "while evaluating one of the elements to concatenate");
  } catch (error) {
    throw locateSteps(error, source, offset);
  }
}

/** The source binds `__sub`, `__lessThan` or the like: the operator is a call of that, as in Nix. */
function compileOverridden(compiler: Compiler, node: BinaryNode, fn: Expression): Code {
  const { operator, offset, left, right } = node;
  const swapped = operator === ">" || operator === "<=";
  const code = compileCall(compiler, { kind: "call", offset, fn, args: swapped ? [right, left] : [left, right] });
  if (operator !== "<=" && operator !== ">=") return code;
  return (environment) => !code(environment);
}

/** `n - 1` and the like of numbers that are known already need no thunk: nothing can go wrong. */
export function cheapBinary(compiler: Compiler, node: BinaryNode): Delay | undefined {
  const { operator } = node;
  if ((operator !== "+" && operator !== "-") || node.overridden !== undefined) return undefined;
  const left = simple(node.left);
  const right = simple(node.right);
  if (left === undefined || right === undefined) return undefined;
  // Nix shows sums of literals as unevaluated, and nobody writes them where speed counts.
  if (node.left.kind === "integer" && node.right.kind === "integer") return undefined;
  const thunk = compiler.thunk(node);
  const sign = operator === "+" ? 1 : -1;
  return (environment) => {
    const a = numberOf(left(environment));
    const b = numberOf(right(environment));
    const result = a + sign * b;
    return result <= MAX && result >= -MAX ? result : thunk(environment);
  };
}

function simple(node: Expression): ((environment: Parameters<Code>[0]) => Slot) | undefined {
  if (node.kind === "integer") {
    const { value } = node;
    return () => value;
  }
  return node.kind === "variable" && node.level >= 0 ? reader(node) : undefined;
}

/** NaN for what is no number, or not yet: every comparison with it fails. */
function numberOf(value: Slot): number {
  if (typeof value === "number") return value;
  if (value instanceof Thunk && value.code === null && typeof value.x === "number") return value.x;
  return Number.NaN;
}
