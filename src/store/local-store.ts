/**
 * A store on this machine's disk, in Nix's own layout and database: real Nix can verify, query and collect it.
 *
 * How a path comes to be: its temporary root is written, its lock taken, leftovers of an interrupted try removed, the tree
 * written beside its place, renamed, registered in one transaction. Killed anywhere on this way, the store stays right:
 * what is not registered does not exist, and goes when the path is wanted again or with the next collection.
 */
import { existsSync, renameSync, unlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { makeFolders } from "../base/index.ts";
import {
  bytePath,
  contentAddressFits,
  type Derivation,
  derivationReferences,
  encodeBase32,
  equalHashes,
  formatHash,
  hashBytes,
  Hasher,
  makeFixedOutputPath,
  NarParser,
  parseContentAddress,
  parseStorePath,
  printContentAddress,
  printDerivation,
  splitStorePath,
  storePathBase,
  TreeUnpacker,
} from "../formats/index.ts";
import type { Database, DerivationOutputRow } from "./database.ts";
import { explained, explainedSync, missingPath, StoreError } from "./errors.ts";
import { Breather, canonicalise, exists, moveTree, removeTree } from "./files.ts";
import { collectGarbage } from "./garbage.ts";
import { acquireLock, type FileLock } from "./locks.ts";
import { examineOutputs } from "./output-registration.ts";
import { type LocalStoreOptions, openPlaces, type Places, reserveSpace } from "./opening.ts";
import { findRoots, isLinkTo, replaceSymlink } from "./roots.ts";
import { ReadableStore } from "./readable-store.ts";
import { TemporaryRoots } from "./temporary-roots.ts";
import { hashContent, hashContentSync, type HashedContent, narPieces } from "./tree-content.ts";
import type {
  AddTreeOptions,
  GarbageOptions,
  GarbageResult,
  NewPathInfo,
  OutputRegistration,
  PathInfo,
  PathLocks,
  PhysicalStore,
  RegisterOutputsOptions,
  TreeSource,
  VerifyOptions,
  VerifyResult,
} from "./types.ts";
import { verifyStore } from "./verification.ts";

export class LocalStore extends ReadableStore implements PhysicalStore {
  readonly #temporaryRoots: TemporaryRoots;
  readonly #autoOptimise: boolean;
  #sequence = 0;

  private constructor(places: Places, db: Database, autoOptimise: boolean) {
    super(places, db);
    this.#autoOptimise = autoOptimise;
    this.#temporaryRoots = new TemporaryRoots(join(places.stateDir, "temproots"), join(places.stateDir, "gc.lock"));
  }

  /**
   * Opens a store, or makes a new one.
   * @throws StoreError `store-unwritable`, `disk-full`, `store-database`
   */
  static async open(options: LocalStoreOptions): Promise<LocalStore> {
    const { places, db } = await openPlaces(options);
    return new LocalStore(places, db, options.autoOptimise === true);
  }

  async close(): Promise<void> {
    this.#temporaryRoots.close();
    this.db.close();
  }

  // Additions

  async addTree(source: TreeSource, options: AddTreeOptions): Promise<PathInfo> {
    return explained(`cannot add '${options.name}' to ${this.description}`, async () => {
      const { method = "nar", algorithm = "sha256", filter } = options;
      // A tree that somebody changes while it is read is read again, a few times.
      for (let attempt = 0; ; attempt++) {
        const content = await hashContent(source, method, algorithm, filter);
        const info = this.#contentAddressed(options, content);
        this.#temporaryRoots.add([info.path]);
        const known = this.db.find(info.path);
        if (known !== undefined) return known;
        await using _lock = await this.lockPaths([info.path]);
        const meanwhile = this.db.find(info.path);
        if (meanwhile !== undefined) return meanwhile;
        const temporary = this.#temporaryPath(info.path);
        try {
          const hasher = new Hasher("sha256");
          using unpacker = new TreeUnpacker(temporary, { metadata: "store" });
          const parser = new NarParser(unpacker);
          const breather = new Breather();
          for (const bytes of content.nar ?? narPieces(source, method, filter)) {
            if (content.nar === undefined) hasher.update(bytes);
            parser.push(bytes);
            await breather.pause();
          }
          parser.finish();
          if (content.nar !== undefined || equalHashes(hasher.finish(), content.narHash)) {
            this.#settle(temporary, info);
            await this.#shareFiles([info.path]);
            return this.db.find(info.path)!;
          }
        } finally {
          removeTree(temporary);
        }
        if (attempt === 2)
          throw new StoreError("store-corrupt", `'${options.name}' keeps changing while it is copied to the store`, {
            hint: "End the program that writes to it, or leave its files out of the source.",
          });
      }
    });
  }

  async addNar(info: NewPathInfo, nar: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    parseStorePath(this.storeDir, info.path);
    return explained(`cannot add '${info.path}' to ${this.description}`, async () => {
      this.#temporaryRoots.add([info.path, ...info.references]);
      if (this.db.isValid(info.path)) return;
      await using _lock = await this.lockPaths([info.path]);
      if (this.db.isValid(info.path)) return;
      const temporary = this.#temporaryPath(info.path);
      try {
        const hasher = new Hasher(info.narHash.algorithm);
        {
          using unpacker = new TreeUnpacker(temporary, { metadata: "store" });
          const parser = new NarParser(unpacker, { maxSize: info.narSize });
          const breather = new Breather();
          for await (const bytes of nar) {
            hasher.update(bytes);
            parser.push(bytes);
            await breather.pause();
          }
          parser.finish();
        }
        const { size } = hasher;
        const hash = hasher.finish();
        if (!equalHashes(hash, info.narHash) || size !== info.narSize)
          throw new StoreError("hash-mismatch", `hash mismatch in the archive of '${info.path}'`, {
            details: `specified: ${formatHash(info.narHash, "sri")} (${info.narSize} bytes)\n      got: ${formatHash(hash, "sri")} (${size} bytes)`,
            hint: "It was damaged on its way or on its server; fetch it again or from elsewhere.",
          });
        if (info.ca !== undefined) this.#checkContentAddress(info);
        this.#settle(temporary, info);
        await this.#shareFiles([info.path]);
      } finally {
        removeTree(temporary);
      }
    });
  }

  /** With `autoOptimise`: new files that are equal to others become links to them. */
  async #shareFiles(paths: readonly string[]): Promise<void> {
    if (!this.#autoOptimise) return;
    const { optimiseStore } = await import("./optimise.ts");
    await optimiseStore(
      this.physicalStoreDir,
      paths.map((path) => this.toPhysical(path)),
    );
  }

  /** A content address that does not lead to the path would let anybody claim any path. */
  #checkContentAddress(info: NewPathInfo): void {
    const address = parseContentAddress(info.ca!);
    const selfless = !info.references.includes(info.path);
    if (
      !contentAddressFits(this.storeDir, info.path, address, info.references) ||
      (address.method === "nar" &&
        address.hash.algorithm === "sha256" &&
        selfless &&
        !equalHashes(address.hash, info.narHash))
    )
      throw new StoreError("hash-mismatch", `the content address '${info.ca}' does not belong to '${info.path}'`);
  }

  async addText(name: string, content: string | Uint8Array, references: Iterable<string> = []): Promise<string> {
    return this.addTextSync(name, content, references);
  }

  addTextSync(name: string, content: string | Uint8Array, references: Iterable<string> = []): string {
    return this.addTextsSync([{ name, content, references: new Set(references) }])[0]!;
  }

  async addDerivation(derivation: Derivation): Promise<string> {
    return this.addDerivationSync(derivation);
  }

  addDerivationSync(derivation: Derivation): string {
    return this.addDerivationsSync([derivation])[0]!;
  }

  /** Writes many .drv files in one transaction; they may refer to each other, in any order. Gives their paths. */
  addDerivationsSync(derivations: readonly Derivation[]): string[] {
    return this.addTextsSync(derivations.map(derivationText));
  }

  /** Adds files in one transaction; they may refer to each other, in any order. Gives their paths. */
  addTextsSync(texts: readonly Text[]): string[] {
    const what = texts.length === 1 ? `'${texts[0]!.name}'` : "files";
    return explainedSync(`cannot add ${what} to ${this.description}`, () => this.#addTexts(texts));
  }

  /**
   * Texts need no locks: each is one file, renamed into place whole, and whoever else adds it writes the same bytes.
   */
  #addTexts(texts: readonly Text[]): string[] {
    const fresh: { readonly info: NewPathInfo; readonly contents: Uint8Array }[] = [];
    const derivations = new Map<string, Derivation>();
    const paths = texts.map(({ name, content, references, derivation }) => {
      const contents = typeof content === "string" ? Buffer.from(content, "latin1") : content;
      const hashed = hashContentSync({ tree: { type: "regular", executable: false, contents } }, "text", "sha256");
      const info = this.#contentAddressed(
        { name, method: "text", references: { others: references, self: false } },
        hashed,
      );
      fresh.push({ info, contents });
      if (derivation !== undefined) derivations.set(info.path, derivation);
      return info.path;
    });
    this.#temporaryRoots.add(paths);
    const missing = fresh.filter(({ info }) => !this.db.isValid(info.path));
    if (missing.length === 0) return paths;
    for (const { info, contents } of missing) {
      const temporary = this.#temporaryPath(info.path);
      try {
        using unpacker = new TreeUnpacker(temporary, { metadata: "store" });
        unpacker.file("", false, contents.length);
        unpacker.data(contents);
        unpacker.endFile();
        this.#place(temporary, info.path);
      } finally {
        removeTree(temporary);
      }
    }
    this.#register(
      missing.map(({ info }) => info),
      (path) => outputsOf(derivations.get(path) ?? this.readDerivationSync(path)),
    );
    return paths;
  }

  #contentAddressed(options: AddTreeOptions, content: HashedContent): NewPathInfo {
    const { method = "nar", references = { others: [], self: false }, expected } = options;
    if (expected !== undefined && !equalHashes(expected, content.contentHash))
      throw new StoreError("hash-mismatch", `hash mismatch for '${options.name}'`, {
        details: `specified: ${formatHash(expected, "sri")}\n      got: ${formatHash(content.contentHash, "sri")}`,
        hint: "If the new content is right, put its hash in place of the old one.",
        exitCode: 102,
      });
    const path = makeFixedOutputPath(this.storeDir, options.name, method, content.contentHash, references);
    const all = new Set(references.others);
    if (references.self) all.add(path);
    return {
      path,
      narHash: content.narHash,
      narSize: content.narSize,
      references: [...all].sort(),
      ca: printContentAddress({ method, hash: content.contentHash }),
    };
  }

  /** Its name begins with the hash part, so that temporary roots keep it, also from Nix's collector. */
  #temporaryPath(path: string): string {
    const base = `${storePathBase(path)}.tmp-${process.pid}-${++this.#sequence}`;
    // Names have at most 255 bytes; the hash part alone must stay.
    return join(
      this.physicalStoreDir,
      base.length <= 255 ? base : `${base.slice(0, 200)}.tmp-${process.pid}-${this.#sequence}`,
    );
  }

  /** Puts a complete tree at its place. What is valid there already stays. */
  #place(temporary: string, path: string): void {
    const place = this.toPhysical(path);
    if (exists(place)) {
      if (this.db.isValid(path)) return;
      removeTree(place);
    }
    renameSync(temporary, place);
  }

  /** Puts a complete tree at its place and registers it. The caller holds the lock. */
  #settle(temporary: string, info: NewPathInfo): void {
    this.#place(temporary, info.path);
    this.#register([info]);
  }

  #register(infos: readonly NewPathInfo[], outputs = (path: string) => outputsOf(this.readDerivationSync(path))): void {
    this.db.transaction(() => this.db.register(infos, Math.floor(Date.now() / 1000), outputs));
  }

  async registerValidPaths(infos: Iterable<NewPathInfo>): Promise<void> {
    const all = [...infos];
    return explained(`cannot register paths in ${this.description}`, async () => {
      for (const info of all) {
        parseStorePath(this.storeDir, info.path);
        if (!exists(this.toPhysical(info.path))) throw missingPath(info.path, this.description);
      }
      this.#temporaryRoots.add(all.map((info) => info.path));
      this.#register(all);
    });
  }

  async registerOutputs(
    outputs: readonly OutputRegistration[],
    options: RegisterOutputsOptions,
  ): Promise<readonly PathInfo[]> {
    return explained(`cannot register the outputs of a build in ${this.description}`, async () => {
      this.#temporaryRoots.add(outputs.map((output) => output.path));
      const places = outputs.map((output) => ({ ...output, from: output.from ?? this.toPhysical(output.path) }));
      const infos = await examineOutputs(places, options, this.storeDir);
      await options.check?.(infos);
      const fresh: NewPathInfo[] = [];
      for (const [index, info] of infos.entries()) {
        // Somebody else was faster; what is valid is never replaced.
        if (this.db.isValid(info.path)) continue;
        const place = this.toPhysical(info.path);
        const { from } = places[index]!;
        if (from !== place) {
          removeTree(place);
          moveTree(from, place);
        }
        fresh.push(info);
      }
      if (fresh.length > 0) this.#register(fresh);
      await this.#shareFiles(fresh.map(({ path }) => path));
      return outputs.map((output) => this.db.find(output.path)!);
    });
  }

  async deleteLeftover(path: string): Promise<void> {
    parseStorePath(this.storeDir, path);
    return explained(`cannot remove the leftover of '${path}'`, async () => {
      if (this.db.isValid(path)) throw new Error(`internal error: '${path}' is valid, no leftover`);
      removeTree(this.toPhysical(path));
    });
  }

  /** Gives a tree the times and modes of a store, outside of `registerOutputs`. */
  canonicalise(physicalPath: string): void {
    explainedSync(`cannot canonicalise '${physicalPath}'`, () => canonicalise(physicalPath));
  }

  async lockPaths(
    paths: Iterable<string>,
    options: { readonly signal?: AbortSignal | undefined; readonly onWait?: ((path: string) => void) | undefined } = {},
  ): Promise<PathLocks> {
    const sorted = [...new Set(paths)].sort();
    this.#temporaryRoots.add(sorted);
    const locks: FileLock[] = [];
    try {
      for (const path of sorted) {
        const { signal, onWait } = options;
        const file = `${this.toPhysical(path)}.lock`;
        locks.push(await acquireLock(file, { signal, onWait: onWait === undefined ? undefined : () => onWait(path) }));
      }
    } catch (error) {
      for (const lock of locks) lock.release();
      throw error;
    }
    const release = (how: { readonly delete?: boolean } = {}) => {
      for (const lock of locks.splice(0)) lock.release(how);
    };
    return { release, [Symbol.asyncDispose]: async () => release({ delete: true }) };
  }

  // Roots and garbage

  async addTempRoot(path: string): Promise<void> {
    return this.addTempRoots([path]);
  }

  /** As `addTempRoot`, for many at once. */
  async addTempRoots(paths: Iterable<string>): Promise<void> {
    const all = [...paths];
    for (const path of all) parseStorePath(this.storeDir, path);
    await explained(`cannot write temporary roots of ${this.description}`, async () => this.#temporaryRoots.add(all));
  }

  async addPermanentRoot(path: string, link: string): Promise<void> {
    const { storePath } = splitStorePath(this.storeDir, path);
    const place = resolve(link);
    await explained(`cannot make the link '${link}'`, async () => {
      if (
        place === this.storeDir ||
        place.startsWith(`${this.storeDir}/`) ||
        place.startsWith(`${this.physicalStoreDir}/`)
      )
        throw new StoreError("usage", `'${link}' cannot be a root: it lies in the store`);
      this.#temporaryRoots.add([storePath]);
      if (exists(place) && !isLinkTo(place, (target) => this.#pointsToStore(target)))
        throw new StoreError("usage", `cannot create the link '${link}': something else is there`, {
          hint: "Remove it, or choose another place with `-o`.",
        });
      makeFolders(dirname(place));
      replaceSymlink(place, path);
      this.#addIndirectRoot(place);
    });
  }

  async addIndirectRoot(link: string): Promise<void> {
    await explained(`cannot make '${link}' a root`, async () => this.#addIndirectRoot(resolve(link)));
  }

  #addIndirectRoot(link: string): void {
    const auto = join(this.stateDir, "gcroots/auto");
    makeFolders(auto);
    replaceSymlink(join(auto, encodeBase32(hashBytes("sha1", bytePath(link)).bytes)), link);
  }

  /** What a link of ours may point to: a store path, logical or physical, or a view of one among the store's state. */
  #pointsToStore(target: string): boolean {
    return [this.storeDir, this.physicalStoreDir, this.stateDir].some((folder) => target.startsWith(`${folder}/`));
  }

  async findRoots(options: { readonly processRoots?: boolean | undefined } = {}): Promise<Map<string, Set<string>>> {
    return explained(`cannot find the roots of ${this.description}`, async () =>
      findRoots(this, (path) => this.db.isValid(path), {
        processRoots: options.processRoots !== false,
        collecting: false,
      }),
    );
  }

  async collectGarbage(options: GarbageOptions): Promise<GarbageResult> {
    return explained(`cannot collect the garbage of ${this.description}`, async () => {
      const deletes = options.action.type === "delete-dead" || options.action.type === "delete-paths";
      const reserved = join(this.stateDir, "db/reserved");
      if (deletes && existsSync(reserved)) unlinkSync(reserved);
      const lock = await acquireLock(join(this.stateDir, "gc.lock"));
      try {
        return await collectGarbage(this, this.db, options);
      } finally {
        lock.release();
        if (deletes) reserveSpace(reserved);
      }
    });
  }

  async verify(options: VerifyOptions = {}): Promise<VerifyResult> {
    return explained(`cannot verify ${this.description}`, async () => {
      const lock = await acquireLock(join(this.stateDir, "gc.lock"), { shared: true });
      try {
        return await verifyStore(this, this.db, options);
      } finally {
        lock.release();
      }
    });
  }
}

/** A file to add, as by `builtins.toFile`. */
export interface Text {
  readonly name: string;
  /** A string stands for its latin-1 bytes. */
  readonly content: string | Uint8Array;
  readonly references: ReadonlySet<string>;
  /** What the file says, if it is that of a derivation. */
  readonly derivation?: Derivation;
}

/** The file of a derivation. */
export function derivationText(derivation: Derivation): Text {
  return {
    name: `${derivation.name}.drv`,
    content: printDerivation(derivation),
    references: derivationReferences(derivation),
    derivation,
  };
}

function outputsOf(derivation: Derivation): DerivationOutputRow[] {
  return [...derivation.outputs].filter(([, { path }]) => path !== "").map(([name, { path }]) => ({ name, path }));
}
