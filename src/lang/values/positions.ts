/** Where the attributes of a set were defined: what only messages and `unsafeGetAttrPos` ask, so it is worked out then. */
import type { KeyTable, UpdatePlan } from "./keys.ts";
import type { Position } from "./value.ts";

/** A position that is worked out when asked for. */
export type LazyPosition = Position | (() => Position | undefined) | undefined;

/** The place that a lazy position means, for messages. */
export function positionOf(position: LazyPosition): Position | undefined {
  return typeof position === "function" ? position() : position;
}

/** The place that a lazy position means; undefined if it is in no file. */
export function knownPosition(position: LazyPosition): Position | undefined {
  const known = positionOf(position);
  return known?.inFile === false ? undefined : known;
}

/** Where the attributes of a set were defined, by slot. */
export interface Positions {
  at(slot: number): LazyPosition;
  /** How many sets deep `at` has to look. */
  readonly depth: number;
}

/** Positions one by one. */
export class ListedPositions implements Positions {
  readonly list: readonly LazyPosition[];
  readonly depth = 0;

  constructor(list: readonly LazyPosition[]) {
    this.list = list;
  }

  /** The same, or undefined if none is known. */
  static of(list: readonly LazyPosition[]): ListedPositions | undefined {
    return list.some((position) => position !== undefined) ? new ListedPositions(list) : undefined;
  }

  at(slot: number): LazyPosition {
    return this.list[slot];
  }
}

/** What was joined and picked from too often is written out. */
const DEEPEST = 16;

/** The positions of `left // right`, as those of its operands. */
class JoinedPositions implements Positions {
  readonly #plan: UpdatePlan;
  readonly #left: Positions | undefined;
  readonly #right: Positions | undefined;
  readonly depth: number;

  constructor(plan: UpdatePlan, left: Positions | undefined, right: Positions | undefined, depth: number) {
    this.#plan = plan;
    this.#left = left;
    this.#right = right;
    this.depth = depth;
  }

  at(slot: number): LazyPosition {
    const from = this.#plan.from[slot]!;
    return from < 0 ? this.#right?.at(~from) : this.#left?.at(from);
  }
}

/** The positions of a `//`. Those of sets that come from the same places are the same object. */
export function joinPositions(
  plan: UpdatePlan,
  left: Positions | undefined,
  right: Positions | undefined,
): Positions | undefined {
  if (left === undefined && right === undefined) return undefined;
  // Nothing of the left set is left over.
  if (plan.keys === plan.right) return right;
  const last = plan.joined;
  if (last !== undefined && last[0] === left && last[1] === right) return last[2] as Positions;
  const depth = 1 + Math.max(left?.depth ?? 0, right?.depth ?? 0);
  const joined = new JoinedPositions(plan, left, right, depth);
  const result = depth > DEEPEST ? new ListedPositions(listPositions(joined, plan.keys)) : joined;
  plan.joined = [left, right, result];
  return result;
}

/** The positions of some attributes of a set. */
class PickedPositions implements Positions {
  readonly #of: Positions;
  readonly #slots: readonly number[];
  readonly depth: number;

  constructor(of: Positions, slots: readonly number[]) {
    this.#of = of;
    this.#slots = slots;
    this.depth = of.depth + 1;
  }

  at(slot: number): LazyPosition {
    return this.#of.at(this.#slots[slot]!);
  }
}

/** The positions of what is in the given slots. */
export function pickPositions(positions: Positions | undefined, slots: readonly number[]): Positions | undefined {
  if (positions === undefined) return undefined;
  if (positions.depth < DEEPEST) return new PickedPositions(positions, slots);
  return new ListedPositions(slots.map((slot) => positions.at(slot)));
}

/** All positions of a set with these keys, in the order of its slots. */
export function listPositions(positions: Positions | undefined, keys: KeyTable): readonly LazyPosition[] {
  if (positions instanceof ListedPositions) return positions.list;
  const list = new Array<LazyPosition>(keys.ids.length).fill(undefined);
  if (positions !== undefined) for (let slot = 0; slot < list.length; slot++) list[slot] = positions.at(slot);
  return list;
}
