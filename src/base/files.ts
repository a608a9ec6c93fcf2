import { existsSync, mkdirSync, openSync, closeSync, fsyncSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { isSystemError } from "./errors.ts";

/**
 * Writes a file at once or not at all: temporary name in the same folder, fsync, rename. Creates the folder.
 * @throws system errors; nothing is left behind then.
 */
export function writeFileAtomically(path: string, content: string | Uint8Array, mode = 0o644): void {
  makeFolders(dirname(path));
  const temporary = `${path}.${process.pid}-${Math.random().toString(36).slice(2)}.tmp`;
  const fd = openSync(temporary, "wx", mode);
  try {
    try {
      const bytes = typeof content === "string" ? Buffer.from(content) : content;
      for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
      fsyncSync(fd);
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
  try {
    mkdirSync(path, mode);
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return;
    if (!isSystemError(error, "ENOENT") || dirname(path) === path || existsSync(dirname(path))) throw error;
    makeFolders(dirname(path), mode);
    makeFolders(path, mode);
  }
}
