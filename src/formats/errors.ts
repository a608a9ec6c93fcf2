import { D2nError, type D2nErrorOptions, type ErrorCode } from "../base/index.ts";

/** Bytes that are not in the format they should be in: a hash, a store path, an archive, a derivation file. */
export class FormatError extends D2nError {
  override readonly name: string = "FormatError";

  constructor(code: ErrorCode, message: string, options: D2nErrorOptions = {}) {
    super(code, message, options);
  }
}
