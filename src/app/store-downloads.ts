/** `builtins.fetchurl` and `builtins.fetchTarball`: files and unpacked archives into the store. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fetchTarballTree } from "../fetchers/index.ts";
import { makeFixedOutputPath, parseHash } from "../formats/index.ts";
import type { FetchUrlRequest } from "../lang/index.ts";
import type { Context } from "./context.ts";
import { contentCache } from "./content-cache.ts";
import { makeScratchFolder } from "./scratch.ts";

/** @returns the store path. @throws D2nError `hash-mismatch` with both hashes */
export async function fetchUrlToStore(context: Context, request: FetchUrlRequest): Promise<string> {
  const { url, name, unpack, sha256 } = request;
  const store = await context.store();
  const method = unpack ? "nar" : "flat";
  const expected = sha256 === undefined ? undefined : parseHash(sha256, "sha256");
  if (expected !== undefined) {
    const known = makeFixedOutputPath(store.storeDir, name, method, expected);
    if (await store.isValidPath(known)) {
      await store.addTempRoot(known);
      return known;
    }
  }
  const scratch = makeScratchFolder(context, "download");
  try {
    const fetched = await fetchTarballTree({
      url,
      destination: join(scratch, "source"),
      unpack,
      expectedHash: unpack ? undefined : expected,
      environment: context.environment,
      offline: context.options.offline,
      contentCache: contentCache(context),
      sink: context.sink,
      signal: context.signal,
    });
    const info = await store.addTree(
      { path: fetched.path },
      { name, method, ...(expected === undefined ? {} : { expected }) },
    );
    return info.path;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
