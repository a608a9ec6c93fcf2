/**
 * JSON to Nix values. An own parser: JavaScript's would lose big integers, the bytes of strings and the difference between
 * `1` and `1.0`, and reorder keys. Strictness and messages are those of Nix's parser, the C++ library nlohmann/json.
 */
import { EvalError } from "../errors.ts";
import { parseInteger } from "../operations/index.ts";
import { findInvalidUtf8 } from "../print/json.ts";
import { Attrs, type Symbol, symbol } from "../values/attrs.ts";
import type { Lazy } from "../values/thunk.ts";
import { NixFloat, type Value } from "../values/value.ts";

/** Parses a byte string of JSON. Nesting costs no stack; of equal keys the last wins. */
export function parseJson(source: string): Value {
  return new JsonParser(source).parse();
}

/** A container under construction. */
type Level =
  | { readonly kind: "array"; readonly items: Lazy[] }
  | { readonly kind: "object"; readonly names: Symbol[]; readonly values: Lazy[] };

type Token = "[" | "]" | "{" | "}" | ":" | "," | "end" | "string" | "number" | "true" | "false" | "null";

const tokenNames: Readonly<Record<Token, string>> = {
  "[": "'['",
  "]": "']'",
  "{": "'{'",
  "}": "'}'",
  ":": "':'",
  ",": "','",
  end: "end of input",
  string: "string literal",
  number: "number literal",
  true: "true literal",
  false: "false literal",
  null: "null literal",
};

/** What could have come where a token was malformed; for values, Nix's parser doesn't say. */
const expectedIn: Readonly<Record<string, string>> = {
  "object key": "; expected string literal",
  "object separator": "; expected ':'",
  array: "; expected ']'",
  object: "; expected '}'",
  end: "; expected end of input",
};

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

class JsonParser {
  readonly #source: string;
  #at = 0;
  #shownFrom = 0;
  /** What the last token stands for: a string's bytes, a number. */
  #value: Value = null;
  /** What is being parsed, for messages. */
  #context = "value";

  constructor(source: string) {
    this.#source = source.startsWith("\xef\xbb\xbf") ? source.slice(3) : source;
  }

  parse(): Value {
    const levels: Level[] = [];
    let token = this.#next("value");
    for (;;) {
      let value: Value;
      if (token === "[") {
        token = this.#next("value");
        if (token !== "]") {
          levels.push({ kind: "array", items: [] });
          continue;
        }
        value = [];
      } else if (token === "{") {
        token = this.#next("object key");
        if (token !== "}") {
          levels.push({ kind: "object", names: [symbol(this.#key(token))], values: [] });
          token = this.#next("value");
          continue;
        }
        value = Attrs.empty;
      } else value = this.#scalar(token);
      // The value is complete: hand it to what contains it, and close what it completes.
      for (;;) {
        const level = levels.at(-1);
        if (level === undefined) {
          const after = this.#next("end");
          if (after !== "end") this.#unexpected(after, "value", "end of input");
          return value;
        }
        if (level.kind === "array") {
          level.items.push(value);
          token = this.#next("array");
          if (token === ",") {
            token = this.#next("value");
            break;
          }
          if (token !== "]") this.#unexpected(token, "array", "']'");
          value = level.items;
        } else {
          level.values.push(value);
          token = this.#next("object");
          if (token === ",") {
            level.names.push(symbol(this.#key(this.#next("object key"))));
            token = this.#next("value");
            break;
          }
          if (token !== "}") this.#unexpected(token, "object", "'}'");
          value = Attrs.of(level.names, level.values);
        }
        levels.pop();
      }
    }
  }

  #scalar(token: Token): Value {
    switch (token) {
      case "string":
        return noNul(this.#value as string);
      case "number":
        return this.#value;
      case "true":
        return true;
      case "false":
        return false;
      case "null":
        return null;
      default:
        return this.#unexpected(token, "value", "'[', '{', or a literal");
    }
  }

  #key(token: Token): string {
    if (token !== "string") this.#unexpected(token, "object key", "string literal");
    const key = noNul(this.#value as string);
    const separator = this.#next("object separator");
    if (separator !== ":") this.#unexpected(separator, "object separator", "':'");
    return key;
  }

  #unexpected(token: Token, context: string, expected: string): never {
    if (token === "end") this.#at++;
    if (token === "end" && this.#source === "")
      this.#fail(
        "attempting to parse an empty input; check that your input string or stream contains the expected JSON",
      );
    this.#fail(`syntax error while parsing ${context} - unexpected ${tokenNames[token]}; expected ${expected}`);
  }

  /** An error inside a token; `at` is the offset of the byte that doesn't fit. */
  #malformed(message: string, at: number): never {
    this.#at = at + 1;
    // What was read is shown from the last string or number on; bytes below a space by their numbers.
    const read = Array.from(this.#source.slice(this.#shownFrom, at + 1), (character) => {
      const code = character.charCodeAt(0);
      return code < 0x20 ? `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>` : character;
    }).join("");
    this.#fail(
      `syntax error while parsing ${this.#context === "end" ? "value" : this.#context} - ${message}; last read: '${read}'${expectedIn[this.#context] ?? ""}`,
    );
  }

  #fail(message: string): never {
    const before = this.#source.slice(0, this.#at);
    const line = before.split("\n").length;
    const column = this.#at - (before.lastIndexOf("\n") + 1);
    throw new EvalError(`[json.exception.parse_error.101] parse error at line ${line}, column ${column}: ${message}`);
  }

  #next(context: string): Token {
    this.#context = context;
    const source = this.#source;
    for (let code = source.charCodeAt(this.#at); isBlank(code); code = source.charCodeAt(++this.#at));
    const character = source[this.#at];
    switch (character) {
      case undefined:
        return "end";
      case "[":
      case "]":
      case "{":
      case "}":
      case ":":
      case ",":
        this.#at++;
        return character;
      case '"':
        return this.#string();
      case "t":
        return this.#literal("true");
      case "f":
        return this.#literal("false");
      case "n":
        return this.#literal("null");
      default:
        if (character === "-" || (character >= "0" && character <= "9")) return this.#number();
        return this.#malformed("invalid literal", this.#at);
    }
  }

  #literal(word: "true" | "false" | "null"): Token {
    for (let i = 1; i < word.length; i++)
      if (this.#source[this.#at + i] !== word[i]) this.#malformed("invalid literal", this.#at + i);
    this.#at += word.length;
    return word;
  }

  #number(): Token {
    const source = this.#source;
    this.#shownFrom = this.#at;
    let at = this.#at;
    const digits = (problem: string): void => {
      const start = at;
      while (source[at]! >= "0" && source[at]! <= "9") at++;
      if (at === start) this.#malformed(problem, at);
    };
    if (source[at] === "-") at++;
    if (source[at] === "0") at++;
    else digits("invalid number; expected digit after '-'");
    let integer = true;
    if (source[at] === ".") {
      integer = false;
      at++;
      digits("invalid number; expected digit after '.'");
    }
    if (source[at] === "e" || source[at] === "E") {
      integer = false;
      at++;
      const signed = source[at] === "+" || source[at] === "-";
      if (signed) at++;
      digits(
        signed
          ? "invalid number; expected digit after exponent sign"
          : "invalid number; expected '+', '-', or digit after exponent",
      );
    }
    const text = source.slice(this.#at, at);
    this.#at = at;
    this.#value = integer ? integerValue(text) : floatValue(text);
    return "number";
  }

  #string(): Token {
    const source = this.#source;
    this.#shownFrom = this.#at;
    const start = this.#at + 1;
    let at = start;
    let pieces = "";
    let pieceStart = start;
    let ascii = true;
    for (;;) {
      const code = source.charCodeAt(at);
      if (Number.isNaN(code)) this.#malformed("invalid string: missing closing quote", at);
      if (code === 0x22) break;
      if (code < 0x20) {
        const hex = code.toString(16).toUpperCase().padStart(4, "0");
        const short = shortEscapes[code];
        this.#malformed(
          `invalid string: control character U+${hex} (${controlNames[code]}) must be escaped to \\u${hex}${short === undefined ? "" : ` or ${short}`}`,
          at,
        );
      }
      if (code !== 0x5c) {
        ascii &&= code < 0x80;
        at++;
        continue;
      }
      pieces += source.slice(pieceStart, at);
      const escape = source[at + 1];
      const simple = escape === undefined ? undefined : escapes[escape];
      if (simple !== undefined) {
        pieces += simple;
        at += 2;
      } else if (escape === "u") {
        const [codePoint, length] = this.#unicode(at);
        pieces += Buffer.from(String.fromCodePoint(codePoint), "utf8").toString("latin1");
        at += length;
      } else this.#malformed("invalid string: forbidden character after backslash", at + 1);
      pieceStart = at;
    }
    const invalid = ascii ? undefined : findInvalidUtf8(source.slice(start, at));
    if (invalid !== undefined)
      this.#malformed("invalid string: ill-formed UTF-8 byte", start + invalid.at + (invalid.incomplete ? 1 : 0));
    this.#value = pieces + source.slice(pieceStart, at);
    this.#at = at + 1;
    return "string";
  }

  /** The code point of `\uXXXX`, or of two of them that are a surrogate pair, and how many bytes that took. */
  #unicode(at: number): [codePoint: number, length: number] {
    const high = this.#hex(at);
    if (high < 0xd800 || high > 0xdfff) return [high, 6];
    if (high > 0xdbff) this.#malformed("invalid string: surrogate U+DC00..U+DFFF must follow U+D800..U+DBFF", at + 5);
    const problem = "invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF";
    if (this.#source[at + 6] !== "\\") this.#malformed(problem, at + 6);
    if (this.#source[at + 7] !== "u") this.#malformed(problem, at + 7);
    const low = this.#hex(at + 6);
    if (low < 0xdc00 || low > 0xdfff) this.#malformed(problem, at + 11);
    return [0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), 12];
  }

  #hex(at: number): number {
    for (let i = at + 2; i < at + 6; i++)
      if (!/^[0-9a-fA-F]$/.test(this.#source[i] ?? ""))
        this.#malformed("invalid string: '\\u' must be followed by 4 hex digits", i);
    return Number.parseInt(this.#source.slice(at + 2, at + 6), 16);
  }
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

const shortEscapes: Readonly<Record<number, string>> = { 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r" };

const controlNames =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(
    " ",
  );

/** Integers of up to 64 bits; what fits in 64 bits only without a sign is refused, what is bigger becomes a float. */
function integerValue(text: string): Value {
  const integer = parseInteger(text);
  if (integer !== undefined) return integer;
  if (!text.startsWith("-") && BigInt(text) < 2n ** 64n)
    throw new EvalError(`unsigned json number ${text} outside of Nix integer range`);
  return floatValue(text);
}

function floatValue(text: string): Value {
  const value = Number(text);
  if (!Number.isFinite(value))
    throw new EvalError(`[json.exception.out_of_range.406] number overflow parsing '${text}'`);
  return new NixFloat(value);
}

export function noNul(text: string): string {
  const nul = text.indexOf("\0");
  if (nul >= 0)
    throw new EvalError(
      `input string '${text.replaceAll("\0", "␀")}' cannot be represented as Nix string because it contains null bytes`,
    );
  return text;
}
