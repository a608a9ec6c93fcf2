/** What builtins need of the evaluator they belong to, and how they are written down. */
import type { Host } from "../host.ts";
import type { StringWorld } from "../operations/index.ts";
import type { Lazy } from "../values/thunk.ts";
import type { Value } from "../values/value.ts";

export interface Interpreter {
  readonly host: Host;
  /** Copies paths to the store when they become strings; `createWorld(host)` makes one. */
  readonly world: StringWorld;
  /** What `builtins.nixPath` lists: `prefix=path` or `path` entries in order. */
  readonly searchPath?: readonly string[] | undefined;
  /** `builtins.traceVerbose` prints. */
  readonly traceVerbose?: boolean | undefined;
  /** `builtins.warn` fails after its warning. */
  readonly abortOnWarn?: boolean | undefined;
  /** Nix's experimental features that are on; undefined: those that add builtins, and no others. */
  readonly features?: ReadonlySet<string> | undefined;
  /** Evaluates a file or the `default.nix` of a folder; memoised, as `import` is. */
  importFile(path: string): Value;
  /** Evaluates a file, or a folder's `default.nix`, with additional variables; not memoised. */
  importFileScoped(path: string, scope: ReadonlyMap<string, Lazy>): Value;
}

/** A built-in function; its arity is the number of its parameters. */
export type Builtin = (...args: never[]) => Lazy;

/** Built-in functions by the name under which `builtins` has them. */
export type Family = Readonly<Record<string, Builtin>>;
