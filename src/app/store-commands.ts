/** `d2n log` and `d2n store …`. */
import { readFileSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { D2nError, isSystemError } from "../base/index.ts";
import { formatHash, isInStore, splitStorePath } from "../formats/index.ts";
export type { GarbageResult } from "../store/index.ts";
import type { GarbageResult, PathInfo, VerifyResult } from "../store/index.ts";
import type { Context } from "./context.ts";
import { evaluateInstallable } from "./evaluation/installables.ts";
import { pruneViews } from "./result-links.ts";

/** The log of the build of an installable, a store path or a .drv. @throws D2nError `log-missing` */
export async function buildLog(context: Context, installable: string): Promise<Uint8Array> {
  const store = await context.store();
  const candidates: string[] = [];
  const path = storePathOf(context, installable);
  if (path === undefined) {
    const { result } = await evaluateInstallable(context, installable, { lookup: "build", want: "derivation" });
    if (result.value.type === "derivation") candidates.push(result.value.derivation.drvPath);
  } else if (path.endsWith(".drv")) candidates.push(path);
  else {
    const deriver = (await store.findPathInfo(path))?.deriver;
    if (deriver !== undefined) candidates.push(deriver);
    candidates.push(...(await store.queryDerivers(path)));
  }
  for (const drv of candidates) {
    const log = await store.readLog(drv);
    if (log !== undefined) return log;
  }
  throw new D2nError("log-missing", `there is no log of \`${installable}\``, {
    hint: "It was never built in this store; `d2n build --rebuild` builds what is there already once more.",
  });
}

/** A path in the store that an argument names: by itself, or through links such as `./result`. */
export function storePathOf(context: Context, text: string): string | undefined {
  if (text.includes("#")) return undefined;
  let path = resolve(context.cwd, text);
  if (!isInStore(context.storeDir, path)) {
    try {
      path = realpathSync(path);
    } catch (error) {
      if (isSystemError(error)) return undefined;
      throw error;
    }
    const record = viewRecord(path);
    if (record !== undefined) path = record;
    else if (context.chroot && path.startsWith(`${context.storeRoot}/`)) path = path.slice(context.storeRoot.length);
  }
  return isInStore(context.storeDir, path) ? splitStorePath(context.storeDir, path).storePath : undefined;
}

function viewRecord(folder: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(`${folder}/.d2n-view.json`, "utf8")) as { storePath: string }).storePath;
  } catch {
    return undefined;
  }
}

export interface PathDescription {
  readonly path: string;
  readonly narHash: string;
  readonly narSize: number;
  readonly references: readonly string[];
  readonly deriver: string | undefined;
  readonly ca: string | undefined;
  readonly registrationTime: number;
  /** NAR bytes of the path with everything it refers to. */
  readonly closureSize: number | undefined;
}

export async function pathInfo(
  context: Context,
  installables: readonly string[],
  closure: { readonly size: boolean; readonly recursive: boolean },
): Promise<PathDescription[]> {
  const store = await context.store();
  let paths: string[] = [];
  for (const text of installables) {
    const direct = storePathOf(context, text);
    if (direct !== undefined) paths.push(direct);
    else {
      const { result } = await evaluateInstallable(context, text, { lookup: "build", want: "derivation" });
      if (result.value.type !== "derivation") throw new D2nError("installable", `\`${text}\` is not a derivation`);
      const { drvPath, outputs } = result.value.derivation;
      const derivation = await store.readDerivation(drvPath);
      for (const output of outputs) {
        const path = derivation.outputs.get(output)?.path;
        if (path !== undefined) paths.push(path);
      }
    }
  }
  if (closure.recursive) paths = [...(await store.closure(paths))].sort();
  const found: PathDescription[] = [];
  for (const path of paths) {
    const info = await store.findPathInfo(path);
    if (info === undefined)
      throw new D2nError("store-path-missing", `\`${path}\` is not valid in ${store.description}`, {
        hint: "It has not been built yet: `d2n build` does.",
      });
    found.push(await describe(context, info, closure.size));
  }
  return found;
}

async function describe(context: Context, info: PathInfo, withClosure: boolean): Promise<PathDescription> {
  const store = await context.store();
  let closureSize: number | undefined;
  if (withClosure) {
    closureSize = 0;
    for (const path of await store.closure([info.path])) closureSize += (await store.queryPathInfo(path)).narSize;
  }
  return {
    path: info.path,
    narHash: formatHash(info.narHash, "sri"),
    narSize: info.narSize,
    references: info.references,
    deriver: info.deriver,
    ca: info.ca,
    registrationTime: info.registrationTime,
    closureSize,
  };
}

export async function verifyStore(
  context: Context,
  request: { readonly contents: boolean; readonly repair: boolean },
): Promise<VerifyResult> {
  return (await context.store()).verify({ contents: request.contents, repairDatabase: request.repair });
}

export async function collectGarbage(
  context: Context,
  request: {
    readonly dryRun: boolean;
    readonly maxFreed: number | undefined;
    readonly keepOutputs?: boolean;
    readonly keepDerivations?: boolean;
  },
): Promise<GarbageResult> {
  const store = await context.store();
  if (!request.dryRun) await pruneViews(context);
  return store.collectGarbage({
    action: { type: request.dryRun ? "list-dead" : "delete-dead" },
    maxFreed: request.maxFreed,
    keepOutputs: request.keepOutputs,
    keepDerivations: request.keepDerivations,
  });
}
