/** Operators in generated code: numbers and strings at once, all else by the operations that the closures call. */
import type { BinaryNode, Expression } from "../syntax/index.ts";
import type { FunctionBody } from "./generate-body.ts";
import { addSlowly } from "./operators.ts";
import { offsetInMessages } from "./trace.ts";

/** Sums beyond are no exact numbers. */
export const MAX = Number.MAX_SAFE_INTEGER;

/** An operator that nobody has redefined. */
export function generateBinary(body: FunctionBody, node: BinaryNode): string {
  const { operator, offset, left, right } = node;
  const logical = (name: string): readonly [string, string] => [
    body.condition(left, offset, `in the left operand of the ${name} (${operator}) operator`),
    body.condition(right, offset, `in the right operand of the ${name} (${operator}) operator`),
  ];
  switch (operator) {
    case "&&":
      return `(${logical("AND").join(" && ")})`;
    case "||":
      return `(${logical("OR").join(" || ")})`;
    case "->":
      return `(!${logical("IMPL").join(" || ")})`;
    case "==":
      return equal(body, node, "while testing two values for equality");
    case "!=":
      return `!${equal(body, node, "while testing two values for inequality")}`;
    case "<":
      return less(body, left, right, offset);
    case ">":
      return less(body, right, left, offset);
    case "<=":
      return `!${less(body, right, left, offset)}`;
    case ">=":
      return `!${less(body, left, right, offset)}`;
    case "+":
      return add(body, node);
    case "-":
      return arithmetic(body, node, "sub", "subtract");
    case "*":
      return arithmetic(body, node, "mul", "multiply");
    case "/":
      return arithmetic(body, node, "div", "divide");
    case "//":
      return update(body, node);
    case "++":
      return concat(body, node);
  }
}

/** Two values computed one after the other, in temporaries. */
function operands(
  body: FunctionBody,
  first: Expression,
  second: Expression,
): readonly [a: string, b: string, both: string] {
  const a = body.temporary();
  const b = body.temporary();
  return [a, b, `${a} = ${body.value(first)}, ${b} = ${body.value(second)}`];
}

function equal(body: FunctionBody, { left, right, offset }: BinaryNode, step: string): string {
  const [a, b, both] = operands(body, left, right);
  const handler = body.handler(`addFrame(error, ${JSON.stringify(step)}, ${body.source}, ${offset})`);
  return `(${both}, typeof ${a} === "string" && typeof ${b} === "string" || typeof ${a} === "number" && typeof ${b} === "number" ? ${a} === ${b} : ${body.failing(`equalValues(${a}, ${b})`, handler)})`;
}

function less(body: FunctionBody, first: Expression, second: Expression, offset: number): string {
  const handler = body.handler(`addBuiltinFrame(error, "lessThan", ${body.source}, ${offset})`);
  return body.within(handler, () => {
    const [a, b, both] = operands(body, first, second);
    return `(${both}, typeof ${a} === "number" && typeof ${b} === "number" ? ${a} < ${b} : ${body.failing(`lessThan(${a}, ${b})`)})`;
  });
}

function arithmetic(
  body: FunctionBody,
  { left, right, offset }: BinaryNode,
  builtin: string,
  operation: string,
): string {
  const handler = body.handler(`addBuiltinFrame(error, "${builtin}", ${body.source}, ${offset})`);
  return body.within(handler, () => {
    const [a, b, both] = operands(body, left, right);
    const slow = body.failing(`${operation}(${a}, ${b})`);
    if (operation !== "subtract") return `(${both}, ${slow})`;
    const result = body.temporary();
    return `(${both}, typeof ${a} === "number" && typeof ${b} === "number" && (${result} = ${a} - ${b}) <= ${MAX} && ${result} >= ${-MAX} ? ${result} : ${slow})`;
  });
}

function add(body: FunctionBody, node: BinaryNode): string {
  const a = body.temporary();
  const b = body.temporary();
  const result = body.temporary();
  const add = body.unit.constant(addSlowly(body.unit.compiler, node));
  const slow = body.failing(`${add}(${a}, ${b})`);
  // What cannot be added to fails before the other operand is evaluated.
  const addable = `typeof ${a} === "number" || typeof ${a} === "string" || addable(${a}) || ${body.failing(`${add}(${a}, null)`)}`;
  const both = `${a} = ${body.value(node.left)}, ${addable}, ${b} = ${body.value(node.right)}`;
  return `(${both}, typeof ${a} === "number" && typeof ${b} === "number" && (${result} = ${a} + ${b}) <= ${MAX} && ${result} >= ${-MAX} ? ${result} : typeof ${a} === "string" && typeof ${b} === "string" && ${a}.length + ${b}.length < ${1 << 28} ? ${a} + ${b} : ${slow})`;
}

/** The right operand first, as Nix does. */
function update(body: FunctionBody, { left, right }: BinaryNode): string {
  const over = set(body, right, "in the right operand of the update (//) operator");
  const under = set(body, left, "in the left operand of the update (//) operator");
  const a = body.temporary();
  return `(${a} = ${over}, updateAttrs(${under}, ${a}))`;
}

function set(body: FunctionBody, node: Expression, step: string): string {
  // Of `a // b // c`, the outer operators add nothing to what the inner ones say.
  const quiet = node.kind === "binary" && node.operator === "//";
  const handler = quiet
    ? body.around
    : body.handler(
        `addFrame(locateNear(error, ${body.source}, ${node.offset}), ${JSON.stringify(step)}, ${body.source}, ${offsetInMessages(node)})`,
      );
  return body.within(handler, () => {
    const t = body.temporary();
    return `((${t} = ${body.value(node)}) instanceof Attrs ? ${t} : ${body.failing(`forceAttrs(${t})`)})`;
  });
}

/** `a ++ b ++ c` makes one new list, not two. */
function concat(body: FunctionBody, node: BinaryNode): string {
  const operands: Expression[] = [];
  let rest: Expression = node;
  while (rest.kind === "binary" && rest.operator === "++") {
    operands.push(rest.left);
    rest = rest.right;
  }
  operands.push(rest);
  const lists = operands.map((operand) => {
    const t = body.temporary();
    const other = body.failing(`expectList(${t}, ${body.source}, ${node.offset})`);
    return `Array.isArray(${t} = ${body.value(operand)}) ? ${t} : ${other}`;
  });
  return `concatLists([${lists.join(", ")}])`;
}

/** Whether an expression gives a Boolean or fails. */
export function isBoolean(node: Expression): boolean {
  if (node.kind === "not" || node.kind === "has") return true;
  if (node.kind !== "binary" || node.overridden !== undefined) return false;
  return ["==", "!=", "<", "<=", ">", ">=", "&&", "||", "->"].includes(node.operator);
}
