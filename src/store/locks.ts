/**
 * Locks among processes, with the files that Nix uses. Where the optional native module is there they are open file
 * description locks, which vanish with their process. Without it a file names the owner, and a dead owner's lock is broken.
 *
 * Nix itself uses flock(2), which Node.js cannot do: d2n and Nix do not wait for each other's path locks. The database
 * keeps both from corrupting it; a path is registered once, by whoever comes first.
 */
import {
  closeSync,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { isSystemError } from "../base/index.ts";

interface NativeLocks {
  tryLock(fd: number, options: { readonly shared: boolean }): boolean;
  unlock(fd: number): void;
}

let native: NativeLocks | undefined;

/** Loads the native module if it is there. */
export async function loadLocks(): Promise<void> {
  if (native !== undefined) return;
  try {
    const module = await import("fs-native-extensions");
    native = module.default;
  } catch {
    // Optional: not every platform has it.
  }
}

/** Locks that this process holds, by path: waiting for them with the thread would wait for ever. */
const heldHere = new Map<string, number>();

/** A lock on a file, held until it is released. */
export class FileLock {
  readonly path: string;
  readonly #fd: number;
  #owner: string | undefined;
  #released = false;

  private constructor(path: string, fd: number, owner: string | undefined) {
    this.path = path;
    this.#fd = fd;
    this.#owner = owner;
    heldHere.set(path, (heldHere.get(path) ?? 0) + 1);
  }

  /**
   * Takes a lock if nobody holds it, else gives undefined. Creates the file. `content` says that the file has contents of
   * its own; otherwise any mean that it is deleted.
   */
  static try(
    path: string,
    options: { readonly shared?: boolean; readonly content?: boolean } = {},
  ): FileLock | undefined {
    for (;;) {
      const fd = openSync(path, "a+", 0o600);
      let owner: string | undefined;
      try {
        if (native === undefined) {
          owner = takeOwnership(path);
          if (owner === undefined) {
            closeSync(fd);
            return undefined;
          }
        } else if (!native.tryLock(fd, { shared: options.shared === true })) {
          closeSync(fd);
          return undefined;
        }
        // Whoever deletes a lock file writes a token to it first, so that those who opened it before begin anew.
        if (options.content === true || fstatSync(fd).size === 0) return new FileLock(path, fd, owner);
      } catch (error) {
        closeSync(fd);
        throw error;
      }
      if (owner !== undefined) rmSync(owner, { force: true });
      closeSync(fd);
      // A file with a token that is still there was left by a process that died between writing and deleting.
      removeStale(path);
    }
  }

  /** The descriptor of the locked file. */
  get fd(): number {
    return this.#fd;
  }

  release(options: { readonly delete?: boolean } = {}): void {
    if (this.#released) return;
    this.#released = true;
    const others = heldHere.get(this.path)! - 1;
    if (others === 0) heldHere.delete(this.path);
    else heldHere.set(this.path, others);
    try {
      if (options.delete === true) {
        try {
          unlinkSync(this.path);
          writeSync(this.#fd, "d");
        } catch {
          // Only tidiness is lost.
        }
      }
    } finally {
      if (this.#owner !== undefined) rmSync(this.#owner, { force: true });
      closeSync(this.#fd);
    }
  }
}

function removeStale(path: string): void {
  try {
    if (readFileSync(path).length > 0) unlinkSync(path);
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
  }
}

/** Without native locks: a file beside the lock names who holds it. */
function takeOwnership(path: string): string | undefined {
  const owner = `${path}.owner`;
  const mine = `${owner}.${process.pid}`;
  writeFileSync(mine, `${process.pid} ${startTime(process.pid) ?? ""}`);
  try {
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        linkSync(mine, owner);
        return owner;
      } catch (error) {
        if (!isSystemError(error, "EEXIST")) throw error;
        if (attempt === 0 && isAlive(owner)) return undefined;
        rmSync(owner, { force: true });
      }
    }
    return undefined;
  } finally {
    rmSync(mine, { force: true });
  }
}

function isAlive(owner: string): boolean {
  try {
    const [pid, started] = readFileSync(owner, "utf8").split(" ");
    const now = startTime(Number(pid));
    return now !== undefined && now === started;
  } catch {
    return false;
  }
}

/** When a process began, which tells it from a later one of the same number; undefined if there is none. */
function startTime(pid: number): string | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may contain anything.
    return status.slice(status.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

export interface WaitOptions {
  readonly shared?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told once if there is something to wait for. */
  readonly onWait?: (() => void) | undefined;
}

/** Waits for a lock. */
export async function acquireLock(path: string, options: WaitOptions = {}): Promise<FileLock> {
  let told = false;
  for (let pause = 5; ; pause = Math.min(pause * 1.5, 200)) {
    options.signal?.throwIfAborted();
    const lock = FileLock.try(path, { shared: options.shared === true });
    if (lock !== undefined) return lock;
    if (!told) options.onWait?.();
    told = true;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Waits for a lock with the thread. Undefined if another task of this process holds it, which could then never let go. */
export function acquireLockSync(path: string, options: { readonly shared?: boolean } = {}): FileLock | undefined {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let pause = 2; ; pause = Math.min(pause * 1.5, 100)) {
    const lock = FileLock.try(path, options);
    if (lock !== undefined) return lock;
    if (heldHere.has(path)) return undefined;
    Atomics.wait(cell, 0, 0, pause);
  }
}
