/** `d2n build`: evaluate, realise, link. */
import { lstatSync, readlinkSync } from "node:fs";
import { resolve } from "node:path";
import { D2nError } from "../base/index.ts";
import type { Context } from "./context.ts";
import { type EvaluatedInstallable, evaluateInstallable } from "./evaluation/installables.ts";
import { linkIsCurrent, linkResult } from "./result-links.ts";

export interface BuildRequest {
  readonly installables: readonly string[];
  /** Name of the links; undefined for none. */
  readonly link: string | undefined;
  /** Build again what is there and compare. */
  readonly rebuild: boolean;
  /** Only say what would be built. */
  readonly dryRun: boolean;
}

export interface Built {
  /** As the user wrote it. */
  readonly installable: string;
  readonly drvPath: string | undefined;
  /** Output name to store path. */
  readonly outputs: ReadonlyMap<string, string>;
}

export async function build(context: Context, request: BuildRequest): Promise<readonly Built[]> {
  const evaluated: EvaluatedInstallable[] = [];
  for (const text of request.installables)
    evaluated.push(await evaluateInstallable(context, text, { lookup: "build", want: "derivation" }));
  if (!request.rebuild && !request.dryRun) {
    const current = alreadyBuilt(context, request, evaluated);
    if (current !== undefined) return current;
  }
  const built: Built[] = [];
  for (const one of evaluated) built.push(await buildOne(context, one, request));
  if (request.link !== undefined && !request.dryRun) await linkAll(context, built, request.link);
  rememberBuilt(evaluated, built);
  return built;
}

async function buildOne(context: Context, one: EvaluatedInstallable, request: BuildRequest): Promise<Built> {
  const { value } = one.result;
  const store = await context.store();
  if (request.dryRun) {
    if (value.type !== "derivation") return { installable: one.text, drvPath: undefined, outputs: new Map() };
    const derivation = await store.readDerivation(value.derivation.drvPath);
    return {
      installable: one.text,
      drvPath: value.derivation.drvPath,
      outputs: pick(derivation.outputs, value.derivation.outputs),
    };
  }
  // Loaded only when there is something to build: most of d2n hangs on it.
  const { realiseInstallable } = await import("./realise-installable.ts");
  const { wanted } = await realiseInstallable(context, one, { check: request.rebuild });
  if (value.type === "path")
    return { installable: one.text, drvPath: undefined, outputs: new Map([["out", value.path]]) };
  const first = wanted[0];
  if (first === undefined || !("outputs" in first))
    throw new D2nError("installable", `\`${one.text}\` is nothing that can be built`);
  return { installable: one.text, drvPath: first.drvPath, outputs: first.outputs };
}

function pick(outputs: ReadonlyMap<string, { readonly path: string }>, names: readonly string[]): Map<string, string> {
  return new Map(names.flatMap((name) => (outputs.has(name) ? [[name, outputs.get(name)!.path] as const] : [])));
}

/** `result`, `result-1`, … for several installables; `result-dev` for outputs beyond the first. */
export function linkNames(built: readonly Built[], link: string): { readonly link: string; readonly path: string }[] {
  return built.flatMap((one, i) => {
    const base = i === 0 ? link : `${link}-${i}`;
    return [...one.outputs].map(([output, path]) => ({ link: output === "out" ? base : `${base}-${output}`, path }));
  });
}

async function linkAll(context: Context, built: readonly Built[], link: string): Promise<void> {
  for (const { link: name, path } of linkNames(built, link))
    await linkResult(context, resolve(context.cwd, name), path);
}

/**
 * What the links say, if every wanted output has one that is right already. A link of ours is a root, so what it leads to is
 * still valid: nothing has to be asked.
 */
function alreadyBuilt(
  context: Context,
  request: BuildRequest,
  evaluated: readonly EvaluatedInstallable[],
): readonly Built[] | undefined {
  if (request.link === undefined) return undefined;
  const built: Built[] = [];
  for (const one of evaluated) {
    const outputs = one.result.outputPaths;
    if (one.result.value.type !== "derivation" || outputs === undefined || one.outputs !== undefined) return undefined;
    built.push({ installable: one.text, drvPath: one.result.value.derivation.drvPath, outputs: new Map(outputs) });
  }
  for (const { link, path } of linkNames(built, request.link)) {
    const place = resolve(context.cwd, link);
    try {
      if (!lstatSync(place).isSymbolicLink() || !linkIsCurrent(context, readlinkSync(place), path)) return undefined;
    } catch {
      return undefined;
    }
  }
  return built;
}

function rememberBuilt(evaluated: readonly EvaluatedInstallable[], built: readonly Built[]): void {
  evaluated.forEach((one, i) => {
    const { outputs } = built[i]!;
    if (one.outputs === undefined && outputs.size > 0) one.remember([...outputs]);
  });
}
