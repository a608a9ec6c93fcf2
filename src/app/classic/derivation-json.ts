/** Derivations as JSON, version 4: `nix derivation show`, `nix derivation add` (manual, "Derivation JSON format"). */
import { D2nError } from "../../base/index.ts";
import {
  type Derivation,
  DerivationHashes,
  type DerivationOutput,
  formatHash,
  isStorePathName,
  parseHash,
  storePathBase,
} from "../../formats/index.ts";
import { jsonFloat } from "../../lang/index.ts";
import type { Context } from "../context.ts";

const VERSION = 4;

/** The derivations, by the base names of their files. @param recursive those that they need as well */
export async function showDerivations(context: Context, paths: readonly string[], recursive: boolean): Promise<string> {
  const store = await context.store();
  const wanted = new Set(paths);
  const all = recursive ? await store.closure(wanted) : wanted;
  const derivations: string[] = [];
  for (const path of [...all].filter((one) => one.endsWith(".drv")).sort())
    derivations.push(`${JSON.stringify(storePathBase(path))}:${derivationJson(await store.readDerivation(path))}`);
  return `{"derivations":{${derivations.join(",")}},"version":${VERSION}}`;
}

function derivationJson({ name, outputs, inputDrvs, inputSrcs, system, builder, args, env }: Derivation): string {
  const sorted = <T>(map: ReadonlyMap<string, T>): [string, T][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  const structured = env.get("__json");
  const object = (entries: readonly (readonly [string, string])[]): string =>
    `{${entries.map(([key, value]) => `${JSON.stringify(text(key))}:${value}`).join(",")}}`;
  const string = (bytes: string): string => JSON.stringify(text(bytes));
  return object([
    ["args", `[${args.map(string).join(",")}]`],
    ["builder", string(builder)],
    [
      "env",
      object(
        sorted(env)
          .filter(([key]) => key !== "__json")
          .map(([key, value]) => [key, string(value)]),
      ),
    ],
    [
      "inputs",
      object([
        [
          "drvs",
          object(
            sorted(inputDrvs).map(([path, wanted]) => [
              storePathBase(path),
              `{"dynamicOutputs":{},"outputs":${JSON.stringify([...wanted].sort())}}`,
            ]),
          ),
        ],
        ["srcs", JSON.stringify([...inputSrcs].sort().map(storePathBase))],
      ]),
    ],
    ["name", string(name)],
    ["outputs", object(sorted(outputs).map(([output, one]) => [output, JSON.stringify(outputJson(one))]))],
    // Its text as Nix wrote it: numbers keep their digits.
    ...(structured === undefined ? [] : [["structuredAttrs", text(structured)] as const]),
    ["system", string(system)],
    ["version", String(VERSION)],
  ]);
}

const METHODS: Readonly<Record<string, string>> = { "": "flat", "r:": "nar", "text:": "text", "git:": "git" };

function outputJson({ path, hashAlgo, hash }: DerivationOutput): unknown {
  if (hashAlgo === "") return { path: storePathBase(path) };
  const [, prefix = "", algorithm = ""] = /^(r:|text:|git:)?(.*)$/.exec(hashAlgo)!;
  const method = METHODS[prefix];
  if (hash === "") return { hashAlgo: algorithm, method };
  return { hash: formatHash(parseHash(`${algorithm}:${hash}`), "sri"), method };
}

/**
 * Writes a derivation that is given as such JSON; the paths of its outputs are checked.
 * @throws D2nError `derivation-malformed`
 */
export async function addDerivationJson(context: Context, json: string): Promise<string> {
  const store = await context.store();
  const derivation = parseDerivationJson(json, context.storeDir);
  const hashes = new DerivationHashes(context.storeDir, (path) => store.readDerivationSync(path));
  const right = hashes.withOutputPaths(derivation);
  for (const [output, { path }] of derivation.outputs)
    if (path !== "" && path !== right.outputs.get(output)!.path)
      throw malformed(`derivation has incorrect output '${path}', should be '${right.outputs.get(output)!.path}'`);
  return store.addDerivation(right);
}

function parseDerivationJson(json: string, storeDir: string): Derivation {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(json, "latin1").toString("utf8"));
  } catch (error) {
    throw malformed((error as Error).message);
  }
  const root = object(value, "derivation");
  const field = (of: Record<string, unknown>, key: string): unknown => {
    if (!Object.hasOwn(of, key))
      throw malformed(`Expected JSON object to contain key '${key}' but it doesn't: ${JSON.stringify(of)}`);
    return of[key];
  };
  if (field(root, "version") !== VERSION)
    throw malformed(`Only derivation format version ${VERSION} is currently supported.`);
  const name = string(field(root, "name"), "name");
  if (!isStorePathName(name)) throw malformed(`'${name}' is no name of a derivation`);
  const whole = (base: string): string => `${storeDir}/${base}`;
  const inputs = object(field(root, "inputs"), "inputs");
  const structured = root["structuredAttrs"];
  const env = new Map(
    Object.entries(object(field(root, "env"), "env")).map(([key, one]) => [bytes(key), bytes(string(one, key))]),
  );
  if (structured !== undefined)
    env.set("__json", bytes(canonical(withNumbersAsWritten(text(json))["sstructuredAttrs"])));
  return {
    name,
    outputs: new Map(
      Object.entries(object(field(root, "outputs"), "outputs")).map(([output, one]) => [
        output,
        outputOf(object(one, output), whole),
      ]),
    ),
    inputDrvs: new Map(
      Object.entries(object(field(inputs, "drvs"), "drvs")).map(([path, one]) => [
        whole(path),
        strings(field(object(one, path), "outputs"), "outputs"),
      ]),
    ),
    inputSrcs: strings(field(inputs, "srcs"), "srcs").map(whole),
    system: bytes(string(field(root, "system"), "system")),
    builder: bytes(string(field(root, "builder"), "builder")),
    args: strings(field(root, "args"), "args").map(bytes),
    env,
  };
}

/**
 * Valid JSON, read so that numbers keep their digits: a string, or the name of a member, begins with "s", the text of a number
 * with "n".
 */
function withNumbersAsWritten(json: string): Record<string, unknown> {
  const marked = json.replace(/"([^"\\]*(?:\\.[^"\\]*)*)"|-?\d[\d.eE+-]*/gs, (token, inside: string | undefined) =>
    inside === undefined ? `"n${token}"` : `"s${inside}"`,
  );
  return object(JSON.parse(marked), "derivation");
}

/** JSON of what `withNumbersAsWritten` gave, with the members of objects in the order that Nix writes them. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "string") return value.startsWith("n") ? number(value.slice(1)) : JSON.stringify(value.slice(1));
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (bytes(a) < bytes(b) ? -1 : 1));
  return `{${members.map(([key, one]) => `${JSON.stringify(key.slice(1))}:${canonical(one)}`).join(",")}}`;
}

/** A whole number of 64 bits, signed or not, as it is; any other as the nearest double. */
function number(digits: string): string {
  if (/^-?\d+$/.test(digits)) {
    const whole = BigInt(digits);
    if (whole >= -(2n ** 63n) && whole < 2n ** 64n) return String(whole);
  }
  const value = Number(digits);
  if (!Number.isFinite(value)) throw malformed(`number overflow parsing '${digits}'`);
  return jsonFloat(value);
}

function outputOf(output: Record<string, unknown>, whole: (base: string) => string): DerivationOutput {
  if (typeof output["path"] === "string") return { path: whole(output["path"]), hashAlgo: "", hash: "" };
  // Its path is worked out.
  if (Object.keys(output).length === 0) return { path: "", hashAlgo: "", hash: "" };
  if (typeof output["hash"] !== "string")
    throw malformed("an output has neither a path nor a hash: content-addressed outputs are not served");
  const hash = parseHash(output["hash"]);
  const prefix = Object.entries(METHODS).find(([, method]) => method === output["method"])?.[0];
  if (prefix === undefined) throw malformed(`an output has the unknown method '${String(output["method"])}'`);
  return { path: "", hashAlgo: `${prefix}${hash.algorithm}`, hash: formatHash(hash, "base16") };
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw malformed(`Expected JSON value to be of type 'object': '${what}'`);
}

function string(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw malformed(`Expected JSON value to be of type 'string': '${what}'`);
}

function strings(value: unknown, what: string): string[] {
  if (Array.isArray(value)) return value.map((one) => string(one, what));
  throw malformed(`Expected JSON value to be of type 'array': '${what}'`);
}

function malformed(message: string): D2nError {
  return new D2nError("derivation-malformed", message);
}

function bytes(given: string): string {
  return Buffer.from(given, "utf8").toString("latin1");
}

function text(byteString: string): string {
  return Buffer.from(byteString, "latin1").toString("utf8");
}
