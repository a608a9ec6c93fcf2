import { existsSync, mkdirSync, openSync, closeSync, fsyncSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { D2nError, isSystemError } from "./errors.ts";

export interface WriteOptions {
  readonly mode?: number;
  /** False for what is only kept to save time: after a power failure it may be empty, and writing does not wait for the disk. */
  readonly lasting?: boolean;
}

/**
 * Writes a file at once or not at all: temporary name in the same folder, fsync, rename. Creates the folder.
 * @throws system errors; nothing is left behind then.
 */
export function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  { mode = 0o644, lasting = true }: WriteOptions = {},
): void {
  makeFolders(dirname(path));
  const temporary = `${path}.${process.pid}-${Math.random().toString(36).slice(2)}.tmp`;
  const fd = openSync(temporary, "wx", mode);
  try {
    try {
      const bytes = typeof content === "string" ? Buffer.from(content) : content;
      for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
      if (lasting) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Makes a folder with its parents. Node's own recursive form never returns on file systems that refuse new folders, as /proc. */
export function makeFolders(path: string, mode = 0o755): void {
  const make = (): boolean => {
    try {
      mkdirSync(path, mode);
      return true;
    } catch (error) {
      if (isSystemError(error, "EEXIST")) return true;
      if (!isSystemError(error, "ENOENT") || dirname(path) === path) throw error;
      return false;
    }
  };
  if (make()) return;
  // Another process may have made the parent since.
  if (!existsSync(dirname(path))) makeFolders(dirname(path), mode);
  if (!make()) mkdirSync(path, mode);
}

/**
 * What a system call said about a file, as an error that says what to do: no space, no permission. Undefined for whatever else was
 * thrown, errors of the network among it.
 * @param path the file, if the error does not name it
 */
export function explainFileError(error: unknown, path?: string): D2nError | undefined {
  if (!isSystemError(error)) return undefined;
  const place = path ?? error.path;
  if (place === undefined) return undefined;
  switch (error.code) {
    case "ENOSPC":
      return new D2nError("disk-full", `no space left on the disk that holds '${place}'`, {
        hint: "Free some space (`d2n store gc` deletes what nothing uses) and run the command again; what is done already is kept.",
        cause: error,
      });
    case "EDQUOT":
      return new D2nError("disk-full", `the disk quota is used up on the disk that holds '${place}'`, {
        hint: "Free some space or ask for a larger quota, then run the command again.",
        cause: error,
      });
    case "EROFS":
      return new D2nError("disk-full", `'${place}' lies on a read-only file system`, { hint: WHERE, cause: error });
    case "EACCES":
    case "EPERM":
      // A firewall may say so of a connection.
      if (error.path === undefined) return undefined;
      return new D2nError("file-access", `permission denied: '${place}'`, { hint: WHERE, cause: error });
    case "ENOTDIR":
      return new D2nError("file-access", `a part of the path is not a folder: '${place}'`, {
        hint: WHERE,
        cause: error,
      });
    default:
      return undefined;
  }
}

const WHERE =
  "If it is one of d2n's own folders: they lie below HOME, or where XDG_CACHE_HOME, XDG_DATA_HOME and XDG_CONFIG_HOME say. They must be writable.";
