/**
 * The parser: recursive descent for the structure, precedence climbing for operators. Methods are named after the rules of
 * Nix's grammar (`parser.y`).
 */
import { symbol, symbolName } from "../values/attrs.ts";
import type {
  AttributeName,
  AttrsNode,
  BinaryOperator,
  CallNode,
  Expression,
  FormalNode,
  FormalsNode,
  LambdaNode,
  VariableNode,
} from "./ast.ts";
import { define, emptyAttrs, inherit } from "./bindings.ts";
import { explainBrackets } from "./brackets.ts";
import { ParseError } from "./errors.ts";
import { Lexer } from "./lexer.ts";
import { parseFloatLiteral, parseIntegerLiteral } from "./numbers.ts";
import type { Source } from "./source.ts";
import { type IndentedPart, stripIndentation, unescape } from "./strings.ts";
import { TokenStream } from "./token-stream.ts";
import { T, type TokenKind, tokenNames } from "./tokens.ts";

export interface ParserOptions {
  /** The experimental feature `pipe-operators`. */
  readonly pipeOperators?: boolean;
}

/** How deeply expressions may nest. Deeper ones are no code that a person or a program wrote to be evaluated. */
const MAX_DEPTH = 10_000;

const LEVEL = { implies: 1, or: 2, and: 3, equality: 4, comparison: 5, update: 6, not: 7, sum: 8, product: 9, concat: 10, has: 11, negate: 12 };

interface Operator {
  readonly operator: BinaryOperator;
  readonly level: number;
  /** The lowest level of an operator that the right operand may hold. */
  readonly right: number;
  /** `a == b == c` is no expression. */
  readonly chains: boolean;
}

function operators(): ReadonlyMap<TokenKind, Operator> {
  const table = new Map<TokenKind, Operator>();
  const add = (kind: TokenKind, operator: BinaryOperator, level: number, associativity: "left" | "right" | "none") =>
    table.set(kind, { operator, level, right: associativity === "right" ? level : level + 1, chains: associativity !== "none" });
  add(T.implies, "->", LEVEL.implies, "right");
  add(T.orOperator, "||", LEVEL.or, "left");
  add(T.and, "&&", LEVEL.and, "left");
  add(T.equal, "==", LEVEL.equality, "none");
  add(T.notEqual, "!=", LEVEL.equality, "none");
  add(T.less, "<", LEVEL.comparison, "none");
  add(T.greater, ">", LEVEL.comparison, "none");
  add(T.lessOrEqual, "<=", LEVEL.comparison, "none");
  add(T.greaterOrEqual, ">=", LEVEL.comparison, "none");
  add(T.update, "//", LEVEL.update, "right");
  add(T.plus, "+", LEVEL.sum, "left");
  add(T.minus, "-", LEVEL.sum, "left");
  add(T.times, "*", LEVEL.product, "left");
  add(T.divide, "/", LEVEL.product, "left");
  add(T.concat, "++", LEVEL.concat, "right");
  return table;
}

const binaryOperators = operators();

const OR = symbol("or");
const BODY = symbol("body");
const FIND_FILE = symbol("__findFile");
const NIX_PATH = symbol("__nixPath");

/** Parses a source; names are not resolved yet. @throws ParseError */
export function parse(source: Source, options: ParserOptions = {}): Expression {
  return new Parser(source, options).start();
}

class Parser {
  readonly #source: Source;
  readonly #text: string;
  readonly #tokens: TokenStream;
  #depth = 0;

  constructor(source: Source, options: ParserOptions) {
    this.#source = source;
    this.#text = source.text;
    this.#tokens = new TokenStream(new Lexer(source, options));
  }

  start(): Expression {
    try {
      const result = this.expr();
      if (this.#tokens.kind !== T.end) this.#unexpected("end of file");
      return result;
    } catch (error) {
      if (error instanceof RangeError) throw this.#tooDeep();
      throw error;
    }
  }

  // -- Tokens

  #at(kind: TokenKind): boolean {
    return this.#tokens.kind === kind;
  }

  #slice(): string {
    return this.#text.slice(this.#tokens.start, this.#tokens.end);
  }

  /** Takes a token of that kind; a message about any other names the kinds in `expected`. */
  #expect(kind: TokenKind, ...expected: TokenKind[]): void {
    if (this.#tokens.kind !== kind)
      this.#unexpected(...(expected.length === 0 ? [kind] : expected).map((wanted) => tokenNames[wanted]));
    this.#tokens.advance();
  }

  #unexpected(...expected: string[]): never {
    const { kind, start } = this.#tokens;
    const wanted = expected.length === 0 ? "" : `, expecting ${expected.join(" or ")}`;
    const offset = kind === T.end ? this.#text.length : start;
    const advice = explainBrackets(this.#source, offset, kind);
    const message = `syntax error, unexpected ${tokenNames[kind]}${wanted}${advice?.clause ?? ""}`;
    throw new ParseError(message, this.#source, offset, { details: advice?.details, hint: advice?.hint });
  }

  #tooDeep(): ParseError {
    return new ParseError("the expression is nested too deeply", this.#source, Math.min(this.#tokens.start, this.#text.length), {
      hint: `Expressions may nest ${MAX_DEPTH} levels deep at most.`,
    });
  }

  #variable(name: number, offset: number): VariableNode {
    return { kind: "variable", offset, name, level: -1, slot: 0, shape: 1, withs: [] };
  }

  // -- Expressions

  expr(): Expression {
    if (++this.#depth > MAX_DEPTH) throw this.#tooDeep();
    const result = this.exprFunction();
    this.#depth--;
    return result;
  }

  exprFunction(): Expression {
    const tokens = this.#tokens;
    const offset = tokens.start;
    switch (tokens.kind) {
      case T.identifier: {
        const next = tokens.peek(1);
        if (next === T.colon) return this.#lambda(offset, this.#identifier(), undefined);
        if (next !== T.at) break;
        const argument = this.#identifier();
        tokens.advance();
        if (!this.#at(T.braceOpen)) this.#unexpected(tokenNames[T.braceOpen]);
        return this.#lambda(offset, argument, this.formalSet());
      }
      case T.braceOpen: {
        if (!this.#beginsFormals()) break;
        const formals = this.formalSet();
        let argument: number | undefined;
        if (this.#at(T.at)) {
          tokens.advance();
          if (!this.#at(T.identifier)) this.#unexpected(tokenNames[T.identifier]);
          argument = this.#identifier();
        } else if (!this.#at(T.colon)) this.#unexpected(tokenNames[T.colon], tokenNames[T.at]);
        return this.#lambda(offset, argument, formals);
      }
      case T.assert: {
        tokens.advance();
        const condition = this.expr();
        this.#expect(T.semicolon);
        return { kind: "assert", offset, condition, body: this.expr() };
      }
      case T.with: {
        tokens.advance();
        const scope = this.expr();
        this.#expect(T.semicolon);
        return { kind: "with", offset, scope, body: this.expr() };
      }
      case T.let: {
        if (tokens.peek(1) === T.braceOpen) break;
        tokens.advance();
        const bindings = this.binds(offset, T.in, [T.in, T.inherit]);
        this.#expect(T.in);
        if (bindings.dynamics.length > 0) throw new ParseError("dynamic attributes not allowed in let", this.#source, offset);
        return { kind: "let", offset, bindings, body: this.expr(), shape: 0 };
      }
    }
    return this.exprIf();
  }

  /** Whether the `{` at hand opens formal arguments. */
  #beginsFormals(): boolean {
    const tokens = this.#tokens;
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
    this.#expect(T.colon);
    return { kind: "lambda", offset, argument, formals, body: this.expr(), name: undefined, shape: 1 };
  }

  exprIf(): Expression {
    const tokens = this.#tokens;
    const offset = tokens.start;
    if (tokens.kind === T.if) {
      tokens.advance();
      const condition = this.expr();
      this.#expect(T.then);
      const yes = this.expr();
      this.#expect(T.else);
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
    const tokens = this.#tokens;
    const offset = tokens.start;
    let left: Expression;
    if (tokens.kind === T.not) {
      tokens.advance();
      left = this.#nested(() => ({ kind: "not", offset, operand: this.exprOp(LEVEL.sum) }));
    } else if (tokens.kind === T.minus) {
      tokens.advance();
      left = this.#nested(() => ({ kind: "negate", offset, operand: this.exprOp(LEVEL.negate), overridden: undefined }));
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
      if (found.level === unchained) this.#unexpected();
      const at = tokens.start;
      tokens.advance();
      const { operator } = found;
      const of = left;
      const rightStart = tokens.start;
      left = this.#nested(() => {
        const right = this.exprOp(found.right);
        return { kind: "binary", operator, offset: at, left: of, right, leftStart: offset, rightStart, overridden: undefined };
      });
      unchained = found.chains ? -1 : found.level;
    }
  }

  #nested(parseIt: () => Expression): Expression {
    if (++this.#depth > MAX_DEPTH) throw this.#tooDeep();
    const result = parseIt();
    this.#depth--;
    return result;
  }

  exprApp(): Expression {
    const offset = this.#tokens.start;
    let result = this.exprSelect();
    while (this.#beginsSimple()) result = this.#call(offset, result, this.exprSelect());
    return result;
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
    switch (this.#tokens.kind) {
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
    const tokens = this.#tokens;
    const offset = tokens.start;
    const of = this.exprSimple();
    if (tokens.kind === T.dot) {
      tokens.advance();
      const path = this.attrpath();
      let fallback: Expression | undefined;
      if (this.#at(T.or)) {
        tokens.advance();
        fallback = this.#nested(() => this.exprSelect());
      }
      return { kind: "select", offset, of, path, fallback };
    }
    if (tokens.kind === T.or) {
      // A function named `or`, which nixpkgs once had.
      tokens.advance();
      return { kind: "call", offset, fn: of, args: [this.#variable(OR, offset)] };
    }
    return of;
  }

  exprSimple(): Expression {
    const tokens = this.#tokens;
    const offset = tokens.start;
    switch (tokens.kind) {
      case T.identifier: {
        const name = this.#slice();
        tokens.advance();
        return name === "__curPos" ? { kind: "position", offset } : this.#variable(symbol(name), offset);
      }
      case T.integer: {
        const digits = this.#slice();
        const value = parseIntegerLiteral(digits);
        if (value === undefined) throw new ParseError(`invalid integer '${digits}'`, this.#source, offset);
        tokens.advance();
        return { kind: "integer", offset, value };
      }
      case T.float: {
        const digits = this.#slice();
        const value = parseFloatLiteral(digits);
        if (value === undefined) throw new ParseError(`invalid float '${digits}'`, this.#source, offset);
        tokens.advance();
        return { kind: "float", offset, value };
      }
      case T.quote:
        return this.#string();
      case T.indentedOpen:
        return this.#indentedString();
      case T.path:
      case T.homePath:
        return this.#path();
      case T.searchPath: {
        const name = this.#slice().slice(1, -1);
        tokens.advance();
        const args: Expression[] = [this.#variable(NIX_PATH, offset), { kind: "string", offset, value: name }];
        return { kind: "call", offset, fn: this.#variable(FIND_FILE, offset), args };
      }
      case T.uri: {
        const value = this.#slice();
        tokens.advance();
        return { kind: "string", offset, value };
      }
      case T.parenOpen: {
        tokens.advance();
        const inner = this.expr();
        this.#expect(T.parenClose);
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
        while (this.#beginsSimple()) elements.push(this.#nested(() => this.exprSelect()));
        this.#closing(T.bracketClose);
        return { kind: "list", offset, elements };
      }
      default:
        return this.#unexpected();
    }
  }

  /** Where Nix could go on in many ways, it names none: only "unexpected". */
  #closing(kind: TokenKind): void {
    if (this.#tokens.kind !== kind) this.#unexpected();
    this.#tokens.advance();
  }

  #set(offset: number, recursive: boolean): AttrsNode {
    this.#expect(T.braceOpen);
    const attrs = this.#depthOf(() => this.binds(offset, T.braceClose, recursive ? [T.inherit, T.braceClose] : [T.inherit]));
    attrs.recursive = recursive;
    this.#closing(T.braceClose);
    return attrs;
  }

  #depthOf<R>(run: () => R): R {
    if (++this.#depth > MAX_DEPTH) throw this.#tooDeep();
    const result = run();
    this.#depth--;
    return result;
  }

  // -- Strings and paths

  #string(): Expression {
    const { start } = this.#tokens;
    this.#tokens.advance();
    const result = this.stringParts(start);
    this.#expect(T.quote);
    return result;
  }

  /** What is between quotes; one literal piece stays a plain string. */
  stringParts(offset: number): Expression {
    const parts: Expression[] = [];
    const starts: number[] = [];
    this.#interpolated(parts, starts, false);
    if (parts.length === 0) return { kind: "string", offset, value: "" };
    const [first] = parts;
    if (parts.length === 1 && first!.kind === "string" && first!.offset >= 0) return first!;
    return { kind: "interpolation", offset, parts: parts.map(unmark), starts, path: false };
  }

  /** Literal pieces and `${…}` until something else comes. Literals of interpolations are marked: `"${"a"}"` is no literal. */
  #interpolated(parts: Expression[], starts: number[], path: boolean): void {
    const tokens = this.#tokens;
    while (tokens.kind === T.text || tokens.kind === T.interpolation) {
      const offset = tokens.start;
      starts.push(offset);
      if (tokens.kind === T.text) {
        const raw = this.#slice();
        const value = path ? raw : unescape(raw);
        if (value.includes("\0")) this.#nulByte(value, offset);
        parts.push({ kind: "string", offset, value });
        tokens.advance();
      } else {
        tokens.advance();
        const inner = this.expr();
        this.#expect(T.braceClose);
        parts.push(inner.kind === "string" ? { ...inner, offset: -2 - inner.offset } : inner);
      }
    }
  }

  #nulByte(value: string, offset: number): never {
    const shown = value.length > 1000 ? `${value.slice(0, 1000)}…` : value;
    const message = `input string '${shown.replaceAll("\0", "␀")}' cannot be represented as Nix string because it contains null bytes`;
    throw new ParseError(message, this.#source, offset);
  }

  #indentedString(): Expression {
    const tokens = this.#tokens;
    const offset = tokens.start;
    tokens.advance();
    const parts: IndentedPart[] = [];
    for (;;) {
      const at = tokens.start;
      if (tokens.kind === T.indentedText) {
        const text = this.#slice();
        if (text.includes("\0")) this.#nulByte(text, at);
        parts.push({ text, indented: true, offset: at });
        tokens.advance();
      } else if (tokens.kind === T.indentedEscape) {
        parts.push({ text: indentedEscape(this.#slice()), indented: false, offset: at });
        tokens.advance();
      } else if (tokens.kind === T.interpolation) {
        tokens.advance();
        const expression = this.expr();
        this.#expect(T.braceClose);
        parts.push({ expression, offset: at });
      } else break;
    }
    this.#expect(T.indentedClose, T.indentedText, T.interpolation, T.indentedClose);
    const { parts: stripped, starts } = stripIndentation(parts);
    if (stripped.length === 0) return { kind: "string", offset, value: "" };
    const [first] = stripped;
    if (stripped.length === 1 && first!.kind === "string") return first!;
    return { kind: "interpolation", offset, parts: stripped, starts, path: false };
  }

  #path(): Expression {
    const tokens = this.#tokens;
    const offset = tokens.start;
    const first: Expression = { kind: "path", offset, text: this.#slice(), home: tokens.kind === T.homePath };
    tokens.advance();
    const parts: Expression[] = [first];
    const starts = [offset];
    this.#interpolated(parts, starts, true);
    // `a//b`: a second piece without an interpolation. Nix's grammar has no such path.
    if (parts.length === 2 && parts[1]!.kind === "string" && parts[1]!.offset >= 0)
      throw new ParseError("syntax error, unexpected end of path, expecting '${'", this.#source, offset);
    this.#expect(T.pathEnd);
    return parts.length === 1 ? first : { kind: "interpolation", offset, parts: parts.map(unmark), starts, path: true };
  }

  // -- Attribute sets

  /**
   * Definitions up to the token that ends them, which stays. `expected` is what Nix's tables name where neither a definition
   * nor that token comes.
   */
  binds(offset: number, closer: TokenKind, expected: readonly TokenKind[]): AttrsNode {
    const tokens = this.#tokens;
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
          this.#expect(T.assign, T.dot, T.assign);
          const value = this.expr();
          this.#expect(T.semicolon);
          define(this.#source, attrs, path, value, at);
          break;
        }
        default:
          this.#unexpected(...expected.map((wanted) => tokenNames[wanted]));
      }
    }
  }

  #inherit(attrs: AttrsNode): void {
    const tokens = this.#tokens;
    tokens.advance();
    let from = -1;
    if (tokens.kind === T.parenOpen) {
      tokens.advance();
      from = attrs.sources.length;
      const source = this.expr();
      attrs.sources.push(source);
      this.#expect(T.parenClose);
    }
    while (tokens.kind !== T.semicolon) {
      const at = tokens.start;
      if (tokens.kind !== T.identifier && tokens.kind !== T.or && tokens.kind !== T.quote && tokens.kind !== T.interpolation)
        this.#unexpected();
      const name = this.#attributeName();
      if (typeof name !== "number") throw new ParseError("dynamic attributes not allowed in inherit", this.#source, at);
      inherit(this.#source, attrs, name, at, from);
    }
    tokens.advance();
  }

  attrpath(): AttributeName[] {
    const path = [this.#attributeName()];
    while (this.#tokens.kind === T.dot) {
      this.#tokens.advance();
      path.push(this.#attributeName());
    }
    return path;
  }

  /** `name`, `or`, `"name"`, `"na${me}"`, `${name}`. */
  #attributeName(): AttributeName {
    const tokens = this.#tokens;
    let name: Expression;
    switch (tokens.kind) {
      case T.identifier:
        return this.#identifier();
      case T.or:
        tokens.advance();
        return OR;
      case T.quote:
        name = this.#string();
        break;
      case T.interpolation:
        tokens.advance();
        name = this.expr();
        this.#expect(T.braceClose);
        break;
      default:
        return this.#unexpected(...[T.identifier, T.or, T.interpolation, T.quote].map((wanted) => tokenNames[wanted]));
    }
    return name.kind === "string" ? symbol(name.value) : name;
  }

  #identifier(): number {
    const name = symbol(this.#slice());
    this.#tokens.advance();
    return name;
  }

  // -- Functions

  formalSet(): FormalsNode {
    const tokens = this.#tokens;
    tokens.advance();
    const formals: FormalNode[] = [];
    let ellipsis = false;
    while (tokens.kind !== T.braceClose) {
      if (tokens.kind === T.ellipsis) {
        tokens.advance();
        ellipsis = true;
        if (!this.#at(T.braceClose)) this.#unexpected(tokenNames[T.braceClose]);
        break;
      }
      if (tokens.kind !== T.identifier)
        this.#unexpected(...[T.identifier, T.ellipsis, T.braceClose].map((wanted) => tokenNames[wanted]));
      const offset = tokens.start;
      const name = this.#identifier();
      let fallback: Expression | undefined;
      if (this.#at(T.question)) {
        tokens.advance();
        fallback = this.expr();
      }
      formals.push({ offset, name, fallback });
      if (this.#at(T.braceClose)) break;
      this.#expect(T.comma, T.braceClose, T.comma);
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
    return new ParseError(`duplicate formal function argument '${symbolName(name)}'`, this.#source, offset);
  }
}

function unmark(part: Expression): Expression {
  return part.kind === "string" && part.offset < -1 ? { ...part, offset: -2 - part.offset } : part;
}

/** `''$`, `$`, `'''`, `'`, `''\n` in a `''` string. */
function indentedEscape(raw: string): string {
  if (raw.startsWith("''\\")) return unescape(raw.slice(2));
  if (raw === "'''") return "''";
  return raw === "''$" ? "$" : raw;
}
