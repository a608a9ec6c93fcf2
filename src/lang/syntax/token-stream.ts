/** The parser's view of the tokens: one current, any number ahead. */
import type { Lexer } from "./lexer.ts";
import { T, type TokenKind } from "./tokens.ts";

const SIZE = 8;

export class TokenStream {
  readonly #lexer: Lexer;
  // A ring: looking ahead never goes beyond a few tokens.
  readonly #kinds = new Int32Array(SIZE);
  readonly #starts = new Int32Array(SIZE);
  readonly #ends = new Int32Array(SIZE);
  #first = 0;
  #count = 0;
  /** The current token. */
  kind: TokenKind = T.end;
  start = 0;
  end = 0;
  /** Where the token before it ends. */
  lastEnd = 0;

  constructor(lexer: Lexer) {
    this.#lexer = lexer;
    this.advance();
    this.lastEnd = 0;
  }

  advance(): void {
    this.lastEnd = this.end;
    if (this.#count === 0) {
      this.kind = this.#lexer.next();
      this.start = this.#lexer.start;
      this.end = this.#lexer.end;
      return;
    }
    const at = this.#first;
    this.kind = this.#kinds[at] as TokenKind;
    this.start = this.#starts[at]!;
    this.end = this.#ends[at]!;
    this.#first = (at + 1) % SIZE;
    this.#count--;
  }

  /** The kind of the token `distance` behind the current one, at most 7. */
  peek(distance: number): TokenKind {
    while (this.#count < distance) {
      const at = (this.#first + this.#count++) % SIZE;
      this.#kinds[at] = this.#lexer.next();
      this.#starts[at] = this.#lexer.start;
      this.#ends[at] = this.#lexer.end;
    }
    return this.#kinds[(this.#first + distance - 1) % SIZE] as TokenKind;
  }
}
