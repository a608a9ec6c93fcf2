/**
 * Syntax trees of Nix files, kept by content between runs: an evaluation of nixpkgs reads thousands of files, and would parse
 * them anew each time.
 *
 * What one run adds is one file, a pack; small packs are joined when there are many. Packs are never changed, so any number of
 * processes may read and write at once: the worst that can happen is that something is kept twice. It is only a cache: what is
 * damaged, of another version or not one's own is done without, and where nothing can be written, nothing is.
 */
import { hash } from "node:crypto";
import { readdirSync, statSync, unlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type KeptTrees, type TreeCache, TREE_FORMAT } from "../../lang/index.ts";
import { version } from "../version.ts";
import { openPack, type Pack, writePack } from "./pack.ts";

export interface ParsedFileLimits {
  /** Packs of one kind that are left alone; more are joined. */
  readonly packs: number;
  /** Bytes. Bigger packs are not joined with others. */
  readonly big: number;
  /** Bytes that all packs may take. */
  readonly total: number;
}

const usual: ParsedFileLimits = { packs: 6, big: 32 << 20, total: 256 << 20 };

const DAY = 86_400_000;
/** Milliseconds after which a pack that nobody used is removed. */
const OLD = 30 * DAY;

/** The trees of a folder; `save` writes what has been added. */
export class ParsedFiles implements TreeCache {
  readonly #folder: string;
  readonly #limits: ParsedFileLimits;
  readonly #kinds = new Map<string, Kind>();

  constructor(folder: string, limits: ParsedFileLimits = usual) {
    this.#folder = folder;
    this.#limits = limits;
  }

  open(circumstances: string): KeptTrees {
    // The build too: trees are read by the code that wrote them.
    const build = changeOf(fileURLToPath(new URL("./worker.bundle.cjs", import.meta.url)));
    const name = hash("sha256", `${TREE_FORMAT} ${version} ${build} ${circumstances}`).slice(0, 16);
    let kind = this.#kinds.get(name);
    if (kind === undefined) {
      kind = new Kind(this.#folder, name, this.#limits);
      this.#kinds.set(name, kind);
    }
    return kind;
  }

  save(): void {
    for (const kind of this.#kinds.values()) kind.save();
  }
}

/** Trees that were made under the same circumstances. */
class Kind implements KeptTrees {
  readonly #folder: string;
  readonly #name: string;
  readonly #limits: ParsedFileLimits;
  #packs: Pack[] | undefined;
  #added = new Map<string, Uint8Array>();

  constructor(folder: string, name: string, limits: ParsedFileLimits) {
    this.#folder = folder;
    this.#name = name;
    this.#limits = limits;
  }

  recall(content: Uint8Array): Uint8Array | undefined {
    this.#packs ??= this.#openAll();
    const key = keyOf(content);
    for (const pack of this.#packs) {
      const tree = pack.get(key);
      if (tree !== undefined) return tree;
    }
    return this.#added.get(key);
  }

  remember(content: Uint8Array, tree: Uint8Array): void {
    this.#added.set(keyOf(content), tree);
  }

  save(): void {
    if (this.#added.size === 0) return;
    const added = this.#added;
    this.#added = new Map();
    try {
      const path = this.#write(added);
      const pack = openPack(path);
      if (pack !== undefined) (this.#packs ??= []).unshift(pack);
      this.#joinSmall();
      removeOld(this.#folder, this.#limits.total);
    } catch {
      // The next run parses again.
    }
  }

  #write(trees: ReadonlyMap<string, Uint8Array>): string {
    const path = join(this.#folder, `${this.#name}-${Date.now()}-${Math.random().toString(36).slice(2)}.pack`);
    writePack(path, trees);
    return path;
  }

  #files(): string[] {
    return readdirSync(this.#folder)
      .filter((file) => file.startsWith(`${this.#name}-`) && file.endsWith(".pack"))
      .sort()
      .reverse()
      .map((file) => join(this.#folder, file));
  }

  #openAll(): Pack[] {
    let files: string[];
    try {
      files = this.#files();
    } catch {
      return [];
    }
    return files.flatMap((file) => {
      const pack = openPack(file);
      if (pack === undefined) return [];
      // When it was used, to the day: what is never used goes first.
      if (Date.now() - pack.time > DAY)
        attempt(() => {
          const now = new Date();
          utimesSync(file, now, now);
        });
      return [pack];
    });
  }

  #joinSmall(): void {
    const packs = this.#openAll();
    const small = packs.filter(({ size }) => size < this.#limits.big);
    if (packs.length > this.#limits.packs && small.length > 1) {
      const trees = new Map<string, Uint8Array>();
      for (const pack of small)
        for (const key of pack.keys()) {
          const tree = trees.has(key) ? undefined : pack.get(key);
          if (tree !== undefined) trees.set(key, tree);
        }
      this.#write(trees);
      for (const { path } of small) attempt(() => unlinkSync(path));
    }
    for (const pack of packs) pack.close();
  }
}

/** Removes what has not been used for long, and what is beyond the limit, the oldest first. */
function removeOld(folder: string, limit: number): void {
  const files = readdirSync(folder).flatMap((name) => {
    try {
      const { size, mtimeMs } = statSync(join(folder, name));
      return [{ path: join(folder, name), size, time: mtimeMs, unfinished: name.endsWith(".tmp") }];
    } catch {
      return [];
    }
  });
  files.sort((a, b) => b.time - a.time);
  let total = 0;
  for (const { path, size, time, unfinished } of files) {
    total += size;
    const age = Date.now() - time;
    if (age > OLD || (unfinished && age > DAY) || (total > limit && total > size)) attempt(() => unlinkSync(path));
  }
}

function keyOf(content: Uint8Array): string {
  return hash("sha256", content, "buffer").toString("latin1", 0, 16);
}

/** Tells one build from another. */
function changeOf(file: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(file);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return "";
  }
}

/** Somebody else may have been faster. */
function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // Then it is done.
  }
}
