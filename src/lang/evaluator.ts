/**
 * The face of the language for the layers above.
 */
import { createBuiltins } from "./builtins/index.ts";
import { createWorld } from "./builtins/world.ts";
import { callDepth } from "./call-depth.ts";
import { asEvalError, EvalError } from "./errors.ts";
import type { Host } from "./host.ts";
import { createLint, type Lints } from "./lints.ts";
import { Loader, type Scope, type TreeCache } from "./loader.ts";
import {
  callFunction,
  coerceToString,
  equalValues,
  forceAttrs,
  interpolate,
  type StringWorld,
} from "./operations/index.ts";
import type { Attrs } from "./values/attrs.ts";
import { force, type Lazy } from "./values/thunk.ts";
import type { NixString, Value } from "./values/value.ts";

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
  /** Files whose value is native, by path: importing one gives that instead of evaluating the text. May grow later. */
  readonly nativeFiles?: ReadonlyMap<string, () => Lazy>;
  /** `builtins.traceVerbose` prints. */
  readonly traceVerbose?: boolean;
  /** `builtins.warn` fails after its warning. */
  readonly abortOnWarn?: boolean;
  /**
   * Values that have not been evaluated are thunks exactly where they are in Nix. That costs time, and can only be seen where a
   * value is printed without being evaluated.
   */
  readonly exactThunks?: boolean;
  /** Calls after which a function becomes JavaScript source (`compiler/generate.ts`), 250 unless given. For tests: 1 is always. */
  readonly generateAfter?: number;
  /** Literals to warn of or to refuse. */
  readonly lints?: Lints;
  /** Syntax trees from earlier runs. */
  readonly trees?: TreeCache | undefined;
}

export interface EvaluateOptions {
  /** Relative paths in the expression are relative to this folder. */
  readonly basePath: string;
  /** The path of the file that the text is of, or a name in `«…»` for messages. */
  readonly name?: string;
  /** Additional variables. */
  readonly scope?: ReadonlyMap<string, Lazy>;
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
  /** Evaluates an expression: a byte string. @throws ParseError, EvalError */
  evaluate(source: string, options: EvaluateOptions): Value;
  /**
   * The set of definitions that stand alone, as the REPL takes them. They do not see each other.
   * @param options completed: the last semicolon is left out
   */
  evaluateBindings(source: string, options: EvaluateOptions & { readonly completed?: boolean }): Value;
  /** Of an expression `a.b.c`, the value of `a.b` and the name `c`; undefined for any other. */
  evaluateSelected(
    source: string,
    options: EvaluateOptions,
  ): { readonly from: Value; readonly name: string } | undefined;
  /** The names that are in scope everywhere. */
  globalNames(): readonly string[];
  /** Reads files anew from now on, as the REPL does when it reloads. */
  forgetFiles(): void;
  /** An expression in the normal form of `nix-instantiate --parse`. Names are resolved, nothing is evaluated. */
  normalForm(source: string, options: EvaluateOptions): string;
  /** The file that importing a path reads: links followed, `default.nix` of a folder. */
  resolveFile(path: string): string;
  call(fn: Lazy, ...args: Lazy[]): Value;
  /** The value as a string with its context. @throws EvalError for values that cannot be one */
  coerceToString(value: Lazy, options?: CoerceOptions): NixString;
  /** Tagged template that keeps string contexts: ev.str`${python}/bin/python`. */
  str(parts: TemplateStringsArray, ...values: Lazy[]): NixString;
  /** `builtins.derivation`: the attribute set with `drvPath`, `outPath`, `type = "derivation"`, one per output. */
  derivation(attrs: Attrs): Attrs;
  equal(a: Lazy, b: Lazy): boolean;
  /** Runs something that forces values, with this evaluator's limit of nested calls. */
  within<R>(run: () => R): R;
  /** What operations on strings need of the host: paths that become strings are copied to its store, each once. */
  readonly world: StringWorld;
}

export function createEvaluator(options: EvaluatorOptions): Evaluator {
  return new HostedEvaluator(options);
}

class HostedEvaluator implements Evaluator {
  readonly host: Host;
  readonly world: StringWorld;
  readonly builtins: Attrs;
  readonly #loader: Loader;
  readonly #globals = new Map<string, Lazy>();
  readonly #maxCallDepth: number;

  constructor(options: EvaluatorOptions) {
    this.host = options.host;
    this.world = createWorld(options.host);
    this.#maxCallDepth = options.maxCallDepth ?? 10_000;
    const globals = this.#globals;
    this.#loader = new Loader({
      host: this.host,
      world: this.world,
      globals,
      pipeOperators: options.experimentalFeatures?.has("pipe-operators") ?? false,
      nativeFiles: options.nativeFiles,
      trees: options.trees,
      exactThunks: options.exactThunks,
      generateAfter: options.generateAfter,
      lint: options.lints === undefined ? undefined : createLint(options.lints, this.host),
    });
    const made = createBuiltins({
      host: this.host,
      world: this.world,
      searchPath: options.searchPath,
      traceVerbose: options.traceVerbose,
      abortOnWarn: options.abortOnWarn,
      features: options.experimentalFeatures,
      importFile: (path) => this.importFile(path),
      importFileScoped: (path, scope) => this.#loader.importScoped(path, scope),
    });
    this.builtins = made.builtins;
    for (const [name, value] of made.globals) globals.set(name, value);
    globals.set("builtins", made.builtins);
  }

  importFile(path: string): Value {
    return this.#enter(() => this.#loader.import(path));
  }

  evaluate(source: string, { basePath, name, scope }: EvaluateOptions): Value {
    return this.#enter(() => this.#loader.evaluate(source, basePath, name, scope as Scope | undefined));
  }

  evaluateBindings(
    source: string,
    { basePath, scope, completed = false }: EvaluateOptions & { readonly completed?: boolean },
  ): Value {
    return this.#enter(() => this.#loader.bindings(source, basePath, scope as Scope | undefined, completed));
  }

  evaluateSelected(
    source: string,
    { basePath, scope }: EvaluateOptions,
  ): { readonly from: Value; readonly name: string } | undefined {
    return this.#enter(() => this.#loader.selected(source, basePath, scope as Scope | undefined));
  }

  globalNames(): readonly string[] {
    return [...this.#globals.keys()];
  }

  forgetFiles(): void {
    this.#loader.forget();
  }

  normalForm(source: string, { basePath, name }: EvaluateOptions): string {
    return this.#enter(() => this.#loader.normalForm(source, basePath, name));
  }

  resolveFile(path: string): string {
    return this.#loader.resolve(path);
  }

  call(fn: Lazy, ...args: Lazy[]): Value {
    return this.#enter(() => callFunction(force(fn), ...args));
  }

  coerceToString(value: Lazy, options: CoerceOptions = {}): NixString {
    return this.#enter(() => coerceToString(this.world, value, options));
  }

  str(parts: TemplateStringsArray, ...values: Lazy[]): NixString {
    const pieces: Lazy[] = [];
    parts.forEach((part, i) => {
      pieces.push(part);
      if (i < values.length) pieces.push(values[i]!);
    });
    return this.#enter(() => interpolate(this.world, pieces));
  }

  derivation(attrs: Attrs): Attrs {
    return this.#enter(() => {
      const derivation = this.builtins.get("derivation");
      if (derivation === undefined) throw new EvalError("the builtin 'derivation' is missing");
      return forceAttrs(callFunction(force(derivation), attrs));
    });
  }

  equal(a: Lazy, b: Lazy): boolean {
    return this.#enter(() => equalValues(force(a), force(b)));
  }

  within<R>(run: () => R): R {
    return this.#enter(run);
  }

  /** Calls from inside an evaluation go on counting; the outermost starts from nothing and leaves nothing behind. */
  #enter<R>(run: () => R): R {
    const { current, limit } = callDepth;
    callDepth.limit = this.#maxCallDepth;
    try {
      return run();
    } catch (error) {
      throw asEvalError(error);
    } finally {
      callDepth.current = current;
      callDepth.limit = limit;
    }
  }
}
