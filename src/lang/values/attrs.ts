/**
 * Attribute sets: a table of keys that many sets share, and one array of values.
 *
 * The table holds symbols sorted by number, so that sets from the same literal, and results of the same `//`, share it and a
 * select can remember where it found its attribute. Listing goes by name, in byte order, as Nix does.
 */
import type { Lazy } from "./thunk.ts";
import type { Position } from "./value.ts";

/** An interned attribute name. */
export type Symbol = number;

const symbols = new Map<string, Symbol>();
const names: string[] = [];

export function symbol(name: string): Symbol {
  let found = symbols.get(name);
  if (found === undefined) {
    found = names.length;
    symbols.set(name, found);
    names.push(name);
  }
  return found;
}

export function symbolName(id: Symbol): string {
  return names[id]!;
}

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

const INDEX_FROM = 24;

/** What tables with the same keys have in common, made when first needed. */
interface KeyOrder {
  /** How often a key was searched for without the index: it is made when it begins to pay. */
  searches: number;
  index: Map<Symbol, number> | undefined;
  byName: readonly number[] | undefined;
}

/** How a `//` goes: for each slot of the result the slot of the left set, or `~slot` of the right one. */
export interface UpdatePlan {
  readonly right: KeyTable;
  readonly keys: KeyTable;
  readonly from: Int32Array;
}

/**
 * The sorted keys of an attribute set, shared between sets, and where each was defined: sets that share a table come from the
 * same place in the source, or from the same `//` of two such.
 */
export class KeyTable {
  readonly ids: readonly Symbol[];
  /** By slot; undefined when nobody knows. */
  readonly positions: readonly LazyPosition[] | undefined;
  readonly #order: KeyOrder;
  #bare: KeyTable | undefined;
  /** The last `//` with these keys on the left. */
  plan: UpdatePlan | undefined;

  constructor(ids: readonly Symbol[], positions?: readonly LazyPosition[], same?: KeyTable) {
    this.ids = ids;
    this.positions = positions;
    this.#order = same === undefined ? { searches: 0, index: undefined, byName: undefined } : same.#order;
  }

  /** The same keys, defined elsewhere. */
  withPositions(positions: readonly LazyPosition[] | undefined): KeyTable {
    return new KeyTable(this.ids, positions, this);
  }

  /** The same keys without positions: for sets made by builtins, `mapAttrs` for instance. */
  bare(): KeyTable {
    if (this.positions === undefined) return this;
    return (this.#bare ??= this.withPositions(undefined));
  }

  /** The slot of a key, or -1. */
  find(id: Symbol): number {
    const ids = this.ids;
    if (ids.length > INDEX_FROM) {
      const order = this.#order;
      if (order.index !== undefined) return order.index.get(id) ?? -1;
      if (++order.searches > ids.length >> 3) return this.#makeIndex().get(id) ?? -1;
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

  #makeIndex(): Map<Symbol, number> {
    const index = new Map<Symbol, number>();
    for (let i = 0; i < this.ids.length; i++) index.set(this.ids[i]!, i);
    this.#order.index = index;
    return index;
  }

  /** Slots in byte order of the names. */
  byName(): readonly number[] {
    let order = this.#order.byName;
    if (order === undefined) {
      order = this.ids.map((_, i) => i).sort((a, b) => (names[this.ids[a]!]! < names[this.ids[b]!]! ? -1 : 1));
      this.#order.byName = order;
    }
    return order;
  }
}

export class Attrs {
  readonly keys: KeyTable;
  /** By slot, in the order of `keys.ids`. */
  readonly values: readonly Lazy[];

  constructor(keys: KeyTable, values: readonly Lazy[]) {
    this.keys = keys;
    this.values = values;
  }

  static readonly empty: Attrs = new Attrs(new KeyTable([]), []);

  /** From entries in any order; of equal names the last wins. */
  static from(entries: Iterable<readonly [name: string, value: Lazy, position?: LazyPosition]>): Attrs {
    const bySymbol = new Map<Symbol, readonly [string, Lazy, LazyPosition?]>();
    for (const entry of entries) bySymbol.set(symbol(entry[0]), entry);
    if (bySymbol.size === 0) return Attrs.empty;
    const ids = [...bySymbol.keys()].sort((a, b) => a - b);
    const sorted = ids.map((id) => bySymbol.get(id)!);
    const positioned = sorted.some((entry) => entry[2] !== undefined);
    return new Attrs(
      new KeyTable(ids, positioned ? sorted.map((entry) => entry[2]) : undefined),
      sorted.map((entry) => entry[1]),
    );
  }

  get size(): number {
    return this.values.length;
  }

  get(name: string): Lazy | undefined {
    const id = symbols.get(name);
    return id === undefined ? undefined : this.getSymbol(id);
  }

  getSymbol(id: Symbol): Lazy | undefined {
    const slot = this.keys.find(id);
    return slot < 0 ? undefined : this.values[slot];
  }

  has(name: string): boolean {
    const id = symbols.get(name);
    return id !== undefined && this.keys.find(id) >= 0;
  }

  /** Where the attribute was defined. */
  position(name: string): Position | undefined {
    const slot = this.keys.find(symbol(name));
    const position = slot < 0 ? undefined : this.keys.positions?.[slot];
    return knownPosition(position);
  }

  /** Names in byte order. */
  names(): string[] {
    return this.keys.byName().map((slot) => names[this.keys.ids[slot]!]!);
  }

  /** Names and values in byte order of the names. */
  *entries(): Generator<[string, Lazy]> {
    for (const slot of this.keys.byName()) yield [names[this.keys.ids[slot]!]!, this.values[slot]!];
  }
}
