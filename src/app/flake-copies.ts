/** `flake prefetch`, `prefetch-inputs`, `archive` and `clone`: the sources of flakes, without evaluating their outputs. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { D2nError, notice } from "../base/index.ts";
import { cloneRepository } from "../fetchers/index.ts";
import {
  type FlakeReference,
  formatReference,
  parseReference,
  referenceFromAttributes,
  referenceToAttributes,
  sortedAttributes,
} from "../flake/syntax.ts";
import { makeFixedOutputPath, parseHash } from "../formats/index.ts";
import type { Context } from "./context.ts";
import { flakeMetadata } from "./eval.ts";
import type { Plain } from "./evaluation/protocol.ts";
import { readTree, writeTreeFile } from "./file-trees.ts";
import { lockedInputs, type LockedInputNode } from "./flake-inputs.ts";
import { resolvedReference } from "./registries.ts";
import { forgeUrl } from "./git-trees.ts";
import { fetchTree, openSource } from "./source-trees.ts";

export interface PrefetchedFlake {
  /** SRI form. */
  readonly hash: string;
  readonly storePath: string;
  readonly url: string;
  readonly locked: Readonly<Record<string, Plain>>;
  readonly original: Readonly<Record<string, Plain>>;
}

/** Fetches the tree of a reference to the store, be it a flake or not. */
export async function prefetchFlake(context: Context, text: string): Promise<PrefetchedFlake> {
  const { tree, display } = await openSource(context, text);
  const locked = new Map(tree.locked);
  const hash = String(locked.get("narHash"));
  locked.delete("narHash");
  return {
    hash,
    storePath: Buffer.from(tree.outPath, "latin1").toString("utf8"),
    url: formatReference(referenceFromAttributes(locked)),
    locked: sortedAttributes(locked),
    original: sortedAttributes(referenceToAttributes(parseReference(display))),
  };
}

/** A source tree with those of its inputs. */
export interface ArchivedFlake {
  /** Undefined for a folder of the flake that names it. */
  readonly path?: string;
  readonly inputs: Readonly<Record<string, ArchivedFlake>>;
}

/** Fetches the sources of a flake and of all its inputs. @param dryRun only says where they would be */
export async function archiveFlake(
  context: Context,
  reference: string,
  { dryRun }: { readonly dryRun: boolean },
): Promise<ArchivedFlake> {
  const { path, lockFile } = await flakeMetadata(context, reference);
  const archive = async (inputs: readonly LockedInputNode[]): Promise<Record<string, ArchivedFlake>> => {
    const all: Record<string, ArchivedFlake> = {};
    for (const { name, locked, inputs: below } of inputs) {
      if (locked === undefined) continue;
      // It lies in the tree of the flake that names it.
      if (locked["type"] === "path" && !String(locked["path"]).startsWith("/")) {
        all[name] = { inputs: await archive(below) };
        continue;
      }
      const narHash = dryRun ? locked["narHash"] : undefined;
      const outPath =
        typeof narHash === "string"
          ? makeFixedOutputPath(context.storeDir, "source", "nar", parseHash(narHash, "sha256"))
          : (await fetchTree(context, Object.entries(locked))).outPath;
      all[name] = { inputs: await archive(below), path: Buffer.from(outPath, "latin1").toString("utf8") };
    }
    return all;
  };
  return { inputs: await archive(lockedInputs(lockFile)), path };
}

/**
 * Makes a checkout of a flake's repository, or a copy of its tree if it comes from elsewhere than git.
 * @throws D2nError `git-failed`, `file-access` where something is in the way
 */
export async function cloneFlake(context: Context, text: string, destination: string): Promise<void> {
  const place = resolve(context.cwd, destination);
  const reference = resolvedReference(context, (await localReference(context, text)) ?? text);
  const url = repositoryOf(reference);
  const attribute = (name: string): string | undefined => reference.attributes.get(name) as string | undefined;
  if (url !== undefined) {
    const { environment, signal } = context;
    await cloneRepository(url, place, { environment, signal, ref: attribute("ref"), rev: attribute("rev") });
    return;
  }
  if (existsSync(place)) throw new D2nError("file-access", `path '${place}' already exists`);
  const { tree } = await openSource(context, formatReference(reference));
  for (const [path, file] of readTree(context.toPhysical(Buffer.from(tree.outPath, "latin1").toString("utf8"))))
    writeTreeFile(join(place, path), file);
  notice(context.sink, `copied ${formatReference(reference)} to ${place}`);
}

/** A path means the repository that it lies in. */
async function localReference(context: Context, text: string): Promise<string | undefined> {
  return /^[./]/.test(text) ? (await openSource(context, text)).display : undefined;
}

function repositoryOf(reference: FlakeReference): string | undefined {
  if (reference.type === "git") return String(reference.attributes.get("url"));
  return ["github", "gitlab", "sourcehut"].includes(reference.type) ? forgeUrl(reference) : undefined;
}
