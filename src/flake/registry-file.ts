/** Registries of flakes as Nix keeps them: JSON files that say where a flake known by name is (nix.dev, "nix registry"). */
import { D2nError } from "../base/index.ts";
import {
  type FlakeReference,
  type RefAttributes,
  referenceFromAttributes,
  referenceToAttributes,
  sortedAttributes,
} from "./reference.ts";

/** References with the attributes `from`, and perhaps others, mean `to`. */
export interface RegistryEntry {
  readonly from: RefAttributes;
  /** With `dir`, if the flake is not at the root of its tree. */
  readonly to: RefAttributes;
  /** Only references that are `from` and no more. */
  readonly exact: boolean;
}

/** @param file for messages. @throws D2nError `flake-reference` for what is no registry */
export function parseRegistry(text: string, file: string): RegistryEntry[] {
  const malformed = (why: string): D2nError =>
    new D2nError("flake-reference", `'${file}' is no flake registry: ${why}`, {
      hint: "Mend it or remove it: `nix registry add` writes it anew.",
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw malformed((error as Error).message);
  }
  const { version, flakes } = (isObject(json) ? json : {}) as { readonly version?: unknown; readonly flakes?: unknown };
  if (version !== 2) throw malformed(`its version is ${JSON.stringify(version) ?? "missing"}, and should be 2`);
  if (!Array.isArray(flakes)) throw malformed("it has no list `flakes`");
  return flakes.map((entry: unknown) => {
    if (!isObject(entry) || !isAttributes(entry["from"]) || !isAttributes(entry["to"]))
      throw malformed("an entry lacks `from` or `to`");
    const [from, to] = [new Map(Object.entries(entry["from"])), new Map(Object.entries(entry["to"]))];
    // They have to be references.
    referenceFromAttributes(from);
    referenceFromAttributes(to);
    return { from, to, exact: entry["exact"] === true };
  });
}

export function formatRegistry(entries: readonly RegistryEntry[]): string {
  const flakes = entries.map(({ from, to, exact }) => ({
    ...(exact ? { exact } : {}),
    from: sortedAttributes(from),
    to: sortedAttributes(to),
  }));
  return JSON.stringify({ flakes, version: 2 }, null, 2);
}

/**
 * What registries make of a reference: entries are followed until none fits. The branch and revision that it came with stay.
 * @returns undefined if no entry fits at all
 */
export function lookUpInRegistry(
  reference: FlakeReference,
  entries: readonly RegistryEntry[],
): FlakeReference | undefined {
  let found: FlakeReference | undefined;
  for (let at = reference, steps = 0; ; steps++) {
    const entry = entries.find((one) => fits(one, at));
    if (entry === undefined) return found;
    if (steps > 100) throw new D2nError("flake-reference", "cycle detected in flake registry");
    const to = new Map(entry.to);
    for (const name of ["ref", "rev"]) {
      const value = at.attributes.get(name);
      if (value !== undefined && !entry.from.has(name)) to.set(name, value);
    }
    const next = referenceFromAttributes(to);
    at = found = at.dir === "" ? next : { ...next, dir: at.dir };
  }
}

function fits({ from, exact }: RegistryEntry, reference: FlakeReference): boolean {
  const attributes = referenceToAttributes(reference);
  if (exact && attributes.size !== from.size) return false;
  return [...from].every(([name, value]) => attributes.get(name) === value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isAttributes(value: unknown): value is Readonly<Record<string, string | number | boolean>> {
  return isObject(value) && Object.values(value).every((one) => ["string", "number", "boolean"].includes(typeof one));
}
