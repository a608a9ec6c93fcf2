/**
 * The parser: recursive descent for the structure, precedence climbing for operators. Methods are named after the rules of
 * Nix's grammar (`parser.y`).
 */
import { symbol, symbolName } from "../values/attrs.ts";
import type { AttrsNode, CallNode, Expression, FormalNode, FormalsNode, LambdaNode, VariableNode } from "./ast.ts";
import { define, emptyAttrs, inherit } from "./bindings.ts";
import { ParseError } from "./errors.ts";
import { LiteralParser } from "./literal-parser.ts";
import { parseFloatLiteral, parseIntegerLiteral } from "./numbers.ts";
import type { Source } from "./source.ts";
import { binaryOperators, LEVEL } from "./operators.ts";
import type { ParserOptions } from "./token-reader.ts";
import { T, type TokenKind, tokenNames } from "./tokens.ts";

const OR = symbol("or");
const BODY = symbol("body");
const FIND_FILE = symbol("__findFile");
const NIX_PATH = symbol("__nixPath");

/** Parses a source; names are not resolved yet. @throws ParseError */
export function parse(source: Source, options: ParserOptions = {}): Expression {
  return new Parser(source, options).start();
}

/** Parses definitions that stand alone, without braces, as the REPL takes them. @throws ParseError */
export function parseBindings(source: Source, options: ParserOptions = {}): AttrsNode {
  return new Parser(source, options).bindings();
}

class Parser extends LiteralParser {
  readonly #warn: ParserOptions["warn"];
  /** The last expression `a or` that is no selection, unless brackets have come around it. */
  #namedOr: { readonly call: CallNode; readonly end: number } | undefined;

  constructor(source: Source, options: ParserOptions) {
    super(source, options);
    this.#warn = options.warn;
  }

  start(): Expression {
    try {
      const result = this.expr();
      if (this.tokens.kind !== T.end) this.unexpected("end of file");
      return result;
    } catch (error) {
      if (error instanceof RangeError) throw this.tooDeep();
      throw error;
    }
  }

  /** One definition at least, and nothing else. */
  bindings(): AttrsNode {
    try {
      if (this.tokens.kind === T.end) this.unexpected();
      return this.binds(0, T.end, [T.end, T.inherit]);
    } catch (error) {
      if (error instanceof RangeError) throw this.tooDeep();
      throw error;
    }
  }

  #variable(name: number, offset: number): VariableNode {
    return { kind: "variable", offset, name, level: -1, slot: 0, shape: 1, withs: [] };
  }

  expr(): Expression {
    this.enter();
    const result = this.exprFunction();
    this.leave();
    return result;
  }

  exprFunction(): Expression {
    const tokens = this.tokens;
    const offset = tokens.start;
    switch (tokens.kind) {
      case T.identifier: {
        const next = tokens.peek(1);
        if (next === T.colon) return this.#lambda(offset, this.identifier(), undefined);
        if (next !== T.at) break;
        const argument = this.identifier();
        tokens.advance();
        if (!this.at(T.braceOpen)) this.unexpected(tokenNames[T.braceOpen]);
        return this.#lambda(offset, argument, this.formalSet());
      }
      case T.braceOpen: {
        if (!this.#beginsFormals()) break;
        const formals = this.formalSet();
        let argument: number | undefined;
        if (this.at(T.at)) {
          tokens.advance();
          if (!this.at(T.identifier)) this.unexpected(tokenNames[T.identifier]);
          argument = this.identifier();
        } else if (!this.at(T.colon)) this.unexpected(tokenNames[T.colon], tokenNames[T.at]);
        return this.#lambda(offset, argument, formals);
      }
      case T.assert: {
        tokens.advance();
        const condition = this.expr();
        this.expect(T.semicolon);
        return { kind: "assert", offset, condition, body: this.expr() };
      }
      case T.with: {
        tokens.advance();
        const scope = this.expr();
        this.expect(T.semicolon);
        return { kind: "with", offset, scope, body: this.expr() };
      }
      case T.let: {
        if (tokens.peek(1) === T.braceOpen) break;
        tokens.advance();
        const bindings = this.binds(offset, T.in, [T.in, T.inherit]);
        this.expect(T.in);
        if (bindings.dynamics.length > 0)
          throw new ParseError("dynamic attributes not allowed in let", this.source, offset);
        return { kind: "let", offset, bindings, body: this.expr(), shape: 0 };
      }
      default:
    }
    return this.exprIf();
  }

  /** Whether the `{` at hand opens formal arguments. */
  #beginsFormals(): boolean {
    const tokens = this.tokens;
    switch (tokens.peek(1)) {
      case T.ellipsis:
        return true;
      case T.braceClose: {
        const next = tokens.peek(2);
        return next === T.colon || next === T.at;
      }
      case T.identifier: {
        const next = tokens.peek(2);
        return next === T.comma || next === T.question || next === T.braceClose;
      }
      default:
        return false;
    }
  }

  #lambda(offset: number, argument: number | undefined, formals: FormalsNode | undefined): LambdaNode {
    if (argument !== undefined && formals?.formals.some(({ name }) => name === argument))
      throw this.#duplicateFormal(argument, offset);
    this.expect(T.colon);
    return { kind: "lambda", offset, argument, formals, body: this.expr(), name: undefined, shape: 1 };
  }

  exprIf(): Expression {
    const tokens = this.tokens;
    const offset = tokens.start;
    if (tokens.kind === T.if) {
      tokens.advance();
      const condition = this.expr();
      this.expect(T.then);
      const yes = this.expr();
      this.expect(T.else);
      return { kind: "if", offset, condition, yes, no: this.expr() };
    }
    let left = this.exprOp(0);
    if (tokens.kind === T.pipeInto) {
      while (tokens.kind === T.pipeInto) {
        const at = tokens.start;
        tokens.advance();
        left = this.#call(at, this.exprOp(0), left);
      }
      return left;
    }
    if (tokens.kind !== T.pipeFrom) return left;
    const operands = [left];
    const places: number[] = [];
    while (tokens.kind === T.pipeFrom) {
      places.push(tokens.start);
      tokens.advance();
      operands.push(this.exprOp(0));
    }
    let right = operands.pop()!;
    while (operands.length > 0) right = this.#call(places.pop()!, operands.pop()!, right);
    return right;
  }

  /** Operators from `level` up. */
  exprOp(level: number): Expression {
    const tokens = this.tokens;
    const offset = tokens.start;
    let left: Expression;
    if (tokens.kind === T.not) {
      tokens.advance();
      left = this.nested(() => ({ kind: "not", offset, operand: this.exprOp(LEVEL.sum) }));
    } else if (tokens.kind === T.minus) {
      tokens.advance();
      left = this.nested(() => ({
        kind: "negate",
        offset,
        operand: this.exprOp(LEVEL.negate),
        overridden: undefined,
      }));
    } else left = this.exprApp();
    let unchained = -1;
    for (;;) {
      if (tokens.kind === T.question) {
        if (LEVEL.has < level) return left;
        const at = tokens.start;
        tokens.advance();
        left = { kind: "has", offset: at, of: left, path: this.attrpath() };
        unchained = -1;
        continue;
      }
      const found = binaryOperators.get(tokens.kind);
      if (found === undefined || found.level < level) return left;
      if (found.level === unchained) this.unexpected();
      const at = tokens.start;
      tokens.advance();
      const { operator } = found;
      const of = left;
      const rightStart = tokens.start;
      left = this.nested(() => {
        const right = this.exprOp(found.right);
        return {
          kind: "binary",
          operator,
          offset: at,
          left: of,
          right,
          leftStart: offset,
          rightStart,
          overridden: undefined,
        };
      });
      unchained = found.chains ? -1 : found.level;
    }
  }

  exprApp(): Expression {
    const offset = this.tokens.start;
    let result = this.exprSelect();
    while (this.#beginsSimple()) result = this.#call(offset, result, this.#argument());
    return result;
  }

  /** An expression that stands beside others without an operator. There, `or` as a name is on its way out. */
  #argument(): Expression {
    const argument = this.exprSelect();
    const named = this.#namedOr;
    if (named?.call === argument)
      this.#warn?.(
        "This expression uses `or` as an identifier in a way that will change in a future Nix release.\n" +
          "Wrap this entire expression in parentheses to preserve its current meaning:\n" +
          `    (${this.text.slice(named.call.offset, named.end)})\n` +
          "Give feedback at https://github.com/NixOS/nix/pull/11121",
        named.call.offset,
      );
    return argument;
  }

  /** Arguments of one call are kept together; so are those of a call in parentheses that is called again. */
  #call(offset: number, fn: Expression, argument: Expression): CallNode {
    if (fn.kind === "call") {
      fn.args.push(argument);
      return fn;
    }
    return { kind: "call", offset, fn, args: [argument] };
  }

  #beginsSimple(): boolean {
    switch (this.tokens.kind) {
      case T.identifier:
      case T.integer:
      case T.float:
      case T.quote:
      case T.indentedOpen:
      case T.path:
      case T.homePath:
      case T.searchPath:
      case T.uri:
      case T.parenOpen:
      case T.rec:
      case T.braceOpen:
      case T.bracketOpen:
        return true;
      case T.let:
        return true;
      default:
        return false;
    }
  }

  exprSelect(): Expression {
    const tokens = this.tokens;
    const offset = tokens.start;
    const of = this.exprSimple();
    if (tokens.kind === T.dot) {
      tokens.advance();
      const path = this.attrpath();
      let fallback: Expression | undefined;
      if (this.at(T.or)) {
        tokens.advance();
        fallback = this.nested(() => this.#argument());
      }
      return { kind: "select", offset, of, path, fallback };
    }
    if (tokens.kind === T.or) {
      // A function named `or`, which nixpkgs once had.
      const end = tokens.end;
      tokens.advance();
      const call: CallNode = { kind: "call", offset, fn: of, args: [this.#variable(OR, offset)] };
      this.#namedOr = { call, end };
      return call;
    }
    return of;
  }

  exprSimple(): Expression {
    const tokens = this.tokens;
    const offset = tokens.start;
    switch (tokens.kind) {
      case T.identifier: {
        const name = this.slice();
        tokens.advance();
        return name === "__curPos" ? { kind: "position", offset } : this.#variable(symbol(name), offset);
      }
      case T.integer: {
        const digits = this.slice();
        const value = parseIntegerLiteral(digits);
        if (value === undefined) throw new ParseError(`invalid integer '${digits}'`, this.source, offset);
        tokens.advance();
        return { kind: "integer", offset, value };
      }
      case T.float: {
        const digits = this.slice();
        const value = parseFloatLiteral(digits);
        if (value === undefined) throw new ParseError(`invalid float '${digits}'`, this.source, offset);
        tokens.advance();
        return { kind: "float", offset, value };
      }
      case T.quote:
        return this.string();
      case T.indentedOpen:
        return this.indentedString();
      case T.path:
      case T.homePath:
        return this.path();
      case T.searchPath: {
        const name = this.slice().slice(1, -1);
        tokens.advance();
        const args: Expression[] = [this.#variable(NIX_PATH, offset), { kind: "string", offset, value: name }];
        return { kind: "call", offset, fn: this.#variable(FIND_FILE, offset), args };
      }
      case T.uri: {
        const value = this.slice();
        this.lint?.({ kind: "url", text: value, source: this.source, offset });
        tokens.advance();
        return { kind: "string", offset, value };
      }
      case T.parenOpen: {
        tokens.advance();
        const inner = this.expr();
        this.expect(T.parenClose);
        this.#namedOr = undefined;
        return inner;
      }
      case T.let: {
        // The ancient `let { …; body = …; }`.
        tokens.advance();
        const attrs = this.#set(offset, true);
        return { kind: "select", offset: -1, of: attrs, path: [BODY], fallback: undefined };
      }
      case T.rec:
        tokens.advance();
        return this.#set(offset, true);
      case T.braceOpen:
        return this.#set(offset, false);
      case T.bracketOpen: {
        tokens.advance();
        const elements: Expression[] = [];
        while (this.#beginsSimple()) elements.push(this.nested(() => this.#argument()));
        this.closing(T.bracketClose);
        return { kind: "list", offset, elements };
      }
      default:
        return this.unexpected();
    }
  }

  #set(offset: number, recursive: boolean): AttrsNode {
    this.expect(T.braceOpen);
    const attrs = this.nested(() =>
      this.binds(offset, T.braceClose, recursive ? [T.inherit, T.braceClose] : [T.inherit]),
    );
    attrs.recursive = recursive;
    this.closing(T.braceClose);
    return attrs;
  }

  /**
   * Definitions up to the token that ends them, which stays. `expected` is what Nix's tables name where neither a definition
   * nor that token comes.
   */
  binds(offset: number, closer: TokenKind, expected: readonly TokenKind[]): AttrsNode {
    const tokens = this.tokens;
    const attrs = emptyAttrs(offset);
    for (;;) {
      switch (tokens.kind) {
        case closer:
          return attrs;
        case T.inherit:
          this.#inherit(attrs);
          break;
        case T.identifier:
        case T.or:
        case T.quote:
        case T.interpolation: {
          const at = tokens.start;
          const path = this.attrpath();
          this.expect(T.assign, T.dot, T.assign);
          const value = this.expr();
          this.expect(T.semicolon);
          define(this.source, attrs, path, value, at);
          break;
        }
        default:
          this.unexpected(...expected.map((wanted) => tokenNames[wanted]));
      }
    }
  }

  #inherit(attrs: AttrsNode): void {
    const tokens = this.tokens;
    tokens.advance();
    let from = -1;
    if (tokens.kind === T.parenOpen) {
      tokens.advance();
      from = attrs.sources.length;
      const source = this.expr();
      attrs.sources.push(source);
      this.expect(T.parenClose);
    }
    while (tokens.kind !== T.semicolon) {
      const at = tokens.start;
      if (
        tokens.kind !== T.identifier &&
        tokens.kind !== T.or &&
        tokens.kind !== T.quote &&
        tokens.kind !== T.interpolation
      )
        this.unexpected();
      const name = this.attributeName();
      if (typeof name !== "number") throw new ParseError("dynamic attributes not allowed in inherit", this.source, at);
      inherit(this.source, attrs, name, at, from);
    }
    tokens.advance();
  }

  formalSet(): FormalsNode {
    const tokens = this.tokens;
    tokens.advance();
    const formals: FormalNode[] = [];
    let ellipsis = false;
    while (tokens.kind !== T.braceClose) {
      if (tokens.kind === T.ellipsis) {
        tokens.advance();
        ellipsis = true;
        if (!this.at(T.braceClose)) this.unexpected(tokenNames[T.braceClose]);
        break;
      }
      if (tokens.kind !== T.identifier)
        this.unexpected(...[T.identifier, T.ellipsis, T.braceClose].map((wanted) => tokenNames[wanted]));
      const offset = tokens.start;
      const name = this.identifier();
      let fallback: Expression | undefined;
      if (this.at(T.question)) {
        tokens.advance();
        fallback = this.expr();
      }
      formals.push({ offset, name, fallback });
      if (this.at(T.braceClose)) break;
      this.expect(T.comma, T.braceClose, T.comma);
    }
    tokens.advance();
    this.#checkFormals(formals);
    return { formals, ellipsis };
  }

  #checkFormals(formals: readonly FormalNode[]): void {
    const seen = new Set<number>();
    for (const { name, offset } of formals) {
      if (seen.has(name)) throw this.#duplicateFormal(name, offset);
      seen.add(name);
    }
  }

  #duplicateFormal(name: number, offset: number): ParseError {
    return new ParseError(`duplicate formal function argument '${symbolName(name)}'`, this.source, offset);
  }
}
