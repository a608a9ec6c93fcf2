import { D2nError, type D2nErrorOptions } from "../base/index.ts";

/** The sandbox cannot be had on this machine as it is set up. */
export class SandboxError extends D2nError {
  override readonly name = "SandboxError";

  constructor(message: string, options: D2nErrorOptions = {}) {
    super("sandbox-unavailable", message, options);
  }
}
