/** From files to values: finding, parsing (once for each text), evaluating (once for each file). */
import { D2nError } from "../base/index.ts";
import { Compiler, outermost } from "./compiler/index.ts";
import { EvalError } from "./errors.ts";
import type { Host } from "./host.ts";
import { addTrace, canonicalPath, type StringWorld } from "./operations/index.ts";
import {
  CompletedSource,
  type Expression,
  ParseError,
  type ParserOptions,
  parse,
  parseBindings,
  readTree,
  resolve,
  showExpression,
  Source,
  writeTree,
} from "./syntax/index.ts";
import { symbolName } from "./values/attrs.ts";
import { force, type Lazy, lazy, type Thunk } from "./values/thunk.ts";
import type { Value } from "./values/value.ts";

/** Additional variables, in front of the global ones. */
export type Scope = ReadonlyMap<string, Lazy>;

/** Keeps syntax trees between runs, so that the next run parses nothing again. */
export interface TreeCache {
  /** Trees that were made under these circumstances: those of other circumstances are of no use. */
  open(circumstances: string): KeptTrees;
}

/** Trees by the content of the file. Whoever keeps them gives them back as they were, or not at all. */
export interface KeptTrees {
  recall(content: Uint8Array): Uint8Array | undefined;
  remember(content: Uint8Array, tree: Uint8Array): void;
}

export interface LoaderOptions {
  readonly host: Host;
  readonly world: StringWorld;
  readonly globals: ReadonlyMap<string, Lazy>;
  readonly pipeOperators: boolean;
  readonly nativeFiles: ReadonlyMap<string, () => Lazy> | undefined;
  /** See `EvaluatorOptions`. */
  readonly exactThunks?: boolean | undefined;
  readonly generateAfter?: number | undefined;
  readonly lint?: ParserOptions["lint"];
  readonly trees?: TreeCache | undefined;
}

const MAX_LINKS = 1000;

/** Calls after which better code for a function is worth making. */
const HOT = 250;

/** Smaller files, in bytes, are parsed as fast as they are recalled. */
const SMALL = 100;

export class Loader {
  readonly #options: LoaderOptions;
  readonly #files = new Map<string, Thunk>();
  readonly #resolved = new Map<string, string>();
  #trees: KeptTrees | undefined;
  /** Sources that the parser warns of: each time, so their trees are not kept. */
  readonly #warned = new WeakSet<Source>();

  constructor(options: LoaderOptions) {
    this.#options = options;
  }

  /** The value of a file, or of a folder's `default.nix`. */
  import(path: string): Value {
    const file = this.resolve(path);
    let value = this.#files.get(file);
    if (value === undefined) {
      value = lazy(this.#options.nativeFiles?.get(file) ?? (() => this.#evaluateFile(file, undefined)));
      this.#files.set(file, value);
    }
    return force(value);
  }

  /** Forgets what files and links said. */
  forget(): void {
    this.#files.clear();
    this.#resolved.clear();
  }

  /** The same with more variables, evaluated each time. */
  importScoped(path: string, scope: Scope): Value {
    return this.#evaluateFile(this.resolve(path), scope);
  }

  evaluate(text: string, basePath: string, name = "«string»", scope?: Scope): Value {
    const source = new Source(name, text, name.startsWith("/"));
    const tree = this.#parse(source, scope);
    return this.#run(source, tree, basePath, scope);
  }

  /** The set of definitions that stand alone: `x = 1; inherit (y) z;`. They do not see each other. */
  bindings(text: string, basePath: string, scope: Scope | undefined, completed: boolean): Value {
    const source = completed ? new CompletedSource("«string»", text) : new Source("«string»", text, false);
    return this.#run(source, this.#parse(source, scope, parseBindings), basePath, scope);
  }

  /** Of an expression `a.b.c`, the value of `a.b` and the name `c`; undefined for any other. */
  selected(text: string, basePath: string, scope?: Scope): { readonly from: Value; readonly name: string } | undefined {
    const source = new Source("«string»", text, false);
    const tree = this.#parse(source, scope);
    const name = tree.kind === "select" && tree.fallback === undefined ? tree.path.at(-1) : undefined;
    if (tree.kind !== "select" || typeof name !== "number") return undefined;
    const from = tree.path.length === 1 ? tree.of : { ...tree, path: tree.path.slice(0, -1) };
    return { from: this.#run(source, from, basePath, scope), name: symbolName(name) };
  }

  /** The normal form of a text: what Nix's parser makes of it, written as Nix again. */
  normalForm(text: string, basePath: string, name = "«string»"): string {
    const tree = this.#parse(new Source(name, text, name.startsWith("/")), undefined);
    return showExpression(tree, { absolute: (path, home) => this.#absolutePath(path, home, basePath) });
  }

  /** The file that an `import` of a path means: symbolic links followed, `default.nix` of a folder. */
  resolve(path: string): string {
    const known = this.#resolved.get(path);
    if (known !== undefined) return known;
    const { host } = this.#options;
    let at = canonicalPath(path);
    for (let links = 0; ; links++) {
      const status = host.status(at);
      if (status === undefined) throw new EvalError(`path '${at}' does not exist`);
      if (status.type === "directory") at = canonicalPath(`${at}/default.nix`);
      else if (status.type === "symlink") {
        if (links >= MAX_LINKS)
          throw new EvalError(`too many symbolic links encountered while traversing the path '${path}'`);
        const target = host.readLink(at);
        at = canonicalPath(target.startsWith("/") ? target : `${at}/../${target}`);
      } else break;
    }
    this.#resolved.set(path, at);
    return at;
  }

  #evaluateFile(file: string, scope: Scope | undefined): Value {
    const content = this.#options.host.readFile(file);
    const source = new Source(file, bytesToString(content));
    const tree = scope === undefined ? this.#parseFile(source, content) : this.#parse(source, scope);
    try {
      return this.#run(source, tree, folderOf(file), scope);
    } catch (error) {
      throw addTrace(error, `while evaluating the file '${file}':`);
    }
  }

  /** Recalls the tree of a file, or parses it and keeps the tree. */
  #parseFile(source: Source, content: Uint8Array): Expression {
    const { trees, globals, lint, pipeOperators } = this.#options;
    // What lints have to say must be said each time.
    if (trees === undefined || lint !== undefined || content.length < SMALL) return this.#parse(source, undefined);
    this.#trees ??= trees.open(`${pipeOperators} ${[...globals.keys()].join(" ")}`);
    const known = this.#trees.recall(content);
    if (known !== undefined) return readTree(known, source.text);
    const tree = this.#parse(source, undefined);
    const written = this.#warned.has(source) ? undefined : writeTree(tree, source.text);
    if (written !== undefined) this.#trees.remember(content, written);
    return tree;
  }

  #parse(source: Source, scope: Scope | undefined, rule: typeof parse = parse): Expression {
    try {
      const { globals, host, lint, pipeOperators } = this.#options;
      const tree = rule(source, {
        pipeOperators,
        lint,
        warn: (message, offset) => {
          this.#warned.add(source);
          const { file, line, column } = source.location(offset);
          host.message("warning", `at ${file}:${line}:${column}: ${message}`);
        },
      });
      resolve(tree, source, {
        has: (name) => scope?.has(name) === true || globals.has(name),
        keys: () => (scope === undefined ? globals.keys() : [...scope.keys(), ...globals.keys()]),
      });
      return tree;
    } catch (error) {
      if (error instanceof RangeError) throw new ParseError("the expression is nested too deeply", source, 0);
      throw error;
    }
  }

  #run(source: Source, tree: Expression, basePath: string, scope: Scope | undefined): Value {
    const { world, globals, exactThunks = false, generateAfter = HOT } = this.#options;
    const compiler = new Compiler({
      source,
      world,
      exact: exactThunks,
      generateAfter,
      global: (name) => scope?.get(name) ?? (scope?.has(name) === true ? null : globals.get(name)),
      absolutePath: (text, home) => this.#absolutePath(text, home, basePath),
    });
    try {
      return compiler.compile(tree)(outermost);
    } catch (error) {
      if (error instanceof D2nError && error.location === undefined) {
        error.location = source.location(Math.max(0, tree.offset));
        error.nearby = true;
      }
      throw error;
    }
  }

  #absolutePath(text: string, home: boolean, basePath: string): string {
    const { host } = this.#options;
    let path: string;
    if (home) {
      if (host.pure) throw new EvalError(`the path '${text}' can not be resolved in pure mode`);
      const folder = host.home?.() ?? host.environment("HOME");
      if (folder === "")
        throw new EvalError(`the path '${text}' needs a home: the environment variable HOME is not set`);
      path = canonicalPath(folder + text.slice(1));
    } else path = canonicalPath(text.startsWith("/") ? text : `${basePath}/${text}`);
    return text.length > 1 && text.endsWith("/") && path !== "/" ? `${path}/` : path;
  }
}

function folderOf(file: string): string {
  return file.slice(0, Math.max(1, file.lastIndexOf("/")));
}

/** A byte string of a file's content. */
function bytesToString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
