/** `nix registry`: what it changes in the files. */
import { resolve } from "node:path";
import {
  type FlakeReference,
  formatReference,
  parseReference,
  type RefAttributes,
  referenceFromAttributes,
  referenceToAttributes,
  sameReference,
} from "../../flake/syntax.ts";
import type { Context } from "../context.ts";
import { readRegistry, type RegistryFiles, resolvedReference, writeRegistry } from "../registries.ts";
import { openProject } from "../source-trees.ts";

/** All entries: which registry it is, the name, and what it stands for. */
export function listRegistries(files: RegistryFiles): (readonly [kind: string, from: string, to: string])[] {
  return (["user", "system", "global"] as const).flatMap((kind) => {
    const file = files[kind];
    const entries = file === undefined ? [] : readRegistry(file);
    return entries.map(({ from, to }) => [kind, shown(from), shown(to)] as const);
  });
}

function shown(attributes: RefAttributes): string {
  return formatReference(referenceFromAttributes(attributes));
}

/** Gives a flake a name, in place of what the name stood for. Relative paths are kept as absolute ones. */
export function addToRegistry(file: string, name: string, reference: string, cwd: string): void {
  const to = parseReference(reference);
  const path = to.attributes.get("path");
  const absolute = new Map(to.attributes);
  if (to.type === "path" && typeof path === "string") absolute.set("path", resolve(cwd, path));
  replace(file, parseReference(name), { ...to, attributes: absolute });
}

export function removeFromRegistry(file: string, name: string): void {
  replace(file, parseReference(name), undefined);
}

/** Gives the present version of a flake a name. @returns what the name stands for, if that can still change */
export async function pinInRegistry(
  context: Context,
  file: string,
  name: string,
  reference: string,
): Promise<string | undefined> {
  const { tree, dir } = await openProject(context, formatReference(resolvedReference(context, reference)));
  const attributes = new Map(tree.locked);
  attributes.delete("narHash");
  const pinned = referenceFromAttributes(attributes);
  replace(file, parseReference(name), { ...pinned, dir });
  return attributes.has("rev") ? undefined : formatReference(pinned);
}

function replace(file: string, from: FlakeReference, to: FlakeReference | undefined): void {
  const others = readRegistry(file).filter((entry) => !sameReference(referenceFromAttributes(entry.from), from));
  const added =
    to === undefined
      ? []
      : [{ from: referenceToAttributes({ ...from, dir: "" }), to: referenceToAttributes(to), exact: false }];
  writeRegistry(file, [...others, ...added]);
}

/** What references mean by all registries. @throws D2nError `flake-reference` for names that nobody knows */
export function resolveNames(context: Context, texts: readonly string[]): string[] {
  return texts.map((text) => formatReference(resolvedReference(context, text)));
}
