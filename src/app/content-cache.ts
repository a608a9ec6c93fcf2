import { join } from "node:path";
import { ContentCache, downloadFile } from "../fetchers/index.ts";
import type { Hash } from "../formats/index.ts";
import type { Context } from "./context.ts";

/** Files by hash: what any step has fetched. */
export function contentCache(context: Context): ContentCache {
  return new ContentCache(join(context.directories.cache, "content"));
}

export interface CachedFileRequest {
  /** SHA-256. */
  readonly hash: Hash;
  /** Asked for, as is the destination, only if the file has to be fetched. */
  readonly urls: () => Promise<readonly string[]>;
  readonly destination: () => string;
}

/**
 * A file that any step has fetched before, or that is fetched now and kept for the next.
 * @returns where it is: in the cache, or at the destination
 * @throws FetchError, HashMismatchError
 */
export async function cachedFile(context: Context, { hash, urls, destination }: CachedFileRequest): Promise<string> {
  const { environment, sink, signal, options } = context;
  const cache = contentCache(context);
  const known = await cache.lookup(hash, signal);
  if (known !== undefined) return known;
  const place = destination();
  await downloadFile({
    urls: await urls(),
    destination: place,
    expectedHash: hash,
    environment,
    sink,
    signal,
    offline: options.offline,
  });
  await cache.add(place, [], new Map([["sha256", hash]]));
  return place;
}
