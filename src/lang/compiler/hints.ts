/** Hints of messages about names that are not there. */
import { didYouMean } from "../../base/index.ts";
import { absenceOf } from "../values/absence.ts";
import type { Attrs } from "../values/attrs.ts";

/** What may have been meant, and what the sets that lack it have to say. */
export function hintFor(name: string, known: Iterable<string>, sets: Iterable<Attrs>): string | undefined {
  const parts = [didYouMean(name, known), ...[...sets].map((set) => absenceOf(set, name))];
  const said = parts.filter((part) => part !== undefined);
  return said.length === 0 ? undefined : [...new Set(said)].join("\n");
}
