import { levenshtein } from "../base/index.ts";

/** `lib.levenshteinAtMost`. */
export function isWithinDistance(limit: number, a: string, b: string): boolean {
  if (limit <= 0) return a === b;
  return Math.abs(a.length - b.length) <= limit && levenshtein(a, b) <= limit;
}
