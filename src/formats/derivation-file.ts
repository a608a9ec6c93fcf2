/**
 * Derivation files: the ATerm text that `.drv` files hold (Nix manual, "Derivation ATerm format"), byte for byte as Nix
 * writes it, since a derivation's path is the hash of this text. Everything is a byte string.
 */
import type { Derivation, DerivationOutput } from "./derivation.ts";
import { FormatError } from "./errors.ts";

export interface PrintOptions {
  /** Leaves out the output paths, in `outputs` and in the variables of their names: what output paths are computed from. */
  readonly maskOutputs?: boolean | undefined;
  /** Replaces the input derivations: hash modulo to output names. */
  readonly inputs?: ReadonlyMap<string, Iterable<string>> | undefined;
}

/** The text of a derivation file. */
export function printDerivation(derivation: Derivation, options: PrintOptions = {}): string {
  const masked =
    options.maskOutputs === true ? new Map([...derivation.outputs.keys()].map((name) => [name, ""])) : undefined;
  return new DerivationText(derivation).print(options.inputs ?? derivation.inputDrvs, masked);
}

/**
 * The several texts of one derivation that its paths are computed from: they differ in the inputs and in the output paths, and
 * share all the rest, which is printed once.
 */
export class DerivationText {
  readonly #derivation: Derivation;
  readonly #outputs: readonly string[];
  /** What stands between the inputs and the environment. */
  readonly #middle: string;
  /** The environment, a variable each. */
  readonly #variables: string[];
  /** Which of them are named after an output. */
  readonly #places: readonly (readonly [place: number, output: string])[];

  constructor(derivation: Derivation) {
    const { outputs, inputSrcs, system, builder, args, env } = derivation;
    this.#derivation = derivation;
    this.#outputs = sortedKeys(outputs);
    this.#middle = `],${list(distinct(inputSrcs), plain)},${plain(system)},${quote(builder)},${list(args, quote)},[`;
    const places: [number, string][] = [];
    this.#variables = sortedKeys(env).map((name, i) => {
      if (outputs.has(name)) places.push([i, name]);
      return `(${quote(name)},${quote(env.get(name)!)})`;
    });
    this.#places = places;
  }

  /**
   * @param inputs derivations, or what stands for them, to the names of their outputs
   * @param paths of outputs, in place of those that the derivation and its environment have
   */
  print(inputs: ReadonlyMap<string, Iterable<string>>, paths?: ReadonlyMap<string, string>): string {
    let text = "Derive([";
    let separator = "";
    for (const name of this.#outputs) {
      const { path, hashAlgo, hash } = this.#derivation.outputs.get(name)!;
      text += `${separator}(${plain(name)},${plain(paths?.get(name) ?? path)},${plain(hashAlgo)},${plain(hash)})`;
      separator = ",";
    }
    text += "],[";
    separator = "";
    for (const path of sortedKeys(inputs)) {
      text += `${separator}(${plain(path)},${list(distinct(inputs.get(path)!), plain)})`;
      separator = ",";
    }
    if (paths !== undefined)
      for (const [place, name] of this.#places) {
        const path = paths.get(name);
        if (path !== undefined) this.#variables[place] = `(${quote(name)},${quote(path)})`;
      }
    return `${text}${this.#middle}${this.#variables.join(",")}])`;
  }
}

/** In order of bytes, each once. */
function distinct(items: Iterable<string>): readonly string[] {
  const all = [...items];
  return all.length < 2 ? all : [...new Set(all)].sort();
}

/** Order of bytes; names are byte strings, so the order of code units is it. */
function sortedKeys(map: ReadonlyMap<string, unknown>): string[] {
  const keys = [...map.keys()];
  return keys.length < 2 ? keys : keys.sort();
}

function list(items: readonly string[], print: (item: string) => string): string {
  let text = "[";
  for (let i = 0; i < items.length; i++) text += i === 0 ? print(items[i]!) : `,${print(items[i]!)}`;
  return `${text}]`;
}

/** Nix writes these without escaping: names, paths, hashes, the system. */
function plain(text: string): string {
  return `"${text}"`;
}

const special = /["\\\n\r\t]/;

/** Replacements of single characters by constants are what the engine does fastest. */
function quote(text: string): string {
  if (!special.test(text)) return `"${text}"`;
  const escaped = text
    .replace(/\\/g, "\\\\")
    .replace(/"/g, '\\"')
    .replace(/\n/g, "\\n")
    .replace(/\r/g, "\\r")
    .replace(/\t/g, "\\t");
  return `"${escaped}"`;
}

/**
 * Reads a derivation file. `name` is that of the derivation: its store path's name without `.drv`.
 * @throws FormatError if it is not one, or uses dynamic derivations.
 */
export function parseDerivation(text: string, name: string): Derivation {
  if (text.startsWith("DrvWithVersion("))
    throw new FormatError(
      "derivation-malformed",
      `derivation '${name}' uses dynamic derivations, which are not supported`,
    );
  const reader = new Reader(text, name);
  reader.expect("Derive(");
  const outputs = new Map<string, DerivationOutput>();
  reader.list(() => {
    reader.expect("(");
    const output = reader.string();
    reader.expect(",");
    const path = reader.string();
    reader.expect(",");
    const hashAlgo = reader.string();
    reader.expect(",");
    const hash = reader.string();
    reader.expect(")");
    if (path !== "" && !path.startsWith("/")) reader.fail(`bad path '${path}'`);
    if (outputs.has(output)) reader.fail(`output '${output}' occurs twice`);
    outputs.set(output, { path, hashAlgo, hash });
  });
  reader.expect(",");
  const inputDrvs = new Map<string, readonly string[]>();
  reader.list(() => {
    reader.expect("(");
    const path = reader.path();
    reader.expect(",");
    const names: string[] = [];
    reader.list(() => names.push(reader.string()));
    reader.expect(")");
    if (inputDrvs.has(path)) reader.fail(`input '${path}' occurs twice`);
    inputDrvs.set(path, names);
  });
  reader.expect(",");
  const inputSrcs: string[] = [];
  reader.list(() => inputSrcs.push(reader.path()));
  reader.expect(",");
  const system = reader.string();
  reader.expect(",");
  const builder = reader.string();
  reader.expect(",");
  const args: string[] = [];
  reader.list(() => args.push(reader.string()));
  reader.expect(",");
  const env = new Map<string, string>();
  reader.list(() => {
    reader.expect("(");
    const key = reader.string();
    reader.expect(",");
    const value = reader.string();
    reader.expect(")");
    if (env.has(key)) reader.fail(`variable '${key}' occurs twice`);
    env.set(key, value);
  });
  reader.expect(")");
  if (outputs.size === 0) reader.fail("it has no outputs");
  reader.end();
  return { name, outputs, inputDrvs, inputSrcs, system, builder, args, env };
}

class Reader {
  #text: string;
  #name: string;
  #at = 0;

  constructor(text: string, name: string) {
    this.#text = text;
    this.#name = name;
  }

  fail(message: string): never {
    throw new FormatError(
      "derivation-malformed",
      `error parsing derivation '${this.#name}' at byte ${this.#at}: ${message}`,
      { hint: "The .drv file is damaged: delete it from the store and evaluate again." },
    );
  }

  expect(wanted: string): void {
    if (!this.#text.startsWith(wanted, this.#at)) this.fail(`expected '${wanted}'`);
    this.#at += wanted.length;
  }

  end(): void {
    if (this.#at !== this.#text.length) this.fail("unexpected bytes after the end");
  }

  list(element: () => void): void {
    this.expect("[");
    if (this.#text[this.#at] === "]") {
      this.#at++;
      return;
    }
    for (;;) {
      element();
      const next = this.#text[this.#at];
      if (next === "]") break;
      if (next !== ",") this.fail("expected ',' or ']'");
      this.#at++;
    }
    this.#at++;
  }

  path(): string {
    const path = this.string();
    if (!path.startsWith("/")) this.fail(`bad path '${path}'`);
    return path;
  }

  string(): string {
    this.expect('"');
    const text = this.#text;
    let from = this.#at;
    let value = "";
    for (;;) {
      const quoteAt = text.indexOf('"', from);
      if (quoteAt < 0) this.fail("unterminated string");
      const escapeAt = text.indexOf("\\", from);
      if (escapeAt < 0 || escapeAt > quoteAt) {
        value += text.slice(from, quoteAt);
        this.#at = quoteAt + 1;
        return value;
      }
      if (escapeAt + 1 >= text.length) this.fail("unterminated string");
      const character = text[escapeAt + 1]!;
      value += text.slice(from, escapeAt);
      value += character === "n" ? "\n" : character === "r" ? "\r" : character === "t" ? "\t" : character;
      from = escapeAt + 2;
    }
  }
}
