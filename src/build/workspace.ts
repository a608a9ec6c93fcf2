/** The folder that one derivation is made in. */
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../base/index.ts";
import { bytePath, fsPath, storePathBase } from "../formats/index.ts";
import type { PhysicalStore } from "../store/index.ts";

/**
 * Makes an empty folder beside the store's paths: outputs are renamed from there, and its name begins with the derivation's
 * hash, so that the garbage collector leaves it alone while the derivation is a temporary root, and takes what a killed
 * process left behind. The caller holds the locks of the outputs.
 */
export async function makeWorkspace(store: PhysicalStore, drvPath: string): Promise<string> {
  const path = join(store.physicalStoreDir, `${storePathBase(drvPath)}.chroot`);
  await removeTree(path);
  mkdirSync(path, { mode: 0o700 });
  return path;
}

/** Removes whatever is there: read-only folders and names that are no text included. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    removeBytes(bytePath(path));
  }
}

function removeBytes(path: string): void {
  const place = fsPath(path);
  try {
    const status = lstatSync(place);
    if (!status.isDirectory()) return unlinkSync(place);
    if ((status.mode & 0o700) !== 0o700) chmodSync(place, 0o700);
    for (const name of readdirSync(place, { encoding: "latin1" })) removeBytes(`${path}/${name}`);
    rmdirSync(place);
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
  }
}
