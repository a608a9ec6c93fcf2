/**
 * Writes NAR, Nix's canonical serialisation of a file tree (Nix manual, "Nix Archive format"): names sorted by bytes, only
 * contents, executable bit, and link targets. One walker, pulled from outside, serves synchronous and asynchronous callers;
 * memory stays at one buffer whatever the size of the tree.
 */
import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from "node:fs";
import { isSystemError } from "../base/index.ts";
import { FormatError } from "./errors.ts";
import { type Hash, type HashAlgorithm, Hasher } from "./hash.ts";
import type { FileKind, NarTree, PathFilter } from "./nar-tree.ts";

const magic = "nix-archive-1";

/** Enough that system calls are few, small enough to stay in the processor's cache while it is hashed. */
const bufferSize = 1 << 18;

export interface NarOptions {
  readonly filter?: PathFilter | undefined;
}

/** A path for Node's functions: strings are UTF-8 there, so bytes beyond ASCII go as a buffer. */
export function fsPath(bytes: string): string | Buffer {
  return ascii.test(bytes) ? bytes : Buffer.from(bytes, "latin1");
}

const ascii = /^[\x00-\x7f]*$/;

/** A path as a byte string; strings are UTF-8. */
export function bytePath(path: string | Uint8Array): string {
  if (typeof path !== "string") return Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString("latin1");
  return ascii.test(path) ? path : Buffer.from(path, "utf8").toString("latin1");
}

/** What is the same in every archive, ready to be copied: many small files are mostly this. */
const said = {
  entry: Buffer.concat([...tokens("entry", "(", "name")]),
  node: Buffer.concat([...tokens("node")]),
  regular: Buffer.concat([...tokens("(", "type", "regular", "contents")]),
  executable: Buffer.concat([...tokens("(", "type", "regular", "executable", "", "contents")]),
  directory: Buffer.concat([...tokens("(", "type", "directory")]),
  symlink: Buffer.concat([...tokens("(", "type", "symlink", "target")]),
  close: Buffer.concat([...tokens(")")]),
  closeEntry: Buffer.concat([...tokens(")", ")")]),
};

interface Frame {
  readonly path: string;
  readonly names: readonly string[];
  readonly kinds?: readonly FileKind[] | undefined;
  next: number;
}

/**
 * Serialises piece by piece. `next()` gives bytes that are valid until the following call only.
 * `path` is a byte string (`bytePath`).
 */
export class NarWalker implements Disposable {
  #filter: PathFilter | undefined;
  #buffer: Buffer = Buffer.allocUnsafe(bufferSize);
  #used = 0;
  #stack: Frame[] = [];
  #root: string | undefined;
  #file: { readonly fd: number; readonly path: string; readonly size: number; left: number } | undefined;

  constructor(path: string, options: NarOptions = {}) {
    this.#root = path;
    this.#filter = options.filter;
  }

  /** The next bytes, or undefined at the end. @throws system errors; FormatError for devices, sockets and pipes. */
  next(): Uint8Array | undefined {
    this.#used = 0;
    if (this.#root !== undefined) {
      const root = this.#root;
      this.#root = undefined;
      this.#string(magic);
      this.#node(root);
    }
    for (;;) {
      if (this.#file !== undefined && !this.#read(this.#file)) break;
      if (this.#used > bufferSize - 8192) break;
      const frame = this.#stack.at(-1);
      if (frame === undefined) break;
      if (frame.next === frame.names.length) {
        this.#stack.pop();
        this.#close();
        continue;
      }
      const kind = frame.kinds?.[frame.next];
      const name = frame.names[frame.next++]!;
      const path = frame.path === "/" ? `/${name}` : `${frame.path}/${name}`;
      // What an entry holds comes before the entry after it: filters can say aloud what they are asked.
      if (kind !== undefined && this.#filter?.(path, kind) === false) continue;
      this.#put(said.entry);
      this.#string(name);
      this.#put(said.node);
      this.#node(path);
    }
    return this.#used === 0 ? undefined : this.#buffer.subarray(0, this.#used);
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file.fd);
    this.#file = undefined;
    this.#stack = [];
    this.#root = undefined;
  }

  #node(path: string): void {
    const place = fsPath(path);
    const status = lstatSync(place);
    if (status.isFile()) {
      const fd = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW);
      // From here on the file is closed by `#read` or by disposal.
      this.#file = { fd, path, size: status.size, left: status.size };
      this.#put((status.mode & 0o100) === 0 ? said.regular : said.executable);
      this.#integer(status.size);
    } else if (status.isDirectory()) {
      this.#put(said.directory);
      this.#stack.push({ path, ...this.#entries(place), next: 0 });
    } else if (status.isSymbolicLink()) {
      const target = readlinkSync(place, { encoding: "latin1" });
      this.#put(said.symlink);
      this.#string(target);
      this.#close();
    } else {
      throw new FormatError("nar-malformed", `file '${path}' has an unsupported type`, {
        hint: "Only files, directories and symlinks can be in a store; remove the socket, pipe or device.",
      });
    }
  }

  /** What is in a folder, in byte order; the kinds only for a filter. */
  #entries(place: string | Buffer): Pick<Frame, "names" | "kinds"> {
    if (this.#filter === undefined) return { names: readdirSync(place, { encoding: "latin1" }).sort() };
    const entries = readdirSync(place, { encoding: "latin1", withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    );
    return { names: entries.map((entry) => entry.name), kinds: entries.map(fileKind) };
  }

  /** Reads on; false when the buffer is full. */
  #read(file: { readonly fd: number; readonly path: string; readonly size: number; left: number }): boolean {
    while (file.left > 0) {
      const room = bufferSize - this.#used;
      if (room === 0) return false;
      const count = readSync(file.fd, this.#buffer, this.#used, Math.min(room, file.left), null);
      if (count === 0)
        throw new FormatError("nar-malformed", `file '${file.path}' shrank while it was read`, {
          hint: "Another program is changing it; wait for it and try again.",
        });
      this.#used += count;
      file.left -= count;
    }
    if (bufferSize - this.#used < 64) return false;
    this.#pad(file.size);
    this.#close();
    this.#file = undefined;
    closeSync(file.fd);
    return true;
  }

  /** The end of a node, and of the entry that it belongs to. */
  #close(): void {
    this.#put(this.#stack.length > 0 ? said.closeEntry : said.close);
  }

  #put(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Callers see to it that a node's tokens fit: names have at most 255 bytes, link targets at most 4095. */
  #string(text: string): void {
    this.#integer(text.length);
    this.#used += this.#buffer.write(text, this.#used, "latin1");
    this.#pad(text.length);
  }

  #integer(value: number): void {
    this.#used = this.#buffer.writeUInt32LE(value % 0x1_0000_0000, this.#used);
    this.#used = this.#buffer.writeUInt32LE(Math.floor(value / 0x1_0000_0000), this.#used);
  }

  #pad(size: number): void {
    const end = this.#used + ((8 - (size % 8)) % 8);
    if (end > this.#used) this.#buffer.fill(0, this.#used, end);
    this.#used = end;
  }
}

/** What a directory entry, or the status of a file, says it is. */
export function fileKind(entry: Pick<Dirent, "isFile" | "isDirectory" | "isSymbolicLink">): FileKind {
  return entry.isFile()
    ? "regular"
    : entry.isDirectory()
      ? "directory"
      : entry.isSymbolicLink()
        ? "symlink"
        : "unknown";
}

/** Serialises a tree on disk into `sink`, whose argument is valid during the call only. */
export function writeNarSync(path: string | Uint8Array, sink: (bytes: Uint8Array) => void, options?: NarOptions): void {
  using walker = new NarWalker(bytePath(path), options);
  for (let bytes = walker.next(); bytes !== undefined; bytes = walker.next()) sink(bytes);
}

/** Serialises a tree on disk; every piece is the receiver's own. */
export async function* readNar(
  path: string | Uint8Array,
  options?: NarOptions,
): AsyncGenerator<Uint8Array, void, void> {
  using walker = new NarWalker(bytePath(path), options);
  for (let bytes = walker.next(); bytes !== undefined; bytes = walker.next()) {
    yield Uint8Array.prototype.slice.call(bytes);
    // Others get their turn between two buffers: reading is synchronous.
    await new Promise(setImmediate);
  }
}

export interface NarHash {
  readonly hash: Hash;
  /** Bytes of the serialisation (of the file with "flat"). */
  readonly size: number;
}

/** The hash of a tree's serialisation. */
export function hashNarSync(
  path: string | Uint8Array,
  options?: NarOptions,
  algorithm: HashAlgorithm = "sha256",
): NarHash {
  const hasher = new Hasher(algorithm);
  writeNarSync(path, (bytes) => hasher.update(bytes), options);
  return { hash: hasher.finish(), size: hasher.size };
}

/** As `hashNarSync`, letting other work of the process go on meanwhile. */
export async function hashNar(
  path: string | Uint8Array,
  options?: NarOptions,
  algorithm: HashAlgorithm = "sha256",
): Promise<NarHash> {
  const hasher = new Hasher(algorithm);
  using walker = new NarWalker(bytePath(path), options);
  for (let bytes = walker.next(); bytes !== undefined; bytes = walker.next()) {
    hasher.update(bytes);
    await new Promise(setImmediate);
  }
  return { hash: hasher.finish(), size: hasher.size };
}

/**
 * The hash of a single file's contents.
 * @throws FormatError if it is not a regular file.
 */
export function hashFileSync(path: string | Uint8Array, algorithm: HashAlgorithm = "sha256"): NarHash {
  const place = fsPath(bytePath(path));
  const hasher = new Hasher(algorithm);
  let fd: number;
  try {
    fd = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isSystemError(error, "ELOOP")) throw notRegular(path);
    throw error;
  }
  try {
    if (!fstatSync(fd).isFile()) throw notRegular(path);
    const buffer = Buffer.allocUnsafe(bufferSize);
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer))
      hasher.update(buffer.subarray(0, count));
  } finally {
    closeSync(fd);
  }
  return { hash: hasher.finish(), size: hasher.size };
}

function notRegular(path: string | Uint8Array): FormatError {
  return new FormatError("nar-malformed", `'${bytePath(path)}' is not a regular file, so it has no flat hash`, {
    hint: "Use the recursive (NAR) hash for directories and symlinks.",
  });
}

/** Serialises a tree in memory. */
export function* narOfTree(tree: NarTree): Generator<Uint8Array, void, void> {
  yield* tokens(magic);
  // An explicit stack: the depth of a tree must not be bounded by JavaScript's own.
  type Step =
    { readonly node: NarTree } | { readonly name: string; readonly node: NarTree } | { readonly close: number };
  const steps: Step[] = [{ node: tree }];
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    if ("close" in step) {
      yield* tokens(...Array.from({ length: step.close }, () => ")"));
      continue;
    }
    if ("name" in step) {
      yield* tokens("entry", "(", "name", step.name, "node");
      steps.push({ close: 1 });
    }
    const { node } = step;
    if (node.type === "regular") {
      yield* tokens("(", "type", "regular", ...(node.executable ? ["executable", ""] : []), "contents");
      yield integer(node.contents.length);
      yield node.contents;
      const padding = (8 - (node.contents.length % 8)) % 8;
      if (padding > 0) yield new Uint8Array(padding);
      yield* tokens(")");
    } else if (node.type === "symlink") {
      yield* tokens("(", "type", "symlink", "target", node.target, ")");
    } else {
      yield* tokens("(", "type", "directory");
      steps.push({ close: 1 });
      const names = [...node.entries.keys()].sort().reverse();
      for (const name of names) steps.push({ name, node: node.entries.get(name)! });
    }
  }
}

/**
 * Serialises one non-executable file whose contents arrive in pieces: what a store keeps of a flat file.
 * @throws FormatError if there are not as many bytes as said
 */
export function* narOfContents(size: number, contents: Iterable<Uint8Array>): Generator<Uint8Array, void, void> {
  yield* tokens(magic, "(", "type", "regular", "contents");
  yield integer(size);
  let seen = 0;
  for (const bytes of contents) {
    seen += bytes.length;
    yield bytes;
  }
  if (seen !== size)
    throw new FormatError(
      "nar-malformed",
      `a file had ${seen} bytes in place of ${size}: it changed while it was read`,
    );
  const padding = (8 - (size % 8)) % 8;
  if (padding > 0) yield new Uint8Array(padding);
  yield* tokens(")");
}

/** The contents of a file, each piece valid until the next. */
export function* fileContents(path: string | Uint8Array): Generator<Uint8Array, void, void> {
  const fd = openSync(fsPath(bytePath(path)), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const buffer = Buffer.allocUnsafe(bufferSize);
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) yield buffer.subarray(0, count);
  } finally {
    closeSync(fd);
  }
}

function integer(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function* tokens(...texts: string[]): Generator<Uint8Array, void, void> {
  for (const text of texts) {
    const bytes = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8);
    bytes.writeUInt32LE(text.length);
    bytes.write(text, 8, "latin1");
    yield bytes;
  }
}

/** The hash of a tree in memory. */
export function hashTree(tree: NarTree, algorithm: HashAlgorithm = "sha256"): NarHash {
  const hasher = new Hasher(algorithm);
  for (const bytes of narOfTree(tree)) hasher.update(bytes);
  return { hash: hasher.finish(), size: hasher.size };
}
