/**
 * The lexer: a text to tokens, one at a time. It follows the rules of Nix's own (a flex grammar): the longest match wins, and
 * strings, paths and interpolations switch between modes by themselves, so that the parser may look ahead.
 */
import { ParseError } from "./errors.ts";
import type { Source } from "./source.ts";
import { keywords, T, type TokenKind } from "./tokens.ts";

const MODE = {
  /** Outside everything: a `}` here closes nothing. */
  bottom: 0,
  code: 1,
  string: 2,
  indented: 3,
  /** A piece of a path has been read that does not end with a slash. */
  path: 4,
  /** … that ends with one, so that something must follow. */
  pathSlash: 5,
  /** A path that begins with an interpolation after its first slash. */
  pathStart: 6,
} as const;

type Mode = (typeof MODE)[keyof typeof MODE];

// Classes of bytes, as bits.
const LETTER = 1;
const DIGIT = 2;
const IDENTIFIER = 4;
const PATH = 8;
const SCHEME = 16;
const URI = 32;

const classes = new Uint8Array(256);
for (let c = 0; c < 256; c++) {
  const s = String.fromCharCode(c);
  if (/[a-zA-Z]/.test(s)) classes[c]! |= LETTER;
  if (/[0-9]/.test(s)) classes[c]! |= DIGIT;
  if (/[a-zA-Z0-9_'-]/.test(s)) classes[c]! |= IDENTIFIER;
  if (/[a-zA-Z0-9._+-]/.test(s)) classes[c]! |= PATH;
  if (/[a-zA-Z0-9+.-]/.test(s)) classes[c]! |= SCHEME;
  if (/[a-zA-Z0-9%/?:@&=+$,\-_.!~*']/.test(s)) classes[c]! |= URI;
}

const LF = 10;
const CR = 13;
const QUOTE = 0x22;
const HASH = 0x23;
const DOLLAR = 0x24;
const APOSTROPHE = 0x27;
const STAR = 0x2a;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const COLON = 0x3a;
const LESS = 0x3c;
const EQUALS = 0x3d;
const GREATER = 0x3e;
const BACKSLASH = 0x5c;
const BRACE = 0x7b;
const BAR = 0x7c;
const TILDE = 0x7e;

const single: readonly (TokenKind | undefined)[] = (() => {
  const table: (TokenKind | undefined)[] = new Array<TokenKind | undefined>(256).fill(undefined);
  const kinds: Record<string, TokenKind> = {
    "[": T.bracketOpen,
    "]": T.bracketClose,
    "(": T.parenOpen,
    ")": T.parenClose,
    ";": T.semicolon,
    "=": T.assign,
    ".": T.dot,
    ",": T.comma,
    ":": T.colon,
    "@": T.at,
    "?": T.question,
    "+": T.plus,
    "-": T.minus,
    "*": T.times,
    "/": T.divide,
    "<": T.less,
    ">": T.greater,
    "!": T.not,
  };
  for (const [character, kind] of Object.entries(kinds)) table[character.charCodeAt(0)] = kind;
  return table;
})();

export class Lexer {
  readonly #source: Source;
  readonly #text: string;
  readonly #pipes: boolean;
  readonly #modes: Mode[] = [MODE.bottom];
  #mode: Mode = MODE.bottom;
  #at = 0;
  #before = 0;
  /** Ends of the runs of path and URI scheme characters that were looked at last. */
  #pathRun = 0;
  #schemeRun = 0;
  /** Where the last token begins and ends. */
  start = 0;
  end = 0;

  constructor(source: Source, options: { readonly pipeOperators?: boolean } = {}) {
    this.#source = source;
    this.#text = source.text;
    this.#pipes = options.pipeOperators ?? false;
  }

  /** Reads the next token; `start` and `end` say where it is. At the end of the text, `T.end` again and again. */
  next(): TokenKind {
    this.#before = this.start;
    let kind: TokenKind;
    switch (this.#mode) {
      case MODE.string:
        this.start = this.#at;
        kind = this.#string();
        break;
      case MODE.indented:
        this.start = this.#at;
        kind = this.#indented();
        break;
      case MODE.path:
      case MODE.pathSlash:
        this.start = this.#at;
        kind = this.#pathPiece();
        break;
      case MODE.pathStart:
        this.start = this.#at;
        kind = this.#pathStart();
        break;
      default:
        this.#skip();
        this.start = this.#at;
        kind = this.#code();
    }
    this.end = this.#at;
    return kind;
  }

  #push(mode: Mode): void {
    this.#modes.push(mode);
    this.#mode = mode;
  }

  #pop(): void {
    this.#modes.pop();
    this.#mode = this.#modes[this.#modes.length - 1]!;
  }

  #swap(mode: Mode): void {
    this.#modes[this.#modes.length - 1] = mode;
    this.#mode = mode;
  }

  #is(offset: number, mask: number): boolean {
    return (classes[this.#text.charCodeAt(offset)]! & mask) !== 0;
  }

  #fail(message: string, offset = this.start): never {
    throw new ParseError(message, this.#source, offset);
  }

  /** White space and comments. A comment that never ends is none: its slash is an operator then, as in Nix. */
  #skip(): void {
    const text = this.#text;
    let at = this.#at;
    for (;;) {
      const c = text.charCodeAt(at);
      if (c === 32 || c === LF || c === 9 || c === CR) at++;
      else if (c === HASH) {
        do at++;
        while (at < text.length && text.charCodeAt(at) !== LF && text.charCodeAt(at) !== CR);
      } else if (c === SLASH && text.charCodeAt(at + 1) === STAR) {
        const close = text.indexOf("*/", at + 2);
        if (close < 0) break;
        at = close + 2;
      } else break;
    }
    this.#at = at;
  }

  #code(): TokenKind {
    const text = this.#text;
    const at = this.#at;
    if (at >= text.length) return T.end;
    const c = text.charCodeAt(at);
    const kind = classes[c]!;
    if ((kind & PATH) !== 0 || c === SLASH) {
      // Where no path begins, none begins further right in the same run either: looked at once, not once per token.
      let run = this.#pathRun > at ? this.#pathRun : at;
      while (this.#is(run, PATH)) run++;
      this.#pathRun = run;
      if (text.charCodeAt(run) === SLASH) {
        if (this.#is(run + 1, PATH)) return this.#path(run, T.path);
        if (text.charCodeAt(run + 1) === DOLLAR && text.charCodeAt(run + 2) === BRACE) {
          this.#push(MODE.pathStart);
          return this.#pathStart();
        }
      }
      if ((kind & LETTER) !== 0) return this.#word();
      if (c === 0x5f) return this.#identifier();
      if ((kind & DIGIT) !== 0 || (c === DOT && this.#is(at + 1, DIGIT))) return this.#number();
    }
    switch (c) {
      case BRACE:
        this.#push(MODE.code);
        this.#at++;
        return T.braceOpen;
      case 0x7d:
        if (this.#mode !== MODE.bottom) this.#pop();
        this.#at++;
        return T.braceClose;
      case QUOTE:
        this.#push(MODE.string);
        this.#at++;
        return T.quote;
      case TILDE:
        if (text.charCodeAt(at + 1) === SLASH) {
          if (this.#is(at + 2, PATH)) return this.#path(at + 1, T.homePath);
          if (text.charCodeAt(at + 2) === DOLLAR && text.charCodeAt(at + 3) === BRACE) {
            this.#push(MODE.pathStart);
            return this.#pathStart();
          }
        }
        break;
      case LESS: {
        const close = this.#searchPath();
        if (close > 0) {
          this.#at = close;
          return T.searchPath;
        }
        if (text.charCodeAt(at + 1) === EQUALS) return this.#take(2, T.lessOrEqual);
        if (text.charCodeAt(at + 1) === BAR) return this.#pipe(T.pipeFrom);
        break;
      }
      case APOSTROPHE:
        if (text.charCodeAt(at + 1) === APOSTROPHE) {
          // The rest of the first line is dropped if it is blank.
          let line = at + 2;
          while (text.charCodeAt(line) === 32) line++;
          this.#at = text.charCodeAt(line) === LF ? line + 1 : at + 2;
          this.#push(MODE.indented);
          return T.indentedOpen;
        }
        break;
      default: {
        const operator = this.#operator(c, text.charCodeAt(at + 1));
        if (operator !== undefined) return operator;
      }
    }
    return this.#take(1, single[c] ?? T.invalid);
  }

  /** Operators of two or three characters. */
  #operator(c: number, next: number): TokenKind | undefined {
    switch (c) {
      case EQUALS:
        return next === EQUALS ? this.#take(2, T.equal) : undefined;
      case 0x21:
        return next === EQUALS ? this.#take(2, T.notEqual) : undefined;
      case GREATER:
        return next === EQUALS ? this.#take(2, T.greaterOrEqual) : undefined;
      case 0x26:
        return next === 0x26 ? this.#take(2, T.and) : undefined;
      case BAR:
        return next === BAR ? this.#take(2, T.orOperator) : next === GREATER ? this.#pipe(T.pipeInto) : undefined;
      case MINUS:
        return next === GREATER ? this.#take(2, T.implies) : undefined;
      case SLASH:
        return next === SLASH ? this.#take(2, T.update) : undefined;
      case PLUS:
        return next === PLUS ? this.#take(2, T.concat) : undefined;
      case DOT:
        return next === DOT && this.#text.charCodeAt(this.#at + 2) === DOT ? this.#take(3, T.ellipsis) : undefined;
      case DOLLAR:
        if (next !== BRACE) return undefined;
        this.#push(MODE.code);
        return this.#take(2, T.interpolation);
      default:
        return undefined;
    }
  }

  #take(length: number, kind: TokenKind): TokenKind {
    this.#at += length;
    return kind;
  }

  #pipe(kind: TokenKind): TokenKind {
    if (!this.#pipes)
      this.#fail(
        "experimental Nix feature 'pipe-operators' is disabled; add '--extra-experimental-features pipe-operators' to enable it",
      );
    return this.#take(2, kind);
  }

  #identifier(): TokenKind {
    let end = this.#at + 1;
    while (this.#is(end, IDENTIFIER)) end++;
    this.#at = end;
    return T.identifier;
  }

  /** A URI, a keyword or an identifier. */
  #word(): TokenKind {
    const text = this.#text;
    const start = this.#at;
    let end = this.#schemeRun > start ? this.#schemeRun : start + 1;
    while (this.#is(end, SCHEME)) end++;
    this.#schemeRun = end;
    if (text.charCodeAt(end) === COLON && this.#is(end + 1, URI)) {
      end += 2;
      while (this.#is(end, URI)) end++;
      this.#at = end;
      return T.uri;
    }
    this.#identifier();
    const length = this.#at - start;
    return (length <= 7 && keywords.get(text.slice(start, this.#at))) || T.identifier;
  }

  /** `[0-9]+`, or a float: `([1-9][0-9]*\.[0-9]*|0?\.[0-9]+)([Ee][+-]?[0-9]+)?`. */
  #number(): TokenKind {
    const text = this.#text;
    const start = this.#at;
    let end = start;
    while (this.#is(end, DIGIT)) end++;
    const leadingZero = text.charCodeAt(start) === 0x30;
    const wholePart =
      end === start || (leadingZero && end === start + 1)
        ? text.charCodeAt(end) === DOT && this.#is(end + 1, DIGIT)
        : !leadingZero && text.charCodeAt(end) === DOT;
    if (!wholePart) {
      this.#at = end;
      return T.integer;
    }
    end++;
    while (this.#is(end, DIGIT)) end++;
    const e = text.charCodeAt(end) | 32;
    if (e === 0x65) {
      const sign = text.charCodeAt(end + 1);
      const digits = sign === PLUS || sign === MINUS ? end + 2 : end + 1;
      if (this.#is(digits, DIGIT)) {
        end = digits + 1;
        while (this.#is(end, DIGIT)) end++;
      }
    }
    this.#at = end;
    return T.float;
  }

  /** Where `<…>` ends, or -1 if this is none. */
  #searchPath(): number {
    let at = this.#at + 1;
    for (;;) {
      const piece = at;
      while (this.#is(at, PATH)) at++;
      if (at === piece) return -1;
      const c = this.#text.charCodeAt(at);
      if (c === GREATER) return at + 1;
      if (c !== SLASH) return -1;
      at++;
    }
  }

  /** A path whose first slash is at `slash` with a name behind it. */
  #path(slash: number, kind: TokenKind): TokenKind {
    this.#at = this.#segments(slash);
    this.#push(this.#text.charCodeAt(this.#at - 1) === SLASH ? MODE.pathSlash : MODE.path);
    return kind;
  }

  /** The end of `(/name)*` with an optional slash behind it. */
  #segments(slash: number): number {
    let at = slash;
    while (this.#text.charCodeAt(at) === SLASH) {
      at++;
      const name = at;
      while (this.#is(at, PATH)) at++;
      if (at === name) break;
    }
    return at;
  }

  #pathStart(): TokenKind {
    const home = this.#text.charCodeAt(this.#at) === TILDE;
    this.#at = this.#text.indexOf("/", this.#at) + 1;
    this.#swap(MODE.pathSlash);
    return home ? T.homePath : T.path;
  }

  #pathPiece(): TokenKind {
    const text = this.#text;
    const at = this.#at;
    if (text.charCodeAt(at) === DOLLAR && text.charCodeAt(at + 1) === BRACE) {
      this.#swap(MODE.path);
      this.#push(MODE.code);
      return this.#take(2, T.interpolation);
    }
    let end = at;
    while (this.#is(end, PATH)) end++;
    end = this.#segments(end);
    if (end > at) {
      this.#at = end;
      this.#swap(text.charCodeAt(end - 1) === SLASH ? MODE.pathSlash : MODE.path);
      return T.text;
    }
    // At the end of the text, Nix still points to the piece before.
    if (this.#mode === MODE.pathSlash) this.#fail("path has a trailing slash", at < text.length ? at : this.#before);
    this.#pop();
    return T.pathEnd;
  }

  #string(): TokenKind {
    const text = this.#text;
    const { length } = text;
    const start = this.#at;
    const first = text.charCodeAt(start);
    if (first === QUOTE) {
      this.#pop();
      return this.#take(1, T.quote);
    }
    if (first === DOLLAR && text.charCodeAt(start + 1) === BRACE) {
      this.#push(MODE.code);
      return this.#take(2, T.interpolation);
    }
    let at = start;
    while (at < length) {
      const c = text.charCodeAt(at);
      if (c === QUOTE) break;
      if (c === BACKSLASH) {
        if (at + 1 >= length) break;
        at += 2;
      } else if (c === DOLLAR) {
        const next = text.charCodeAt(at + 1);
        if (next === BRACE || at + 1 >= length) break;
        if (next === QUOTE) at++;
        else if (next === BACKSLASH) {
          if (at + 2 >= length) break;
          at += 3;
        } else at += 2;
      } else at++;
    }
    if (at === start) {
      // The end of the text, or a lone `$` or `\` before it.
      this.#at = length;
      return T.end;
    }
    this.#at = at;
    return T.text;
  }

  #indented(): TokenKind {
    const text = this.#text;
    const { length } = text;
    const start = this.#at;
    if (start >= length) return T.end;
    let at = start;
    while (at < length) {
      const c = text.charCodeAt(at);
      if (c === DOLLAR) {
        const next = text.charCodeAt(at + 1);
        if (next === BRACE || next === APOSTROPHE || at + 1 >= length) break;
        at += 2;
      } else if (c === APOSTROPHE) {
        const next = text.charCodeAt(at + 1);
        if (next === APOSTROPHE || next === DOLLAR || at + 1 >= length) break;
        at += 2;
      } else at++;
    }
    if (at > start) {
      this.#at = at;
      return T.indentedText;
    }
    if (text.charCodeAt(start) === DOLLAR) {
      if (text.charCodeAt(start + 1) !== BRACE) return this.#take(1, T.indentedEscape);
      this.#push(MODE.code);
      return this.#take(2, T.interpolation);
    }
    if (text.charCodeAt(start + 1) !== APOSTROPHE) return this.#take(1, T.indentedEscape);
    const third = text.charCodeAt(start + 2);
    if (third === DOLLAR || third === APOSTROPHE) return this.#take(3, T.indentedEscape);
    if (third === BACKSLASH && start + 3 < length) return this.#take(4, T.indentedEscape);
    this.#pop();
    return this.#take(2, T.indentedClose);
  }
}
