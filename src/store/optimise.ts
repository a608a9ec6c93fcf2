/**
 * Sharing equal files of a store by hard links through `.links`, named by the hash of a file's NAR, as Nix does
 * (`optimise-store.cc`): what one of the two has linked, the other uses.
 */
import { chmodSync, linkSync, lstatSync, readdirSync, renameSync, type Stats, unlinkSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { isSystemError } from "../base/index.ts";
import { formatHash, hashNarSync } from "../formats/index.ts";
import { Breather } from "./files.ts";

export interface OptimiseResult {
  readonly filesLinked: number;
  readonly bytesFreed: number;
}

/** @param places where the valid paths lie on disk */
export async function optimiseStore(physicalStoreDir: string, places: Iterable<string>): Promise<OptimiseResult> {
  const folder = join(physicalStoreDir, ".links");
  const known = new Set<number>();
  for (const name of readdirSync(folder)) known.add(lstatSync(join(folder, name)).ino);
  let filesLinked = 0;
  let bytesFreed = 0;
  const breather = new Breather();
  const file = (path: string, status: Stats): void => {
    // Empty files cost nothing; writable ones are not the store's yet.
    if (status.size === 0 || (status.mode & 0o222) !== 0 || known.has(status.ino)) return;
    const link = join(folder, formatHash(hashNarSync(path).hash, "nix32"));
    try {
      linkSync(path, link);
      known.add(status.ino);
      return;
    } catch (error) {
      // Some file systems limit how many names a file has.
      if (isSystemError(error, "EMLINK")) return;
      if (!isSystemError(error, "EEXIST")) throw error;
    }
    const shared = lstatSync(link);
    if (shared.ino === status.ino || shared.size !== status.size) return;
    const parent = dirname(path);
    const before = lstatSync(parent);
    const temporary = join(physicalStoreDir, `.tmp-link-${process.pid}-${filesLinked}`);
    if (parent !== physicalStoreDir) chmodSync(parent, before.mode | 0o200);
    try {
      linkSync(link, temporary);
      renameSync(temporary, path);
      filesLinked++;
      bytesFreed += status.blocks * 512;
    } catch (error) {
      if (!isSystemError(error, "EMLINK")) throw error;
    } finally {
      if (lstatSync(temporary, { throwIfNoEntry: false }) !== undefined) unlinkSync(temporary);
      if (parent !== physicalStoreDir) {
        chmodSync(parent, before.mode);
        utimesSync(parent, 1, 1);
      }
    }
  };
  const visit = async (path: string): Promise<void> => {
    const status = lstatSync(path);
    if (status.isDirectory()) for (const name of readdirSync(path)) await visit(join(path, name));
    else if (status.isFile()) file(path, status);
    await breather.pause();
  };
  for (const place of places) await visit(place);
  return { filesLinked, bytesFreed };
}
