/** The bytes of a tree that is to be added, which can be read more than once. */
import { lstatSync } from "node:fs";
import {
  bytePath,
  fileContents,
  FormatError,
  fsPath,
  type Hash,
  type HashAlgorithm,
  Hasher,
  type IngestionMethod,
  narOfContents,
  narOfTree,
  NarWalker,
  type PathFilter,
} from "../formats/index.ts";
import { Breather } from "./files.ts";
import type { TreeSource } from "./types.ts";

/** Trees up to this size are kept in memory between hashing and writing, in bytes. */
const memoryLimit = 32 << 20;

/** What a pass over a tree has found out. */
export interface HashedContent {
  readonly narHash: Hash;
  readonly narSize: number;
  /** The hash that the content address is made of. */
  readonly contentHash: Hash;
  /** The whole serialisation, if it was small. */
  readonly nar: readonly Uint8Array[] | undefined;
}

/** The NAR serialisation of a source; every piece is valid until the next. */
export function* narPieces(
  source: TreeSource,
  method: IngestionMethod,
  filter?: PathFilter,
): Generator<Uint8Array, void, void> {
  if ("tree" in source) {
    const { tree } = source;
    if (method === "nar") yield* narOfTree(tree);
    else if (tree.type === "regular") yield* narOfContents(tree.contents.length, [tree.contents]);
    else throw notFlat(`a ${tree.type}`);
    return;
  }
  const path = bytePath(source.path);
  if (method === "nar") {
    using walker = new NarWalker(path, { filter });
    for (let bytes = walker.next(); bytes !== undefined; bytes = walker.next()) yield bytes;
    return;
  }
  const status = lstatSync(fsPath(path));
  if (!status.isFile()) throw notFlat(`'${path}'`);
  yield* narOfContents(status.size, fileContents(source.path));
}

function notFlat(what: string): FormatError {
  return new FormatError("nar-malformed", `${what} is not a regular file, so it cannot be added flat`, {
    hint: "Add it recursively.",
  });
}

/** One pass over a source: all hashes, and the bytes if they are few. */
export async function hashContent(
  source: TreeSource,
  method: IngestionMethod,
  algorithm: HashAlgorithm,
  filter?: PathFilter,
): Promise<HashedContent> {
  const breather = new Breather();
  const pass = new Pass(source, method, algorithm);
  for (const bytes of narPieces(source, method, filter)) {
    pass.take(bytes);
    await breather.pause();
  }
  return pass.finish();
}

/** As `hashContent`, for what is in memory. */
export function hashContentSync(source: TreeSource, method: IngestionMethod, algorithm: HashAlgorithm): HashedContent {
  const pass = new Pass(source, method, algorithm);
  for (const bytes of narPieces(source, method)) pass.take(bytes);
  return pass.finish();
}

class Pass {
  #nar = new Hasher("sha256");
  #content: Hasher | undefined;
  #flat: Hash | undefined;
  #kept: Uint8Array[] | undefined = [];

  constructor(source: TreeSource, method: IngestionMethod, algorithm: HashAlgorithm) {
    if (method === "nar") {
      if (algorithm !== "sha256") this.#content = new Hasher(algorithm);
      return;
    }
    const hasher = new Hasher(algorithm);
    if ("path" in source) for (const bytes of fileContents(source.path)) hasher.update(bytes);
    else if (source.tree.type === "regular") hasher.update(source.tree.contents);
    this.#flat = hasher.finish();
  }

  take(bytes: Uint8Array): void {
    this.#nar.update(bytes);
    this.#content?.update(bytes);
    if (this.#nar.size > memoryLimit) this.#kept = undefined;
    this.#kept?.push(Uint8Array.prototype.slice.call(bytes));
  }

  finish(): HashedContent {
    const narSize = this.#nar.size;
    const narHash = this.#nar.finish();
    return { narHash, narSize, contentHash: this.#flat ?? this.#content?.finish() ?? narHash, nar: this.#kept };
  }
}
