/** Versions and derivation names (manual, "compareVersions", "parseDrvName", "splitVersion"). */
import { forceStringNoContext } from "../operations/index.ts";
import { Attrs } from "../values/attrs.ts";
import type { Lazy } from "../values/thunk.ts";
import type { Family } from "./interpreter.ts";

export const versions: Family = {
  /** -1, 0 or 1, by the order that `nix-env --upgrade` goes by. */
  compareVersions: (a: Lazy, b: Lazy): number =>
    compareVersions(
      forceStringNoContext(a, "while evaluating the first argument passed to builtins.compareVersions"),
      forceStringNoContext(b, "while evaluating the second argument passed to builtins.compareVersions"),
    ),

  /** `{ name, version }`: the name ends before the first dash that is not followed by a letter. */
  parseDrvName(lazy: Lazy): Attrs {
    const full = forceStringNoContext(lazy, "while evaluating the first argument passed to builtins.parseDrvName");
    const dash = full.search(/-[^a-zA-Z]/s);
    return Attrs.from([
      ["name", dash < 0 ? full : full.slice(0, dash)],
      ["version", dash < 0 ? "" : full.slice(dash + 1)],
    ]);
  },

  /** The components of a version, as `compareVersions` compares them. */
  splitVersion: (version: Lazy): string[] =>
    splitVersion(forceStringNoContext(version, "while evaluating the first argument passed to builtins.splitVersion")),
};

/** Runs of digits and runs of anything else; dots and dashes only separate. */
export function splitVersion(version: string): string[] {
  return version.match(/[0-9]+|[^0-9.-]+/g) ?? [];
}

export function compareVersions(a: string, b: string): -1 | 0 | 1 {
  const left = splitVersion(a);
  const right = splitVersion(b);
  for (let i = 0; i < left.length || i < right.length; i++) {
    const x = left[i] ?? "";
    const y = right[i] ?? "";
    if (isBefore(x, y)) return -1;
    if (isBefore(y, x)) return 1;
  }
  return 0;
}

const MAX_INT = 2 ** 31 - 1;

/** A component's number, if it has one that fits in 32 bits: beyond, components are compared as text. */
function numberOf(component: string): number | undefined {
  if (!/^[0-9]+$/.test(component)) return undefined;
  const number = Number(component);
  return number <= MAX_INT ? number : undefined;
}

function isBefore(a: string, b: string): boolean {
  const x = numberOf(a);
  const y = numberOf(b);
  if (x !== undefined && y !== undefined) return x < y;
  if (a === "" && y !== undefined) return true;
  if (a === "pre" && b !== "pre") return true;
  if (b === "pre") return false;
  // A number comes after text: 2.3a is before 2.3.1.
  if (y !== undefined) return true;
  if (x !== undefined) return false;
  return a < b;
}
