/**
 * Temporary roots: the paths that a running process uses, in `temproots/<pid>`, each ended by a NUL byte (as Nix). The
 * process holds a lock on its file; a file that nobody locks, of a process that is gone, is stale.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { isSystemError } from "../base/index.ts";
import { acquireLockSync, FileLock } from "./locks.ts";

export class TemporaryRoots {
  readonly #folder: string;
  readonly #collectorLock: string;
  readonly #known = new Set<string>();
  #file: FileLock | undefined;

  /** `collectorLock` is held exclusively by a running garbage collector. */
  constructor(folder: string, collectorLock: string) {
    this.#folder = folder;
    this.#collectorLock = collectorLock;
  }

  /** Keeps paths from the next collection on; waits for one that is running. */
  add(paths: Iterable<string>): void {
    const fresh = [...new Set(paths)].filter((path) => !this.#known.has(path));
    if (fresh.length === 0) return;
    const lock = acquireLockSync(this.#collectorLock, { shared: true });
    try {
      this.#file ??= this.#create();
      const bytes = Buffer.from(fresh.map((path) => `${path}\0`).join(""), "latin1");
      for (let done = 0; done < bytes.length;) done += writeSync(this.#file.fd, bytes, done);
      for (const path of fresh) this.#known.add(path);
    } finally {
      lock?.release();
    }
  }

  #create(): FileLock {
    mkdirSync(this.#folder, { recursive: true });
    // A file of this number that nobody locks is left from an earlier process; several stores in one process each have theirs.
    for (let number = 0; ; number++) {
      const path = join(this.#folder, number === 0 ? String(process.pid) : `${process.pid}.${number}`);
      removeIfStale(path, true);
      if (existsSync(path)) continue;
      const lock = FileLock.try(path);
      if (lock === undefined) continue;
      lockForNix(lock.fd);
      return lock;
    }
  }

  close(): void {
    if (this.#file === undefined) return;
    rmSync(this.#file.path, { force: true });
    this.#file.release();
    this.#file = undefined;
    this.#known.clear();
  }
}

/**
 * Nix's collector knows the owner of such a file by flock(2), which Node.js cannot do; the `flock` program, where there is
 * one, locks the descriptor that it inherits, and that lasts as long as ours stays open.
 */
function lockForNix(fd: number): void {
  const program = ["/usr/bin/flock", "/bin/flock"].find((path) => existsSync(path));
  if (program !== undefined)
    spawnSync(program, ["--exclusive", "--nonblock", "3"], { stdio: ["ignore", "ignore", "ignore", fd], env: {} });
}

/** Removes the file of a process that is gone. `own` says that the process of this number is this one. */
function removeIfStale(path: string, own: boolean): void {
  if (!existsSync(path)) return;
  const pid = /(?:^|\/)([0-9]+)[^/]*$/.exec(path)?.[1];
  if (!own && pid !== undefined && existsSync(`/proc/${pid}`)) return;
  let locked: FileLock | undefined;
  try {
    locked = FileLock.try(path, { content: true });
  } catch (error) {
    // Another user's: not ours to remove.
    if (isSystemError(error, "EACCES") || isSystemError(error, "EPERM")) return;
    throw error;
  }
  if (locked === undefined) return;
  rmSync(path, { force: true });
  locked.release();
  rmSync(`${path}.owner`, { force: true });
}

/**
 * All temporary roots of running processes: path to what keeps it, `{temp:<pid>}`. `removeStale` removes what dead ones
 * left; only the holder of the collector's lock may.
 */
export function readTemporaryRoots(folder: string, removeStale: boolean): Map<string, string> {
  const roots = new Map<string, string>();
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return roots;
    throw error;
  }
  for (const name of names) {
    if (name.startsWith(".") || name.includes(".owner")) continue;
    const path = join(folder, name);
    if (removeStale) removeIfStale(path, false);
    let content: string;
    try {
      content = readFileSync(path, "latin1");
    } catch (error) {
      if (isSystemError(error, "ENOENT")) continue;
      throw error;
    }
    for (const root of content.split("\0").slice(0, -1)) roots.set(root, `{temp:${name}}`);
  }
  return roots;
}
