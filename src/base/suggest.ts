/** Levenshtein distance with adjacent transpositions (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}

/** The candidates near enough to `wanted` to be what the user meant, nearest first, at most `limit`. */
export function suggestions(wanted: string, candidates: Iterable<string>, limit = 3): string[] {
  // Nobody mistypes a name that long, and the distance takes quadratic time.
  if (wanted.length > 100) return [];
  const threshold = Math.max(2, Math.floor(wanted.length / 3));
  return [...candidates]
    .map((name) => ({ name, distance: editDistance(wanted.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= threshold)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, limit)
    .map(({ name }) => name);
}

/** "did you mean `a` or `b`?", or undefined when nothing is near. */
export function didYouMean(wanted: string, candidates: Iterable<string>): string | undefined {
  const found = suggestions(wanted, candidates).map((name) => `\`${name}\``);
  if (found.length === 0) return undefined;
  const last = found.pop()!;
  return `did you mean ${found.length > 0 ? `${found.join(", ")} or ${last}` : last}?`;
}

/**
 * The names that Nix would suggest: at most five within a Levenshtein distance of two, nearest first, then in byte order
 * (libutil/suggestions.cc).
 */
export function nearestNames(wanted: string, candidates: Iterable<string>): string[] {
  const near: { readonly name: string; readonly distance: number }[] = [];
  for (const name of candidates) {
    if (Math.abs(name.length - wanted.length) > 2) continue;
    const distance = levenshtein(wanted, name);
    if (distance <= 2) near.push({ name, distance });
  }
  return near
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, 5)
    .map(({ name }) => name);
}

/** Levenshtein distance proper: a transposition counts as two. */
export function levenshtein(a: string, b: string): number {
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++)
      row.push(Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    last = row;
  }
  return last[b.length]!;
}
