/** Whether a source in Rust has its crates with it. */
import { type Dirent, readdirSync } from "node:fs";
import { join } from "node:path";
import { readText } from "./pip-workspace.ts";

/** Folders below a project in which its Rust lies: `rust`, `src/rust`. */
const depth = 3;

/** Whether cargo would have to fetch something to build what lies in the folder: a lock file names a registry, and no `.cargo/config.toml` a folder instead. */
export function wantsCrates(folder: string): boolean {
  let named = false;
  for (const place of foldersBelow(folder, depth)) {
    const config = ["config.toml", "config"].map((name) => readText(join(place, ".cargo", name)) ?? "").join("\n");
    if (/^\s*(?:directory|local-registry)\s*=/m.test(config)) return false;
    named ||= /^source = "(?:registry|sparse|git)\+/m.test(readText(join(place, "Cargo.lock")) ?? "");
  }
  return named;
}

function* foldersBelow(folder: string, levels: number): Generator<string> {
  yield folder;
  if (levels === 0) return;
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return;
  }
  for (const entry of entries) if (entry.isDirectory()) yield* foldersBelow(join(folder, entry.name), levels - 1);
}
