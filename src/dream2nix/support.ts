/** What the modules share. */
import {
  Attrs,
  type Evaluator,
  EvalError,
  force,
  type Lazy,
  lazy,
  type Native,
  type NativeObject,
  type NixString,
  ThrownError,
  toNix,
} from "../lang/index.ts";
import type { D2nErrorOptions, ErrorCode } from "../base/index.ts";
import { type ModuleScope, mkOverride, type View } from "../modules/index.ts";

/** A `throw` with a code of its own: `builtins.tryEval` catches it. */
export class Dream2nixError extends ThrownError {
  override readonly name = "Dream2nixError";
  override readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options: D2nErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}

/** `moduleFile("pip")`: what messages call a built-in module. */
export function moduleFile(name: string): string {
  return `dream2nix/modules/${name}`;
}

/** Computes once, when first asked. A failure is not remembered. */
export function once<T>(compute: () => T): () => T {
  let result: { readonly value: T } | undefined;
  return () => (result ??= { value: compute() }).value;
}

/** A value that is computed when somebody looks at it. */
export function later(compute: () => Native): Lazy {
  return lazy(() => toNix(compute()));
}

/** Template that keeps string contexts and takes views: text(ev)`${python}/bin/python`. */
export function text(ev: Evaluator): (parts: TemplateStringsArray, ...values: readonly Native[]) => NixString {
  return (parts, ...values) => ev.str(parts, ...values.map((value) => toNix(value)));
}

/** Calls `builtins.<name>`. */
export function builtin(ev: Evaluator, name: string, ...args: readonly Native[]): Lazy {
  const fn = ev.builtins.get(name);
  if (fn === undefined) throw new EvalError(`builtins.${name} is missing`);
  return ev.call(fn, ...args.map((argument) => toNix(argument)));
}

/** Calls `lib.<name>`. */
export function libCall(m: ModuleScope, name: string, ...args: readonly Native[]): Lazy {
  return force(toNix(m.lib.at(name).call(...args)));
}

/** `lib.mapAttrs (_: lib.mkOverride priority) { inherit (set) …names; }`. */
export function inheritOverride(priority: number, set: View, names: readonly string[]): NativeObject {
  return Object.fromEntries(names.map((name) => [name, mkOverride(priority, set.at(name))]));
}

/** Names that upstream misspells, so that they have no effect there, and what they mean. */
const misspelt: ReadonlyMap<string, string> = new Map([
  ["exportReferenceGraph", "exportReferencesGraph"],
  ["postInstalCheck", "postInstallCheck"],
]);

/** The options that are set: null means "do not pass". Misspelt ones come under their right names, unless those are set too. */
export function givenOptions(attrs: Attrs): Attrs {
  const kept = new Map<string, Lazy>();
  for (const [name, value] of attrs.entries()) {
    if (force(value) === null) continue;
    const right = misspelt.get(name);
    if (right === undefined) kept.set(name, value);
    else if (!kept.has(right)) kept.set(right, value);
  }
  return Attrs.from([...kept]);
}

/** `a // b`, with names from plain entries. */
export function merged(...sets: readonly (Attrs | Iterable<readonly [string, Lazy]>)[]): Attrs {
  return Attrs.from(sets.flatMap((set) => (set instanceof Attrs ? [...set.entries()] : [...set])));
}

/** Names without repetition, in the order they come first. */
export function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

export interface ScriptSettings {
  readonly name: string;
  readonly system: Native;
  /** Packages: bash runs the script, coreutils are on its PATH. */
  readonly bash: Native;
  readonly coreutils: Native;
  /** Runs with the attributes of `files` in files `$<name>Path`. */
  readonly script: string;
  readonly files?: Readonly<Record<string, Native>>;
  /** Further environment variables. */
  readonly variables?: Readonly<Record<string, Native>>;
}

/** A small derivation made by a shell script: text in, files out. */
export function scriptDerivation(ev: Evaluator, settings: ScriptSettings): Attrs {
  const { bash, coreutils, files = {} } = settings;
  const t = text(ev);
  return ev.derivation(
    toNix({
      name: settings.name,
      system: settings.system,
      builder: later(() => t`${bash}/bin/bash`),
      args: ["-euc", settings.script],
      PATH: later(() => t`${coreutils}/bin`),
      passAsFile: Object.keys(files),
      preferLocalBuild: true,
      allowSubstitutes: false,
      ...files,
      ...settings.variables,
    }) as Attrs,
  );
}
