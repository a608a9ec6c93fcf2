/**
 * JSON as Python's `json` module reads and writes it: lock files are byte for byte what upstream's locker writes.
 *
 * Objects are Maps, because JavaScript objects reorder keys that look like integers; numbers keep whether they were written
 * as integers, of any size.
 */
export type Json = null | boolean | string | JsonNumber | readonly Json[] | JsonObject;
export type JsonObject = ReadonlyMap<string, Json>;

/** A number and how Python's `json` writes it after reading it. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export class JsonSyntaxError extends Error {
  /** Offset in code units. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const deepest = 500;
const numberPattern = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
const spacePattern = /[ \t\n\r]*/y;
const plainPattern = /[^"\\\u0000-\u001f]*/y;
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

/**
 * Reads a JSON text. Of equal keys the last one's value counts, at the first one's place.
 * @throws JsonSyntaxError
 */
export function parseJson(text: string): Json {
  let at = 0;
  const fail = (message: string): never => {
    throw new JsonSyntaxError(at >= text.length ? `${message}, but the text ends` : message, at);
  };
  const space = (): void => {
    spacePattern.lastIndex = at;
    at += spacePattern.exec(text)![0].length;
  };
  const expect = (character: string): void => {
    if (text[at] !== character) fail(`"${character}" expected`);
    at++;
  };
  function string(): string {
    expect('"');
    let result = "";
    for (;;) {
      plainPattern.lastIndex = at;
      const plain = plainPattern.exec(text)![0];
      result += plain;
      at += plain.length;
      if (text[at] === '"') {
        at++;
        return result;
      }
      if (text[at] !== "\\") fail("the end of a string expected");
      const escape = text[at + 1] ?? "";
      const hex = escape === "u" ? /^[0-9a-fA-F]{4}$/.exec(text.slice(at + 2, at + 6)) : null;
      if (hex !== null) {
        result += String.fromCharCode(Number.parseInt(hex[0], 16));
        at += 6;
      } else {
        const character = Object.hasOwn(escapes, escape) ? escapes[escape] : undefined;
        if (character === undefined) fail("an escape sequence expected");
        result += character;
        at += 2;
      }
    }
  }
  function value(depth: number): Json {
    if (depth > deepest) fail("less nesting expected");
    const character = text[at];
    if (character === '"') return string();
    if (character === "{") {
      const object = new Map<string, Json>();
      at++;
      space();
      if (text[at] === "}") {
        at++;
        return object;
      }
      for (;;) {
        space();
        const key = string();
        space();
        expect(":");
        space();
        object.set(key, value(depth + 1));
        space();
        if (text[at] !== ",") break;
        at++;
      }
      expect("}");
      return object;
    }
    if (character === "[") {
      const list: Json[] = [];
      at++;
      space();
      if (text[at] === "]") {
        at++;
        return list;
      }
      for (;;) {
        space();
        list.push(value(depth + 1));
        space();
        if (text[at] !== ",") break;
        at++;
      }
      expect("]");
      return list;
    }
    for (const [word, meaning] of words)
      if (text.startsWith(word, at)) {
        at += word.length;
        return meaning;
      }
    numberPattern.lastIndex = at;
    const number = numberPattern.exec(text);
    if (number === null) return fail("a value expected");
    at += number[0].length;
    return number[1] === undefined && number[2] === undefined
      ? new JsonNumber(number[0] === "-0" ? "0" : number[0])
      : new JsonNumber(formatFloat(Number(number[0])));
  }

  space();
  const result = value(0);
  space();
  if (at < text.length) fail("nothing more expected");
  return result;
}

const words: readonly (readonly [string, Json])[] = [
  ["null", null],
  ["true", true],
  ["false", false],
];

/** Python's `repr` of a float. */
function formatFloat(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (Object.is(value, -0)) return "-0.0";
  if (value === 0) return "0.0";
  const [digits, exponent] = value.toExponential().split("e") as [string, string];
  const power = Number(exponent);
  if (power < -4 || power >= 16) return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  if (power < 0) return value.toFixed(Math.min(100, digits.replace(/[-.]/g, "").length - 1 - power));
  const plain = String(value);
  return plain.includes(".") ? plain : `${plain}.0`;
}

export interface JsonFormat {
  /** Spaces for each level; 0 writes everything on one line. */
  readonly indent?: number;
  /** Keys by code point, as `sort_keys=True`. */
  readonly sortKeys?: boolean;
  /** No space after `,` and `:`, as `separators=(",", ":")`. */
  readonly compact?: boolean;
  /** Everything beyond ASCII as `\uXXXX`; true unless set. */
  readonly ascii?: boolean;
}

/** Writes JSON as Python's `json.dumps` does with the same settings; no line end follows. */
export function formatJson(json: Json, format: JsonFormat = {}): string {
  const { indent = 0, sortKeys = false, compact = false, ascii = true } = format;
  const colon = compact ? ":" : ": ";
  const comma = compact || indent > 0 ? "," : ", ";

  function write(value: Json, level: number): string {
    if (value === null || typeof value === "boolean") return String(value);
    if (typeof value === "string") return quote(value, ascii);
    if (value instanceof JsonNumber) return value.text;
    if (value instanceof Map) {
      const object = value as JsonObject;
      const keys = sortKeys ? [...object.keys()].sort(compareCodePoints) : [...object.keys()];
      return enclose(
        "{",
        "}",
        keys.map((key) => quote(key, ascii) + colon + write(object.get(key) ?? null, level + 1)),
        level,
      );
    }
    return enclose(
      "[",
      "]",
      (value as readonly Json[]).map((element) => write(element, level + 1)),
      level,
    );
  }
  function enclose(open: string, close: string, parts: readonly string[], level: number): string {
    if (parts.length === 0) return open + close;
    if (indent === 0) return open + parts.join(comma) + close;
    const inner = `\n${" ".repeat(indent * (level + 1))}`;
    return `${open}${inner}${parts.join(comma + inner)}\n${" ".repeat(indent * level)}${close}`;
  }
  return write(json, 0);
}

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\f": "\\f",
  "\b": "\\b",
};

function quote(text: string, ascii: boolean): string {
  const body = text.replace(ascii ? /["\\\u0000-\u001f\u007f-\uffff]/g : /["\\\u0000-\u001f]/g, (character) =>
    character === "\u007f"
      ? character
      : (short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
  return `"${body}"`;
}

/** Order by Unicode code points, as Python sorts; UTF-16 order differs beyond U+FFFF. */
export function compareCodePoints(a: string, b: string): number {
  const x = [...a];
  const y = [...b];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const order = x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!;
    if (order !== 0) return order;
  }
  return x.length - y.length;
}

/** From plain values; keys of objects in the order that JavaScript has them. */
export function toJson(value: unknown): Json {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number")
    return new JsonNumber(Number.isSafeInteger(value) ? String(value) : formatFloat(value));
  if (typeof value === "bigint") return new JsonNumber(String(value));
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Map)
    return new Map([...(value as Map<string, unknown>)].map(([key, inner]) => [key, toJson(inner)]));
  if (value instanceof JsonNumber) return value;
  return new Map(
    Object.entries(value as object)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [key, toJson(inner)]),
  );
}
