/**
 * Reads NAR from any source, piece by piece, and trusts nothing: names cannot leave their directory, must be sorted and
 * unique, sizes are bounded, padding is zero, nothing follows the end.
 */
import { FormatError } from "./errors.ts";
import type { NarTree } from "./nar-tree.ts";

/** Told what a NAR consists of, in its order. Names are byte strings. Whatever it throws ends the reading. */
export interface NarReceiver {
  /** A directory begins. The root has the name "". */
  directory(name: string): void;
  /** The innermost directory ends. */
  leave(): void;
  symlink(name: string, target: string): void;
  /** A file begins; its bytes follow in `data`, then `endFile`. */
  file(name: string, executable: boolean, size: number): void;
  /** Bytes are valid during the call only. */
  data(bytes: Uint8Array): void;
  endFile(): void;
}

export interface NarLimits {
  /** Largest sum of the sizes of all files, in bytes. */
  readonly maxSize?: number | undefined;
  /** Deepest nesting of directories; 1000 unless said otherwise. */
  readonly maxDepth?: number | undefined;
  /** Most files, directories and symlinks. */
  readonly maxEntries?: number | undefined;
}

/** Takes bytes in pieces of any size and tells a receiver. */
export class NarParser {
  #receiver: NarReceiver;
  #limits: NarLimits;
  #steps: Generator<void, void, void>;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  #offset = 0;
  #done = false;
  #size = 0;
  #entries = 0;

  constructor(receiver: NarReceiver, limits: NarLimits = {}) {
    this.#receiver = receiver;
    this.#limits = limits;
    this.#steps = this.#archive();
  }

  /** @throws FormatError `nar-malformed` */
  push(bytes: Uint8Array): void {
    const fresh = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // What is left is less than one token.
    this.#chunk = this.#at < this.#chunk.length ? Buffer.concat([this.#chunk.subarray(this.#at), fresh]) : fresh;
    this.#at = 0;
    if (!this.#done) this.#done = this.#steps.next().done === true;
    if (this.#done && this.#at < this.#chunk.length) this.#fail("bytes follow the end of the archive");
    // The chunk belongs to the caller: keep a copy of what is left.
    this.#chunk = this.#at < this.#chunk.length ? Buffer.from(this.#chunk.subarray(this.#at)) : Buffer.alloc(0);
    this.#at = 0;
  }

  /** There are no more bytes. @throws FormatError if the archive is not complete. */
  finish(): void {
    if (!this.#done) this.#fail("it ends in the middle");
  }

  /** Whether the archive is complete. */
  get done(): boolean {
    return this.#done;
  }

  #fail(message: string): never {
    throw new FormatError("nar-malformed", `bad NAR archive at byte ${this.#offset}: ${message}`);
  }

  *#archive(): Generator<void, void, void> {
    yield* this.#expect("nix-archive-1");
    const { maxDepth = 1000, maxEntries = Number.POSITIVE_INFINITY } = this.#limits;
    /** The last name of every open directory. */
    const open: string[] = [];
    let name = "";
    for (;;) {
      if (++this.#entries > maxEntries) this.#fail(`it has more than ${maxEntries} entries`);
      yield* this.#expect("(");
      yield* this.#expect("type");
      const type = yield* this.#string(16);
      if (type === "directory") {
        if (open.length >= maxDepth) this.#fail(`directories are nested deeper than ${maxDepth}`);
        this.#receiver.directory(name);
        open.push("");
      } else if (type === "regular") {
        yield* this.#file(name);
        if (open.length === 0) return;
        yield* this.#expect(")");
      } else if (type === "symlink") {
        yield* this.#expect("target");
        const target = yield* this.#string(4095);
        if (target === "" || target.includes("\0")) this.#fail("a symlink has an impossible target");
        yield* this.#expect(")");
        this.#receiver.symlink(name, target);
        if (open.length === 0) return;
        yield* this.#expect(")");
      } else {
        this.#fail(`unknown file type '${type}'`);
      }
      // Now inside of a directory: another entry, or the ends of one or several directories.
      for (;;) {
        const tag = yield* this.#string(16);
        if (tag === "entry") break;
        if (tag !== ")") this.#fail(`expected 'entry' or ')', not '${tag}'`);
        this.#receiver.leave();
        open.pop();
        if (open.length === 0) return;
        yield* this.#expect(")");
      }
      yield* this.#expect("(");
      yield* this.#expect("name");
      name = yield* this.#string(255);
      if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0"))
        this.#fail(`invalid file name '${name}'`);
      const before = open.at(-1)!;
      if (name <= before)
        this.#fail(
          name === before ? `NAR directory is not sorted: '${name}' occurs twice` : "NAR directory is not sorted",
        );
      open[open.length - 1] = name;
      yield* this.#expect("node");
    }
  }

  *#file(name: string): Generator<void, void, void> {
    let executable = false;
    let tag = yield* this.#string(16);
    if (tag === "executable") {
      executable = true;
      yield* this.#expect("");
      tag = yield* this.#string(16);
    }
    // Nix reads a file without contents as an empty one.
    if (tag === ")") {
      this.#receiver.file(name, executable, 0);
      this.#receiver.endFile();
      return;
    }
    if (tag !== "contents") this.#fail(`expected 'contents', not '${tag}'`);
    const size = yield* this.#integer();
    this.#size += size;
    const { maxSize = Number.MAX_SAFE_INTEGER } = this.#limits;
    if (this.#size > maxSize) this.#fail(`its files have more than ${maxSize} bytes`);
    this.#receiver.file(name, executable, size);
    for (let left = size; left > 0;) {
      if (this.#at === this.#chunk.length) {
        yield;
        continue;
      }
      const piece = this.#chunk.subarray(this.#at, Math.min(this.#chunk.length, this.#at + left));
      this.#at += piece.length;
      this.#offset += piece.length;
      left -= piece.length;
      this.#receiver.data(piece);
    }
    yield* this.#padding(size);
    yield* this.#expect(")");
    this.#receiver.endFile();
  }

  /** Waits until so many bytes are there. */
  *#need(count: number): Generator<void, void, void> {
    while (this.#chunk.length - this.#at < count) yield;
  }

  *#integer(): Generator<void, number, void> {
    yield* this.#need(8);
    const low = this.#chunk.readUInt32LE(this.#at);
    const high = this.#chunk.readUInt32LE(this.#at + 4);
    if (high > 0x1f_ffff) this.#fail("a size is beyond all bounds");
    this.#at += 8;
    this.#offset += 8;
    return high * 0x1_0000_0000 + low;
  }

  *#string(longest: number): Generator<void, string, void> {
    const size = yield* this.#integer();
    if (size > longest) this.#fail(`a string of ${size} bytes where at most ${longest} may be`);
    yield* this.#need(size);
    const text = this.#chunk.toString("latin1", this.#at, this.#at + size);
    this.#at += size;
    this.#offset += size;
    yield* this.#padding(size);
    return text;
  }

  *#padding(size: number): Generator<void, void, void> {
    const count = (8 - (size % 8)) % 8;
    yield* this.#need(count);
    for (let i = 0; i < count; i++) if (this.#chunk[this.#at + i] !== 0) this.#fail("padding is not zero");
    this.#at += count;
    this.#offset += count;
  }

  *#expect(wanted: string): Generator<void, void, void> {
    const text = yield* this.#string(wanted.length > 16 ? wanted.length : 16);
    if (text !== wanted) this.#fail(`expected '${wanted}', not '${text}'`);
  }
}

export type ByteSource = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Reads a whole archive. @throws FormatError */
export async function parseNar(source: ByteSource, receiver: NarReceiver, limits?: NarLimits): Promise<void> {
  const parser = new NarParser(receiver, limits);
  for await (const bytes of source) parser.push(bytes);
  parser.finish();
}

/** Builds a tree in memory; meant for small archives. */
export class TreeBuilder implements NarReceiver {
  tree: NarTree | undefined;
  #open: { readonly name: string; readonly entries: Map<string, NarTree> }[] = [];
  #file: { readonly name: string; readonly executable: boolean; readonly pieces: Buffer[] } | undefined;

  directory(name: string): void {
    this.#open.push({ name, entries: new Map() });
  }
  leave(): void {
    const { name, entries } = this.#open.pop()!;
    this.#put(name, { type: "directory", entries });
  }
  symlink(name: string, target: string): void {
    this.#put(name, { type: "symlink", target });
  }
  file(name: string, executable: boolean, _size: number): void {
    this.#file = { name, executable, pieces: [] };
  }
  data(bytes: Uint8Array): void {
    this.#file!.pieces.push(Buffer.from(bytes));
  }
  endFile(): void {
    const { name, executable, pieces } = this.#file!;
    this.#put(name, { type: "regular", executable, contents: Buffer.concat(pieces) });
  }

  #put(name: string, node: NarTree): void {
    const parent = this.#open.at(-1);
    if (parent === undefined) this.tree = node;
    else parent.entries.set(name, node);
  }
}

/** Reads a small archive into memory. @throws FormatError */
export function treeOfNar(bytes: Uint8Array, limits?: NarLimits): NarTree {
  const builder = new TreeBuilder();
  const parser = new NarParser(builder, limits);
  parser.push(bytes);
  parser.finish();
  return builder.tree!;
}
