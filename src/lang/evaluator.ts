/**
 * The face of the language for the layers above. (Contract laid down first; the implementation fills it in.)
 */
import type { Attrs } from "./values/attrs.ts";
import type { Lazy } from "./values/thunk.ts";
import type { NixString, Value } from "./values/value.ts";
import type { Host } from "./host.ts";

export interface CoerceOptions {
  /** Paths become store paths, as in `"${./file}"`; otherwise their text. Default true. */
  readonly copyToStore?: boolean;
  /** Integers, floats, booleans, null and lists too, as `toString` and derivation attributes do. Default false. */
  readonly coerceMore?: boolean;
}

export interface EvaluatorOptions {
  readonly host: Host;
  /** Depth of function calls before "stack overflow"; 10,000 unless set. */
  readonly maxCallDepth?: number;
  /** Nix's experimental language features, for instance `pipe-operators`. */
  readonly experimentalFeatures?: ReadonlySet<string>;
  /** Paths for `<…>`, `prefix=path` entries in order. */
  readonly searchPath?: readonly string[];
}

/**
 * An evaluator: one host, one set of builtins, one cache of imported files.
 *
 * Free functions (`force`, `lazy`, `Attrs.from`, `callFunction`, …) serve for what needs no host.
 */
export interface Evaluator {
  readonly host: Host;
  /** The set `builtins`. */
  readonly builtins: Attrs;
  /** Evaluates a file or the `default.nix` of a folder; memoised, as `import` is. */
  importFile(path: string): Value;
  /** Evaluates an expression; relative paths in it are relative to `basePath`. `scope` adds variables. */
  evaluate(source: string, options: { readonly basePath: string; readonly name?: string; readonly scope?: ReadonlyMap<string, Lazy> }): Value;
  call(fn: Lazy, ...args: Lazy[]): Value;
  /** Calls with an attribute set, giving only the named formals that exist in it unless the function takes more: `callPackage`'s half. */
  coerceToString(value: Lazy, options?: CoerceOptions): NixString;
  /** Tagged template that keeps string contexts: ev.str`${python}/bin/python`. */
  str(parts: TemplateStringsArray, ...values: Lazy[]): NixString;
  /** `builtins.derivation`: the attribute set with `drvPath`, `outPath`, `type = "derivation"`, one per output. */
  derivation(attrs: Attrs): Attrs;
  equal(a: Lazy, b: Lazy): boolean;
}
