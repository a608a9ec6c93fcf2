/** Store paths as the classic commands are given them. */
import { readlinkSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { D2nError } from "../../base/index.ts";
import { isStorePath } from "../../formats/index.ts";
import type { Context } from "../context.ts";
import { storePathOf } from "../store-commands.ts";

/** The store path that an argument is, lies in, or links to. @throws D2nError `store-path-invalid` */
export function followToStorePath(context: Context, text: string): string {
  const path = storePathOf(context, text);
  if (path !== undefined) return path;
  throw new D2nError("store-path-invalid", `path "${resolve(context.cwd, text)}" is not in the Nix store`);
}

/**
 * Outputs of derivations in the place of derivations.
 * @param realise makes paths valid first, and a derivation's outputs
 */
export async function outputsOrPath(
  context: Context,
  path: string,
  { useOutputs, realise }: { readonly useOutputs: boolean; readonly realise: boolean },
): Promise<string[]> {
  if (realise) {
    const { realisePaths } = await import("./build.ts");
    await realisePaths(context, [path]);
  }
  if (!useOutputs || !path.endsWith(".drv")) return [path];
  const { outputs } = await (await context.store()).readDerivation(path);
  return [...outputs.values()].map((output) => output.path).sort();
}

/** Everything that these paths refer to, among themselves, comes before them; else in the order of names. */
export async function referencesFirst(context: Context, paths: Iterable<string>): Promise<string[]> {
  const store = await context.store();
  const wanted = new Set([...paths].sort());
  const sorted = new Set<string>();
  const started = new Set<string>();
  for (const start of wanted) {
    // Depth first without recursion: chains of references can be long.
    const stack: { readonly path: string; readonly below: Iterator<string> }[] = [];
    const enter = async (path: string): Promise<void> => {
      started.add(path);
      const { references } = await store.queryPathInfo(path);
      stack.push({ path, below: [...references].sort()[Symbol.iterator]() });
    };
    if (!started.has(start)) await enter(start);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.below.next();
      if (next.done === true) {
        sorted.add(top.path);
        stack.pop();
      } else if (wanted.has(next.value) && !started.has(next.value)) await enter(next.value);
    }
  }
  return [...sorted];
}

/** A file of a derivation, as an argument of a command that else wants expressions: a path in a store, or a link to one. */
export function storeDerivationOf(cwd: string, text: string): string | undefined {
  if (!text.endsWith(".drv")) {
    // `./result` of a derivation.
    const target = linkTargetOf(resolve(cwd, text));
    return target?.endsWith(".drv") === true && looksLikeStorePath(target) ? target : undefined;
  }
  const path = resolve(cwd, text);
  if (looksLikeStorePath(path)) return path;
  const target = linkTargetOf(path);
  return target !== undefined && looksLikeStorePath(target) ? target : undefined;
}

function linkTargetOf(path: string): string | undefined {
  try {
    return resolve(dirname(path), readlinkSync(path));
  } catch {
    return undefined;
  }
}

function looksLikeStorePath(path: string): boolean {
  return isStorePath(dirname(path), path);
}
