/**
 * What realising derivations takes and gives. Paths are logical store paths; strings that come from derivations are byte
 * strings (one code unit a byte).
 */
import type { EventSink } from "../base/index.ts";
import type { ContentCache, Environment } from "../fetchers/index.ts";
import type { Derivation, Hash } from "../formats/index.ts";
import type { Mount, SandboxTools } from "../sandbox/index.ts";
import type { PhysicalStore } from "../store/index.ts";

/** What somebody wants to be there: outputs of a derivation, or a store path as it is (substituted if it is not valid). */
export type Wanted =
  { readonly drvPath: string; readonly outputs: readonly string[] | "all" } | { readonly path: string };

/** One URL with all that may stand for it; asked before every fixed-output download. */
export interface UrlResolution {
  readonly url: string;
  /** The hash of the content, where the derivation fixes the file itself rather than a tree. */
  readonly hash: Hash | undefined;
}

/** Maps the URL of a derivation to the URLs to try, best first. */
export type UrlResolver = (wanted: UrlResolution) => readonly string[] | Promise<readonly string[]>;

/**
 * Fetching with the user's own means: git with its configuration, credentials and agents, which no sandbox has. What it makes
 * is checked against the derivation's hash like any other.
 */
export interface HostFetcher {
  /** Whether it makes the output of this fixed-output derivation. */
  handles(derivation: Derivation): boolean;
  /** Writes the output to a path that does not exist yet, on the store's file system. */
  fetch(derivation: Derivation, destination: string, signal: AbortSignal): Promise<void>;
}

/** Somewhere valid paths can be had without building. Asked for one path at a time; must register what it gets. */
export interface Substituter {
  /** The paths among these that it can provide. */
  query(paths: readonly string[], signal: AbortSignal | undefined): Promise<ReadonlySet<string>>;
  /** Makes a path, whose references are valid already or which it fetches too, valid in the store. */
  substitute(path: string, sink: EventSink, signal: AbortSignal | undefined): Promise<void>;
}

export type Sandboxing = "always" | "relaxed" | "never";

export interface RealiseOptions {
  readonly store: PhysicalStore;
  readonly wanted: readonly Wanted[];
  /** `x86_64-linux`. */
  readonly system: string;
  /** Further systems whose builders this machine runs, such as i686-linux. */
  readonly extraSystems?: readonly string[] | undefined;
  /**
   * The tools of the sandbox; asked for when the first sandboxed build is certain, since getting them may mean a download.
   */
  readonly sandbox: () => Promise<SandboxTools>;
  /**
   * Nix's setting `sandbox`: "always" (unless given); "relaxed": derivations with `__noChroot` see the machine's files and network;
   * "never": all do. A store that does not lie at its own name needs the sandbox in any case.
   */
  readonly sandboxing?: Sandboxing | undefined;
  /** Nix's setting `sandbox-paths`: more of the machine that builders see. */
  readonly sandboxPaths?: readonly Mount[] | undefined;
  /** Builds at once; the number of cores unless given. 0 refuses to build anything. */
  readonly maxJobs?: number | undefined;
  /** Downloads at once, beside the builds; 6 unless given. */
  readonly maxDownloads?: number | undefined;
  /** NIX_BUILD_CORES; the number of cores unless given. */
  readonly cores?: number | undefined;
  /** Go on with what does not depend on a failed build. */
  readonly keepGoing?: boolean | undefined;
  /** Leave the build directory of a failed build. */
  readonly keepFailed?: boolean | undefined;
  /** Build what is wanted although it is valid, and compare. Nothing is registered. */
  readonly check?: boolean | undefined;
  /** Seconds a build may take in all; no limit unless given. */
  readonly timeout?: number | undefined;
  /** Seconds a build may be silent; no limit unless given. */
  readonly maxSilent?: number | undefined;
  /** Last lines of a log to show when a build fails; 25 unless given. */
  readonly logLines?: number | undefined;
  /** What to tell whoever wrote the derivation, by the last lines of the log of its failed build. */
  readonly advise?: ((derivation: Derivation, log: readonly string[]) => Promise<string | undefined>) | undefined;
  /** Where the build directories lie; the store's state directory unless given. */
  readonly buildDirectory?: string | undefined;
  /** Files by their hash, looked at before any download, fed by every download. */
  readonly contentCache?: ContentCache | undefined;
  readonly resolveUrls?: UrlResolver | undefined;
  readonly substituter?: Substituter | undefined;
  /** Makes the content of some fixed outputs on this machine, in place of running their builders. */
  readonly hostFetcher?: HostFetcher | undefined;
  /** For proxies and certificates of downloads, and for impureEnvVars. */
  readonly environment: Environment;
  /** Refuses every download. */
  readonly offline?: boolean | undefined;
  readonly sink: EventSink;
  readonly signal?: AbortSignal | undefined;
}

/** How a derivation came to be valid. "checked": built again with the same result. */
export type Realisation = "valid" | "substituted" | "fetched" | "built" | "checked";

export interface RealisedDerivation {
  readonly drvPath: string;
  readonly derivation: Derivation;
  /** Output name to store path, for all outputs that were wanted. */
  readonly outputs: ReadonlyMap<string, string>;
  readonly how: Realisation;
}

export interface RealiseResult {
  /** In the order of `wanted`; plain paths as they are. */
  readonly wanted: readonly (RealisedDerivation | { readonly path: string })[];
  /** Every derivation that was worked on, in the order in which it became valid. */
  readonly realised: readonly { readonly drvPath: string; readonly how: Realisation }[];
}
