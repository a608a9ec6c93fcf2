/** Joining attribute sets and lists. */
import {
  Attrs,
  joinPositions,
  KeyTable,
  type LazyPosition,
  ListedPositions,
  listPositions,
  symbol,
} from "../values/attrs.ts";
import { reserveElements } from "../memory.ts";
import { SHARED_UP_TO, type UpdatePlan } from "../values/keys.ts";
import type { Lazy } from "../values/thunk.ts";
import type { NixList } from "../values/value.ts";

/** A small set over one this many times its size is first tried as pure replacement. */
const MUCH_BIGGER = 8;
/** So many plans a table keeps, to begin anew then. */
const MOST_PLANS = 1000;

/** `left // right`: attributes of the right set win. The operands' tables remember how they merge. */
export function updateAttrs(left: Attrs, right: Attrs): Attrs {
  const leftValues = left.values;
  const rightValues = right.values;
  const leftSize = leftValues.length;
  const rightSize = rightValues.length;
  if (leftSize === 0) return right;
  if (rightSize === 0) return left;
  let { plan } = left.keys;
  if (plan === undefined || plan.right !== right.keys) {
    if (leftSize > SHARED_UP_TO || rightSize > SHARED_UP_TO) {
      const small = rightSize * MUCH_BIGGER < leftSize;
      const replaced = small ? replaceExisting(left, right) : undefined;
      if (replaced !== undefined) return replaced;
      if (!metBefore(left.keys, right.keys)) return small ? insertInto(left, right) : mergeOnce(left, right);
    }
    plan = planFor(left.keys, right.keys);
  }
  const { from } = plan;
  const size = from.length;
  const values = new Array<Lazy>(size);
  for (let i = 0; i < size; i++) {
    const slot = from[i]!;
    values[i] = slot < 0 ? rightValues[~slot]! : leftValues[slot]!;
  }
  return new Attrs(plan.keys, values, joinPositions(plan, left.positions, right.positions));
}

/**
 * Whether these two tables were the last to meet. Those of big sets rarely do twice, and a plan is more work than the merge;
 * but nixpkgs puts the same overlays over the same sets, stage by stage.
 */
function metBefore(left: KeyTable, right: KeyTable): boolean {
  if (left.met === right) return true;
  left.met = right;
  return false;
}

function planFor(left: KeyTable, right: KeyTable): UpdatePlan {
  let plan = left.plans?.get(right);
  if (plan === undefined) {
    plan = makePlan(left, right);
    // Of big tables only the last is kept: they take much room.
    if (left.plan !== undefined && plan.from.length <= SHARED_UP_TO) {
      if (left.plans === undefined || left.plans.size >= MOST_PLANS)
        left.plans = new Map([[left.plan.right, left.plan]]);
      left.plans.set(right, plan);
    }
  }
  left.plan = plan;
  return plan;
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
  // The right set may have all that the left one has, or the other way about.
  const keys = ids.length === b.length ? right : ids.length === a.length ? left : KeyTable.of(ids);
  return { right, keys, from, joined: undefined };
}

/** The merge in one pass, for big sets. */
function mergeOnce(left: Attrs, right: Attrs): Attrs {
  reserveElements(left.keys.ids.length + right.keys.ids.length);
  const a = left.keys.ids;
  const b = right.keys.ids;
  const positioned = left.positions !== undefined || right.positions !== undefined;
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
      if (positioned) positions.push(left.positionAt(i));
      i++;
    } else {
      if (x === y) i++;
      ids.push(y);
      values.push(right.values[j]!);
      if (positioned) positions.push(right.positionAt(j));
      j++;
    }
  }
  return new Attrs(KeyTable.of(ids), values, positioned ? new ListedPositions(positions) : undefined);
}

/** The merge of a small set into a big one: what is between the new attributes is copied as it is. */
function insertInto(left: Attrs, right: Attrs): Attrs {
  reserveElements(left.keys.ids.length);
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
  const positions =
    left.positions === undefined && right.positions === undefined
      ? undefined
      : new ListedPositions(
          spliced(listPositions(left.positions, left.keys), listPositions(right.positions, right.keys)),
        );
  return new Attrs(new KeyTable(spliced(a, b)), spliced(left.values, right.values), positions);
}

/** The merge if all keys of the right set are in the left one already. */
function replaceExisting(left: Attrs, right: Attrs): Attrs | undefined {
  const slots: number[] = [];
  for (const id of right.keys.ids) {
    const slot = left.keys.find(id);
    if (slot < 0) return undefined;
    slots.push(slot);
  }
  reserveElements(left.values.length);
  const values = left.values.slice();
  for (let i = 0; i < slots.length; i++) values[slots[i]!] = right.values[i]!;
  // The same set put over again and again: its attributes are where they were the last time.
  if (slots.every((slot, i) => left.positionAt(slot) === right.positionAt(i)))
    return new Attrs(left.keys, values, left.positions);
  const positions = listPositions(left.positions, left.keys).slice();
  for (let i = 0; i < slots.length; i++) positions[slots[i]!] = right.positionAt(i);
  return new Attrs(left.keys, values, new ListedPositions(positions));
}

/** Makes sets that all have the same attributes, and share the table of their names. Names must differ. */
export function shape(...names: readonly string[]): (...values: Lazy[]) => Attrs {
  const order = names.map((name, index) => ({ id: symbol(name), index })).sort((a, b) => a.id - b.id);
  const keys = KeyTable.of(order.map(({ id }) => id));
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
  for (let i = 0; i < lists.length; i++) {
    const list = lists[i]!;
    if (list.length > 0) {
      length += list.length;
      only = list;
    }
  }
  if (only === undefined) return [];
  if (length === only.length) return only;
  reserveElements(length);
  const result = new Array<Lazy>(length);
  let at = 0;
  for (let i = 0; i < lists.length; i++) {
    const list = lists[i]!;
    for (let j = 0; j < list.length; j++) result[at++] = list[j]!;
  }
  return result;
}
