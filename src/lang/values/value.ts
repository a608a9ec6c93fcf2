/**
 * The values of the Nix language.
 *
 * | Nix | JavaScript |
 * | --- | --- |
 * | null, booleans | `null`, `true`, `false` |
 * | integer (64 bit) | `number` while it is a safe integer, `bigint` beyond 2^53 |
 * | float | `NixFloat` |
 * | string | `string` without context, `ContextString` with one; in both, one code unit is one byte (latin-1) |
 * | path | `NixPath` |
 * | list | array |
 * | attribute set | `Attrs`, never a plain object: JavaScript reorders integer-like keys |
 * | function | `Lambda` (from Nix code) or `PrimOp` (native) |
 */
import type { Attrs } from "./attrs.ts";
import type { Lazy } from "./thunk.ts";

export type Value =
  null | boolean | number | bigint | NixFloat | string | ContextString | NixPath | NixList | Attrs | Lambda | PrimOp;

export type NixList = readonly Lazy[];
export type NixString = string | ContextString;
export type NixFunction = Lambda | PrimOp;

export class NixFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/**
 * The store paths that a string depends on, encoded as Nix does (manual, "String context"): `/nix/store/…` for a plain
 * path, `!out!/nix/store/….drv` for an output of a derivation, `=/nix/store/….drv` for a derivation with its whole closure.
 */
export type Context = ReadonlySet<string>;

/** A string with a non-empty context. */
export class ContextString {
  readonly text: string;
  readonly context: Context;

  constructor(text: string, context: Context) {
    this.text = text;
    this.context = context;
  }

  /** Conversion by JavaScript would lose the context without a word, so it is refused: use `Evaluator.str`. */
  toString(): never {
    throw new Error(`internal error: the context of the string "${this.text}" would be lost`);
  }
}

/** An absolute, canonical path (no `.`, `..`, double or trailing slashes), as a byte string. */
export class NixPath {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
}

/** The formal arguments of `{ a, b ? 1, ... }: …`. */
export interface Formals {
  /** Name to "has a default", in source order. */
  readonly names: ReadonlyMap<string, boolean>;
  readonly ellipsis: boolean;
  /** Where each is declared, if anybody knows; in the order of `names`. */
  readonly positions?: readonly (Position | undefined)[] | undefined;
}

/** Where something stands in Nix source, resolved to line and column only when somebody asks. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** False for text that is in no file: known to messages, but not to `unsafeGetAttrPos`. */
  readonly inFile?: boolean;
}

/** A function written in Nix. */
export class Lambda {
  readonly environment: unknown;
  readonly info: LambdaInfo;

  constructor(environment: unknown, info: LambdaInfo) {
    this.environment = environment;
    this.info = info;
  }
}

/** What is known of a lambda before it is called; one object per place in the source. Made by the compiler. */
export interface LambdaInfo {
  /** The name it was bound to, for messages. */
  readonly name: string | undefined;
  /** The name of its argument as a whole: `x` of `x: …` and of `{ … } @ x: …`. */
  readonly argument: string | undefined;
  readonly formals: Formals | undefined;
  readonly position: () => Position | undefined;
  /** The source text that the function stands in, and where. */
  readonly source: unknown;
  readonly offset: number;
  /** Calls it. Better code takes its place when it has been called often, as with the other two. */
  apply: (environment: unknown, argument: Lazy) => Lazy;
  /** Adds "while calling …" to an error that comes out of the function; returns what is to be thrown. */
  readonly failed: (error: unknown) => unknown;
  /** Of `x: y: …`: takes both arguments at once. */
  apply2: ((environment: unknown, first: Lazy, second: Lazy) => Lazy) | undefined;
  /** … and adds "while calling …" for the function that takes the second. */
  readonly failed2: ((error: unknown) => unknown) | undefined;
  /** The same for the third argument of `x: y: z: …`. */
  apply3: ((environment: unknown, first: Lazy, second: Lazy, third: Lazy) => Lazy) | undefined;
  readonly failed3: ((error: unknown) => unknown) | undefined;
  /** The result for an argument if nothing has to be evaluated for it, else undefined. Absent where that hardly happens. */
  direct: ((environment: unknown, argument: Lazy) => Value | undefined) | undefined;
  /** The same for both arguments of `x: y: …`. */
  direct2: ((environment: unknown, first: Lazy, second: Lazy) => Value | undefined) | undefined;
}

interface PrimOpOptions {
  readonly args?: readonly Lazy[];
  readonly formals?: Formals | undefined;
  readonly immediate?: PrimOp["immediate"];
}

/** A native function of fixed arity, curried like any Nix function; `args` holds what it has been given so far. */
export class PrimOp {
  readonly name: string;
  readonly arity: number;
  readonly run: (...args: Lazy[]) => Lazy;
  readonly args: readonly Lazy[];
  /** Set for functions that take an attribute set and want `builtins.functionArgs` to tell. */
  readonly formals: Formals | undefined;
  /** Of functions of one argument: the result for an evaluated one if it takes next to nothing, else undefined. */
  readonly immediate: ((argument: Value) => Lazy | undefined) | undefined;

  constructor(name: string, arity: number, run: (...args: Lazy[]) => Lazy, options: PrimOpOptions = {}) {
    this.name = name;
    this.arity = arity;
    this.run = run;
    this.args = options.args ?? [];
    this.formals = options.formals;
    this.immediate = options.immediate;
  }
}
