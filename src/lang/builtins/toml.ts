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
      return fromToml(parse(marked?.text ?? readable, { integersAsBigInt: true }), marked);
    } catch (error) {
      throw new EvalError(`while parsing TOML: ${error instanceof EvalError ? "error: " : ""}${messageOf(error)}`, {
        cause: error,
      });
    }
  },
});

function fromToml(value: TomlValue, marked: MarkedToml | undefined): Value {
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
  if (typeof value === "number") return new NixFloat(value);
  if (typeof value === "bigint") {
    if (!fitsInteger(value)) throw new Error(`integer ${value} does not fit in 64 bits`);
    return normalizeInt(value);
  }
  if (value instanceof TomlDate) throw new Error("Dates and times are not supported");
  if (Array.isArray(value)) return value.map((part) => fromToml(part, marked));
  return Attrs.from(Object.entries(value).map(([key, part]) => [bytes(key), fromToml(part, marked)] as const));
}

/** A text as the bytes of its UTF-8 form. */
function bytes(text: string): string {
  return noNul(Buffer.from(text, "utf8").toString("latin1"));
}
