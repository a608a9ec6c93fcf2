/** Joining attribute sets and lists. */
import { Attrs, KeyTable, type LazyPosition, symbol, type UpdatePlan } from "../values/attrs.ts";
import type { Lazy } from "../values/thunk.ts";
import type { NixList } from "../values/value.ts";

/** Sets beyond this size are merged without keeping the plan: their key tables are rarely met twice. */
const PLANNED_UP_TO = 64;
/** A small set over one this many times its size is first tried as pure replacement. */
const MUCH_BIGGER = 8;

/** `left // right`: attributes of the right set win. The operands' tables remember how they merge. */
export function updateAttrs(left: Attrs, right: Attrs): Attrs {
  const leftSize = left.values.length;
  const rightSize = right.values.length;
  if (leftSize === 0) return right;
  if (rightSize === 0) return left;
  const leftKeys = left.keys;
  const rightKeys = right.keys;
  let plan = leftKeys.plan;
  if (plan === undefined || plan.right !== rightKeys) {
    if (leftSize > PLANNED_UP_TO && rightSize * MUCH_BIGGER < leftSize) {
      const replaced = replaceExisting(left, right);
      return replaced ?? insertInto(left, right);
    }
    if (leftSize > PLANNED_UP_TO || rightSize > PLANNED_UP_TO) return mergeOnce(left, right);
    plan = makePlan(leftKeys, rightKeys);
    leftKeys.plan = plan;
  }
  const { from, keys } = plan;
  const leftValues = left.values;
  const rightValues = right.values;
  const size = from.length;
  const values = new Array<Lazy>(size);
  for (let i = 0; i < size; i++) {
    const slot = from[i]!;
    values[i] = slot < 0 ? rightValues[~slot]! : leftValues[slot]!;
  }
  return new Attrs(keys, values);
}

/** The merge in one pass, for big sets. */
function mergeOnce(left: Attrs, right: Attrs): Attrs {
  const a = left.keys.ids;
  const b = right.keys.ids;
  const leftPositions = left.keys.positions;
  const rightPositions = right.keys.positions;
  const positioned = leftPositions !== undefined || rightPositions !== undefined;
  const ids: number[] = [];
  const values: Lazy[] = [];
  const positions: LazyPosition[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const x = i < a.length ? a[i]! : Infinity;
    const y = j < b.length ? b[j]! : Infinity;
    if (x < y) {
      ids.push(x);
      values.push(left.values[i]!);
      if (positioned) positions.push(leftPositions?.[i]);
      i++;
    } else {
      if (x === y) i++;
      ids.push(y);
      values.push(right.values[j]!);
      if (positioned) positions.push(rightPositions?.[j]);
      j++;
    }
  }
  return new Attrs(new KeyTable(ids, positioned ? positions : undefined), values);
}

/** The merge of a small set into a big one: what is between the new attributes is copied as it is. */
function insertInto(left: Attrs, right: Attrs): Attrs {
  const a = left.keys.ids;
  const b = right.keys.ids;
  /** Runs of the left set: start, end; one before each attribute of the right set. */
  const runs: number[] = [];
  let start = 0;
  for (const id of b) {
    let end = start;
    for (let high = a.length; end < high;) {
      const middle = (end + high) >> 1;
      if (a[middle]! < id) end = middle + 1;
      else high = middle;
    }
    runs.push(start, end);
    start = a[end] === id ? end + 1 : end;
  }
  const spliced = <T>(into: readonly T[], from: readonly T[]): T[] => {
    const pieces: (readonly T[])[] = [];
    for (let i = 0; i < from.length; i++) pieces.push(into.slice(runs[2 * i], runs[2 * i + 1]), [from[i]!]);
    pieces.push(into.slice(start));
    return ([] as T[]).concat(...pieces);
  };
  const { positions: before } = left.keys;
  const { positions: over } = right.keys;
  const positions =
    before === undefined && over === undefined
      ? undefined
      : spliced(
          before ?? new Array<LazyPosition>(a.length).fill(undefined),
          over ?? new Array<LazyPosition>(b.length).fill(undefined),
        );
  return new Attrs(new KeyTable(spliced(a, b), positions), spliced(left.values, right.values));
}

/** The merge if all keys of the right set are in the left one already. */
function replaceExisting(left: Attrs, right: Attrs): Attrs | undefined {
  const slots: number[] = [];
  for (const id of right.keys.ids) {
    const slot = left.keys.find(id);
    if (slot < 0) return undefined;
    slots.push(slot);
  }
  const values = left.values.slice();
  for (let i = 0; i < slots.length; i++) values[slots[i]!] = right.values[i]!;
  const before = left.keys.positions;
  const over = right.keys.positions;
  // The same set put over again and again: its attributes are where they were the last time.
  if (slots.every((slot, i) => before?.[slot] === over?.[i])) return new Attrs(left.keys, values);
  const positions = before?.slice() ?? new Array<LazyPosition>(values.length).fill(undefined);
  for (let i = 0; i < slots.length; i++) positions[slots[i]!] = over?.[i];
  return new Attrs(left.keys.withPositions(positions), values);
}

function makePlan(left: KeyTable, right: KeyTable): UpdatePlan {
  const a = left.ids;
  const b = right.ids;
  const ids: number[] = [];
  const from: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const x = a[i]!;
    const y = b[j]!;
    if (x < y) {
      ids.push(x);
      from.push(i++);
    } else {
      if (x === y) i++;
      ids.push(y);
      from.push(~j++);
    }
  }
  while (i < a.length) {
    ids.push(a[i]!);
    from.push(i++);
  }
  while (j < b.length) {
    ids.push(b[j]!);
    from.push(~j++);
  }
  return { right, keys: mergedTable(left, right, ids, from), from: Int32Array.from(from) };
}

function mergedTable(left: KeyTable, right: KeyTable, ids: readonly number[], from: readonly number[]): KeyTable {
  // The right table describes the result exactly if nothing of the left is left over.
  if (ids.length === right.ids.length) return right;
  const same = ids.length === left.ids.length ? left : undefined;
  if (left.positions === undefined && right.positions === undefined) return same ?? new KeyTable(ids);
  const positions = from.map((slot) => (slot < 0 ? right.positions?.[~slot] : left.positions?.[slot]));
  return same === undefined ? new KeyTable(ids, positions) : same.withPositions(positions);
}

/** Makes sets that all have the same attributes, and share the table of their names. Names must differ. */
export function shape(...names: readonly string[]): (...values: Lazy[]) => Attrs {
  const order = names.map((name, index) => ({ id: symbol(name), index })).sort((a, b) => a.id - b.id);
  const keys = new KeyTable(order.map(({ id }) => id));
  return (...values) =>
    new Attrs(
      keys,
      order.map(({ index }) => values[index]!),
    );
}

/** All lists one after the other; a list that is the only non-empty one is returned itself. */
export function concatLists(lists: readonly NixList[]): NixList {
  let only: NixList | undefined;
  let length = 0;
  for (const list of lists)
    if (list.length > 0) {
      length += list.length;
      only = list;
    }
  if (only === undefined) return [];
  if (length === only.length) return only;
  const result = new Array<Lazy>(length);
  let at = 0;
  for (const list of lists) for (let i = 0; i < list.length; i++) result[at++] = list[i]!;
  return result;
}
