/** Temporary folders below the cache, where there is room for what is fetched. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { makeFolders } from "../base/index.ts";
import type { Context } from "./context.ts";

/** Makes an empty folder; whoever asked for it deletes it. */
export function makeScratchFolder(context: Context, purpose: string): string {
  const parent = join(context.directories.cache, "tmp");
  makeFolders(parent);
  return mkdtempSync(join(parent, `${purpose}-`));
}
