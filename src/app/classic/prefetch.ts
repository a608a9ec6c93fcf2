/** `nix-prefetch-url`, `nix store prefetch-file`: a file of the net in the store, and its hash (Nix: `prefetch.cc`). */
import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import { D2nError } from "../../base/index.ts";
import { fetchTarballTree } from "../../fetchers/index.ts";
import {
  formatHash,
  type Hash,
  hashFileSync,
  hashNarSync,
  isStorePathName,
  makeFixedOutputPath,
  parseHash,
  parseHashAlgorithm,
} from "../../formats/index.ts";
import type { Context } from "../context.ts";
import { contentCache } from "../content-cache.ts";
import { makeScratchFolder } from "../scratch.ts";

export interface PrefetchRequest {
  readonly url: string;
  /** The last part of the URL unless given. */
  readonly name: string | undefined;
  /** `sha256` and so on. */
  readonly algorithm: string;
  /** The hash it must have, in any form. */
  readonly expected: string | undefined;
  /** An archive, whose contents are kept. */
  readonly unpack: boolean;
  readonly executable: boolean;
}

export interface Prefetched {
  readonly path: string;
  /** As `nix-prefetch-url` prints it: base 16 for MD5, else base 32. */
  readonly hash: string;
  readonly sri: string;
}

/** @throws D2nError `hash-mismatch`, `download-failed`, … */
export async function prefetch(context: Context, request: PrefetchRequest): Promise<Prefetched> {
  const { url, unpack, executable } = request;
  const name = request.name ?? nameFrom(url);
  const method = unpack || executable ? "nar" : "flat";
  const store = await context.store();
  const wanted = parseHashAlgorithm(request.algorithm);
  const expected = request.expected === undefined ? undefined : parseHash(request.expected, wanted);
  const algorithm = expected?.algorithm ?? wanted;
  if (expected !== undefined) {
    const known = makeFixedOutputPath(store.storeDir, name, method, expected);
    if (await store.isValidPath(known)) return described(known, expected);
  }
  const scratch = makeScratchFolder(context, "prefetch");
  try {
    const { path: file } = await fetchTarballTree({
      url,
      destination: join(scratch, "file"),
      unpack,
      environment: context.environment,
      offline: context.options.offline,
      contentCache: contentCache(context),
      sink: context.sink,
      signal: context.signal,
    });
    if (executable && !unpack) chmodSync(file, 0o755);
    const hash = method === "nar" ? hashNarSync(file, undefined, algorithm).hash : hashFileSync(file, algorithm).hash;
    if (expected !== undefined && formatHash(expected, "base16") !== formatHash(hash, "base16"))
      throw new D2nError("hash-mismatch", `hash mismatch for '${name}'`, {
        details: `specified: ${formatHash(expected, "sri")}\n      got: ${formatHash(hash, "sri")}`,
        exitCode: 102,
      });
    const { path } = await store.addTree({ path: file }, { name, method, algorithm });
    return described(path, hash);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function described(path: string, hash: Hash): Prefetched {
  return { path, hash: formatHash(hash, hash.algorithm === "md5" ? "base16" : "nix32"), sri: formatHash(hash, "sri") };
}

function nameFrom(url: string): string {
  let path: string;
  try {
    path = new URL(url).pathname;
  } catch {
    throw new D2nError("download-failed", `'${url}' is not a valid URL`);
  }
  const name = decodeURIComponent(path.slice(path.lastIndexOf("/") + 1));
  if (name === "") throw new D2nError("download-failed", `cannot figure out file name for '${url}'`);
  if (isStorePathName(name)) return name;
  throw new D2nError(
    "store-path-invalid",
    `name '${name}' contains an illegal character, or is not one of a store path`,
    {
      details: `file name '${name}' was extracted from URL '${url}'`,
      hint: "Give it a name with `--name NAME`.",
    },
  );
}
