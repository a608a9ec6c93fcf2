/** The templates of `d2n flake init`: `examples/templates.json` says which examples they are. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const examplesFolder = fileURLToPath(new URL("../../examples", import.meta.url));

/** One of the examples, and what is said about it. */
export interface Template {
  /** Below `examples`. */
  readonly folder: string;
  readonly description: string;
  /** Lines of its .gitignore, which cannot lie in the folder: npm leaves such files out of packages. */
  readonly ignore: readonly string[];
  /** The commands to go on with; `SYSTEM` stands for the system's name. */
  readonly next: readonly string[];
}

/** The templates that come with d2n, by name. */
export function templates(): ReadonlyMap<string, Template> {
  const text = readFileSync(join(examplesFolder, "templates.json"), "utf8");
  return new Map(Object.entries(JSON.parse(text) as Record<string, Template>));
}
