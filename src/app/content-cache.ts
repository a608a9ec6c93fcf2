import { join } from "node:path";
import { ContentCache } from "../fetchers/index.ts";
import type { Context } from "./context.ts";

/** Files by hash: what any step has fetched. */
export function contentCache(context: Context): ContentCache {
  return new ContentCache(join(context.directories.cache, "content"));
}
