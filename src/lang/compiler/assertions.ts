/** Why `assert a == b` failed: walks both values to the first difference, the way equality does. */
import { AssertionError } from "../errors.ts";
import { addTrace, equalValues, isDerivation, isInteger, showType, typeOf } from "../operations/index.ts";
import { showForError } from "../print/printer.ts";
import { type AssertNode, showExpression, SourcePosition } from "../syntax/index.ts";
import { type Attrs, type LazyPosition, symbolName } from "../values/attrs.ts";
import { force, type Lazy } from "../values/thunk.ts";
import { NixFloat, type NixList } from "../values/value.ts";
import type { Compiler } from "./compiler.ts";
import { shown } from "./control.ts";
import type { Environment } from "./environment.ts";
import { addFrame } from "./trace.ts";

/** Throws with the difference if the assertion that failed is an equality. */
export function explainAssertion(compiler: Compiler, node: AssertNode, environment: Environment): void {
  const { condition } = node;
  if (condition.kind !== "binary" || condition.operator !== "==") return;
  const left = compiler.compile(condition.left)(environment);
  const right = compiler.compile(condition.right)(environment);
  try {
    assertEqual(left, right);
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    const text = showExpression(condition, shown(compiler));
    throw addFrame(error, `while evaluating the condition of the assertion '${text}'`, compiler.source, node.offset);
  }
}

function fail(message: string): never {
  throw new AssertionError(message);
}

function assertEqual(lazyLeft: Lazy, lazyRight: Lazy): void {
  const a = force(lazyLeft);
  const b = force(lazyRight);
  if (a === b && typeOf(a) !== "lambda") return;
  const left = showForError(a);
  const right = showForError(b);
  if ((isInteger(a) || a instanceof NixFloat) && (isInteger(b) || b instanceof NixFloat)) {
    if (equalValues(a, b)) return;
    fail(`${showType(a)} with value '${left}' is not equal to ${showType(b)} with value '${right}'`);
  }
  const type = typeOf(a);
  if (type !== typeOf(b)) fail(`${showType(a)} of value '${left}' is not equal to ${showType(b)} of value '${right}'`);
  switch (type) {
    case "list":
      return assertEqualLists(a as NixList, b as NixList, left, right);
    case "set":
      return assertEqualSets(a as Attrs, b as Attrs, left, right);
    case "lambda":
      return fail("distinct functions and immediate comparisons of identical functions compare as unequal");
    case "null":
      return;
    default: {
      const name = type === "bool" ? "boolean" : type;
      if (!equalValues(a, b)) fail(`${name} '${left}' is not equal to ${name} '${right}'`);
    }
  }
}

function assertEqualLists(a: NixList, b: NixList, left: string, right: string): void {
  if (a.length !== b.length)
    fail(
      `list of size '${a.length}' is not equal to list of size '${b.length}', left hand side is '${left}', right hand side is '${right}'`,
    );
  a.forEach((element, i) => {
    try {
      assertElement(element, b[i]!);
    } catch (error) {
      throw addTrace(error, `while comparing list element ${i}`);
    }
  });
}

/** Elements that are one and the same value are equal, functions too. */
function assertElement(a: Lazy, b: Lazy): void {
  if (a !== b) assertEqual(a, b);
}

function assertEqualSets(a: Attrs, b: Attrs, left: string, right: string): void {
  if (isDerivation(a) && isDerivation(b)) {
    const leftPath = a.get("outPath");
    const rightPath = b.get("outPath");
    if (leftPath !== undefined && rightPath !== undefined) {
      try {
        return assertElement(leftPath, rightPath);
      } catch (error) {
        throw addTrace(error, "while comparing a derivation by its 'outPath' attribute");
      }
    }
  }
  if (a.size !== b.size) fail(`attribute names of attribute set '${left}' differs from attribute set '${right}'`);
  a.keys.ids.forEach((id, slot) => {
    const other = b.keys.ids[slot]!;
    if (id !== other) {
      if (b.keys.find(id) < 0)
        fail(`attribute name '${symbolName(id)}' is contained in '${left}', but not in '${right}'`);
      fail(`attribute name '${symbolName(other)}' is missing in '${left}', but is contained in '${right}'`);
    }
    try {
      assertElement(a.values[slot]!, b.values[slot]!);
    } catch (error) {
      addSide(error, "where right hand side is", b.positionAt(slot));
      addSide(error, "where left hand side is", a.positionAt(slot));
      throw addTrace(error, `while comparing attribute '${symbolName(id)}'`);
    }
  });
}

function addSide(error: unknown, message: string, position: LazyPosition): void {
  if (position instanceof SourcePosition) addFrame(error, message, position.source, position.offset);
}
