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

/** SQLite's primary result codes; extended ones have more bits above. */
const sqlite = { busy: 5, locked: 6, readOnly: 8, ioError: 10, full: 13, cannotOpen: 14 } as const;

/** The primary result code of an error of SQLite. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("rawCode" in error) || typeof error.rawCode !== "number") return undefined;
  return error.rawCode & 0xff;
}

/** Whether SQLite could not write: on a full disk it cannot even open a database. */
export function isDatabaseFull(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === sqlite.full || code === sqlite.ioError;
}

/** Turns what system calls and the database complain of into errors that say what to do. Others pass as they are. */
export function explain(error: unknown, doing: string): unknown {
  if (error instanceof D2nError) return error;
  const database = sqliteCode(error);
  if (database !== undefined) return explainDatabase(error as Error, database, doing);
  if (!isSystemError(error)) return error;
  const { code } = error;
  const place = typeof error.path === "string" ? ` (${error.path})` : "";
  if (code === "ENOSPC" || code === "EDQUOT") return diskFull(error, `${doing}: no space left on the disk${place}`);
  if (code === "EACCES" || code === "EPERM" || code === "EROFS")
    return unwritable(error, `${doing}: permission denied${place}`);
  if (code === "ENOTDIR" || code === "ENOENT")
    return new StoreError("store-unwritable", `${doing}: ${error.message.replace(/^[A-Z]+: /, "")}`, {
      hint: "See whether the path is right and whether something else removed it meanwhile.",
      cause: error,
    });
  if (code === "EMFILE" || code === "ENFILE")
    return new StoreError("store-unwritable", `${doing}: too many open files`, {
      hint: "Raise the limit with `ulimit -n` and try again.",
      cause: error,
    });
  return error;
}

function explainDatabase(error: Error, code: number, doing: string): StoreError {
  if (code === sqlite.full) return diskFull(error, `${doing}: no space left on the disk`);
  if (code === sqlite.readOnly || code === sqlite.cannotOpen)
    return unwritable(error, `${doing}: the store's database cannot be written`);
  if (code === sqlite.busy || code === sqlite.locked)
    return new StoreError("store-database", `${doing}: another process keeps the store's database busy`, {
      hint: "Wait for it to end, or see which process it is with `fuser`, and try again.",
      cause: error,
    });
  if (code === sqlite.ioError)
    return new StoreError("store-database", `${doing}: the database cannot be read or written (${error.message})`, {
      hint: "The disk is full or failing: free some space and try again.",
      cause: error,
    });
  return new StoreError("store-database", `${doing}: ${error.message}`, {
    hint: "Run `d2n store verify`; if the database itself is damaged, restore it from a copy or begin with a new store.",
    cause: error,
  });
}

function diskFull(error: Error, message: string): StoreError {
  return new StoreError("disk-full", message, {
    hint: "Free some space, for instance with `d2n store gc`, and try again; nothing half-made stays in the store.",
    cause: error,
  });
}

function unwritable(error: Error, message: string): StoreError {
  return new StoreError("store-unwritable", message, {
    hint: "Run as the user who owns the store, or use a store of your own with `--store DIR` or D2N_STORE.",
    cause: error,
  });
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
