/** What the commands of `nix` work on: store paths, attributes of files and expressions, attributes of flakes. */
import { D2nError } from "../../base/index.ts";
import type { Context } from "../context.ts";
import { evaluateInstallable } from "../evaluation/installables.ts";
import { storePathOf } from "../store-commands.ts";
import { type RealisedPath, realisePaths } from "./build.ts";
import type { FoundDerivation } from "./protocol.ts";

/** One of them, found: a path, or outputs of a derivation. */
export type Installable =
  | { readonly what: string; readonly path: string }
  | { readonly what: string; readonly drvPath: string; readonly outputs: readonly string[] | "all" };

/** Finds the derivations that an attribute means, with the outputs to install. */
export type FindDerivations = (attributePath: string) => Promise<FoundDerivation[]>;

/**
 * @param find for attributes of `--file` or `--expr`; without it, names mean paths and flakes
 * @throws D2nError `installable`
 */
export async function findInstallables(
  context: Context,
  texts: readonly string[],
  find: FindDerivations | undefined,
): Promise<Installable[]> {
  const found: Installable[] = [];
  for (const what of texts.length === 0 ? [find === undefined ? "." : ""] : texts) {
    const [name = "", outputs] = splitOutputs(what);
    const path = find === undefined || name.startsWith("/") ? storePathOf(context, name) : undefined;
    if (path !== undefined) {
      if (outputs !== undefined && path.endsWith(".drv")) found.push({ what, drvPath: path, outputs });
      else found.push({ what: name, path });
    } else if (find !== undefined)
      for (const { drvPath, install } of await find(name))
        found.push({ what, drvPath, outputs: outputs ?? install ?? ["out"] });
    else {
      const { result } = await evaluateInstallable(context, name, { lookup: "build", want: "derivation" });
      if (result.value.type !== "derivation") throw new D2nError("installable", `\`${what}\` is not a derivation`);
      const { drvPath, outputs: standard } = result.value.derivation;
      found.push({ what, drvPath, outputs: outputs ?? standard });
    }
  }
  return found;
}

/** `name^out,dev`, `name^*`. */
function splitOutputs(text: string): [string, readonly string[] | "all" | undefined] {
  const match = /^(.*)\^(\*|[A-Za-z0-9+\-._?=]+(?:,[A-Za-z0-9+\-._?=]+)*)$/s.exec(text);
  if (match === null) return [text, undefined];
  return [match[1]!, match[2] === "*" ? "all" : match[2]!.split(",")];
}

/** How `realisePaths` and `missingDerivations` take it. */
export function wantedText(one: Installable): string {
  return "path" in one ? one.path : `${one.drvPath}!${one.outputs === "all" ? "*" : one.outputs.join(",")}`;
}

/** Makes them valid. */
export function realiseInstallables(context: Context, found: readonly Installable[]): Promise<RealisedPath[]> {
  return realisePaths(context, found.map(wantedText));
}

/** Their paths without building: of derivations the outputs, or with `derivations` the .drv files (and derivers of paths). */
export async function pathsOf(
  context: Context,
  found: readonly Installable[],
  derivations: boolean,
): Promise<string[]> {
  const store = await context.store();
  const paths: string[] = [];
  for (const one of found) {
    if ("path" in one) {
      if (!derivations || one.path.endsWith(".drv")) paths.push(one.path);
      else {
        const deriver = (await store.findPathInfo(one.path))?.deriver;
        if (deriver === undefined) throw new D2nError("installable", `'${one.what}' does not have a known deriver`);
        paths.push(deriver);
      }
      continue;
    }
    if (derivations) {
      paths.push(one.drvPath);
      continue;
    }
    const { outputs } = await store.readDerivation(one.drvPath);
    for (const name of one.outputs === "all" ? outputs.keys() : one.outputs) {
      const output = outputs.get(name);
      if (output === undefined)
        throw new D2nError("installable", `derivation '${one.drvPath}' does not have wanted outputs '${name}'`);
      paths.push(output.path);
    }
  }
  return paths;
}
