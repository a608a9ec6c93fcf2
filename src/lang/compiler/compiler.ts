/**
 * From the syntax tree to JavaScript closures, each part when it first runs. Names are resolved already; what a closure
 * needs of them are levels and slots.
 */
import type { StringWorld } from "../operations/index.ts";
import { expand, type Expression, type Source } from "../syntax/index.ts";
import type { Lazy } from "../values/thunk.ts";
import { Thunk } from "../values/thunk.ts";
import type { Value } from "../values/value.ts";
import { compileAttrs, compileLet } from "./attributes.ts";
import { cheapCall, compileCall } from "./calls.ts";
import { compileAssert, compileIf, compileWith } from "./control.ts";
import type { Environment } from "./environment.ts";
import { compileLambda } from "./functions.ts";
import { isValueToNix } from "./exact.ts";
import { generateCode, generateFunction } from "./generate.ts";
import { cheapBinary, compileBinary, compileNegate, compileNot } from "./operators.ts";
import { cheapSelect, compileHas, compileSelect } from "./select.ts";
import { compileInterpolation, compileList, compilePath, compilePosition, isConstant } from "./literals.ts";
import { compileVariable, delayVariable } from "./variables.ts";
import { NixFloat } from "../values/value.ts";

/** Computes a value; in weak head normal form. */
export type Code = (environment: Environment) => Value;

/** Makes a value that may be computed later. */
export type Delay = (environment: Environment) => Lazy;

/** What compiled code needs to know of where it comes from. */
export interface CompileContext {
  readonly source: Source;
  readonly world: StringWorld;
  /** The value of a name that no scope of the source has. */
  global(name: string): Lazy | undefined;
  /** Whether it can be seen what has been evaluated: then thunks are made exactly where Nix makes them. */
  readonly exact: boolean;
  /** Calls after which a function becomes JavaScript source. */
  readonly generateAfter: number;
  /** The absolute, canonical path that a path literal means; a trailing slash is kept. */
  absolutePath(text: string, home: boolean): string;
}

export class Compiler {
  readonly context: CompileContext;
  readonly source: Source;

  constructor(context: CompileContext) {
    this.context = context;
    this.source = context.source;
  }

  /** Code that computes the expression at once. */
  compile(node: Expression): Code {
    switch (node.kind) {
      case "integer":
      case "string": {
        const { value } = node;
        return () => value;
      }
      case "float": {
        const value = new NixFloat(node.value);
        return () => value;
      }
      case "path": {
        const value = compilePath(this, node);
        return () => value();
      }
      case "position":
        return compilePosition(this, node);
      case "interpolation":
        return compileInterpolation(this, node);
      case "variable":
        return compileVariable(this, node);
      case "deferred":
        return this.compile(expand(node));
      case "list":
        return compileList(this, node);
      case "attrs":
        return compileAttrs(this, node);
      case "let":
        return compileLet(this, node);
      case "lambda":
        return compileLambda(this, node);
      case "call":
        return compileCall(this, node);
      case "select":
        return compileSelect(this, node);
      case "has":
        return compileHas(this, node);
      case "with":
        return compileWith(this, node);
      case "if":
        return compileIf(this, node);
      case "assert":
        return compileAssert(this, node);
      case "not":
        return compileNot(this, node);
      case "negate":
        return compileNegate(this, node);
      case "binary":
        return compileBinary(this, node);
    }
  }

  /** The same, compiled when it first runs. */
  later(node: Expression): Code {
    let code: Code = (environment) => {
      code = this.compile(node);
      return code(environment);
    };
    return (environment) => code(environment);
  }

  /** Better code for a function of so many arguments, `x: y: body`: see `generate.ts`. */
  generateFunction(body: Expression, parameters: number): (environment: unknown, ...args: Lazy[]) => Value {
    return generateFunction(this, body, parameters);
  }

  /** The same for code in an environment. */
  generateCode(node: Expression): Code {
    return generateCode(this, node);
  }

  /** Code for a value that is needed later, or never. What costs no more than a thunk is done at once. */
  delay(node: Expression): Delay {
    if (this.context.exact && !isValueToNix(node)) return this.thunk(node);
    switch (node.kind) {
      case "integer":
      case "string":
      case "float":
      case "lambda":
        return this.compile(node);
      case "path":
        if (this.context.exact) return this.compile(node);
        break;
      case "variable":
        return delayVariable(this, node);
      case "list":
        if (isConstant(node)) return this.compile(node);
        break;
      case "select":
        return cheapSelect(this, node) ?? this.thunk(node);
      case "binary":
        return cheapBinary(this, node) ?? this.thunk(node);
      case "call":
        return cheapCall(this, node) ?? this.thunk(node);
      default:
    }
    return this.thunk(node);
  }

  /** Code that makes a thunk in any case. */
  thunk(node: Expression): Delay {
    let code: Code = (environment) => {
      code = this.compile(node);
      return code(environment);
    };
    return (environment) => new Thunk(code, environment);
  }
}
