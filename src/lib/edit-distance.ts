/** `lib.levenshtein`: unlike the distance behind "did you mean", a transposition counts as two. */
export function distance(a: string, b: string): number {
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++)
      row.push(Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    last = row;
  }
  return last[b.length]!;
}

export function isWithinDistance(limit: number, a: string, b: string): boolean {
  if (limit <= 0) return a === b;
  return Math.abs(a.length - b.length) <= limit && distance(a, b) <= limit;
}
