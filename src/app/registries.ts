/** Nix's registries of flakes, where a command heeds them: what names of flakes mean. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { D2nError, isSystemError, writeFileAtomically } from "../base/index.ts";
import {
  type FlakeReference,
  formatReference,
  formatRegistry,
  lookUpInRegistry,
  parseReference,
  parseRegistry,
  type RegistryEntry,
} from "../flake/syntax.ts";
import type { Context } from "./context.ts";

/** Files that need not be there. */
export interface RegistryFiles {
  readonly user: string;
  readonly system: string;
  /** The setting `flake-registry`. */
  readonly global: string | undefined;
}

/** @throws D2nError for a file that is no registry */
export function readRegistry(file: string): RegistryEntry[] {
  try {
    return parseRegistry(readFileSync(file, "utf8"), file);
  } catch (error) {
    if (isSystemError(error, "ENOENT") || isSystemError(error, "ENOTDIR")) return [];
    throw error;
  }
}

export function writeRegistry(file: string, entries: readonly RegistryEntry[]): void {
  writeFileAtomically(file, formatRegistry(entries));
}

/** The registry that inputs of flakes are looked up in, too: flakes do not depend on what a user or a machine calls something. */
export function globalRegistry({ options }: Context): readonly RegistryEntry[] {
  const file = options.registries?.global;
  return file === undefined ? [] : readRegistry(file);
}

/** What a reference means by all registries; undefined if none knows it. */
export function lookUpReference(context: Context, reference: FlakeReference): FlakeReference | undefined {
  const { registries } = context.options;
  if (registries === undefined) return undefined;
  const { user, system } = registries;
  return lookUpInRegistry(reference, [...readRegistry(user), ...readRegistry(system), ...globalRegistry(context)]);
}

/** A reference as the user wrote it, with names replaced by what they stand for. */
export function withRegistries(context: Context, text: string): string {
  if (context.options.registries === undefined || !/^(flake:|[A-Za-z])/.test(text)) return text;
  const found = lookUpReference(context, parseReference(text));
  return found === undefined ? text : formatReference(found);
}

/** @throws D2nError `flake-reference` for a name that nobody knows */
export function resolvedReference(context: Context, text: string): FlakeReference {
  const reference = parseReference(text);
  const found = lookUpReference(context, reference) ?? reference;
  if (found.type !== "indirect") return found;
  throw new D2nError("flake-reference", `cannot find flake '${formatReference(found)}' in the flake registries`, {
    hint: "`nix registry add NAME REFERENCE` gives a flake a name; `nix registry list` shows those that have one.",
  });
}

/** Where the user's registry is. */
export function userRegistry(environment: Context["environment"]): string {
  const { XDG_CONFIG_HOME: config, HOME: home } = environment;
  return join(config?.startsWith("/") === true ? config : join(home ?? "/", ".config"), "nix/registry.json");
}
