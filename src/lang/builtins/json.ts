/** JSON and XML (manual, "fromJSON", "toJSON", "toXML"). */
import { EvalError } from "../errors.ts";
import { addTrace, forceStringNoContext } from "../operations/index.ts";
import { toJson } from "../print/json.ts";
import { toXml } from "../print/xml.ts";
import type { Lazy } from "../values/thunk.ts";
import type { NixString, Value } from "../values/value.ts";
import type { Family, Interpreter } from "./interpreter.ts";
import { parseJson } from "./json-parser.ts";

export function json({ world }: Interpreter): Family {
  return {
    /** The value that a JSON text stands for. */
    fromJSON(lazy: Lazy): Value {
      const text = forceStringNoContext(lazy, "while evaluating the first argument passed to builtins.fromJSON");
      try {
        return parseJson(text);
      } catch (error) {
        // What is JSON but no Nix value is another matter.
        const malformed = error instanceof EvalError && error.message.startsWith("[json.exception.");
        throw malformed ? addTrace(error, "while decoding a JSON string") : error;
      }
    },

    /** JSON; sets with `outPath` or `__toString` become strings, paths are copied to the store. */
    toJSON: (value: Lazy): NixString => toJson(world, value),

    /** XML, in the form that Nix has always given. */
    toXML: (value: Lazy): NixString => toXml(value, { strict: true }),
  };
}
