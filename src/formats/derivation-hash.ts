/**
 * Output paths of derivations (Nix manual, "Derivation hash modulo"): a derivation is hashed with its inputs replaced by
 * their own such hashes, and fixed outputs by what they contain, so that only what matters to the result counts.
 */
import type { Derivation, DerivationOutput } from "./derivation.ts";
import { DerivationText, printDerivation } from "./derivation-file.ts";
import { FormatError } from "./errors.ts";
import { hashHex, parseHash, parseHashAlgorithm } from "./hash.ts";
import {
  type IngestionMethod,
  isDerivationPath,
  makeFixedOutputPath,
  makeOutputPath,
  makeTextPath,
  parseStorePath,
} from "./store-path.ts";

/**
 * How a derivation's outputs are addressed: `input` by the derivation, `fixed` by a content hash known beforehand,
 * `floating` by a content hash known afterwards (Nix's experiment `ca-derivations`), `impure` not at all.
 */
export type DerivationKind = "input" | "fixed" | "floating" | "impure" | "deferred";

/** @throws FormatError for mixed or impossible outputs. */
export function derivationKind(derivation: Derivation): DerivationKind {
  let kind: DerivationKind | undefined;
  for (const [name, output] of derivation.outputs) {
    const its: DerivationKind =
      output.hash === "impure"
        ? "impure"
        : output.hash !== ""
          ? "fixed"
          : output.hashAlgo !== ""
            ? "floating"
            : output.path === ""
              ? "deferred"
              : "input";
    if (kind !== undefined && kind !== its) throw malformed(derivation, "can't mix derivation output types");
    if (its === "fixed" && kind !== undefined) throw malformed(derivation, "only one fixed output is allowed for now");
    if (its === "fixed" && name !== "out") throw malformed(derivation, 'single fixed output must be named "out"');
    kind = its;
  }
  if (kind === undefined) throw malformed(derivation, "must have at least one output");
  return kind;
}

export function isFixedOutput(derivation: Derivation): boolean {
  const { outputs } = derivation;
  if (outputs.size !== 1) return false;
  const output = outputs.get("out");
  return output !== undefined && output.hash !== "" && output.hash !== "impure";
}

/** Takes `r:sha256` apart. */
export function parseOutputMethod(hashAlgo: string): { readonly method: IngestionMethod; readonly algorithm: string } {
  if (hashAlgo.startsWith("r:")) return { method: "nar", algorithm: hashAlgo.slice(2) };
  if (hashAlgo.startsWith("text:")) return { method: "text", algorithm: hashAlgo.slice(5) };
  if (hashAlgo.startsWith("git:"))
    throw new FormatError("derivation-malformed", "git hashing of outputs is experimental in Nix and not supported");
  return { method: "flat", algorithm: hashAlgo };
}

/** The store path of a fixed output. */
export function fixedOutputPath(storeDir: string, derivationName: string, output: DerivationOutput): string {
  const { method, algorithm } = parseOutputMethod(output.hashAlgo);
  const hash = parseHash(output.hash, parseHashAlgorithm(algorithm));
  return makeFixedOutputPath(storeDir, derivationName, method, hash);
}

/**
 * A derivation as an input: one hash for all outputs, a hash for the only, fixed one, or undefined while nobody can tell
 * (floating outputs).
 */
type InputHash = { readonly fixed: boolean; readonly hash: string } | undefined;

/** Computes and remembers hashes modulo; one per evaluation or store. */
export class DerivationHashes {
  readonly #storeDir: string;
  readonly #read: (path: string) => Derivation;
  readonly #known = new Map<string, InputHash>();

  /** `read` gives a derivation by its path, when an input is not yet known. */
  constructor(storeDir: string, read: (path: string) => Derivation) {
    this.#storeDir = storeDir;
    this.#read = read;
  }

  /** Whether the hash of a derivation is known without reading it. */
  has(path: string): boolean {
    return this.#known.has(path);
  }

  /**
   * Fills in the output paths as `withOutputPaths` does, and tells the path of the derivation's own file. Its hash is known
   * from then on, so that it needn't be read back.
   */
  complete(draft: Derivation): { readonly path: string; readonly derivation: Derivation } {
    const text = new DerivationText(draft);
    const kind = derivationKind(draft);
    const addressed = kind === "input" || kind === "deferred";
    const inputs = addressed ? this.#inputs(draft) : undefined;
    const paths = addressed
      ? inputs === undefined
        ? new Map<string, string>()
        : this.#inputPaths(draft, text, inputs)
      : this.outputPaths(draft);
    const derivation = withPaths(draft, paths);
    const path = makeTextPath(
      this.#storeDir,
      `${draft.name}.drv`,
      text.print(draft.inputDrvs, paths),
      derivationReferences(draft),
    );
    if (!this.#known.has(path))
      this.#known.set(
        path,
        inputs === undefined
          ? this.#compute(derivation)
          : { fixed: false, hash: hashHex("sha256", text.print(inputs, paths)) },
      );
    return { path, derivation };
  }

  /** The output paths of a derivation that is addressed by its inputs. */
  #inputPaths(
    { name, outputs }: Derivation,
    text: DerivationText,
    inputs: ReadonlyMap<string, Iterable<string>>,
  ): Map<string, string> {
    const masked = new Map([...outputs.keys()].map((output) => [output, ""]));
    const modulo = hashHex("sha256", text.print(inputs, masked));
    return new Map([...outputs.keys()].map((output) => [output, makeOutputPath(this.#storeDir, output, modulo, name)]));
  }

  /**
   * Fills in the output paths, in `outputs` and in the variables named after them (which must exist already if the order of
   * `env` matters to the caller; printing sorts anyway). Of a fixed output the path follows from its hash.
   * Floating outputs stay as they are.
   */
  withOutputPaths(derivation: Derivation): Derivation {
    return withPaths(derivation, this.outputPaths(derivation));
  }

  /** The output paths of a derivation whatever its `outputs` say now; without those that only the build can tell. */
  outputPaths(derivation: Derivation): Map<string, string> {
    const paths = new Map<string, string>();
    const kind = derivationKind(derivation);
    if (kind === "fixed") {
      for (const [name, output] of derivation.outputs)
        paths.set(name, fixedOutputPath(this.#storeDir, derivation.name, output));
    } else if (kind === "input" || kind === "deferred") {
      const modulo = this.modulo(derivation);
      if (modulo !== undefined)
        for (const name of derivation.outputs.keys())
          paths.set(name, makeOutputPath(this.#storeDir, name, modulo, derivation.name));
    }
    return paths;
  }

  /** The hash (base 16) that output paths come from: outputs masked. Undefined if an input's is not known yet. */
  modulo(derivation: Derivation): string | undefined {
    const inputs = this.#inputs(derivation);
    if (inputs === undefined) return undefined;
    return hashHex("sha256", printDerivation(derivation, { maskOutputs: true, inputs }));
  }

  /**
   * Checks that the output paths of a derivation are what they must be, as Nix does before it accepts one.
   * @throws FormatError
   */
  check(path: string, derivation: Derivation): void {
    for (const [name, expected] of this.outputPaths(derivation)) {
      const actual = derivation.outputs.get(name)!.path;
      if (actual !== expected)
        throw malformed(derivation, `output '${name}' of '${path}' has the path '${actual}', should be '${expected}'`);
      const variable = derivation.env.get(name);
      if (variable !== undefined && variable !== expected)
        throw malformed(derivation, `variable '${name}' of '${path}' is '${variable}', should be '${expected}'`);
    }
  }

  #input(path: string): InputHash {
    if (this.#known.has(path)) return this.#known.get(path);
    const hash = this.#compute(this.#read(path));
    this.#known.set(path, hash);
    return hash;
  }

  #compute(derivation: Derivation): InputHash {
    const kind = derivationKind(derivation);
    if (kind === "fixed") {
      const output = derivation.outputs.get("out")!;
      const { algorithm } = parseOutputMethod(output.hashAlgo);
      const hash = Buffer.from(parseHash(output.hash, parseHashAlgorithm(algorithm)).bytes).toString("hex");
      const path = output.path === "" ? fixedOutputPath(this.#storeDir, derivation.name, output) : output.path;
      return { fixed: true, hash: hashHex("sha256", `fixed:out:${output.hashAlgo}:${hash}:${path}`) };
    }
    if (kind !== "input") return undefined;
    const inputs = this.#inputs(derivation);
    if (inputs === undefined) return undefined;
    return { fixed: false, hash: hashHex("sha256", printDerivation(derivation, { inputs })) };
  }

  #inputs(derivation: Derivation): Map<string, Set<string>> | undefined {
    const inputs = new Map<string, Set<string>>();
    for (const [path, names] of derivation.inputDrvs) {
      const input = this.#input(path);
      if (input === undefined) return undefined;
      if (input.fixed)
        for (const name of names)
          if (name !== "out")
            throw malformed(derivation, `its input '${path}' has no output '${name}', only a fixed 'out'`);
      let wanted = inputs.get(input.hash);
      if (wanted === undefined) inputs.set(input.hash, (wanted = new Set()));
      for (const name of names) wanted.add(name);
    }
    return inputs;
  }
}

function withPaths(derivation: Derivation, paths: ReadonlyMap<string, string>): Derivation {
  const outputs = new Map<string, DerivationOutput>();
  const env = new Map(derivation.env);
  for (const [name, output] of derivation.outputs) {
    const path = paths.get(name);
    outputs.set(name, path === undefined ? output : { ...output, path });
    if (path !== undefined) env.set(name, path);
  }
  return { ...derivation, outputs, env };
}

/** What a .drv file refers to: input derivations and sources. */
export function derivationReferences(derivation: Derivation): Set<string> {
  return new Set([...derivation.inputSrcs, ...derivation.inputDrvs.keys()]);
}

/** The path of a derivation's own file. `text` saves printing it again. */
export function derivationPath(storeDir: string, derivation: Derivation, text = printDerivation(derivation)): string {
  return makeTextPath(storeDir, `${derivation.name}.drv`, text, derivationReferences(derivation));
}

/**
 * The name of a derivation from the path of its file.
 * @throws FormatError if it is not the path of one.
 */
export function derivationNameOf(storeDir: string, path: string): string {
  const { name } = parseStorePath(storeDir, path);
  if (!isDerivationPath(name) || name.length === 4)
    throw new FormatError("store-path-invalid", `store path '${path}' is not a valid derivation path`);
  return name.slice(0, -4);
}

function malformed(derivation: Derivation, message: string): FormatError {
  return new FormatError("derivation-malformed", `derivation '${derivation.name}': ${message}`);
}
