/** Temporary folders below the cache, where there is room for what is fetched. */
import { lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeFolders } from "../base/index.ts";
import type { Context } from "./context.ts";

/** Milliseconds after which a folder is taken for what a killed d2n left behind: nothing works on one that long. */
const ABANDONED = 3 * 24 * 3600 * 1000;

/** Makes an empty folder; whoever asked for it deletes it. */
export function makeScratchFolder(context: Pick<Context, "directories">, purpose: string): string {
  const parent = join(context.directories.cache, "tmp");
  makeFolders(parent);
  removeAbandoned(parent);
  return mkdtempSync(join(parent, `${purpose}-`));
}

function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const path = join(parent, name);
    try {
      if (Date.now() - lstatSync(path).mtimeMs > ABANDONED) rmSync(path, { recursive: true, force: true });
    } catch {
      // Another d2n was quicker, or it is somebody else's.
    }
  }
}
