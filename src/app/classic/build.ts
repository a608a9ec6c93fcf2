/** `nix-build`, `nix-store --realise`: making store paths valid. */
import { resolve } from "node:path";
import type { Wanted } from "../../build/index.ts";
import type { Context } from "../context.ts";
import { realise } from "../realise.ts";
import { linkResult } from "../result-links.ts";
import type { FoundDerivation } from "./protocol.ts";
import { referencesFirst } from "./store-arguments.ts";

export interface ClassicBuild {
  readonly derivations: readonly FoundDerivation[];
  /** Name of the link; undefined for none. */
  readonly link: string | undefined;
  readonly check: boolean;
}

/** @returns the output paths in order */
export async function buildDerivations(
  context: Context,
  { derivations, link, check }: ClassicBuild,
): Promise<string[]> {
  const { wanted } = await realise(
    context,
    derivations.map(({ drvPath, output }): Wanted => ({ drvPath, outputs: [output] })),
    { check },
  );
  const paths = wanted.map((one, i) => ("outputs" in one ? (one.outputs.get(derivations[i]!.output) ?? "") : one.path));
  const numbers = new Map<string, number>();
  for (const { drvPath } of derivations) if (!numbers.has(drvPath)) numbers.set(drvPath, numbers.size + 1);
  if (link !== undefined)
    for (const [i, path] of paths.entries()) {
      const { drvPath, output } = derivations[i]!;
      const number = numbers.get(drvPath)!;
      const name = `${link}${number === 1 ? "" : `-${number}`}${output === "out" ? "" : `-${output}`}`;
      await linkResult(context, resolve(context.cwd, name), path);
    }
  return paths;
}

/** An output of a derivation, or a path as it is, that has been made valid. */
export interface RealisedPath {
  readonly path: string;
  /** Undefined for a path that was not named by its derivation. */
  readonly output: string | undefined;
  /** Which of the arguments it belongs to, from 1. */
  readonly number: number;
}

/** `/nix/store/….drv!out,dev`: all outputs unless named. */
function wantedOf(text: string): Wanted {
  const [path = "", outputs] = text.split("!");
  if (!path.endsWith(".drv")) return { path };
  return { drvPath: path, outputs: outputs === undefined || outputs === "*" ? "all" : outputs.split(",") };
}

/**
 * Builds derivations (all outputs, or those after `!`), and fetches or checks other paths.
 * @returns what is valid now, sorted within each argument
 */
export async function realisePaths(
  context: Context,
  paths: readonly string[],
  { check = false }: { readonly check?: boolean } = {},
): Promise<RealisedPath[]> {
  const { wanted } = await realise(context, paths.map(wantedOf), { check });
  return wanted.flatMap((one, i): RealisedPath[] => {
    if (!("outputs" in one)) return [{ path: one.path, output: undefined, number: i + 1 }];
    const outputs = [...one.outputs].map(([output, path]) => ({ path, output, number: i + 1 }));
    return outputs.sort((a, b) => (a.path < b.path ? -1 : 1));
  });
}

/** Links to paths that keep them: `root`, `root-2`, `root-2-dev`. @returns the links */
export async function realisedWithRoots(
  context: Context,
  paths: readonly RealisedPath[],
  root: string,
): Promise<string[]> {
  const { addRoot } = await import("./roots.ts");
  const links: string[] = [];
  for (const { path, output, number } of paths) {
    const suffix = output === undefined || output === "out" ? "" : `-${output}`;
    links.push(await addRoot(context, `${root}${number > 1 ? `-${number}` : ""}${suffix}`, path));
  }
  return links;
}

export interface Missing {
  /** Derivations, what they need first. */
  readonly builds: readonly string[];
  /** Paths that nothing can make. */
  readonly unknown: readonly string[];
}

/** What realising would have to do. @param paths as for `realisePaths` */
export async function missingDerivations(context: Context, paths: readonly string[]): Promise<Missing> {
  const store = await context.store();
  const builds = new Set<string>();
  const unknown = new Set<string>();
  const seen = new Set<string>();
  const visit = async (drvPath: string, outputs: readonly string[] | "all"): Promise<void> => {
    if (builds.has(drvPath)) return;
    const key = `${drvPath}!${outputs === "all" ? "*" : outputs.join(",")}`;
    if (seen.has(key)) return;
    seen.add(key);
    if (!(await store.isValidPath(drvPath))) {
      unknown.add(drvPath);
      return;
    }
    const derivation = await store.readDerivation(drvPath);
    let valid = true;
    for (const [name, { path }] of derivation.outputs)
      if (outputs === "all" || outputs.includes(name)) valid &&= await store.isValidPath(path);
    if (valid) return;
    for (const [input, names] of derivation.inputDrvs) await visit(input, [...names]);
    builds.add(drvPath);
  };
  for (const wanted of paths.map(wantedOf)) {
    if ("drvPath" in wanted) await visit(wanted.drvPath, wanted.outputs);
    else if (!(await store.isValidPath(wanted.path))) unknown.add(wanted.path);
  }
  return { builds: await referencesFirst(context, builds), unknown: [...unknown].sort() };
}
