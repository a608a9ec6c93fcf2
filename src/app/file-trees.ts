/** Trees of files that are copied out of the store: as they are there, but writable. */
import { chmodSync, lstatSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolders } from "../base/index.ts";

export type TreeFile = { readonly content: Buffer; readonly executable: boolean } | { readonly target: string };

/** Files and symlinks of a folder, by their paths in it, sorted. */
export function readTree(folder: string): Map<string, TreeFile> {
  const files = new Map<string, TreeFile>();
  const walk = (below: string): void => {
    const entries = readdirSync(join(folder, below), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = below + entry.name;
      const place = join(folder, path);
      if (entry.isDirectory()) walk(`${path}/`);
      else if (entry.isSymbolicLink()) files.set(path, { target: readlinkSync(place) });
      else files.set(path, { content: readFileSync(place), executable: (lstatSync(place).mode & 0o100) !== 0 });
    }
  };
  walk("");
  return files;
}

/** Writes where nothing is. */
export function writeTreeFile(place: string, file: TreeFile): void {
  makeFolders(dirname(place));
  if ("target" in file) symlinkSync(file.target, place);
  else {
    writeFileSync(place, file.content, { flag: "wx" });
    if (file.executable) chmodSync(place, lstatSync(place).mode | 0o111);
  }
}

/** What a place has: nothing, the same, or something else. */
export function compareWithPlace(place: string, file: TreeFile): "free" | "same" | "taken" {
  const stat = lstatSync(place, { throwIfNoEntry: false });
  if (stat === undefined) return "free";
  if ("target" in file) return stat.isSymbolicLink() && readlinkSync(place) === file.target ? "same" : "taken";
  return stat.isFile() && readFileSync(place).equals(file.content) ? "same" : "taken";
}
