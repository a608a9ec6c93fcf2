/**
 * Files kept by their hash: whatever any step fetched, and what fixed outputs are looked up in. Nothing in it is trusted: a
 * file is hashed again whenever it is used.
 *
 * Layout: `<dir>/<algorithm>/<first two hex digits>/<hex digest>`. A file added under several hashes is one file with several
 * links. The time of last use is the file's modification time.
 */
import { randomBytes } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { chmod, copyFile, link, mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { explainFileError, isSystemError } from "../base/index.ts";
import { equalHashes, formatHash, type Hash, type HashAlgorithm, Hasher, isHashAlgorithm } from "../formats/index.ts";

export interface CacheUsage {
  readonly files: number;
  readonly bytes: number;
}

export class ContentCache {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  #path(hash: Hash): string {
    const hex = formatHash(hash, "base16");
    return join(this.directory, hash.algorithm, hex.slice(0, 2), hex);
  }

  /**
   * A file with that content, verified now; undefined if there is none. What turns out damaged is deleted. The path must
   * not be written to, and may vanish when the cache is pruned: prefer `copyTo`.
   */
  async lookup(hash: Hash, signal?: AbortSignal): Promise<string | undefined> {
    const path = this.#path(hash);
    try {
      const got = await hashFile(path, [hash.algorithm], signal);
      if (equalHashes(got.hashes.get(hash.algorithm)!, hash)) {
        const now = new Date();
        await utimes(path, now, now).catch(() => {});
        return path;
      }
    } catch (error) {
      if (!isSystemError(error)) throw error;
      if (error.code !== "EIO" && error.code !== "EISDIR") return undefined;
    }
    await rm(path, { force: true, recursive: true }).catch(() => {});
    return undefined;
  }

  /**
   * Copies the file with that hash to a path that does not exist yet; false if there is none. The copy shares the disk
   * blocks where the file system can do that.
   */
  async copyTo(hash: Hash, destination: string, signal?: AbortSignal): Promise<boolean> {
    const path = await this.lookup(hash, signal);
    if (path === undefined) return false;
    try {
      await copyFile(path, destination, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    } catch (error) {
      await rm(destination, { force: true });
      if (isSystemError(error, "ENOENT")) return false;
      throw explainFileError(error, destination) ?? error;
    }
    return true;
  }

  /**
   * Keeps a file of that hash that nobody writes to any more, without copying it where it can be linked. The hash need not be
   * true: `lookup` checks. A cache that cannot be written to is no error.
   */
  async adopt(file: string, hash: Hash): Promise<void> {
    const kept = this.#path(hash);
    try {
      if (await exists(kept)) return;
      await this.#put(kept, async (temporary) => {
        try {
          await link(file, temporary);
        } catch (error) {
          // Another file system, or one without links.
          if (!isSystemError(error)) throw error;
          await copyFile(file, temporary, constants.COPYFILE_FICLONE);
        }
      });
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }

  /**
   * Keeps a copy of a file under its sha256 and every other algorithm that is named; hashes that are known already need not
   * be computed again. A cache that cannot be written to is no error: it is only a cache.
   */
  async add(
    file: string,
    algorithms: readonly HashAlgorithm[] = [],
    known: ReadonlyMap<HashAlgorithm, Hash> = new Map(),
  ): Promise<ReadonlyMap<HashAlgorithm, Hash>> {
    const wanted = [...new Set<HashAlgorithm>(["sha256", ...algorithms])];
    const hashes = wanted.every((algorithm) => known.has(algorithm)) ? known : (await hashFile(file, wanted)).hashes;
    const [first, ...others] = [...hashes.values()];
    const kept = this.#path(first!);
    try {
      if (!(await exists(kept)))
        await this.#put(kept, (temporary) => copyFile(file, temporary, constants.COPYFILE_FICLONE));
      for (const hash of others) {
        const path = this.#path(hash);
        if (!(await exists(path))) await this.#put(path, (temporary) => link(kept, temporary));
      }
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
    return hashes;
  }

  async #put(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    const temporary = `${path}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
    try {
      await write(temporary);
      await chmod(temporary, 0o644);
      await rename(temporary, path);
    } finally {
      // Also after success: renaming onto another link of the same file leaves both names.
      await rm(temporary, { force: true }).catch(() => {});
    }
  }

  /** What is in it. */
  async usage(): Promise<CacheUsage> {
    let files = 0;
    let bytes = 0;
    for (const { size } of (await this.#entries()).values()) {
      files++;
      bytes += size;
    }
    return { files, bytes };
  }

  /**
   * Deletes the files used longest ago until at most so many bytes remain, and what a killed process left half-written.
   * Returns what was deleted.
   */
  async prune(maxBytes: number): Promise<CacheUsage> {
    const entries = [...(await this.#entries()).values()].sort((a, b) => b.used - a.used);
    let kept = 0;
    let files = 0;
    let bytes = 0;
    for (const entry of entries) {
      if (kept + entry.size <= maxBytes) {
        kept += entry.size;
        continue;
      }
      for (const path of entry.paths) await rm(path, { force: true });
      files++;
      bytes += entry.size;
    }
    return { files, bytes };
  }

  /** Files by inode: several links are one file. Deletes temporary files older than a day on the way. */
  async #entries(): Promise<Map<number, { paths: string[]; size: number; used: number }>> {
    const entries = new Map<number, { paths: string[]; size: number; used: number }>();
    for (const algorithm of await names(this.directory)) {
      if (!isHashAlgorithm(algorithm)) continue;
      for (const prefix of await names(join(this.directory, algorithm)))
        for (const name of await names(join(this.directory, algorithm, prefix))) {
          const path = join(this.directory, algorithm, prefix, name);
          const status = await stat(path).catch(() => undefined);
          if (status === undefined) continue;
          if (name.endsWith(".tmp")) {
            if (Date.now() - status.mtimeMs > 86_400_000) await rm(path, { force: true });
            continue;
          }
          const entry = entries.get(status.ino);
          if (entry === undefined) entries.set(status.ino, { paths: [path], size: status.size, used: status.mtimeMs });
          else entry.paths.push(path);
        }
    }
    return entries;
  }
}

/** Hashes a file with several algorithms in one pass. */
export async function hashFile(
  path: string,
  algorithms: readonly HashAlgorithm[],
  signal?: AbortSignal,
): Promise<{ readonly size: number; readonly hashes: ReadonlyMap<HashAlgorithm, Hash> }> {
  const hashers = algorithms.map((algorithm) => new Hasher(algorithm));
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18, ...(signal && { signal }) })) {
    const bytes = chunk as Uint8Array;
    size += bytes.length;
    for (const hasher of hashers) hasher.update(bytes);
  }
  return { size, hashes: new Map(hashers.map((hasher) => [hasher.algorithm, hasher.finish()])) };
}

async function names(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
