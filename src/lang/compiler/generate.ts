/**
 * The second tier: hot functions become JavaScript source, so that V8 compiles what they do as one function.
 *
 * Closures (`compiler.ts`) start at once and serve code that runs a few times, which is nearly all of it. But a thousand nodes
 * of the tree are nine tenths of all that an evaluation of nixpkgs executes. A function that has been called often is generated
 * here with all that its body computes at once; what becomes thunks becomes functions of the same unit. Environments stay what
 * they are, so that both tiers mix freely: whatever is not generated is a call of its closure.
 *
 * Errors collect the same steps as in the closures, without a `try` for each: `s` holds which operation is under way, and one
 * `catch` adds the steps of that operation and of those around it (`Handlers`).
 */
import { expand, type Expression, type LambdaNode } from "../syntax/index.ts";
import type { Lazy } from "../values/thunk.ts";
import type { Value } from "../values/value.ts";
import type { Code, Compiler } from "./compiler.ts";
import { FunctionBody } from "./generate-body.ts";
import { runtime } from "./generate-runtime.ts";

/** Nodes beyond this in one unit stay closures. */
const MOST_NODES = 600;

/** One piece of JavaScript source: a function, the thunks that it makes, and what they share. */
export class Unit {
  readonly compiler: Compiler;
  readonly #constants: unknown[] = [];
  readonly #declarations: string[] = [];
  #names = 0;
  #nodes = 0;

  constructor(compiler: Compiler) {
    this.compiler = compiler;
  }

  /** A name for a value that the source refers to. */
  constant(value: unknown): string {
    const known = this.#constants.indexOf(value);
    return `c${known >= 0 ? known : this.#constants.push(value) - 1}`;
  }

  name(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  declare(declaration: string): void {
    this.#declarations.push(declaration);
  }

  /** Counts a node; false if there are enough. */
  spend(): boolean {
    return ++this.#nodes <= MOST_NODES;
  }

  get exhausted(): boolean {
    return this.#nodes >= MOST_NODES;
  }

  /** The name of code for an expression, in the environment that it stands in. */
  thunkCode(node: Expression): string {
    // What is deferred and has never been needed waits for its closure.
    const known = node.kind === "deferred" ? node.expanded : node;
    if (this.exhausted || known === undefined) return this.constant(this.compiler.later(node));
    return this.function(known, []);
  }

  /** The name of a function whose arguments after the environment are those of the innermost functions around the node. */
  function(node: Expression, parameters: readonly string[]): string {
    const name = this.name("f");
    const body = new FunctionBody(this, "u", parameters);
    const value = body.value(node);
    this.declare(`const ${name} = (${["u", ...parameters].join(", ")}) => {${body.wrap(value)}};`);
    return name;
  }

  /** Runs the source; gives the named function. */
  build(result: string): unknown {
    const constants = this.#constants.map((_, i) => `c${i} = constants[${i}]`);
    const source = [
      '"use strict";',
      `const { ${Object.keys(runtime).join(", ")} } = runtime;`,
      constants.length === 0 ? "" : `const ${constants.join(", ")};`,
      ...this.#declarations,
      `return ${result};`,
    ].join("\n");
    // The source is made of numbers, names of this file's making, and literals written by JSON.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- making code is the purpose
    const make = new Function("runtime", "constants", source) as (...args: unknown[]) => unknown;
    return make(runtime, this.#constants);
  }
}

/** A function of so many arguments, each the only one of a Nix function around the next: `x: y: body`. */
export function generateFunction(
  compiler: Compiler,
  body: Expression,
  parameters: number,
): (environment: unknown, ...args: Lazy[]) => Value {
  const unit = new Unit(compiler);
  const names = Array.from({ length: parameters }, (_, i) => `a${i}`);
  return unit.build(unit.function(resolved(body), names)) as (environment: unknown, ...args: Lazy[]) => Value;
}

/** Code for the body of a function with formals, given the environment that holds them. */
export function generateCode(compiler: Compiler, body: LambdaNode["body"]): Code {
  const unit = new Unit(compiler);
  return unit.build(unit.function(resolved(body), [])) as Code;
}

function resolved(node: Expression): Expression {
  return node.kind === "deferred" ? expand(node) : node;
}
