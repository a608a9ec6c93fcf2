/**
 * How the worker that evaluates and the main thread talk. The worker gets one job; while it works on it, it calls services and
 * waits for each answer (`Atomics.wait`), so that the language stays synchronous although the world is not.
 */
import type { D2nError, SourceLocation, TraceFrame } from "../../base/index.ts";
import type { Architecture, ArchivePins, DebPin, IndexPin, Mirrors, Suite } from "../../debian/index.ts";
import type { Derivation } from "../../formats/index.ts";
import type { RegistryEntry } from "../../flake/index.ts";
import type { FetchUrlRequest } from "../../lang/index.ts";
import type { BuildSystemsLock } from "../../python/index.ts";

export type Plain = string | number | boolean;
export type PlainEntries = readonly (readonly [string, Plain])[];

/** A source tree as the flake layer sees it, ready to be cloned between threads. */
export interface TreeMessage {
  readonly outPath: string;
  readonly locked: PlainEntries;
  readonly info: PlainEntries;
}

/** What a root reference leads to. */
export interface ProjectMessage {
  readonly tree: TreeMessage;
  /** Folder of the flake within the tree. */
  readonly dir: string;
  /** How the flake is called in messages: `git+file:///home/u/p`. */
  readonly display: string;
  /** Text of `flake.lock` in the working folder; undefined if there is none or the tree is not a working folder. */
  readonly lockFile: string | undefined;
  /** The working folder of the tree, for messages; undefined for remote trees. */
  readonly root: string | undefined;
}

export interface AddPathMessage {
  readonly path: string;
  readonly name: string;
  readonly method: "nar" | "flat";
  /** Paths relative to the root that the filter let in; undefined without a filter. */
  readonly include: readonly string[] | undefined;
  readonly sha256: string | undefined;
}

/** The text of `builtins.toFile`. */
export interface MadeText {
  readonly name: string;
  readonly content: Uint8Array;
  readonly references: readonly string[];
}

/** A file that evaluation has made for the store. */
export type MadeObject =
  { readonly path: string; readonly derivation: Derivation } | { readonly path: string; readonly text: MadeText };

/** Services of the main thread. All take and give values that can be cloned. */
export interface Services {
  openProject(reference: string): Promise<ProjectMessage>;
  fetchTree(attributes: PlainEntries): Promise<TreeMessage>;
  fetchUrl(request: FetchUrlRequest): Promise<string>;
  addPath(request: AddPathMessage): Promise<string>;
  /** Keeps paths from the garbage collector; gives those that are not in the store. */
  missingPaths(paths: readonly string[]): Promise<readonly string[]>;
  /** Adds files whose references are valid or among them. */
  addObjects(objects: readonly MadeObject[]): Promise<void>;
  readDerivation(path: string): Promise<Derivation>;
  isValidPath(path: string): Promise<boolean>;
  /** What a valid store path refers to. */
  references(path: string): Promise<readonly string[]>;
  realise(context: readonly string[]): Promise<void>;
  /** What d2n.lock pins of the Debian archive. */
  pins(nothing?: undefined): Promise<ArchivePins>;
  /** How the source distributions of a lock file (an absolute path) are built, as the d2n.lock of its tree says. */
  buildSystems(lockFile: string): Promise<BuildSystemsLock | undefined>;
  debianIndexes(nothing?: undefined): Promise<readonly IndexPin[]>;
  debianPackage(request: {
    readonly suite: Suite;
    readonly architecture: Architecture;
    readonly name: string;
  }): Promise<DebPin | undefined>;
  debianMirrors(nothing?: undefined): Promise<Mirrors>;
  /** A folder of this machine that holds the static busybox of this package: what starts the first builds. */
  bootstrapBusybox(pin: DebPin): Promise<string>;
  message(message: { readonly level: "trace" | "warning"; readonly text: string }): Promise<void>;
}

export type ServiceName = keyof Services;

export interface ServiceRequest {
  readonly service: ServiceName;
  readonly argument: unknown;
}

export type ServiceReply = { readonly value: unknown } | { readonly error: ErrorMessage };

/** An error on its way between threads. */
export interface ErrorMessage {
  /** Undefined for errors that are bugs. */
  readonly code: D2nError["code"] | undefined;
  readonly message: string;
  readonly hint: string | undefined;
  readonly location: SourceLocation | undefined;
  readonly trace: readonly TraceFrame[];
  readonly suggestions: readonly string[];
  readonly details: string | undefined;
  readonly exitCode: number;
  readonly stack: string | undefined;
}

export type Job = InstallableJob | ShowJob | LockJob | MetadataJob | CheckJob | SearchJob;

export interface JobSettings {
  readonly storeDir: string;
  /** Where store paths really lie. */
  readonly physicalStoreDir: string;
  /** Folder for syntax trees of source files. */
  readonly parsedFiles: string;
  readonly system: string;
  readonly pure: boolean;
  readonly environment: Readonly<Record<string, string>>;
  readonly overrideInputs: readonly (readonly [string, string])[];
  readonly updateInputs: readonly string[];
  readonly registry: readonly RegistryEntry[];
  readonly maxCallDepth: number | undefined;
  readonly cwd: string;
}

interface JobBase {
  readonly settings: JobSettings;
  /** Flake reference as the user wrote it. */
  readonly reference: string;
}

export interface InstallableJob extends JobBase {
  readonly kind: "installable";
  readonly fragment: string;
  readonly lookup: "build" | "run" | "develop" | "eval" | "template";
  /** `shell`: the derivation, or its `devShell` if it is a package that has one. */
  readonly want: "derivation" | "shell" | "app" | "json" | "raw" | "text" | "derivation-path";
  /** `--apply`: an expression for a function. */
  readonly apply: string | undefined;
}

/** Only lock the inputs. */
export interface LockJob extends JobBase {
  readonly kind: "lock";
}

/** What is known of a flake without its outputs. */
export interface MetadataJob extends JobBase {
  readonly kind: "metadata";
}

/** The packages of a flake. */
export interface SearchJob extends JobBase {
  readonly kind: "search";
  /** An attribute path; "" for the packages of this system. */
  readonly under: string;
}

/** Whether all outputs are what they should be. */
export interface CheckJob extends JobBase {
  readonly kind: "check";
  readonly allSystems: boolean;
}

export interface ShowJob extends JobBase {
  readonly kind: "show";
  readonly allSystems: boolean;
  readonly legacy: boolean;
}

/** A derivation that a command is to build. */
export interface DerivationMessage {
  readonly drvPath: string;
  /** Outputs that the command wants unless the user says otherwise. */
  readonly outputs: readonly string[];
  readonly name: string;
  readonly pname: string | undefined;
  readonly mainProgram: string | undefined;
}

export type JobValue =
  | { readonly type: "derivation"; readonly attributePath: string; readonly derivation: DerivationMessage }
  /** A store path that needs no derivation, or whatever its context names. */
  | {
      readonly type: "path";
      readonly attributePath: string;
      readonly path: string;
      readonly context: readonly string[];
    }
  | {
      readonly type: "app";
      readonly attributePath: string;
      readonly program: string;
      readonly context: readonly string[];
    }
  /** `lock.refresh`, which is not built: what it would lock by is `spec`. */
  | {
      readonly type: "lock";
      readonly attributePath: string;
      readonly spec: string;
      readonly context: readonly string[];
    }
  | { readonly type: "text"; readonly text: string; readonly context: readonly string[] }
  | { readonly type: "tree"; readonly url: string; readonly tree: ShowNode }
  /** `unknown`: inputs that were to be updated, and are none. */
  | { readonly type: "locked"; readonly unknown: readonly string[] }
  | { readonly type: "metadata"; readonly metadata: FlakeMetadata }
  | { readonly type: "packages"; readonly packages: readonly ListedPackage[] }
  | { readonly type: "check"; readonly check: FlakeCheck };

export interface ListedPackage {
  /** Attribute path. */
  readonly path: string;
  readonly pname: string;
  readonly version: string;
  readonly description: string;
}

export interface FlakeMetadata {
  readonly description: string | undefined;
  /** The flake as it was asked for, and pinned as far as it can be. */
  readonly resolved: ReferenceMessage;
  readonly locked: ReferenceMessage;
  readonly path: string;
  /** SHA-256 in base 16 of what the flake and its locks are; undefined where that is not fixed. */
  readonly fingerprint: string | undefined;
  readonly revision: string | undefined;
  readonly dirtyRevision: string | undefined;
  readonly revCount: number | undefined;
  /** Seconds since 1970. */
  readonly lastModified: number | undefined;
  /** flake.lock as it would be written. */
  readonly lockFile: string;
}

export interface ReferenceMessage {
  readonly url: string;
  readonly attributes: PlainEntries;
}

export interface FlakeCheck {
  /** What is odd, though no error. */
  readonly warnings: readonly string[];
  /** What `checks` want built, by attribute path. */
  readonly builds: readonly { readonly attributePath: string; readonly drvPath: string }[];
  /** Systems that were not looked at. */
  readonly omitted: readonly string[];
}

/** An entry of `d2n flake show`. */
export interface ShowNode {
  readonly kind:
    "set" | "derivation" | "app" | "function" | "overlay" | "module" | "template" | "unknown" | "omitted" | "failed";
  readonly name: string;
  /** The name of a derivation, what is said of other things. */
  readonly description: string | undefined;
  /** What is said of a derivation. */
  readonly about: string | undefined;
  readonly children: readonly ShowNode[];
}

export interface JobResult {
  readonly value: JobValue;
  /** Text that flake.lock should have, where that differs from what it has. */
  readonly newLockFile: string | undefined;
  /** What changed in it, a line each. */
  readonly lockChanges: readonly string[];
  /** The archive's pins, where evaluation added to those of d2n.lock. */
  readonly newPins: ArchivePins | undefined;
  /** Output name to store path of the derivation, once it has been built with its default outputs; only in kept results. */
  readonly outputPaths?: readonly (readonly [string, string])[];
  /** Whether anything was used that could change without the flake changing: environment, time, unpinned fetches. */
  readonly impure: boolean;
}

export type WorkerReply = { readonly result: JobResult } | { readonly error: ErrorMessage };
