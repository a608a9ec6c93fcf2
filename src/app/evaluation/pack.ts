/**
 * A file that holds many pieces of data by key: magic, count, checksum of the index, size of the file; the index (key, offset,
 * length, checksum of each piece, 28 bytes); the pieces. Read by piece, since a run needs few of them.
 */
import { closeSync, fstatSync, openSync, readSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { makeFolders } from "../../base/index.ts";

const MAGIC = 0x64_32_6e_70;
const HEAD = 16;
const ENTRY = 28;
/** Bytes of a key: a byte string of this length. */
const KEY = 16;
/** Bytes to begin with: the index of most packs. */
const FIRST_READ = 64 << 10;

export interface Pack {
  readonly path: string;
  readonly size: number;
  /** When it was written or last marked as used, in milliseconds since 1970. */
  readonly time: number;
  keys(): Iterable<string>;
  /** A piece; undefined if there is none or it is damaged. */
  get(key: string): Uint8Array | undefined;
  close(): void;
}

/** Opens a pack that the same user has written; undefined if it is not there, damaged, or might be somebody else's. */
export function openPack(path: string): Pack | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    const { size, mtimeMs, uid, mode } = fstatSync(fd);
    if (uid === process.geteuid?.() && (mode & 0o022) === 0) {
      const index = readIndex(fd, size);
      if (index !== undefined) return new OpenPack(path, fd, size, mtimeMs, index);
    }
  } catch {
    // What cannot be read is not there.
  }
  closeSync(fd);
  return undefined;
}

function readIndex(fd: number, size: number): Buffer | undefined {
  const first = Buffer.allocUnsafeSlow(Math.min(size, FIRST_READ));
  if (readSync(fd, first, 0, first.length, 0) < HEAD || first.readUInt32LE(0) !== MAGIC) return undefined;
  const length = first.readUInt32LE(4) * ENTRY;
  if (first.readUInt32LE(12) !== size || HEAD + length > size) return undefined;
  let index = first.subarray(HEAD, HEAD + length);
  if (index.length < length) {
    index = Buffer.allocUnsafeSlow(length);
    if (readSync(fd, index, 0, length, HEAD) !== length) return undefined;
  }
  return crc32(index) === first.readUInt32LE(8) ? index : undefined;
}

class OpenPack implements Pack {
  readonly path: string;
  readonly size: number;
  readonly time: number;
  readonly #fd: number;
  readonly #index: Buffer;
  /** Key to its place in the index. */
  readonly #places = new Map<string, number>();

  constructor(path: string, fd: number, size: number, time: number, index: Buffer) {
    this.path = path;
    this.size = size;
    this.time = time;
    this.#fd = fd;
    this.#index = index;
    for (let at = 0; at < index.length; at += ENTRY) this.#places.set(index.toString("latin1", at, at + KEY), at);
  }

  keys(): Iterable<string> {
    return this.#places.keys();
  }

  get(key: string): Uint8Array | undefined {
    const at = this.#places.get(key);
    if (at === undefined) return undefined;
    const offset = this.#index.readUInt32LE(at + KEY);
    const length = this.#index.readUInt32LE(at + KEY + 4);
    if (offset + length > this.size) return undefined;
    try {
      const piece = Buffer.allocUnsafeSlow(length);
      if (readSync(this.#fd, piece, 0, length, offset) !== length) return undefined;
      return crc32(piece) === this.#index.readUInt32LE(at + KEY + 8) ? piece : undefined;
    } catch {
      return undefined;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Writes a pack at once or not at all. @throws system errors */
export function writePack(path: string, pieces: ReadonlyMap<string, Uint8Array>): void {
  const index = Buffer.alloc(pieces.size * ENTRY);
  let offset = HEAD + index.length;
  let at = 0;
  for (const [key, piece] of pieces) {
    index.write(key, at, KEY, "latin1");
    index.writeUInt32LE(offset, at + KEY);
    index.writeUInt32LE(piece.length, at + KEY + 4);
    index.writeUInt32LE(crc32(piece), at + KEY + 8);
    offset += piece.length;
    at += ENTRY;
  }
  const head = Buffer.alloc(HEAD);
  head.writeUInt32LE(MAGIC, 0);
  head.writeUInt32LE(pieces.size, 4);
  head.writeUInt32LE(crc32(index), 8);
  head.writeUInt32LE(offset, 12);
  makeFolders(dirname(path));
  const temporary = `${path}.${Math.random().toString(36).slice(2)}.tmp`;
  // Not forced to the disk: what a power cut leaves of it is found damaged.
  const fd = openSync(temporary, "wx", 0o644);
  try {
    try {
      for (const part of [head, index, ...pieces.values()])
        for (let done = 0; done < part.length;) done += writeSync(fd, part, done);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  }
}
