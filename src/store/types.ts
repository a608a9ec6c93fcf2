/**
 * What a store is to the rest of d2n. Store paths are always logical and whole (`/nix/store/<hash>-<name>`), wherever the
 * store really lies; a `LocalStore` knows the physical places.
 *
 * Methods reject with a `D2nError`: `store-path-missing` for a path that is not valid, `store-unwritable`, `disk-full`, …
 */
import type { Derivation, Hash, IngestionMethod, NarTree, PathFilter, StoreReferences } from "../formats/index.ts";

/** What a store knows of a valid path. */
export interface PathInfo {
  readonly path: string;
  /** SHA-256 of the NAR serialisation. */
  readonly narHash: Hash;
  /** Bytes of the NAR serialisation. */
  readonly narSize: number;
  /** Sorted; contains the path itself if it refers to itself. */
  readonly references: readonly string[];
  /** The .drv that it was built from, if known; needn't be valid. */
  readonly deriver?: string | undefined;
  /** Seconds since 1970; 0 where a store doesn't know. */
  readonly registrationTime: number;
  /** Built here, so trusted without a signature. */
  readonly ultimate: boolean;
  /** `key-name:base64`. */
  readonly signatures: readonly string[];
  /** Set for content-addressed paths: `text:sha256:…`, `fixed:r:sha256:…`, hashes in base 32. */
  readonly ca?: string | undefined;
}

/** What must be said of a path that is to be registered; the store knows the rest. */
export interface NewPathInfo {
  readonly path: string;
  readonly narHash: Hash;
  readonly narSize: number;
  readonly references: readonly string[];
  readonly deriver?: string | undefined;
  readonly registrationTime?: number | undefined;
  readonly ultimate?: boolean | undefined;
  readonly signatures?: readonly string[] | undefined;
  readonly ca?: string | undefined;
}

/** Where a file tree comes from: a place on disk (a `Buffer` holds raw bytes, a string is UTF-8) or memory. */
export type TreeSource = { readonly path: string | Buffer } | { readonly tree: NarTree };

export interface AddTreeOptions {
  readonly name: string;
  /** "nar" (default) for any tree, "flat" for a single file hashed as it is, "text" like `builtins.toFile`. */
  readonly method?: IngestionMethod | undefined;
  /** Algorithm of the content address; sha256 unless said otherwise. */
  readonly algorithm?: Hash["algorithm"] | undefined;
  readonly references?: StoreReferences | undefined;
  /** Decides what goes in; never asked about the root; gets the path on disk as a byte string. Only for trees on disk. */
  readonly filter?: PathFilter | undefined;
  /** Expected content hash by `method`; another is the error `hash-mismatch`. */
  readonly expected?: Hash | undefined;
}

export interface ClosureOptions {
  /** Follow referrers in place of references. */
  readonly reverse?: boolean | undefined;
  /** Besides: the valid outputs of each .drv. */
  readonly includeOutputs?: boolean | undefined;
  /** Besides: the valid derivers of each path. */
  readonly includeDerivers?: boolean | undefined;
}

export type GarbageAction =
  /** Delete what nothing needs. */
  | { readonly type: "delete-dead" }
  /** Delete these if nothing needs them; an error otherwise, unless liveness is ignored (then only registered referrers stop it). */
  | { readonly type: "delete-paths"; readonly paths: readonly string[]; readonly ignoreLiveness?: boolean | undefined }
  /** Only tell what would be deleted. */
  | { readonly type: "list-dead" }
  /** Only tell what would be kept. */
  | { readonly type: "list-live" };

export interface GarbageOptions {
  readonly action: GarbageAction;
  /** Stop after so many bytes. */
  readonly maxFreed?: number | undefined;
  /** Nix's `keep-outputs`: outputs of live derivations are live. Default false. */
  readonly keepOutputs?: boolean | undefined;
  /** Nix's `keep-derivations`: derivers of live outputs are live. Default true. */
  readonly keepDerivations?: boolean | undefined;
  /** Look through /proc for store paths that running processes use. Default true. */
  readonly processRoots?: boolean | undefined;
}

export interface GarbageResult {
  /** Deleted, dead or live paths, as the action says. */
  readonly paths: readonly string[];
  /** Bytes on disk; those of hard-linked files count with their last link. */
  readonly bytesFreed: number;
}

export interface VerifyOptions {
  /** Hash every path again. Without it only the database and the presence of paths are looked at. */
  readonly contents?: boolean | undefined;
  /** Unregister paths that vanished when nothing valid refers to them, as `nix-store --verify` does. Default false. */
  readonly repairDatabase?: boolean | undefined;
}

export interface VerifyProblem {
  readonly path: string;
  readonly problem:
    /** Registered, but not on disk. */
    | "missing"
    /** Its contents have another hash than registered. */
    | "modified"
    /** On disk but not registered: an interrupted build's leftover; harmless. */
    | "unregistered"
    /** What is registered of it makes no sense: hash, name, size. */
    | "malformed"
    /** It refers to a path that is not valid. */
    | "dangling-reference"
    /** It could not be read. */
    | "unreadable";
  readonly message: string;
}

export interface VerifyResult {
  readonly checked: number;
  readonly problems: readonly VerifyProblem[];
}

export interface Store {
  /** Logical store directory, `/nix/store`. */
  readonly storeDir: string;
  /** For messages: where it is. */
  readonly description: string;

  isValidPath(path: string): Promise<boolean>;
  /** Undefined unless the path is valid. */
  findPathInfo(path: string): Promise<PathInfo | undefined>;
  /** @throws D2nError `store-path-missing` */
  queryPathInfo(path: string): Promise<PathInfo>;
  /** Those of the given paths that are valid. */
  queryValidPaths(paths: Iterable<string>): Promise<Set<string>>;
  queryAllValidPaths(): Promise<Set<string>>;
  /** Valid paths that refer to this one. */
  queryReferrers(path: string): Promise<Set<string>>;
  /** Valid .drv files of which this is an output. */
  queryDerivers(path: string): Promise<Set<string>>;
  /** The valid path with this hash part. */
  queryPathFromHashPart(hashPart: string): Promise<string | undefined>;
  /** Everything reachable from the given paths, themselves included. @throws D2nError `store-path-missing` */
  closure(paths: Iterable<string>, options?: ClosureOptions): Promise<Set<string>>;

  /** Adds a content-addressed object. Nothing is written if it is there already. */
  addTree(source: TreeSource, options: AddTreeOptions): Promise<PathInfo>;
  /** Adds a path from its NAR serialisation, which must have the hash and size that `info` says. References must be valid. */
  addNar(info: NewPathInfo, nar: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void>;
  /** `builtins.toFile`. A string stands for its latin-1 bytes. */
  addText(name: string, content: string | Uint8Array, references?: Iterable<string>): Promise<string>;
  /** Writes a .drv; its inputs must be valid. Gives its path. */
  addDerivation(derivation: Derivation): Promise<string>;
  readDerivation(path: string): Promise<Derivation>;
  /** The NAR serialisation of a valid path. */
  narFromPath(path: string): AsyncIterable<Uint8Array>;

  /** Keeps a path, valid or not yet, from the garbage collector until this process ends or the store is closed. */
  addTempRoot(path: string): Promise<void>;
  /** Gives back resources: database, locks, temporary roots. */
  close(): Promise<void>;
}

/** Exclusive use of store paths among processes; see `LocalStore.lockPaths`. */
export interface PathLocks extends AsyncDisposable {
  /** Lets go; `delete` removes the lock files, which is right when the paths are valid now. */
  release(options?: { readonly delete?: boolean }): void;
}

/** An output as a builder left it. */
export interface OutputRegistration {
  /** Output name, for messages. */
  readonly name: string;
  /** Logical path it shall have. */
  readonly path: string;
  /** Where it lies physically; the physical place of `path` unless said otherwise. Must be on the store's file system. */
  readonly from?: string | undefined;
  /** Of a fixed output: its content must have this hash, and it becomes content-addressed. */
  readonly fixed?: { readonly method: IngestionMethod; readonly hash: Hash } | undefined;
  /** The derivation says that its references don't count (`unsafeDiscardReferences`). */
  readonly discardReferences?: boolean | undefined;
}

export interface RegisterOutputsOptions {
  readonly deriver?: string | undefined;
  /** Store paths that outputs may refer to: the closure of the inputs. Outputs of the same build are looked for besides. */
  readonly candidates: Iterable<string>;
  /** Looks at the outcome before anything is moved or registered; throws to refuse it (`allowedReferences` and the like). */
  readonly check?: ((outputs: readonly NewPathInfo[]) => void | Promise<void>) | undefined;
}

/** A store on this machine's disk, with what a builder and a user's tools need of its physical side. */
export interface PhysicalStore extends Store {
  /** The directory that holds `nix/store` and `nix/var`; `/` for the system's own. */
  readonly rootDir: string;
  /** Where store paths lie on disk. */
  readonly physicalStoreDir: string;
  /** `…/nix/var/nix`: database, roots, profiles. */
  readonly stateDir: string;
  /** `…/nix/var/log/nix`. */
  readonly logDir: string;
  /** Physical place of a store path or of something below it. */
  toPhysical(path: string): string;

  isValidPathSync(path: string): boolean;
  findPathInfoSync(path: string): PathInfo | undefined;
  addTextSync(name: string, content: string | Uint8Array, references?: Iterable<string>): string;
  addDerivationSync(derivation: Derivation): string;
  /** Many at once, in one transaction: they may refer to each other, in any order. */
  addDerivationsSync(derivations: readonly Derivation[]): string[];
  readDerivationSync(path: string): Derivation;

  /**
   * Waits until no other process (or task of this one) holds any of these paths, then holds them all. Locks are taken in
   * sorted order, so callers cannot deadlock. After waiting, look again whether the paths have become valid.
   */
  lockPaths(
    paths: Iterable<string>,
    options?: {
      readonly signal?: AbortSignal | undefined;
      /** Told once when there is something to wait for. */
      readonly onWait?: ((path: string) => void) | undefined;
    },
  ): Promise<PathLocks>;
  /** Registers paths that lie at their places, canonical already, in one transaction; they may refer to each other. */
  registerValidPaths(infos: Iterable<NewPathInfo>): Promise<void>;
  /**
   * Takes over what a builder left: canonicalises times and modes, scans for references, hashes, checks fixed outputs,
   * moves it into place, registers all outputs at once. The caller holds the locks of the paths.
   */
  registerOutputs(
    outputs: readonly OutputRegistration[],
    options: RegisterOutputsOptions,
  ): Promise<readonly PathInfo[]>;
  /** Removes what lies at the place of a path that is not valid: an interrupted build's leftover. The caller holds its lock. */
  deleteLeftover(path: string): Promise<void>;

  /** Where the log of a derivation belongs: `…/drvs/ab/cdef…-name.drv`; the folder may not exist yet. */
  logPath(derivationPath: string): string;
  /** The log of a derivation, whoever wrote it (Nix's are compressed), or undefined. */
  readLog(derivationPath: string): Promise<Uint8Array | undefined>;

  /** Makes `link` a symlink to a store path and a root: `./result`. The link may lie anywhere outside of the store. */
  addPermanentRoot(path: string, link: string): Promise<void>;
  /** Makes a symlink that somebody else maintains a root, whatever store path it points to. */
  addIndirectRoot(link: string): Promise<void>;
  /** Store path to the places that keep it. */
  findRoots(options?: { readonly processRoots?: boolean | undefined }): Promise<Map<string, Set<string>>>;
  collectGarbage(options: GarbageOptions): Promise<GarbageResult>;
  verify(options?: VerifyOptions): Promise<VerifyResult>;
}
