/** What build systems leave behind in the folders that pip builds from in place: a locked project is as clean as before. */
import { type Dirent, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const artefact = /^(?:build|\.eggs|__pycache__)$|\.egg-info$/;

/** Folders that no package is in, and that may hold very many. */
const skipped = /^(?:\.(?!eggs$)|node_modules$|result(?:-|$)|site-packages$)/;

export class Leftovers {
  readonly #folders: readonly string[];
  readonly #before: ReadonlySet<string>;

  /** Notes what there is before anything is built. */
  constructor(folders: readonly string[]) {
    this.#folders = folders;
    this.#before = new Set(folders.flatMap((folder) => artefactsIn(folder)));
  }

  /** Deletes what has come since. */
  remove(): void {
    for (const folder of this.#folders)
      for (const path of artefactsIn(folder))
        if (!this.#before.has(path)) rmSync(path, { recursive: true, force: true, maxRetries: 2 });
  }
}

function artefactsIn(folder: string, depth = 0): string[] {
  // An environment has caches of its own, and many of them.
  if (depth > 8 || existsSync(join(folder, "pyvenv.cfg"))) return [];
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return [];
    if (artefact.test(entry.name)) return [path];
    return skipped.test(entry.name) ? [] : artefactsIn(path, depth + 1);
  });
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
