/** Fixed outputs that need no builder: `builtin:fetchurl`, and content that is known by its hash already. */
import { createReadStream } from "node:fs";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { D2nError } from "../base/index.ts";
import { downloadFile, HashMismatchError, shownUrl } from "../fetchers/index.ts";
import { decompress, parseNar, storePathName, TreeUnpacker } from "../formats/index.ts";
import { fromBytes } from "./derivation-options.ts";
import { type FixedOutput, fixedOutput, type PlannedDerivation } from "./plan.ts";
import type { Realisation, RealiseOptions } from "./types.ts";
import { makeWorkspace, removeTree } from "./workspace.ts";

/**
 * Fetches what `builtin:fetchurl` describes (libstore, builtins/fetchurl.cc): `url`, `executable`, `unpack`; `urls` besides,
 * as nixpkgs' fetchurl has it.
 * @throws FetchError, HashMismatchError, StoreError
 */
export async function fetchOutput(
  request: RealiseOptions,
  planned: PlannedDerivation,
  signal: AbortSignal,
): Promise<Realisation> {
  const { store } = request;
  const { drvPath, derivation, check } = planned;
  const fixed = fixedOutput(derivation)!;
  await using locks = await store.lockPaths([fixed.path], { signal });
  if (!check && store.isValidPathSync(fixed.path)) return "valid";
  const workspace = await makeWorkspace(store, drvPath);
  try {
    const file = join(workspace, "file");
    const executable = derivation.env.get("executable") === "1";
    const unpack = derivation.env.get("unpack") === "1";
    const { contentCache } = request;
    // The hash of the file itself is only known beforehand if nothing is done to it.
    const flat = fixed.method === "flat" && !executable && !unpack ? fixed.hash : undefined;
    if (flat === undefined || check || !(await contentCache?.copyTo(flat, file, signal))) {
      const { hashes } = await download(request, planned, fixed, file, signal);
      await contentCache?.add(file, [...hashes.keys()], hashes);
    }
    if (executable) await chmod(file, 0o755);
    const from = unpack ? await unpackNar(file, join(workspace, "tree"), derivation.env.get("url") ?? "") : file;
    await store.registerOutputs([{ name: "out", path: fixed.path, from, fixed }], { deriver: drvPath, candidates: [] });
    locks.release({ delete: true });
    return check ? "checked" : "fetched";
  } finally {
    await removeTree(workspace);
  }
}

/** Puts content from the cache in place of running a fixed-output derivation's builder. */
export async function copyOutput(
  request: RealiseOptions,
  planned: PlannedDerivation,
  signal: AbortSignal,
): Promise<Realisation> {
  const { store, contentCache } = request;
  const fixed = fixedOutput(planned.derivation)!;
  await using locks = await store.lockPaths([fixed.path], { signal });
  if (store.isValidPathSync(fixed.path)) return "valid";
  const workspace = await makeWorkspace(store, planned.drvPath);
  try {
    const from = join(workspace, "file");
    if (!(await contentCache!.copyTo(fixed.hash, from, signal)))
      throw new D2nError("path-unavailable", `the cached content of '${fixed.path}' vanished while it was needed`, {
        hint: "Run the command again: it will be fetched.",
      });
    await store.registerOutputs([{ name: "out", path: fixed.path, from, fixed }], {
      deriver: planned.drvPath,
      candidates: [],
    });
    locks.release({ delete: true });
    return "fetched";
  } finally {
    await removeTree(workspace);
  }
}

/** Has the host make a fixed output. */
export async function hostOutput(
  request: RealiseOptions,
  planned: PlannedDerivation,
  signal: AbortSignal,
): Promise<Realisation> {
  const { store, hostFetcher } = request;
  const fixed = fixedOutput(planned.derivation)!;
  await using locks = await store.lockPaths([fixed.path], { signal });
  if (!planned.check && store.isValidPathSync(fixed.path)) return "valid";
  const workspace = await makeWorkspace(store, planned.drvPath);
  try {
    const from = join(workspace, "tree");
    await hostFetcher!.fetch(planned.derivation, from, signal);
    await store.registerOutputs([{ name: "out", path: fixed.path, from, fixed }], {
      deriver: planned.drvPath,
      candidates: [],
    });
    locks.release({ delete: true });
    return planned.check ? "checked" : "fetched";
  } finally {
    await removeTree(workspace);
  }
}

async function download(
  request: RealiseOptions,
  { drvPath, derivation }: PlannedDerivation,
  fixed: FixedOutput,
  file: string,
  signal: AbortSignal,
) {
  const { env } = derivation;
  const given = [env.get("url"), ...(env.get("urls")?.split(/\s+/) ?? [])]
    .filter((url) => url !== undefined && url !== "")
    .map((url) => fromBytes(url!));
  if (given.length === 0)
    throw new D2nError("derivation-malformed", `derivation '${drvPath}': 'builtin:fetchurl' needs the attribute 'url'`);
  const flat = fixed.method === "flat" && env.get("unpack") !== "1" ? fixed.hash : undefined;
  const urls = new Set<string>();
  for (const url of given) {
    for (const candidate of (await request.resolveUrls?.({ url, hash: flat })) ?? [url]) urls.add(candidate);
  }
  const { environment, offline, sink } = request;
  try {
    return await downloadFile({
      urls: [...urls],
      destination: file,
      name: fromBytes(storePathName(fixed.path)),
      expectedHash: flat,
      environment,
      offline,
      sink,
      signal,
    });
  } catch (error) {
    if (!(error instanceof HashMismatchError)) throw error;
    // Nix's wording, which people search for.
    throw new HashMismatchError(`fixed-output derivation '${drvPath}'`, error.specified, error.got, {
      details: `${error.details}\nIt was to be downloaded from ${[...urls].map(shownUrl).join(" ")}`,
      hint: error.hint,
      cause: error,
    });
  }
}

async function unpackNar(file: string, tree: string, url: string): Promise<string> {
  using unpacker = new TreeUnpacker(tree);
  await parseNar(decompress(createReadStream(file), url.endsWith(".xz") ? "xz" : "none"), unpacker);
  return tree;
}
