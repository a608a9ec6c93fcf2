import { D2nError, type D2nErrorOptions } from "../../base/index.ts";
import { readable } from "../errors.ts";
import type { Source } from "./source.ts";

/** A text is not in the Nix language. */
export class ParseError extends D2nError {
  override readonly name = "ParseError";

  constructor(message: string, source: Source, offset: number, options: D2nErrorOptions = {}) {
    super("syntax", readable(message), { location: source.location(offset), ...options });
  }
}
