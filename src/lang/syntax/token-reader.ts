/** What every part of the parser does with tokens: looking, taking, complaining, and counting how deep it is. */
import { symbol } from "../values/attrs.ts";
import { explainBrackets } from "./brackets.ts";
import { ParseError } from "./errors.ts";
import { Lexer } from "./lexer.ts";
import type { Source } from "./source.ts";
import { TokenStream } from "./token-stream.ts";
import { T, type TokenKind, tokenNames } from "./tokens.ts";

export interface ParserOptions {
  /** Told of what will mean something else in a future Nix. */
  readonly warn?: ((message: string, offset: number) => void) | undefined;
  /** The experimental feature `pipe-operators`. */
  readonly pipeOperators?: boolean;
  /** Told of literals that a lint may object to, by throwing or otherwise. */
  readonly lint?: ((literal: LintedLiteral) => void) | undefined;
}

/** A URL or path that stands in the source without quotes. */
export interface LintedLiteral {
  readonly kind: "url" | "path" | "home-path";
  /** As written, up to an interpolation. */
  readonly text: string;
  readonly source: Source;
  readonly offset: number;
}

/** How deeply expressions may nest. Deeper ones are no code that a person or a program wrote to be evaluated. */
const MAX_DEPTH = 10_000;

export class TokenReader {
  protected readonly source: Source;
  protected readonly text: string;
  protected readonly tokens: TokenStream;
  protected readonly lint: ParserOptions["lint"];
  #nesting = 0;

  constructor(source: Source, options: ParserOptions) {
    this.source = source;
    this.text = source.text;
    this.lint = options.lint;
    this.tokens = new TokenStream(new Lexer(source, options));
  }

  protected at(kind: TokenKind): boolean {
    return this.tokens.kind === kind;
  }

  protected slice(): string {
    return this.text.slice(this.tokens.start, this.tokens.end);
  }

  /** Takes a token of that kind; a message about any other names the kinds in `expected`. */
  protected expect(kind: TokenKind, ...expected: TokenKind[]): void {
    if (this.tokens.kind !== kind)
      this.unexpected(...(expected.length === 0 ? [kind] : expected).map((wanted) => tokenNames[wanted]));
    this.tokens.advance();
  }

  /** Where Nix could go on in many ways, it names none: only "unexpected". */
  protected closing(kind: TokenKind): void {
    if (this.tokens.kind !== kind) this.unexpected();
    this.tokens.advance();
  }

  protected unexpected(...expected: string[]): never {
    const { kind, start } = this.tokens;
    const wanted = expected.length === 0 ? "" : `, expecting ${expected.join(" or ")}`;
    const offset = kind === T.end ? this.text.length : start;
    const advice = explainBrackets(this.source, offset, kind);
    const message = `syntax error, unexpected ${tokenNames[kind]}${wanted}${advice?.clause ?? ""}`;
    throw new ParseError(message, this.source, offset, { details: advice?.details, hint: advice?.hint });
  }

  protected tooDeep(): ParseError {
    return new ParseError(
      "the expression is nested too deeply",
      this.source,
      Math.min(this.tokens.start, this.text.length),
      {
        hint: `Expressions may nest ${MAX_DEPTH} levels deep at most.`,
      },
    );
  }

  protected identifier(): number {
    const name = symbol(this.slice());
    this.tokens.advance();
    return name;
  }

  /** Goes one level deeper; `leave` comes back. */
  protected enter(): void {
    if (++this.#nesting > MAX_DEPTH) throw this.tooDeep();
  }

  protected leave(): void {
    this.#nesting--;
  }

  /** Runs a rule one level deeper. */
  protected nested<R>(rule: () => R): R {
    this.enter();
    const result = rule();
    this.leave();
    return result;
  }
}
