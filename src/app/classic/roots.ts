/** Links that keep a store path from the garbage collector: `--add-root`. */
import { resolve } from "node:path";
import type { Context } from "../context.ts";

/** @returns the link's path */
export async function addRoot(context: Context, link: string, storePath: string): Promise<string> {
  const place = resolve(context.cwd, link);
  await (await context.store()).addPermanentRoot(storePath, place);
  return place;
}
