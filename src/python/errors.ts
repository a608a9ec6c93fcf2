import { D2nError, type D2nErrorOptions } from "../base/index.ts";

/** A text that is no version, specifier, marker, requirement or wheel file name. */
export class PythonSyntaxError extends D2nError {
  override readonly name = "PythonSyntaxError";

  constructor(message: string, options: D2nErrorOptions = {}) {
    super("python-syntax", message, options);
  }
}
