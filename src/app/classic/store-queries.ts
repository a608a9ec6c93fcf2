/** What `nix-store` asks of and does to the store. */
import { basename, resolve } from "node:path";
import { D2nError } from "../../base/index.ts";
import { formatHash, hashNarSync, parseHashAlgorithm, readNar } from "../../formats/index.ts";
import type { Context } from "../context.ts";

export type StoreQuery =
  "outputs" | "requisites" | "references" | "referrers" | "deriver" | "hash" | "size" | "binding";

/** One or more lines for each path. @param binding the variable that `--binding` asks a derivation for */
export async function queryStore(
  context: Context,
  query: StoreQuery,
  paths: readonly string[],
  binding?: string,
): Promise<string[]> {
  const store = await context.store();
  const lines: string[] = [];
  if (query === "requisites") return referencesFirst(context, paths);
  for (const path of paths) {
    switch (query) {
      case "outputs": {
        if (path.endsWith(".drv"))
          for (const { path: output } of (await store.readDerivation(path)).outputs.values()) lines.push(output);
        else lines.push((await store.queryPathInfo(path)).path);
        break;
      }
      case "references":
        lines.push(...[...(await store.queryPathInfo(path)).references].sort());
        break;
      case "referrers":
        lines.push(...[...(await store.queryReferrers(path))].sort());
        break;
      case "deriver":
        lines.push((await store.queryPathInfo(path)).deriver ?? "unknown-deriver");
        break;
      case "hash":
        lines.push(formatHash((await store.queryPathInfo(path)).narHash, "nix32", true));
        break;
      case "size":
        lines.push(String((await store.queryPathInfo(path)).narSize));
        break;
      case "binding": {
        const value = (await store.readDerivation(path)).env.get(binding ?? "");
        if (value === undefined)
          throw new D2nError("settings", `derivation '${path}' has no environment binding named '${binding ?? ""}'`);
        lines.push(value);
      }
    }
  }
  return lines;
}

/** Everything that paths need, each after what it refers to. */
async function referencesFirst(context: Context, paths: readonly string[]): Promise<string[]> {
  const store = await context.store();
  const references = new Map<string, readonly string[]>();
  for (const path of await store.closure(paths))
    references.set(path, [...(await store.queryPathInfo(path)).references].sort());
  const sorted = new Set<string>();
  const started = new Set<string>();
  const visit = (path: string): void => {
    if (started.has(path)) return;
    started.add(path);
    for (const reference of references.get(path) ?? []) visit(reference);
    sorted.add(path);
  };
  for (const path of references.keys()) visit(path);
  return [...sorted];
}

/** Copies files and folders to the store. @returns their store paths */
export async function addToStore(
  context: Context,
  files: readonly string[],
  { method, algorithm }: { readonly method: "nar" | "flat"; readonly algorithm?: string },
): Promise<string[]> {
  const store = await context.store();
  const paths: string[] = [];
  for (const file of files) {
    if (algorithm !== undefined && parseHashAlgorithm(algorithm) !== "sha256")
      throw new D2nError("settings", `d2n adds files by their sha256 only, not by '${algorithm}'`);
    const place = resolve(context.cwd, file);
    paths.push((await store.addTree({ path: place }, { name: basename(place), method })).path);
  }
  return paths;
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

/** The log of a build, or undefined. */
export async function readBuildLog(context: Context, path: string): Promise<Uint8Array | undefined> {
  return (await context.store()).readLog(path);
}

/** Valid paths whose content is not what it was when they were registered, with both hashes. */
export async function modifiedPaths(
  context: Context,
  paths: readonly string[],
): Promise<{ readonly path: string; readonly registered: string; readonly actual: string }[]> {
  const store = await context.store();
  const modified: { path: string; registered: string; actual: string }[] = [];
  for (const path of paths) {
    const { narHash } = await store.queryPathInfo(path);
    const { hash } = hashNarSync(context.toPhysical(path));
    const [registered, actual] = [formatHash(narHash, "nix32", true), formatHash(hash, "nix32", true)];
    if (registered !== actual) modified.push({ path, registered, actual });
  }
  return modified;
}
