/** `if`, `assert`, `with`. */
import { AssertionError } from "../errors.ts";
import { forceBool } from "../operations/index.ts";
import { type AssertNode, type Expression, type IfNode, showExpression, type WithNode } from "../syntax/index.ts";
import type { Code, Compiler } from "./compiler.ts";
import { type Environment, Environment1 } from "./environment.ts";
import { addFrame, locate } from "./trace.ts";
import { explainAssertion } from "./assertions.ts";

/** Code that computes a Boolean; `step` becomes a step of the trace when that fails. */
export function compileCondition(
  compiler: Compiler,
  node: Expression,
  offset: number,
  step: string,
): (environment: Environment) => boolean {
  const code = compiler.compile(node);
  const { source } = compiler;
  return (environment) => {
    let value: unknown;
    try {
      value = code(environment);
      if (typeof value !== "boolean") forceBool(value as never);
    } catch (error) {
      throw addFrame(error, step, source, offset);
    }
    return value as boolean;
  };
}

export function compileIf(compiler: Compiler, node: IfNode): Code {
  const condition = compileCondition(compiler, node.condition, node.offset, "while evaluating a branch condition");
  let yes: Code = (environment) => (yes = compiler.compile(node.yes))(environment);
  let no: Code = (environment) => (no = compiler.compile(node.no))(environment);
  return (environment) => (condition(environment) ? yes(environment) : no(environment));
}

export function compileAssert(compiler: Compiler, node: AssertNode): Code {
  const condition = compileCondition(compiler, node.condition, node.offset, "in the condition of the assert statement");
  const body = compiler.compile(node.body);
  const fail = assertionFailure(compiler, node);
  return (environment) => (condition(environment) ? body(environment) : fail(environment));
}

/** Throws what an assertion that does not hold throws. */
export function assertionFailure(compiler: Compiler, node: AssertNode): (environment: Environment) => never {
  return (environment) => {
    explainAssertion(compiler, node, environment);
    throw locate(
      new AssertionError(`assertion '${showExpression(node.condition, shown(compiler))}' failed`),
      compiler.source,
      node.offset,
    );
  };
}

export function shown(compiler: Compiler): { absolute: (text: string, home: boolean) => string } {
  return { absolute: (text, home) => compiler.context.absolutePath(text, home) };
}

export function compileWith(compiler: Compiler, node: WithNode): Code {
  const scope = compiler.delay(node.scope);
  const body = compiler.compile(node.body);
  return (environment) => body(new Environment1(environment, scope(environment)));
}
