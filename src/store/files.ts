/**
 * What a store does to files: canonical metadata, removal of read-only trees, sizes. A path is Node's (UTF-8), or a buffer of
 * raw bytes; below it, names of any bytes are dealt with.
 */
import {
  chmodSync,
  lstatSync,
  lutimesSync,
  readdirSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync,
  utimesSync,
} from "node:fs";
import { isSystemError } from "../base/index.ts";
import { bytePath, fsPath } from "../formats/index.ts";
import { StoreError } from "./errors.ts";

function statusOf(path: string): Stats | undefined {
  return lstatSync(fsPath(path), { throwIfNoEntry: false });
}

export function exists(path: string | Buffer): boolean {
  return statusOf(bytePath(path)) !== undefined;
}

/**
 * Gives a tree the metadata of a store: times one second past 1970, modes 0444 and 0555, no set-id bits. Owners stay.
 * @throws StoreError for anything but files, directories and symlinks
 */
export function canonicalise(path: string | Buffer): void {
  canonicaliseBytes(bytePath(path));
}

function canonicaliseBytes(path: string): void {
  const status = statusOf(path);
  if (status === undefined) throw new StoreError("store-corrupt", `'${path}' vanished while it was added to the store`);
  const place = fsPath(path);
  if (status.isSymbolicLink()) {
    lutimesSync(place, 1, 1);
    return;
  }
  if (!status.isFile() && !status.isDirectory())
    throw new StoreError("store-corrupt", `file '${path}' has an unsupported type`, {
      hint: "Only files, directories and symlinks can be in a store: the build must remove its sockets, pipes and devices.",
    });
  if (status.isDirectory()) {
    // Readable while its entries are looked through.
    if ((status.mode & 0o700) !== 0o700) chmodSync(place, 0o755);
    for (const name of readdirSync(place, { encoding: "latin1" })) canonicaliseBytes(`${path}/${name}`);
  }
  const mode = status.isDirectory() || (status.mode & 0o100) !== 0 ? 0o555 : 0o444;
  if ((status.mode & 0o7777) !== mode || status.isDirectory()) chmodSync(place, mode);
  if (status.mtimeMs !== 1000 || status.isDirectory()) utimesSync(place, 1, 1);
}

/** Removes whatever is there, read-only directories included; gives the bytes that became free. */
export function removeTree(path: string | Buffer): number {
  return removeBytes(bytePath(path));
}

function removeBytes(path: string): number {
  const status = statusOf(path);
  if (status === undefined) return 0;
  const place = fsPath(path);
  let freed = 0;
  try {
    if (!status.isDirectory()) {
      unlinkSync(place);
      return status.nlink === 1 ? status.blocks * 512 : 0;
    }
    if ((status.mode & 0o700) !== 0o700) chmodSync(place, 0o700);
    for (const name of readdirSync(place, { encoding: "latin1" })) freed += removeBytes(`${path}/${name}`);
    rmdirSync(place);
  } catch (error) {
    // Somebody else removed it meanwhile.
    if (isSystemError(error, "ENOENT")) return freed;
    throw error;
  }
  return freed + status.blocks * 512;
}

/** Bytes that removing a tree would free. */
export function sizeOnDisk(path: string | Buffer): number {
  return sizeOfBytes(bytePath(path));
}

function sizeOfBytes(path: string): number {
  const status = statusOf(path);
  if (status === undefined) return 0;
  if (!status.isDirectory()) return status.nlink === 1 ? status.blocks * 512 : 0;
  let size = status.blocks * 512;
  for (const name of readdirSync(fsPath(path), { encoding: "latin1" })) size += sizeOfBytes(`${path}/${name}`);
  return size;
}

/** Renames a tree, even a read-only directory into another folder, which needs write permission on the directory itself. */
export function moveTree(from: string, to: string): void {
  const status = lstatSync(from);
  const locked = status.isDirectory() && (status.mode & 0o200) === 0;
  if (locked) chmodSync(from, status.mode | 0o200);
  renameSync(from, to);
  if (locked) {
    chmodSync(to, status.mode & 0o7777);
    utimesSync(to, 1, 1);
  }
}

/** Lets others have their turn when work has gone on for a while. */
export class Breather {
  #last = performance.now();

  /** A promise if it is time for a pause. */
  pause(): Promise<void> | undefined {
    if (performance.now() - this.#last < 15) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        this.#last = performance.now();
        resolve();
      }),
    );
  }
}
