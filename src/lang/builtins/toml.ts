/** TOML (manual, "fromTOML"). */
import { parse, TomlDate, type TomlValue } from "smol-toml";
import { messageOf } from "../../base/index.ts";
import { EvalError } from "../errors.ts";
import { fitsInteger, forceStringNoContext, normalizeInt } from "../operations/index.ts";
import { findInvalidUtf8 } from "../print/json.ts";
import { Attrs } from "../values/attrs.ts";
import type { Lazy } from "../values/thunk.ts";
import { NixFloat, type Value } from "../values/value.ts";
import type { Family, Interpreter } from "./interpreter.ts";
import { noNul } from "./json-parser.ts";
import { type MarkedToml, markTimestamps } from "./toml-timestamps.ts";

export const toml = ({ features }: Interpreter): Family => ({
  /** The value that a TOML 1.0 text stands for. Dates and times only with the experimental feature `parse-toml-timestamps`. */
  fromTOML(lazy: Lazy): Value {
    const text = forceStringNoContext(lazy, "while evaluating the argument passed to builtins.fromTOML");
    try {
      if (findInvalidUtf8(text) !== undefined) throw new Error("the text is not valid UTF-8");
      const readable = Buffer.from(text, "latin1").toString("utf8");
      const marked = features?.has("parse-toml-timestamps") === true ? markTimestamps(readable) : undefined;
      return fromToml(parse(marked?.text ?? readable, { integersAsBigInt: true }), { marked, text: readable });
    } catch (error) {
      throw new EvalError(`while parsing TOML: ${error instanceof EvalError ? "error: " : ""}${messageOf(error)}`, {
        cause: error,
      });
    }
  },
});

interface TomlSource {
  readonly marked: MarkedToml | undefined;
  readonly text: string;
}

function fromToml(value: TomlValue, source: TomlSource): Value {
  const { marked } = source;
  if (typeof value === "string") {
    const timestamp = marked?.timestampOf(value);
    return timestamp === undefined
      ? bytes(value)
      : Attrs.from([
          ["_type", "timestamp"],
          ["value", timestamp],
        ]);
  }
  if (typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (Math.abs(value) === Number.POSITIVE_INFINITY && !/\binf\b/.test(source.text))
      throw tomlError(
        "toml::parse_floating: failed to read floating point value from stream",
        source.text,
        isHuge,
        "here",
      );
    return new NixFloat(value);
  }
  if (typeof value === "bigint") {
    if (fitsInteger(value)) return normalizeInt(value);
    const digits = value < 0 ? -value : value;
    const isIt = (word: string): boolean => /^[+-]?\d/.test(word) && integerOf(word) === digits;
    const kind = /0[xob]/.exec(findWord(source.text, isIt)?.word ?? "")?.[0];
    throw tomlError(
      kind === undefined
        ? "toml::parse_dec_integer: too large integer: current max digits = 2^63"
        : `toml::parse_${kind === "0x" ? "hex" : kind === "0o" ? "oct" : "bin"}_integer: too large integer: current max value = 2^63`,
      source.text,
      isIt,
      "must be < 2^63",
    );
  }
  if (value instanceof TomlDate) throw new Error("Dates and times are not supported");
  if (Array.isArray(value)) return value.map((part) => fromToml(part, source));
  return Attrs.from(Object.entries(value).map(([key, part]) => [bytes(key), fromToml(part, source)] as const));
}

/** A text as the bytes of its UTF-8 form. */
function bytes(text: string): string {
  return noNul(Buffer.from(text, "utf8").toString("latin1"));
}

/** An error about a value in the layout of the library that Nix uses (toml11), with the line and what follows the value marked. */
function tomlError(what: string, text: string, isIt: (word: string) => boolean, remark: string): Error {
  const found = findWord(text, isIt);
  if (found === undefined) return new Error(`[error] ${what}`);
  const before = text.slice(0, found.end).split("\n");
  const line = text.split("\n")[before.length - 1]!;
  const number = String(before.length);
  const margin = " ".repeat(number.length);
  return new Error(
    `[error] ${what}\n${margin}--> fromTOML\n ${margin} |\n ${number} | ${line}\n ${margin} | ${" ".repeat(before.at(-1)!.length)}^-- ${remark}\n`,
  );
}

/** The first word of digits and signs, outside of strings and comments, that a condition holds for. */
function findWord(
  text: string,
  isIt: (word: string) => boolean,
): { readonly word: string; readonly end: number } | undefined {
  for (const match of text.matchAll(/"(?:\\.|[^"\\])*"|'[^']*'|#.*|[\w+.-]+/g))
    if (isIt(match[0])) return { word: match[0], end: match.index + match[0].length };
  return undefined;
}

function integerOf(word: string): bigint | undefined {
  try {
    return BigInt(word.replace(/^[+-]/, "").replaceAll("_", ""));
  } catch {
    return undefined;
  }
}

function isHuge(word: string): boolean {
  return /^[+-]?\d/.test(word) && Math.abs(Number(word.replaceAll("_", ""))) === Number.POSITIVE_INFINITY;
}
