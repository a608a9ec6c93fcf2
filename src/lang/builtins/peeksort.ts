/**
 * Nix's sort: a stable merge sort that looks for runs at both ends and in the middle first (Munro and Wild, "Nearly-Optimal
 * Mergesorts"). The algorithm is Nix's own so that an inconsistent comparison function leads to the same order there and here.
 */
type Less<T> = (a: T, b: T) => boolean;

const INSERTION_UP_TO = 16;

/** Sorts in place. */
export function peeksort<T>(items: T[], less: Less<T>): void {
  if (items.length < 2) return;
  if (items.length === 2) {
    if (less(items[1]!, items[0]!)) items.reverse();
    return;
  }
  sortRange(items, less, 0, items.length, 0, items.length);
}

/** Sorts [begin, end), of which [begin, leftEnd) and [rightBegin, end) are known to be sorted. */
function sortRange<T>(
  items: T[],
  less: Less<T>,
  begin: number,
  end: number,
  leftEnd: number,
  rightBegin: number,
): void {
  if (leftEnd === end || rightBegin === begin) return;
  if (end - begin <= INSERTION_UP_TO) {
    insertionSort(items, less, begin, end);
    return;
  }
  const middle = begin + ((end - begin) >> 1);
  if (middle <= leftEnd) {
    sortRange(items, less, leftEnd, end, leftEnd + 1, rightBegin);
    merge(items, less, begin, leftEnd, end);
    return;
  }
  if (middle >= rightBegin) {
    sortRange(items, less, begin, rightBegin, leftEnd, rightBegin - 1);
    merge(items, less, begin, rightBegin, end);
    return;
  }
  // The run that contains the element before the middle.
  const falls = less(items[middle]!, items[middle - 1]!);
  const continues: Less<T> = falls ? less : (a, b) => !less(a, b);
  let i = middle;
  while (i - 1 > leftEnd && continues(items[i - 1]!, items[i - 2]!)) i--;
  i--;
  let j = middle - 1;
  while (j + 1 !== rightBegin && continues(items[j + 1]!, items[j]!)) j++;
  j++;
  if (falls) reverse(items, i, j);
  if (i === begin && j === end) return;
  if (middle - i < j - middle) {
    sortRange(items, less, begin, i, leftEnd, i - 1);
    sortRange(items, less, i, end, j, rightBegin);
    merge(items, less, begin, i, end);
  } else {
    sortRange(items, less, begin, j, leftEnd, i);
    sortRange(items, less, j, end, j + 1, rightBegin);
    merge(items, less, begin, j, end);
  }
}

function insertionSort<T>(items: T[], less: Less<T>, begin: number, end: number): void {
  for (let current = begin + 1; current < end; current++) {
    const item = items[current]!;
    let at = current;
    while (at !== begin && less(item, items[at - 1]!)) {
      items[at] = items[at - 1]!;
      at--;
    }
    items[at] = item;
  }
}

function merge<T>(items: T[], less: Less<T>, begin: number, middle: number, end: number): void {
  const left = items.slice(begin, middle);
  const right = items.slice(middle, end);
  let l = 0;
  let r = 0;
  let out = begin;
  while (l < left.length && r < right.length) items[out++] = less(right[r]!, left[l]!) ? right[r++]! : left[l++]!;
  while (l < left.length) items[out++] = left[l++]!;
  while (r < right.length) items[out++] = right[r++]!;
}

function reverse<T>(items: T[], begin: number, end: number): void {
  for (let low = begin, high = end - 1; low < high; low++, high--) {
    const item = items[low]!;
    items[low] = items[high]!;
    items[high] = item;
  }
}
