/** `nix-build`, `nix-store --realise`: making store paths valid. */
import { resolve } from "node:path";
import type { Wanted } from "../../build/index.ts";
import type { Context } from "../context.ts";
import { realise } from "../realise.ts";
import { linkResult } from "../result-links.ts";
import type { FoundDerivation } from "./protocol.ts";

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
  if (link !== undefined)
    for (const [i, path] of paths.entries()) {
      const { output } = derivations[i]!;
      const name = `${link}${i === 0 ? "" : `-${i + 1}`}${output === "out" ? "" : `-${output}`}`;
      await linkResult(context, resolve(context.cwd, name), path);
    }
  return paths;
}

/**
 * Builds derivations (all outputs, or those after `!`), and fetches or checks other paths.
 * @returns the paths that are valid now
 */
export async function realisePaths(context: Context, paths: readonly string[]): Promise<string[]> {
  const { wanted } = await realise(
    context,
    paths.map((text): Wanted => {
      const [path = "", outputs] = text.split("!");
      if (!path.endsWith(".drv")) return { path };
      return { drvPath: path, outputs: outputs === undefined ? "all" : outputs.split(",") };
    }),
  );
  return wanted.flatMap((one) => ("outputs" in one ? [...one.outputs.values()] : [one.path]));
}
