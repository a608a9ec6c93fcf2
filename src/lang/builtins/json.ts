/** JSON and XML (manual, "fromJSON", "toJSON", "toXML"). */
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
        throw addTrace(error, "while decoding a JSON string");
      }
    },

    /** JSON; sets with `outPath` or `__toString` become strings, paths are copied to the store. */
    toJSON: (value: Lazy): NixString => toJson(world, value),

    /** XML, in the form that Nix has always given. */
    toXML: (value: Lazy): NixString => toXml(value, { strict: true }),
  };
}
