/** What a generated function stands on: its scopes, its temporary variables, and what it adds to errors that pass. */
import type { VariableNode } from "../syntax/index.ts";
import type { Unit } from "./generate.ts";

/** Temporaries beyond this make frames too big for deep recursion; what is left stays closures. */
const MOST_TEMPORARIES = 120;

/** An environment that the function itself makes. */
export interface Scope {
  /** The JavaScript variable that holds the environment. */
  readonly environment: string;
  /** The argument that is its only slot: then the environment is made when somebody needs it. */
  readonly argument: string | undefined;
  /** While its slots are being filled in, some are undefined. */
  filling: boolean;
}

interface Handler {
  /** A JavaScript expression for what is to be thrown instead of `error`. */
  readonly code: string;
  /** The operation around this one. */
  readonly outer: number;
}

/** The text of one JavaScript function while it is made; its values are JavaScript expressions. */
export class Frame {
  readonly unit: Unit;
  /** The environment that the function is given. */
  readonly #given: string;
  /** Innermost first. */
  scopes: readonly Scope[] = [];
  readonly #variables: string[] = [];
  readonly #handlers: Handler[] = [];
  /** The operation that errors belong to: the number of a handler, 0 for none. */
  around = 0;
  /** The constant that holds the source text. */
  readonly source: string;

  constructor(unit: Unit, given: string, parameters: readonly string[]) {
    this.unit = unit;
    this.#given = given;
    this.source = unit.constant(unit.compiler.source);
    for (const argument of parameters)
      this.scopes = [{ environment: this.variable("e"), argument, filling: false }, ...this.scopes];
  }

  /** The function's text around the value that it gives. */
  wrap(value: string): string {
    const variables = this.#variables.length === 0 ? "" : `let ${this.#variables.join(", ")};`;
    if (this.#handlers.length === 0) return `${variables} return ${value};`.replaceAll(/\(s = 0, /g, "(");
    const cases = this.#handlers.map(({ code, outer }, i) => `case ${i + 1}: error = ${code}; s = ${outer}; continue;`);
    return `let s = 0; ${variables} const d = depth.current;
try { return ${value}; } catch (error) { depth.current = d; for (;;) switch (s) { ${cases.join("\n")} default: throw error; } }`;
  }

  /** Whether another node may be generated. */
  spend(): boolean {
    return this.unit.spend() && this.#variables.length <= MOST_TEMPORARIES;
  }

  /** The name of a new local variable. */
  variable(prefix: string): string {
    const name = `${prefix}${this.#variables.length}`;
    this.#variables.push(name);
    return name;
  }

  temporary(): string {
    return this.variable("t");
  }

  /** The number of a new operation: `code` is what becomes of an `error` in it. */
  handler(code: string): number {
    return this.#handlers.push({ code, outer: this.around });
  }

  /** Generates something whose errors belong to an operation. */
  within<R>(handler: number, generate: () => R): R {
    const before = this.around;
    this.around = handler;
    const result = generate();
    this.around = before;
    return result;
  }

  /** An expression that may fail. */
  failing(expression: string, handler = this.around): string {
    return `(s = ${handler}, ${expression})`;
  }

  /** Generates something that stands in other scopes. */
  inScopes<R>(scopes: readonly Scope[], generate: () => R): R {
    const before = this.scopes;
    this.scopes = scopes;
    const result = generate();
    this.scopes = before;
    return result;
  }

  /** The environment at a level, made if it has not been yet. */
  environment(level = 0): string {
    const scope = this.scopes[level];
    if (scope === undefined) return this.#given + ".up".repeat(level - this.scopes.length);
    const { environment, argument } = scope;
    if (argument === undefined) return environment;
    return `(${environment} ??= new Environment1(${this.environment(level + 1)}, ${argument}))`;
  }

  /** The slot of a variable as it is. */
  slot({ level, shape, slot }: VariableNode): string {
    const argument = this.scopes[level]?.argument;
    if (argument !== undefined) return argument;
    const environment = this.environment(level);
    return shape === 0 ? `${environment}.slots[${slot}]` : `${environment}.v${shape === 1 ? 0 : slot}`;
  }

  /** The value in a slot if it has been evaluated; a thunk, or undefined, if not. */
  evaluated(slot: string): string {
    const t = this.temporary();
    return `((${t} = ${slot}) instanceof Thunk && ${t}.code === null ? ${t}.x : ${t})`;
  }

  /** The variables of a place that remembers in which slot it found an attribute. */
  site(): { readonly keys: string; readonly slot: string } {
    const keys = this.unit.name("k");
    const slot = this.unit.name("n");
    this.unit.declare(`let ${keys}, ${slot} = -1;`);
    return { keys, slot };
  }
}
