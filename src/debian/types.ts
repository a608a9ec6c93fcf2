/**
 * What the archive layer agrees on with its users: pins of packages, and the archive that makes them.
 */
import type { EventSink } from "../base/index.ts";

/** Debian's name of a processor architecture. */
export type Architecture = "amd64" | "arm64";

/** Code name of a release whose packages d2n uses. */
export type Suite = "bullseye" | "bookworm" | "trixie" | "forky";

/** The two archives: Debian's own (a release and its updates), and that of the security team. Each has a base URI of its own. */
export type ArchiveName = "main" | "security";

/**
 * A package at one version, everything that building from it needs. What a mirror is called does not occur: the file's
 * address is `<base URI of the archive>/<filename>`.
 */
export interface DebPin {
  readonly package: string;
  /** Debian's full version with epoch and revision: `1:1.3.dfsg+really1.3.1-1+b1`. */
  readonly version: string;
  /** Name of the source package. */
  readonly source: string;
  readonly archive: ArchiveName;
  /** Relative to the archive's base URI: `pool/main/z/zlib/zlib1g_1.3….deb`. */
  readonly filename: string;
  /** Base 16. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /**
   * Names of real packages of the same suite that this one depends on (`Pre-Depends` and `Depends`), resolved: the first
   * alternative that exists in a version that fits, a provider in place of a virtual package. Sorted, without duplicates.
   */
  readonly depends: readonly string[];
  /** First line of the description. Informative; not pinned. */
  readonly description?: string | undefined;
}

/** What the evaluator asks: synchronous, since the language is. */
export interface PackagePins {
  /**
   * The pin of a package: of all versions in the suite, its updates and its security updates, the highest. A virtual name
   * answers with its provider. Undefined if the suite has no such package.
   */
  lookup(suite: Suite, architecture: Architecture, name: string): DebPin | undefined;
}

/**
 * Reads a file of a mirror: its bytes as they come, undefined if the mirror has no such file. Throws a `D2nError` when the
 * mirror cannot be reached or answers with an error.
 */
export type MirrorFetch = (url: string) => Promise<AsyncIterable<Uint8Array> | undefined>;

/** Base URIs of the archives, without a slash at the end. */
export interface Mirrors {
  readonly main: string;
  /** Undefined where the machine knows none: security updates are missing then. */
  readonly security: string | undefined;
}

export interface ArchiveOptions {
  readonly mirrors: Mirrors;
  readonly fetch: MirrorFetch;
  /** Folder for parsed indexes; made when first needed. */
  readonly cacheDir: string;
  readonly now: Date;
  readonly sink: EventSink;
}

/** Identity of one index as a signed `InRelease` fixed it; goes into `d2n.lock`. */
export interface IndexPin {
  /** `trixie`, `trixie-updates`, `trixie-security`. */
  readonly distribution: string;
  readonly archive: ArchiveName;
  readonly architecture: Architecture;
  /** `Date` of the `InRelease`, ISO 8601. */
  readonly date: string;
  /** SHA-256 of the `InRelease` file, base 16. */
  readonly inRelease: string;
  /** SHA-256 of the compressed `Packages` file, base 16. */
  readonly sha256: string;
}

/** A verified archive. Indexes of a suite are fetched when first asked for. */
export interface Archive {
  readonly mirrors: Mirrors;
  /** As `PackagePins.lookup`, but asynchronous: the first call for a suite verifies and fetches its indexes. */
  lookup(suite: Suite, architecture: Architecture, name: string): Promise<DebPin | undefined>;
  /** The indexes that have been read so far, in a fixed order. */
  indexes(): readonly IndexPin[];
  /** The address of a package's file. Throws if it lies in the security archive and none is configured. */
  url(pin: Pick<DebPin, "archive" | "filename">): string;
  close(): void;
}
