/**
 * `builtins.derivationStrict`: writes a derivation (manual, "Derivations" and "Advanced attributes") and gives its path and
 * those of its outputs.
 */
import {
  checkStorePathName,
  type Derivation,
  DerivationHashes,
  type DerivationOutput,
  formatHash,
  type Hash,
  type HashAlgorithm,
  isHashAlgorithm,
  parseHash,
  placeholder,
} from "../../formats/index.ts";
import { D2nError } from "../../base/index.ts";
import { EvalError } from "../errors.ts";
import type { Host } from "../host.ts";
import {
  addTrace,
  coerceToString,
  contextOf,
  forceAttrs,
  forceBool,
  forceList,
  forceString,
  forceStringNoContext,
  makeString,
  type StringWorld,
  textOf,
} from "../operations/index.ts";
import { jsonString, toJson } from "../print/json.ts";
import { attributeName } from "../print/literals.ts";
import { Attrs } from "../values/attrs.ts";
import { force, type Lazy } from "../values/thunk.ts";
import type { Context, NixString } from "../values/value.ts";
import { requireAttr } from "./attrsets.ts";
import { type ContextElement, closureElement, outputElement, parseContextElement } from "./contexts.ts";
import type { Family, Interpreter } from "./interpreter.ts";
import { parseJson } from "./json-parser.ts";

export function derivations({ host, world }: Interpreter): Family {
  const hashes = new DerivationHashes(host.storeDir, (path) => host.readDerivation(path));
  // The same few are in the contexts of most derivations.
  const elements = new Map<string, ContextElement>();
  return {
    /** Writes a derivation; `{ drvPath, out, … }` with contexts. */
    derivationStrict(argument: Lazy): Attrs {
      const attrs = forceAttrs(argument, "while evaluating the argument passed to builtins.derivationStrict");
      const nameAttr = requireAttr(attrs, "name", "in the attrset passed as argument to builtins.derivationStrict");
      let name: string;
      try {
        name = forceStringNoContext(
          nameAttr,
          "while evaluating the `name` attribute passed to builtins.derivationStrict",
        );
      } catch (error) {
        throw addTrace(error, "while evaluating the derivation attribute 'name'", attrs.place("name"));
      }
      try {
        return instantiate(host, hashes, elements, new Recipe(host, world, name).read(attrs));
      } catch (error) {
        const at = attrs.place("name");
        const where = at === undefined ? "«none»:0" : `${at.file}:${at.line}:${at.column}`;
        throw addTrace(error, `while evaluating derivation '${name}'\n  whose name attribute is located at ${where}`);
      }
    },

    /** Stands for the path of an output in the attributes of its own derivation. */
    placeholder: (output: Lazy): string =>
      placeholder(forceStringNoContext(output, "while evaluating the first argument passed to builtins.placeholder")),
  };
}

/** Attributes that are of no effect with structured attributes, where `outputChecks` has them. */
const replacedByOutputChecks = new Set([
  "allowedReferences",
  "allowedRequisites",
  "disallowedReferences",
  "disallowedRequisites",
  "maxClosureSize",
  "maxSize",
]);

/** Attributes that mean something to Nix itself. */
const special = new Set(["builder", "system", "outputHash", "outputHashAlgo", "outputHashMode", "outputs"]);

/** The attributes of a derivation while they are being read. */
class Recipe {
  readonly host: Host;
  readonly name: string;
  readonly args: string[] = [];
  readonly env = new Map<string, string>();
  builder = "";
  system = "";
  outputs = ["out"];
  outputHash: string | undefined;
  outputHashAlgo: HashAlgorithm | undefined;
  method: "flat" | "nar" | undefined;
  readonly context = new Set<string>();
  readonly #world: StringWorld;

  constructor(host: Host, world: StringWorld, name: string) {
    this.host = host;
    this.#world = world;
    this.name = name;
  }

  read(attrs: Attrs): this {
    checkName(this.name);
    const flag = (attribute: string): boolean => {
      const value = attrs.get(attribute);
      return (
        value !== undefined &&
        forceBool(value, `while evaluating the \`${attribute}\` attribute passed to builtins.derivationStrict`)
      );
    };
    const structured = flag("__structuredAttrs") ? new Map<string, string>() : undefined;
    const ignoreNulls = flag("__ignoreNulls");
    for (const [key, value] of attrs.entries()) {
      if (key === "__ignoreNulls") continue;
      try {
        if (ignoreNulls && force(value) === null) continue;
        if (key === "__contentAddressed") this.#refuse(value, "ca-derivations");
        else if (key === "__impure") this.#refuse(value, "impure-derivations");
        else if (key === "args") this.#readArgs(value);
        else if (structured === undefined) this.#readVariable(key, value);
        else if (key !== "__structuredAttrs") this.#readStructured(structured, key, value);
      } catch (error) {
        throw addTrace(
          error,
          `while evaluating attribute '${attributeName(key)}' of derivation '${this.name}'`,
          attrs.place(key),
        );
      }
    }
    if (structured !== undefined)
      this.env.set("__json", `{${[...structured].map(([key, json]) => `${jsonString(key)}:${json}`).join(",")}}`);
    return this;
  }

  #refuse(value: Lazy, feature: string): void {
    if (forceBool(value))
      throw new EvalError(
        `experimental Nix feature '${feature}' is disabled; add '--extra-experimental-features ${feature}' to enable it`,
        { hint: "d2n builds input-addressed and fixed-output derivations only." },
      );
  }

  #readArgs(value: Lazy): void {
    for (const element of forceList(value))
      this.args.push(
        this.#collect(
          coerceToString(
            this.#world,
            element,
            { coerceMore: true },
            "while evaluating an element of the argument list",
          ),
        ),
      );
  }

  /** An attribute as an environment variable of the builder. */
  #readVariable(key: string, value: Lazy): void {
    const text = this.#collect(coerceToString(this.#world, value, { coerceMore: true }));
    if (key === "__json") {
      this.host.message(
        "warning",
        `In derivation '${this.name}': setting structured attributes via '__json' is deprecated, and may be disallowed in future versions of Nix. Set '__structuredAttrs = true' instead.`,
      );
      const json = parseJson(text);
      if (!(json instanceof Attrs)) throw new EvalError("the attribute '__json' is not a JSON object");
      this.env.set(key, textOf(toJson(this.#world, json)));
      return;
    }
    this.env.set(key, text);
    if (special.has(key))
      this.#readSpecial(
        key,
        () => text,
        () => text.split(/[ \t\n\r]+/).filter((name) => name !== ""),
      );
  }

  /** An attribute as a part of the JSON file that the builder gets. */
  #readStructured(structured: Map<string, string>, key: string, value: Lazy): void {
    structured.set(key, this.#collect(toJson(this.#world, value)));
    if (replacedByOutputChecks.has(key))
      this.host.message(
        "warning",
        `In a derivation named '${this.name}', 'structuredAttrs' disables the effect of the derivation attribute '${key}'; use 'outputChecks.<output>.${key}' instead`,
      );
    this.#readSpecial(
      key,
      () => (key === "builder" ? this.#collect(forceString(value)) : forceStringNoContext(value)),
      () => forceList(value).map((name) => forceStringNoContext(name)),
    );
  }

  #readSpecial(key: string, text: () => string, list: () => string[]): void {
    switch (key) {
      case "builder":
        this.builder = text();
        break;
      case "system":
        this.system = text();
        break;
      case "outputHash":
        this.outputHash = text();
        break;
      case "outputHashAlgo": {
        const algorithm = text();
        this.outputHashAlgo = isHashAlgorithm(algorithm) ? algorithm : undefined;
        break;
      }
      case "outputHashMode":
        this.#readMode(text());
        break;
      case "outputs":
        this.#readOutputs(list());
        break;
    }
  }

  #readMode(mode: string): void {
    if (mode === "recursive" || mode === "nar") this.method = "nar";
    else if (mode === "flat") this.method = "flat";
    else if (mode === "text" || mode === "git") {
      const feature = mode === "text" ? "dynamic-derivations" : "git-hashing";
      throw new EvalError(
        `experimental Nix feature '${feature}' is disabled; add '--extra-experimental-features ${feature}' to enable it`,
        { hint: "d2n knows the output hash modes 'flat' and 'nar' (or 'recursive')." },
      );
    } else throw new EvalError(`invalid value '${mode}' for 'outputHashMode' attribute`);
  }

  #readOutputs(names: readonly string[]): void {
    const seen = new Set<string>();
    for (const name of names) {
      if (seen.has(name)) throw new EvalError(`duplicate derivation output '${name}'`);
      if (name === "drvPath") throw new EvalError("invalid derivation output name 'drvPath'");
      seen.add(name);
    }
    if (seen.size === 0) throw new EvalError("derivation cannot have an empty set of outputs");
    this.outputs = [...seen].sort();
  }

  /** The text of a string whose context becomes the derivation's. */
  #collect(string: NixString): string {
    const context = contextOf(string);
    if (context !== undefined) for (const element of context) this.context.add(element);
    return textOf(string);
  }
}

function checkName(name: string): void {
  try {
    checkStorePathName(name);
  } catch (error) {
    if (!(error instanceof D2nError)) throw error;
    throw new EvalError(`invalid derivation name: ${error.message}. Please pass a different 'name'.`, {
      hint: error.hint,
    });
  }
}

/** Computes the paths, hands the derivation to the host, and gives its paths as strings with contexts. */
function instantiate(
  host: Host,
  hashes: DerivationHashes,
  elements: Map<string, ContextElement>,
  recipe: Recipe,
): Attrs {
  if (recipe.builder === "") throw new EvalError("required attribute 'builder' missing");
  if (recipe.system === "") throw new EvalError("required attribute 'system' missing");
  if (recipe.name.endsWith(".drv"))
    throw new EvalError("derivation names are allowed to end in '.drv' only if they produce a single derivation file");
  const outputs = new Map<string, DerivationOutput>();
  if (recipe.outputHash !== undefined) {
    if (recipe.outputs.length !== 1 || recipe.outputs[0] !== "out")
      throw new EvalError("multiple outputs are not supported in fixed-output derivations");
    const hash = fixedHash(host, recipe.outputHash, recipe.outputHashAlgo);
    outputs.set("out", {
      path: "",
      hashAlgo: (recipe.method === "nar" ? "r:" : "") + hash.algorithm,
      hash: formatHash(hash, "base16"),
    });
  } else for (const name of recipe.outputs) outputs.set(name, { path: "", hashAlgo: "", hash: "" });
  for (const name of outputs.keys()) recipe.env.set(name, "");

  const { inputDrvs, inputSrcs } = inputs(host, recipe.context, elements);
  const { path: drvPath, derivation } = hashes.complete({
    name: recipe.name,
    outputs,
    inputDrvs: new Map([...inputDrvs].map(([path, names]) => [path, [...names].sort()])),
    inputSrcs: [...inputSrcs].sort(),
    system: recipe.system,
    builder: recipe.builder,
    args: recipe.args,
    env: recipe.env,
  });
  host.addDerivation(drvPath, derivation);
  return Attrs.from([
    ["drvPath", makeString(drvPath, new Set([closureElement(drvPath)]))],
    ...[...derivation.outputs].map(
      ([name, { path }]) => [name, makeString(path, new Set([outputElement(drvPath, name)]))] as const,
    ),
  ]);
}

function fixedHash(host: Host, text: string, algorithm: HashAlgorithm | undefined): Hash {
  if (text !== "") return parseHash(text, algorithm);
  if (algorithm === undefined) throw new EvalError("empty hash requires explicit hash algorithm");
  const size = { md5: 16, sha1: 20, sha256: 32, sha512: 64 }[algorithm];
  const zeros: Hash = { algorithm, bytes: new Uint8Array(size) };
  host.message("warning", `found empty hash, assuming '${formatHash(zeros, "sri")}'`);
  return zeros;
}

interface Inputs {
  readonly inputDrvs: Map<string, Set<string>>;
  readonly inputSrcs: Set<string>;
}

/** What a derivation depends on, from the contexts of all its strings. */
function inputs(host: Host, context: Context, elements: Map<string, ContextElement>): Inputs {
  const inputDrvs = new Map<string, Set<string>>();
  const inputSrcs = new Set<string>();
  const outputsOf = (path: string): Set<string> => {
    let names = inputDrvs.get(path);
    if (names === undefined) {
      names = new Set();
      inputDrvs.set(path, names);
    }
    return names;
  };
  for (const encoded of context) {
    let element = elements.get(encoded);
    if (element === undefined) elements.set(encoded, (element = parseContextElement(encoded)));
    if (element.kind === "path") inputSrcs.add(element.path);
    else if (element.kind === "output") outputsOf(element.path).add(element.output);
    else
      for (const [path, derivation] of closure(host, element.path)) {
        inputSrcs.add(path);
        if (derivation !== undefined) for (const name of derivation.outputs.keys()) outputsOf(path).add(name);
      }
  }
  return { inputDrvs, inputSrcs };
}

/** Everything that a derivation file refers to, directly or not, with itself; derivations with their content. */
function closure(host: Host, root: string): Map<string, Derivation | undefined> {
  const found = new Map<string, Derivation | undefined>();
  const queue = [root];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (found.has(path)) continue;
    if (path.endsWith(".drv")) {
      const derivation = host.readDerivation(path);
      found.set(path, derivation);
      queue.push(...derivation.inputDrvs.keys(), ...derivation.inputSrcs);
    } else {
      found.set(path, undefined);
      if (host.references !== undefined) queue.push(...host.references(path));
    }
  }
  return found;
}
