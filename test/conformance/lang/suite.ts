/** What the language tests of Nix and of snix have in common. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Evaluator, Value } from "../../../src/lang/index.ts";
import { printClassic, toXml } from "../../../src/lang/print/index.ts";

/** Both ways in which functions run, from their first call on. */
export const tiers = [
  ["closures", Infinity],
  ["generated code", 1],
] as const;

export interface Listed {
  readonly name: string;
  /** Why it isn't expected to pass. */
  readonly skip: string | undefined;
}

/** Reads a list of this folder: a test a line, and `pass` or why not. */
export function readList(file: string): Listed[] {
  return readFileSync(join(dirname(fileURLToPath(import.meta.url)), file), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [name = "", state = "", ...reason] = line.split(" ");
      return { name, skip: state === "pass" ? undefined : reason.join(" ") };
    });
}

/** Evaluates all of a value and shows it: as XML where the test `file` (no ending) expects that, else as `nix-instantiate --eval` does. */
export function shownInFull(
  evaluator: Evaluator,
  value: Value,
  file: string,
): { readonly text: string; readonly isXml: boolean } {
  evaluator.call(evaluator.builtins.get("deepSeq")!, value, null);
  if (!existsSync(`${file}.exp.xml`)) return { text: printClassic(value), isXml: false };
  const xml = toXml(value, { strict: true });
  return { text: typeof xml === "string" ? xml : xml.text, isXml: true };
}
