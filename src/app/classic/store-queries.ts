/** What `nix-store` asks of and does to the store. */
import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { D2nError, isSystemError, UsageError } from "../../base/index.ts";
import {
  formatHash,
  hashNarSync,
  makeFixedOutputPath,
  parseHash,
  parseHashAlgorithm,
  readNar,
} from "../../formats/index.ts";
import type { Context } from "../context.ts";
import { followToStorePath, outputsOrPath, referencesFirst } from "./store-arguments.ts";
import { dotGraph, graphMl, referenceTree } from "./store-graphs.ts";

export type StoreQuery =
  | "outputs"
  | "requisites"
  | "references"
  | "referrers"
  | "referrers-closure"
  | "deriver"
  | "valid-derivers"
  | "binding"
  | "hash"
  | "size"
  | "tree"
  | "graph"
  | "graphml"
  | "resolve"
  | "roots";

export interface QueryOptions {
  /** Outputs in the place of derivations. */
  readonly useOutputs: boolean;
  /** Makes paths valid first. */
  readonly realise: boolean;
  /** With requisites: the valid outputs of derivations, too. */
  readonly includeOutputs: boolean;
  /** The variable that "binding" asks a derivation for. */
  readonly binding: string | undefined;
}

/** What the store knows of paths, with line ends; a byte string. @param texts paths, or links to them */
export async function queryStore(
  context: Context,
  query: StoreQuery,
  texts: readonly string[],
  options: QueryOptions,
): Promise<string> {
  const store = await context.store();
  const named = texts.map((text) => followToStorePath(context, text));
  const meant = async (useOutputs = options.useOutputs): Promise<string[]> => {
    const all: string[] = [];
    for (const path of named) all.push(...(await outputsOrPath(context, path, { ...options, useOutputs })));
    return all;
  };
  const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join("");
  const sorted = async (all: Iterable<string>): Promise<string> => lines(await referencesFirst(context, all));
  const each = async (paths: readonly string[], tell: (path: string) => Promise<string>): Promise<string> => {
    const all: string[] = [];
    for (const path of paths) all.push(await tell(path));
    return lines(all);
  };
  switch (query) {
    case "outputs":
      return lines(await meant(true));
    case "requisites":
      return sorted(await store.closure(await meant(), { includeOutputs: options.includeOutputs }));
    case "references": {
      const all = new Set<string>();
      for (const path of await meant())
        for (const reference of (await store.queryPathInfo(path)).references) all.add(reference);
      return sorted(all);
    }
    case "referrers": {
      const all = new Set<string>();
      for (const path of await meant()) for (const referrer of await store.queryReferrers(path)) all.add(referrer);
      return sorted(all);
    }
    case "referrers-closure":
      return sorted(await store.closure(await meant(), { reverse: true }));
    case "deriver":
      return each(named, async (path) => (await store.queryPathInfo(path)).deriver ?? "unknown-deriver");
    case "valid-derivers": {
      const all = new Set<string>();
      for (const path of named) for (const deriver of await store.queryDerivers(path)) all.add(deriver);
      return sorted(all);
    }
    case "binding":
      return each(named, (path) => bindingOf(context, path, options.binding ?? ""));
    case "hash":
      return each(await meant(), async (path) => formatHash((await store.queryPathInfo(path)).narHash, "nix32", true));
    case "size":
      return each(await meant(), async (path) => String((await store.queryPathInfo(path)).narSize));
    case "tree":
      return lines(await referenceTree(context, named));
    case "graph":
      return dotGraph(context, await meant());
    case "graphml":
      return graphMl(context, await meant());
    case "resolve":
      return lines(named);
    case "roots": {
      const needing = await store.closure(await meant(), { reverse: true, includeDerivers: true });
      const found: string[] = [];
      for (const [path, keepers] of [...(await store.findRoots())].sort(([a], [b]) => (a < b ? -1 : 1)))
        if (needing.has(path)) for (const keeper of [...keepers].sort()) found.push(`${keeper} -> ${path}`);
      return lines(found);
    }
  }
}

async function bindingOf(context: Context, path: string, name: string): Promise<string> {
  const store = await context.store();
  const derivation = path.endsWith(".drv") ? path : (await store.queryPathInfo(path)).deriver;
  if (derivation === undefined) throw new D2nError("store-path-missing", `deriver of path '${path}' is not known`);
  const value = (await store.readDerivation(derivation)).env.get(name);
  if (value !== undefined) return value;
  throw new D2nError("settings", `derivation '${derivation}' has no environment binding named '${name}'`);
}

/** The variables of a derivation and its arguments, as shell code. Byte string. */
export async function environmentCode(context: Context, path: string): Promise<string> {
  const { env, args } = await (await context.store()).readDerivation(followToStorePath(context, path));
  const variables = [...env].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...variables.map(([name, value]) => `export ${name}; ${name}=${quoteShellAlways(value)}\n`),
    `export _args; _args=${quoteShellAlways(args.join(" "))}\n`,
  ].join("");
}

function quoteShellAlways(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Copies files and folders to the store; "text" takes files only. @returns their store paths */
export async function addToStore(
  context: Context,
  files: readonly string[],
  {
    method,
    algorithm = "sha256",
    name,
  }: { readonly method: "nar" | "flat" | "text"; readonly algorithm?: string; readonly name?: string | undefined },
): Promise<string[]> {
  const store = await context.store();
  const paths: string[] = [];
  for (const file of files) {
    const place = resolve(context.cwd, file);
    if (method === "text") {
      if (parseHashAlgorithm(algorithm) !== "sha256") throw new UsageError("'--mode text' hashes with sha256 only");
      paths.push(await store.addText(name ?? basename(place), readText(place)));
      continue;
    }
    const options = { name: name ?? basename(place), method, algorithm: parseHashAlgorithm(algorithm) };
    paths.push((await store.addTree({ path: place }, options)).path);
  }
  return paths;
}

function readText(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    if (isSystemError(error)) throw new D2nError("file-access", `cannot read '${file}': ${error.message}`);
    throw error;
  }
}

/** The path that something with this hash has, without looking whether it is there. */
export function fixedPath(
  context: Context,
  {
    method,
    algorithm,
    hash,
    name,
  }: { readonly method: "nar" | "flat"; readonly algorithm: string; readonly hash: string; readonly name: string },
): string {
  return makeFixedOutputPath(context.storeDir, name, method, parseHash(hash, parseHashAlgorithm(algorithm)));
}

/** Those that the store does not have. */
export async function invalidPaths(context: Context, paths: readonly string[]): Promise<string[]> {
  const valid = await (await context.store()).queryValidPaths(paths);
  return paths.filter((path) => !valid.has(path));
}

/** The serialisation of a file or folder, piece by piece. */
export function dumpPath(context: Context, path: string): AsyncIterable<Uint8Array> {
  return readNar(context.toPhysical(resolve(context.cwd, path)));
}

/** The log of the build of a derivation, or of what made a path; undefined if there is none. */
export async function readBuildLog(context: Context, path: string): Promise<Uint8Array | undefined> {
  const store = await context.store();
  if (path.endsWith(".drv")) return store.readLog(path);
  const deriver = (await store.findPathInfo(path))?.deriver;
  return deriver === undefined ? undefined : store.readLog(deriver);
}

/** A path whose contents are not those that were registered; with both hashes. */
export interface ModifiedPath {
  readonly path: string;
  readonly registered: string;
  readonly actual: string;
}

/** Valid paths whose content is not what it was when they were registered, with both hashes. */
export async function modifiedPaths(context: Context, paths: readonly string[]): Promise<ModifiedPath[]> {
  const store = await context.store();
  const modified: ModifiedPath[] = [];
  for (const path of paths) {
    const { narHash } = await store.queryPathInfo(path);
    const { hash } = hashNarSync(context.toPhysical(path));
    const [registered, actual] = [formatHash(narHash, "nix32", true), formatHash(hash, "nix32", true)];
    if (registered !== actual) modified.push({ path, registered, actual });
  }
  return modified;
}
