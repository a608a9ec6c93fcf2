import { D2nError, type D2nErrorOptions, type ErrorCode, isSystemError } from "../base/index.ts";

/** Something is wrong with a store. */
export class StoreError extends D2nError {
  override readonly name: string = "StoreError";

  constructor(code: ErrorCode, message: string, options: D2nErrorOptions = {}) {
    super(code, message, options);
  }
}

export function missingPath(path: string, store: string): StoreError {
  return new StoreError("store-path-missing", `path '${path}' is not valid in ${store}`, {
    hint: "It was never built or fetched here, or the garbage collector took it; build it again.",
  });
}

/** Turns what system calls and the database complain of into errors that say what to do. Others pass as they are. */
export function explain(error: unknown, doing: string): unknown {
  if (error instanceof D2nError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const place = isSystemError(error) && typeof error.path === "string" ? ` (${error.path})` : "";
  if (code === "ENOSPC" || code === "EDQUOT" || code === "SQLITE_FULL")
    return new StoreError("disk-full", `${doing}: no space left on the disk${place}`, {
      hint: "Free some space, for instance with `d2n store gc`, and try again; nothing half-made stays in the store.",
      cause: error,
    });
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "SQLITE_READONLY" || code === "SQLITE_CANTOPEN")
    return new StoreError("store-unwritable", `${doing}: permission denied${place}`, {
      hint: "Run as the user who owns the store, or use a store of your own with `--store DIR` or D2N_STORE.",
      cause: error,
    });
  if (code === "ENOTDIR" || code === "ENOENT")
    return new StoreError("store-unwritable", `${doing}: ${(error as Error).message.replace(/^[A-Z]+: /, "")}`, {
      hint: "See whether the path is right and whether something else removed it meanwhile.",
      cause: error,
    });
  if (code === "SQLITE_BUSY" || code === "SQLITE_LOCKED")
    return new StoreError("store-database", `${doing}: another process keeps the store's database busy`, {
      hint: "Wait for it to end, or see which process it is with `fuser`, and try again.",
      cause: error,
    });
  if (code.startsWith("SQLITE_"))
    return new StoreError("store-database", `${doing}: ${(error as Error).message}`, {
      hint: "Run `d2n store verify`; if the database itself is damaged, restore it from a copy or begin with a new store.",
      cause: error,
    });
  if (code === "EMFILE" || code === "ENFILE")
    return new StoreError("store-unwritable", `${doing}: too many open files`, {
      hint: "Raise the limit with `ulimit -n` and try again.",
      cause: error,
    });
  return error;
}

/** Runs something and explains its errors. */
export async function explained<T>(doing: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw explain(error, doing);
  }
}

export function explainedSync<T>(doing: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw explain(error, doing);
  }
}
