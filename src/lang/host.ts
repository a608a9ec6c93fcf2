/**
 * The world as the language sees it. The evaluator has no other way to files, stores, network or environment, so it runs
 * wherever somebody implements this: in d2n's worker, in a test, in a browser.
 *
 * Everything is synchronous. Paths are absolute, canonical, logical (`/nix/store/…` wherever the store really lies) byte
 * strings: one code unit a byte. Errors are `D2nError`s.
 */
import type { Derivation } from "../formats/index.ts";
import type { Lazy } from "./values/thunk.ts";

export type FileType = "regular" | "directory" | "symlink" | "unknown";

export interface FileStatus {
  readonly type: FileType;
  readonly executable: boolean;
  readonly size: number;
}

/** Decides whether a file goes into the store: `builtins.filterSource`, `builtins.path`. Never asked about the root. */
export type PathFilter = (path: string, type: FileType) => boolean;

export interface AddPathRequest {
  readonly path: string;
  readonly name: string;
  /** "nar" for `recursive = true`, "flat" for a single file. */
  readonly method: "nar" | "flat";
  readonly filter?: PathFilter | undefined;
  /** Expected hash in any form that Nix accepts; a mismatch is an error. */
  readonly sha256?: string | undefined;
}

export interface FetchUrlRequest {
  readonly url: string;
  readonly name: string;
  /** True: unpack a tarball and strip its only top-level directory. */
  readonly unpack: boolean;
  /** Expected hash in any form that Nix accepts. Without one, the fetch is impure. */
  readonly sha256?: string | undefined;
}

/** The attributes of `builtins.fetchTree` and `builtins.fetchGit`, already plain; nested sets do not occur. */
export type FetchTreeRequest = ReadonlyMap<string, string | number | boolean>;

export interface FetchTreeResult {
  readonly outPath: string;
  /** `rev`, `shortRev`, `lastModified`, `lastModifiedDate`, `narHash`, `revCount`, `submodules`, … */
  readonly attributes: ReadonlyMap<string, string | number | boolean>;
}

export interface Host {
  /** `/nix/store` unless NIX_STORE_DIR says otherwise. */
  readonly storeDir: string;
  /** `x86_64-linux`. */
  readonly system: string;
  /** Seconds since 1970 when evaluation began. */
  readonly currentTime: number;
  /** No environment, no time, no files outside the allowed ones, no unpinned fetches. */
  readonly pure: boolean;

  readFile(path: string): Uint8Array;
  /** Entries of a directory by name; "unknown" where the kind costs another look. */
  readDirectory(path: string): ReadonlyMap<string, FileType>;
  /** Undefined if nothing is there. Does not follow a final symlink. */
  status(path: string): FileStatus | undefined;
  readLink(path: string): string;

  /** Copies a file tree to the store and returns its store path. */
  addPath(request: AddPathRequest): string;
  /** `builtins.toFile`: a file with the given content. */
  addText(name: string, content: Uint8Array, references: readonly string[]): string;
  /** Writes a .drv, whose path the language has computed; may be put off until somebody needs it. */
  addDerivation(path: string, derivation: Derivation): void;
  /** Reads a .drv back. */
  readDerivation(path: string): Derivation;
  /** Whether a store path is valid; `builtins.storePath`. */
  isValidPath(path: string): boolean;
  /** The store paths that a valid path refers to: what `builtins.readFile` may find in it. Without it, none. */
  references?(path: string): readonly string[];
  /** Makes what a string context names exist, building it if need be: import from derivation. */
  realise(context: ReadonlySet<string>): void;

  fetchUrl(request: FetchUrlRequest): string;
  fetchTree(request: FetchTreeRequest): FetchTreeResult;
  /** `builtins.getFlake`: the value of a flake by its reference. Without it, the builtin says that it isn't supported. */
  getFlake?(reference: string): Lazy;
  /** `builtins.parseFlakeRef`: the attributes of a URL-like reference. */
  parseFlakeReference?(reference: string): ReadonlyMap<string, string | number | boolean>;
  /** `builtins.flakeRefToString`: the opposite. */
  showFlakeReference?(attributes: ReadonlyMap<string, string | number | boolean>): string;
  /** What relative entries of the search path start from; `/` unless given. */
  readonly workingFolder?: string;
  /** An environment variable, empty if it isn't set. */
  environment(name: string): string;
  /** What `~/` means, where expressions that may not look at the environment know it all the same. */
  home?(): string;
  /** `builtins.trace`, warnings. */
  message(level: "trace" | "warning", text: string): void;
}
