/** Values as JSON: `builtins.toJSON`, structured attributes of derivations, `nix eval --json`. */
import { callDepth, leaveCall } from "../call-depth.ts";
import type { SourceLocation } from "../../base/index.ts";
import { asEvalError, EvalError, StackOverflowError } from "../errors.ts";
import {
  addTrace,
  atPosition,
  callFunction1,
  coerceToString,
  contextOf,
  joinContexts,
  makeString,
  placeOf,
  type StringWorld,
  showType,
  textOf,
} from "../operations/index.ts";
import { Source } from "../syntax/source.ts";
import { attributeName } from "./literals.ts";
import { Escaper } from "./escaper.ts";
import { TextBuilder } from "./text-builder.ts";
import { Attrs, type LazyPosition, positionOf, type Symbol, symbol, symbolName } from "../values/attrs.ts";
import { force, type Lazy, Thunk } from "../values/thunk.ts";
import {
  type Context,
  ContextString,
  Lambda,
  NixFloat,
  type NixList,
  NixPath,
  type NixString,
  type Value,
} from "../values/value.ts";

const TO_STRING = symbol("__toString");
const OUT_PATH = symbol("outPath");

export interface JsonOptions {
  /** Paths are copied to the store. Default true. */
  readonly copyToStore?: boolean;
  /** Evaluate everything. Otherwise what has not been evaluated is an error. Default true. */
  readonly strict?: boolean;
}

/**
 * A value as one line of JSON with the context of all strings in it. Sets with `__toString` or `outPath` become strings.
 * Bytes that are no UTF-8, and functions, are errors.
 */
export function toJson(world: StringWorld, value: Lazy, options: JsonOptions = {}): NixString {
  const writer = new JsonWriter(world, options.copyToStore !== false, options.strict !== false);
  const depth = callDepth.current;
  try {
    writer.write(value, undefined);
  } catch (error) {
    callDepth.current = depth;
    throw asEvalError(error);
  }
  return makeString(writer.text(), writer.context);
}

class JsonWriter {
  readonly #out = new TextBuilder();
  context: Context | undefined;
  readonly #world: StringWorld;
  readonly #copyToStore: boolean;
  readonly #strict: boolean;

  constructor(world: StringWorld, copyToStore: boolean, strict: boolean) {
    this.#strict = strict;
    this.#world = world;
    this.#copyToStore = copyToStore;
  }

  /** All that has been written. */
  text(): string {
    return this.#out.text();
  }

  /** `place`: where the attribute is defined that the value is of, or is in a list of. */
  write(lazy: Lazy, place: LazyPosition): void {
    if (callDepth.current++ > callDepth.limit) throw atPosition(new StackOverflowError(), placeOf(positionOf(place)));
    if (!this.#strict && lazy instanceof Thunk && lazy.code !== null)
      throw atPosition(new EvalError("cannot convert a thunk to JSON"), placeOf(positionOf(place)));
    const value = forceAt(lazy, place);
    if (typeof value === "string") this.#out.push(jsonString(value));
    else if (value instanceof ContextString) this.#string(value);
    else if (value instanceof NixPath)
      this.#string(coerceToString(this.#world, value, { copyToStore: this.#copyToStore }));
    else if (value instanceof NixFloat) this.#out.push(jsonFloat(value.value));
    else if (value instanceof Attrs) this.#attrs(value);
    else if (Array.isArray(value)) this.#list(value as NixList, place);
    else if (value === null || typeof value !== "object") this.#out.push(String(value));
    else throw atPosition(new EvalError(`cannot convert ${showType(value)} to JSON`), placeOfValue(value, place));
    leaveCall();
  }

  #string(value: NixString): void {
    this.context = joinContexts(this.context, contextOf(value));
    this.#out.push(jsonString(textOf(value)));
  }

  #attrs(attrs: Attrs): void {
    const toString = attrs.getSymbol(TO_STRING);
    if (toString !== undefined) {
      const result = callFunction1(force(toString), attrs);
      this.#string(
        coerceToString(
          this.#world,
          result,
          { copyToStore: false },
          "while evaluating the result of the `__toString` attribute",
        ),
      );
      return;
    }
    const outPath = attrs.getSymbol(OUT_PATH);
    if (outPath !== undefined) {
      this.write(outPath, undefined);
      return;
    }
    let before = "{";
    const { ids } = attrs.keys;
    for (const slot of attrs.keys.byName()) {
      const name = symbolName(ids[slot]!);
      const place = attrs.positionAt(slot);
      this.#out.push(before + quotedName(ids[slot]!));
      before = ",";
      try {
        this.write(attrs.values[slot]!, place);
      } catch (error) {
        throw addTrace(error, `while evaluating attribute '${attributeName(name)}'`, positionOf(place));
      }
    }
    this.#out.push(before === "{" ? "{}" : "}");
  }

  #list(list: NixList, place: LazyPosition): void {
    let before = "[";
    for (let i = 0; i < list.length; i++) {
      this.#out.push(before);
      before = ",";
      try {
        this.write(list[i]!, place);
      } catch (error) {
        throw addTrace(error, `while evaluating list element at index ${i}`, positionOf(place));
      }
    }
    this.#out.push(before === "[" ? "[]" : "]");
  }
}

function forceAt(lazy: Lazy, place: LazyPosition): Value {
  try {
    return force(lazy);
  } catch (error) {
    throw error instanceof StackOverflowError ? atPosition(error, placeOf(positionOf(place))) : error;
  }
}

/** A function's own place, or that of the attribute it is in. */
function placeOfValue(value: Value, place: LazyPosition): SourceLocation | undefined {
  if (value instanceof Lambda && value.info.source instanceof Source && value.info.offset !== undefined)
    return value.info.source.location(value.info.offset);
  return placeOf(positionOf(place));
}

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

const escaper = new Escaper(
  /["\\\x00-\x1f]/g,
  (found) => shortEscapes[found] ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
);

const quotedNames = new Map<Symbol, string>();
/** Names are few, and most are met again. */
const MOST_NAMES = 1 << 16;

/** An attribute's name as JSON has it before the value. */
function quotedName(id: Symbol): string {
  let quoted = quotedNames.get(id);
  if (quoted === undefined) {
    quoted = `${jsonString(symbolName(id))}:`;
    if (quotedNames.size < MOST_NAMES) quotedNames.set(id, quoted);
  }
  return quoted;
}

/** A byte string, which has to be UTF-8, as a JSON string in the same encoding. */
export function jsonString(bytes: string): string {
  if (/^[ !#-[\]-\x7f]*$/.test(bytes)) return `"${bytes}"`;
  const invalid = /^[\x00-\x7f]*$/.test(bytes) ? undefined : findInvalidUtf8(bytes);
  if (invalid !== undefined) {
    const byte = bytes.charCodeAt(invalid.at).toString(16).toUpperCase().padStart(2, "0");
    throw new EvalError(
      invalid.incomplete
        ? `JSON serialization error: [json.exception.type_error.316] incomplete UTF-8 string; last byte: 0x${bytes
            .charCodeAt(bytes.length - 1)
            .toString(16)
            .toUpperCase()}`
        : `JSON serialization error: [json.exception.type_error.316] invalid UTF-8 byte at index ${invalid.at}: 0x${byte}`,
    );
  }
  return `"${escaper.escape(bytes)}"`;
}

/** The first byte at which a byte string stops being UTF-8. */
export function findInvalidUtf8(bytes: string): { readonly at: number; readonly incomplete: boolean } | undefined {
  for (let at = 0; at < bytes.length; at++) {
    const lead = bytes.charCodeAt(at);
    if (lead < 0x80) continue;
    let low = 0x80;
    let high = 0xbf;
    let more: number;
    if (lead >= 0xc2 && lead <= 0xdf) more = 1;
    else if (lead >= 0xe0 && lead <= 0xef) {
      more = 2;
      if (lead === 0xe0) low = 0xa0;
      if (lead === 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      more = 3;
      if (lead === 0xf0) low = 0x90;
      if (lead === 0xf4) high = 0x8f;
    } else return { at, incomplete: false };
    for (; more > 0; more--) {
      at++;
      if (at >= bytes.length) return { at: bytes.length - 1, incomplete: true };
      const next = bytes.charCodeAt(at);
      if (next < low || next > high) return { at, incomplete: false };
      low = 0x80;
      high = 0xbf;
    }
  }
  return undefined;
}

/** The shortest digits that give the same double, always with a point or an exponent; what is not finite becomes null. */
export function jsonFloat(value: number): string {
  if (!Number.isFinite(value)) return "null";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const text = Math.abs(value).toExponential();
  const at = text.indexOf("e");
  const digits = text.slice(0, at).replace(".", "");
  // The value is 0.digits * 10 ** point.
  const point = value === 0 ? 1 : Number(text.slice(at + 1)) + 1;
  if (digits.length <= point && point <= 15) return `${sign}${digits.padEnd(point, "0")}.0`;
  if (point > 0 && point <= 15) return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
  if (point > -4 && point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  const exponent = point - 1;
  const shown = String(Math.abs(exponent)).padStart(2, "0");
  const fraction = digits.length === 1 ? "" : `.${digits.slice(1)}`;
  return `${sign}${digits[0]}${fraction}e${exponent < 0 ? "-" : "+"}${shown}`;
}
