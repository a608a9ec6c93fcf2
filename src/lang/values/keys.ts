/**
 * The keys of attribute sets. Sets with the same keys share one table, wherever they come from, so that a select remembers
 * in which slot it found its attribute, and a `//` how it went.
 */
import { type Symbol, symbolName } from "./symbols.ts";

/** Bigger tables are not shared: they are rarely met twice, and comparing them costs. */
export const SHARED_UP_TO = 64;
/** Tables from this size on get an index once that pays. */
const INDEX_FROM = 8;
/** Spreads symbols, which are small numbers, over the whole width of an integer. */
const SPREAD = 0x9e3779b1;

/** How a `//` goes: for each slot of the result the slot of the left set, or `~slot` of the right one. */
export interface UpdatePlan {
  readonly right: KeyTable;
  readonly keys: KeyTable;
  readonly from: readonly number[];
  /** The positions that this plan joined last, and what came of it. */
  joined: readonly [left: unknown, right: unknown, result: unknown] | undefined;
}

export class KeyTable {
  /** Sorted by number. */
  readonly ids: readonly Symbol[];
  /** The last `//` with these keys on the left; those before are in `plans`. */
  plan: UpdatePlan | undefined;
  plans: Map<KeyTable, UpdatePlan> | undefined;
  /** The right one of the last `//` that went without a plan. */
  met: KeyTable | undefined;
  /** Open addressing: at a symbol's hash, or after it, its slot + 1; 0 ends the search. Made when it begins to pay. */
  private index: Int32Array | undefined;
  private shift: number;
  private searches: number;
  private order: readonly number[] | undefined;

  /** For big tables, and those that are known to be new; else `KeyTable.of`. */
  constructor(ids: readonly Symbol[]) {
    this.ids = ids;
    this.plan = undefined;
    this.plans = undefined;
    this.met = undefined;
    this.index = undefined;
    this.shift = 0;
    this.searches = 0;
    this.order = undefined;
  }

  /** The table of these keys, which must be sorted. The array must not change any more. */
  static of(ids: readonly Symbol[]): KeyTable {
    const { length } = ids;
    if (length > SHARED_UP_TO) return new KeyTable(ids);
    let hash = length;
    for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + ids[i]!) | 0;
    const found = shared.get(hash);
    if (found === undefined) {
      const made = new KeyTable(ids);
      shared.set(hash, made);
      return made;
    }
    if (found instanceof KeyTable) {
      if (sameIds(found.ids, ids)) return found;
      const made = new KeyTable(ids);
      shared.set(hash, [found, made]);
      return made;
    }
    for (const table of found) if (sameIds(table.ids, ids)) return table;
    const made = new KeyTable(ids);
    found.push(made);
    return made;
  }

  /** The slot of a key, or -1. */
  find(id: Symbol): number {
    const { ids, index } = this;
    if (index !== undefined) {
      const mask = index.length - 1;
      for (let at = Math.imul(id, SPREAD) >>> this.shift; ; at = (at + 1) & mask) {
        const slot = index[at]! - 1;
        if (slot < 0 || ids[slot] === id) return slot;
      }
    }
    if (ids.length >= INDEX_FROM && ++this.searches > ids.length >> 3) {
      this.makeIndex();
      return this.find(id);
    }
    let low = 0;
    let high = ids.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const at = ids[middle]!;
      if (at === id) return middle;
      if (at < id) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  private makeIndex(): void {
    const { ids } = this;
    const bits = 33 - Math.clz32(ids.length);
    const index = new Int32Array(2 ** bits);
    const mask = index.length - 1;
    this.shift = 32 - bits;
    for (let slot = 0; slot < ids.length; slot++) {
      let at = Math.imul(ids[slot]!, SPREAD) >>> this.shift;
      while (index[at] !== 0) at = (at + 1) & mask;
      index[at] = slot + 1;
    }
    this.index = index;
  }

  /** Slots in byte order of the names. */
  byName(): readonly number[] {
    let { order } = this;
    if (order === undefined) {
      const names = this.ids.map(symbolName);
      order = names.map((_, slot) => slot).sort((a, b) => (names[a]! < names[b]! ? -1 : 1));
      this.order = order;
    }
    return order;
  }
}

/** The shared tables, by a hash of their keys. */
const shared = new Map<number, KeyTable | KeyTable[]>();

function sameIds(a: readonly Symbol[], b: readonly Symbol[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
