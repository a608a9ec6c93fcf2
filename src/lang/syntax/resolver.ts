/**
 * Names to places: every variable learns how many environments up its value is and in which slot. Done for the whole source
 * right after parsing, so that undefined variables are found before anything is evaluated, as in Nix.
 */
import { didYouMean } from "../../base/index.ts";
import { EvalError } from "../errors.ts";
import { type Symbol, symbol, symbolName } from "../values/attrs.ts";
import {
  type AttrsNode,
  type BinaryNode,
  type Expression,
  type LambdaNode,
  type NegateNode,
  type Shape,
  shapeFor,
  type VariableNode,
  type WithLevel,
  type WithNode,
} from "./ast.ts";
import { ParseError } from "./errors.ts";
import type { Source } from "./source.ts";

/** One environment that will exist at run time. */
interface Scope {
  readonly up: Scope | undefined;
  readonly names: ReadonlyMap<Symbol, number> | undefined;
  /** The only name, where there is one: most functions have one argument. */
  readonly only: Symbol;
  readonly shape: Shape;
  /** Set for the environment of a `with`, which has no names of its own. */
  readonly with: WithNode | undefined;
}

const operatorVariables: Readonly<Partial<Record<BinaryNode["operator"], Symbol>>> = {
  "-": symbol("__sub"),
  "*": symbol("__mul"),
  "/": symbol("__div"),
  "<": symbol("__lessThan"),
  "<=": symbol("__lessThan"),
  ">": symbol("__lessThan"),
  ">=": symbol("__lessThan"),
};
const SUB = symbol("__sub");
const overridable: ReadonlySet<Symbol> = new Set(Object.values(operatorVariables));

/**
 * Resolves all names of an expression. Names that no scope has must be in `globals`, unless a `with` surrounds them.
 * @throws EvalError for the first undefined variable
 */
export function resolve(
  root: Expression,
  source: Source,
  globals: { has(name: string): boolean; keys(): Iterable<string> },
): void {
  try {
    new Resolver(source, globals).visit(root, undefined);
  } catch (error) {
    if (error instanceof RangeError)
      throw new ParseError("the expression is nested too deeply", source, Math.max(0, root.offset));
    throw error;
  }
}

class Resolver {
  readonly #source: Source;
  readonly #globals: { has(name: string): boolean; keys(): Iterable<string> };
  /** Whether the source binds a variable like `__sub` that operators stand for. */
  #overrides = false;

  constructor(source: Source, globals: { has(name: string): boolean; keys(): Iterable<string> }) {
    this.#source = source;
    this.#globals = globals;
  }

  visit(node: Expression, scope: Scope | undefined): void {
    switch (node.kind) {
      case "integer":
      case "float":
      case "string":
      case "path":
      case "position":
        return;
      case "deferred":
        throw new Error("internal error: what is read from a kept tree is resolved already");
      case "variable":
        return this.#variable(node, scope);
      case "interpolation":
        for (const part of node.parts) this.visit(part, scope);
        return;
      case "list":
        for (const element of node.elements) this.visit(element, scope);
        return;
      case "attrs":
        return this.#attrs(node, scope);
      case "let": {
        const inner = this.#bindings(node.bindings, scope, false);
        node.shape = inner.shape;
        this.#values(node.bindings, inner, scope);
        return this.visit(node.body, inner);
      }
      case "lambda":
        return this.#lambda(node, scope);
      case "call":
        this.visit(node.fn, scope);
        for (const argument of node.args) this.visit(argument, scope);
        return;
      case "select":
        this.visit(node.of, scope);
        for (const name of node.path) if (typeof name !== "number") this.visit(name, scope);
        if (node.fallback !== undefined) this.visit(node.fallback, scope);
        return;
      case "has":
        this.visit(node.of, scope);
        for (const name of node.path) if (typeof name !== "number") this.visit(name, scope);
        return;
      case "with":
        this.visit(node.scope, scope);
        return this.visit(node.body, { up: scope, names: undefined, only: -1, shape: 1, with: node });
      case "if":
        this.visit(node.condition, scope);
        this.visit(node.yes, scope);
        return this.visit(node.no, scope);
      case "assert":
        this.visit(node.condition, scope);
        return this.visit(node.body, scope);
      case "not":
        return this.visit(node.operand, scope);
      case "negate":
        this.#operator(node, SUB, scope);
        return this.visit(node.operand, scope);
      case "binary":
        this.#operator(node, operatorVariables[node.operator], scope);
        this.visit(node.left, scope);
        return this.visit(node.right, scope);
    }
  }

  #variable(node: VariableNode, scope: Scope | undefined): void {
    if (this.#find(node, scope)) return;
    const name = symbolName(node.name);
    if (this.#globals.has(name)) return;
    const withs: WithLevel[] = [];
    let level = 0;
    for (let at = scope; at !== undefined; at = at.up, level++)
      if (at.with !== undefined) withs.push({ level, node: at.with });
    if (withs.length === 0) throw this.#undefined(name, node.offset, scope);
    node.withs = withs;
  }

  #find(node: VariableNode, scope: Scope | undefined): boolean {
    const { name } = node;
    let level = 0;
    for (let at = scope; at !== undefined; at = at.up, level++) {
      const slot = at.only === name ? 0 : at.names?.get(name);
      if (slot === undefined) continue;
      node.level = level;
      node.slot = slot;
      node.shape = at.shape;
      return true;
    }
    return false;
  }

  #undefined(name: string, offset: number, scope: Scope | undefined): EvalError {
    const known = new Set<string>();
    for (let at = scope; at !== undefined; at = at.up) {
      if (at.only >= 0) known.add(symbolName(at.only));
      for (const id of at.names?.keys() ?? []) known.add(symbolName(id));
    }
    for (const global of this.#globals.keys()) if (!global.startsWith("__")) known.add(global);
    return new EvalError(`undefined variable '${name}'`, {
      location: this.#source.location(Math.max(0, offset)),
      hint: didYouMean(name, known),
    });
  }

  #operator(node: BinaryNode | NegateNode, name: Symbol | undefined, scope: Scope | undefined): void {
    if (!this.#overrides || name === undefined) return;
    const variable: VariableNode = {
      kind: "variable",
      offset: node.offset,
      name,
      level: -1,
      slot: 0,
      shape: 1,
      withs: [],
    };
    if (this.#find(variable, scope)) node.overridden = variable;
  }

  #attrs(node: AttrsNode, scope: Scope | undefined): void {
    const inner = node.recursive ? this.#bindings(node, scope, true) : scope;
    this.#values(node, inner, scope);
    for (const { name, value } of node.dynamics) {
      this.visit(name, inner);
      this.visit(value, inner);
    }
  }

  /** The scope of a `let` or `rec`. The slots of a `rec` are in the order of the set that it becomes. */
  #bindings(node: AttrsNode, up: Scope | undefined, sorted: boolean): Scope {
    const ids = [...node.statics.keys()];
    if (sorted) ids.sort((a, b) => a - b);
    const names = new Map<Symbol, number>();
    for (const id of ids) {
      const slot = names.size;
      names.set(id, slot);
      node.statics.get(id)!.slot = slot;
      if (overridable.has(id)) this.#overrides = true;
    }
    return { up, names, only: -1, shape: sorted ? 0 : shapeFor(names.size), with: undefined };
  }

  #values(node: AttrsNode, inner: Scope | undefined, outer: Scope | undefined): void {
    for (const source of node.sources) this.visit(source, inner);
    for (const binding of node.statics.values())
      if (binding.value !== undefined) this.visit(binding.value, binding.inherited ? outer : inner);
  }

  #lambda(node: LambdaNode, up: Scope | undefined): void {
    const { argument, formals } = node;
    if (formals === undefined) {
      if (overridable.has(argument!)) this.#overrides = true;
      node.shape = 1;
      return this.visit(node.body, { up, names: undefined, only: argument!, shape: 1, with: undefined });
    }
    const names = new Map<Symbol, number>();
    for (const { name } of formals.formals) names.set(name, names.size);
    if (argument !== undefined) names.set(argument, names.size);
    for (const id of names.keys()) if (overridable.has(id)) this.#overrides = true;
    node.shape = shapeFor(names.size);
    const scope: Scope = { up, names, only: -1, shape: node.shape, with: undefined };
    for (const { fallback } of formals.formals) if (fallback !== undefined) this.visit(fallback, scope);
    this.visit(node.body, scope);
  }
}
