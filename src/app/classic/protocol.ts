/** What Nix's classic commands ask the evaluator for, and how the worker answers. Texts are byte strings unless said otherwise. */
import type { RegistryEntry } from "../../flake/index.ts";
import type { Lints } from "../../lang/index.ts";
import type { ErrorMessage } from "../evaluation/protocol.ts";

/**
 * What may become of what evaluation adds to the store. "none": there is no store, paths are computed (`NIX_REMOTE=dummy://`);
 * "read-only": paths are computed, what is there can be read; "read-write": all is stored.
 */
export type StoreAccess = "none" | "read-only" | "read-write";

export interface ClassicSettings {
  readonly storeDir: string;
  /** Where the store really lies; "" if it lies at its own name. */
  readonly physicalRoot: string;
  readonly store: StoreAccess;
  readonly system: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Entries for `<…>`: `prefix=path` or `path`. */
  readonly searchPath: readonly string[];
  readonly pure: boolean;
  /** Only files of the search path and of the store may be read, only allowed URIs fetched. */
  readonly restricted: boolean;
  readonly allowedUris: readonly string[];
  /** The global registry of flakes. */
  readonly registry: readonly RegistryEntry[];
  /** Whether evaluation may build: `allow-import-from-derivation`. */
  readonly importsFromDerivations: boolean;
  readonly maxCallDepth: number;
  readonly experimentalFeatures: readonly string[];
  readonly showTrace: boolean;
  readonly traceVerbose: boolean;
  readonly abortOnWarn: boolean;
  readonly lints: Lints;
  /** Folder for syntax trees of files; undefined if the environment names no place for caches. */
  readonly parsedFiles: string | undefined;
}

/** An expression: a file as the user named it (`<name>` too), or a text. */
export type ExpressionSource =
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "text"; readonly text: string; readonly name: "«string»" | "«stdin»" };

/** `--arg`, `--argstr`. */
export interface AutoArgument {
  readonly name: string;
  readonly value: { readonly expression: string } | { readonly string: string };
}

export type ValueFormat = "classic" | "text" | "raw" | "xml" | "json";

export type ClassicTask =
  | {
      readonly kind: "instantiate";
      readonly sources: readonly ExpressionSource[];
      readonly attributePaths: readonly string[];
      readonly arguments: readonly AutoArgument[];
      readonly action: "parse" | "evaluate" | "instantiate";
      readonly format: ValueFormat;
      readonly strict: boolean;
      /** In XML: where attributes and functions are defined. */
      readonly locations: boolean;
      /** For `nix-shell`: folders mean their `shell.nix`, functions that want `inNixShell` get it. */
      readonly shell?: ShellRules;
      /** With "instantiate": says which outputs of each derivation are installed, too. */
      readonly install?: boolean;
    }
  | { readonly kind: "find-files"; readonly names: readonly string[] }
  /** `nix eval --expr`, `--file`. */
  | {
      readonly kind: "eval";
      readonly source: ExpressionSource;
      readonly attributePath: string;
      readonly arguments: readonly AutoArgument[];
      readonly apply: string | undefined;
      readonly format: ValueFormat;
    };

export interface ShellRules {
  /** What relative paths of expressions and arguments start from: in scripts their folder. Text, not bytes. */
  readonly folder: string;
  /** Whether folders mean their `shell.nix`, if they have one: the setting `nix-shell-always-looks-for-shell-nix`. */
  readonly looksForShellNix: boolean;
}

export interface ClassicJob {
  readonly settings: ClassicSettings;
  readonly task: ClassicTask;
}

/** A derivation that a command found, in the order of the expression. */
export interface FoundDerivation {
  readonly drvPath: string;
  readonly output: string;
  /** Outputs that are meant where none is named: `meta.outputsToInstall`, or all. */
  readonly install?: readonly string[];
}

export type ClassicMessage =
  | { readonly output: string }
  | { readonly derivation: FoundDerivation }
  /** Text, not bytes. */
  | { readonly notice: { readonly level: "trace" | "warning"; readonly text: string } }
  | { readonly done: true }
  | { readonly failed: ErrorMessage };
