/**
 * What a derivation says about how it is to be built, from its environment or its structured attributes (Nix manual,
 * "Advanced attributes"). Everything is a byte string.
 */
import { D2nError, messageOf } from "../base/index.ts";
import type { Derivation } from "../formats/index.ts";

/** References that an output may or must not have: store paths, or names of outputs. */
export interface OutputChecks {
  readonly maxSize?: number | undefined;
  readonly maxClosureSize?: number | undefined;
  readonly allowedReferences?: readonly string[] | undefined;
  readonly allowedRequisites?: readonly string[] | undefined;
  readonly disallowedReferences: readonly string[];
  readonly disallowedRequisites: readonly string[];
  /** Requisites do not count the output itself: so without structured attributes. */
  readonly ignoreSelf: boolean;
}

export interface DerivationOptions {
  /** The parsed `__json`, if the derivation has structured attributes. */
  readonly structured: Readonly<Record<string, unknown>> | undefined;
  readonly passAsFile: ReadonlySet<string>;
  /** File name (or attribute) to the store paths whose graph goes there. */
  readonly exportReferencesGraph: ReadonlyMap<string, readonly string[]>;
  readonly impureEnvVars: readonly string[];
  readonly requiredSystemFeatures: readonly string[];
  readonly noSandbox: boolean;
  readonly allowSubstitutes: boolean;
  checksOf(output: string): OutputChecks;
  /** `unsafeDiscardReferences`: the output counts as one without references. */
  discardsReferences(output: string): boolean;
}

/** @throws D2nError `derivation-malformed` */
export function derivationOptions(drvPath: string, { env }: Derivation): DerivationOptions {
  const malformed = (message: string, cause?: unknown) =>
    new D2nError("derivation-malformed", `derivation '${drvPath}': ${message}`, { cause });
  const json = env.get("__json");
  let structured: Record<string, unknown> | undefined;
  if (json !== undefined) {
    try {
      structured = asObject(JSON.parse(Buffer.from(json, "latin1").toString("utf8")));
    } catch (error) {
      throw malformed(`its structured attributes are no JSON: ${messageOf(error)}`, error);
    }
    if (structured === undefined) throw malformed("its structured attributes are no JSON object");
  }
  const strings = (name: string): string[] | undefined => {
    if (structured === undefined) return words(env.get(name));
    const value = structured[name];
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
      throw malformed(`'${name}' is no list of strings`);
    return value.map(toBytes);
  };
  const flag = (name: string, standard: boolean): boolean => {
    const value = structured === undefined ? env.get(name) : structured[name];
    if (value === undefined) return standard;
    if (structured !== undefined && typeof value !== "boolean") throw malformed(`'${name}' is no Boolean`);
    return value === true || value === "1";
  };
  const checks = (): ((output: string) => OutputChecks) => {
    if (structured === undefined) {
      const all: OutputChecks = {
        allowedReferences: strings("allowedReferences"),
        allowedRequisites: strings("allowedRequisites"),
        disallowedReferences: strings("disallowedReferences") ?? [],
        disallowedRequisites: strings("disallowedRequisites") ?? [],
        ignoreSelf: true,
      };
      return () => all;
    }
    const perOutput = asObject(structured.outputChecks ?? {});
    if (perOutput === undefined) throw malformed("'outputChecks' is no set");
    return (output) => {
      const own = asObject(perOutput[fromBytes(output)] ?? {});
      if (own === undefined) throw malformed(`'outputChecks.${output}' is no set`);
      const list = (name: string): string[] | undefined => {
        const value = own[name];
        if (value === undefined) return undefined;
        if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
          throw malformed(`'outputChecks.${output}.${name}' is no list of strings`);
        return value.map(toBytes);
      };
      const size = (name: string): number | undefined => (typeof own[name] === "number" ? own[name] : undefined);
      return {
        maxSize: size("maxSize"),
        maxClosureSize: size("maxClosureSize"),
        allowedReferences: list("allowedReferences"),
        allowedRequisites: list("allowedRequisites"),
        disallowedReferences: list("disallowedReferences") ?? [],
        disallowedRequisites: list("disallowedRequisites") ?? [],
        ignoreSelf: false,
      };
    };
  };
  const graphs = (): Map<string, readonly string[]> => {
    const found = new Map<string, readonly string[]>();
    if (structured !== undefined) {
      const value = structured.exportReferencesGraph;
      // Nix ignores anything else with a warning.
      for (const [key, paths] of Object.entries(asObject(value) ?? {}))
        found.set(toBytes(key), flatten(paths, malformed).map(toBytes));
      return found;
    }
    const tokens = words(env.get("exportReferencesGraph")) ?? [];
    if (tokens.length % 2 !== 0) throw malformed("'exportReferencesGraph' has an odd number of words");
    for (let i = 0; i < tokens.length; i += 2) {
      if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(tokens[i]!))
        throw malformed(`'${tokens[i]}' in 'exportReferencesGraph' is no file name`);
      found.set(tokens[i]!, [tokens[i + 1]!]);
    }
    return found;
  };
  return {
    structured,
    passAsFile: new Set(structured === undefined ? words(env.get("passAsFile")) : []),
    exportReferencesGraph: graphs(),
    impureEnvVars: strings("impureEnvVars") ?? [],
    requiredSystemFeatures: strings("requiredSystemFeatures") ?? [],
    noSandbox: flag("__noChroot", false),
    allowSubstitutes: flag("allowSubstitutes", true),
    checksOf: checks(),
    discardsReferences: (output) => asObject(structured?.unsafeDiscardReferences)?.[fromBytes(output)] === true,
  };
}

function words(text: string | undefined): string[] | undefined {
  return text?.split(/[ \t\n\r]+/).filter((word) => word !== "");
}

function flatten(value: unknown, malformed: (message: string) => Error): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap((item) => flatten(item, malformed));
  throw malformed("a value of 'exportReferencesGraph' is neither a list nor a string");
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** Text to a byte string. */
export function toBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** A byte string to text. */
export function fromBytes(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
