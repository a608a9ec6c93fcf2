/**
 * Attribute sets: a table of keys that all sets with these keys share, one array of values, and where they were defined.
 *
 * The table holds symbols sorted by number. Listing goes by name, in byte order, as Nix does.
 */
import { KeyTable } from "./keys.ts";
import {
  knownPosition,
  type LazyPosition,
  ListedPositions,
  pickPositions,
  positionOf,
  type Positions,
} from "./positions.ts";
import { knownSymbol, type Symbol, symbol, symbolName } from "./symbols.ts";
import type { Lazy } from "./thunk.ts";
import type { Position } from "./value.ts";

export { KeyTable } from "./keys.ts";
export * from "./positions.ts";
export * from "./symbols.ts";

export class Attrs {
  readonly keys: KeyTable;
  /** By slot, in the order of `keys.ids`. */
  readonly values: readonly Lazy[];
  /** By slot; undefined when nobody knows, as for sets made by builtins. */
  readonly positions: Positions | undefined;

  constructor(keys: KeyTable, values: readonly Lazy[], positions?: Positions) {
    this.keys = keys;
    this.values = values;
    this.positions = positions;
  }

  static readonly empty: Attrs = new Attrs(KeyTable.of([]), []);

  /** From entries in any order; of equal names the last wins. */
  static from(entries: Iterable<readonly [name: string, value: Lazy, position?: LazyPosition]>): Attrs {
    const ids: Symbol[] = [];
    const values: Lazy[] = [];
    const positions: LazyPosition[] = [];
    for (const [name, value, position] of entries) {
      ids.push(symbol(name));
      values.push(value);
      positions.push(position);
    }
    return Attrs.of(ids, values, positions);
  }

  /** From entries by symbol, in any order. */
  static fromSymbols(entries: ReadonlyMap<Symbol, { readonly value: Lazy; readonly position: LazyPosition }>): Attrs {
    const all = [...entries.values()];
    return Attrs.of(
      [...entries.keys()],
      all.map(({ value }) => value),
      all.map(({ position }) => position),
    );
  }

  /** From names, values and positions in any order; of equal names the last wins. The arrays must not change any more. */
  static of(ids: readonly Symbol[], values: readonly Lazy[], positions?: readonly LazyPosition[]): Attrs {
    if (ids.length === 0) return Attrs.empty;
    let sorted = true;
    for (let i = 1; i < ids.length && sorted; i++) sorted = ids[i - 1]! < ids[i]!;
    if (sorted)
      return new Attrs(KeyTable.of(ids), values, positions === undefined ? undefined : ListedPositions.of(positions));
    const order = ids.map((_, i) => i).sort((a, b) => ids[a]! - ids[b]! || a - b);
    const last = order.filter((from, i) => ids[from] !== ids[order[i + 1]!]);
    return new Attrs(
      KeyTable.of(last.map((from) => ids[from]!)),
      last.map((from) => values[from]!),
      positions === undefined ? undefined : ListedPositions.of(last.map((from) => positions[from])),
    );
  }

  get size(): number {
    return this.values.length;
  }

  get(name: string): Lazy | undefined {
    const id = knownSymbol(name);
    return id === undefined ? undefined : this.getSymbol(id);
  }

  getSymbol(id: Symbol): Lazy | undefined {
    const slot = this.keys.find(id);
    return slot < 0 ? undefined : this.values[slot];
  }

  has(name: string): boolean {
    const id = knownSymbol(name);
    return id !== undefined && this.keys.find(id) >= 0;
  }

  /** Where the attribute in a slot was defined, as far as anybody knows. */
  positionAt(slot: number): LazyPosition {
    return this.positions?.at(slot);
  }

  /** Where the attribute was defined. */
  position(name: string): Position | undefined {
    const slot = this.keys.find(symbol(name));
    return slot < 0 ? undefined : knownPosition(this.positionAt(slot));
  }

  /** The same for messages, which also know places that are in no file. */
  place(name: string): Position | undefined {
    const slot = this.keys.find(symbol(name));
    return slot < 0 ? undefined : positionOf(this.positionAt(slot));
  }

  /** Names in byte order. */
  names(): string[] {
    const { ids } = this.keys;
    return this.keys.byName().map((slot) => symbolName(ids[slot]!));
  }

  /** Names and values in byte order of the names. */
  *entries(): Generator<[string, Lazy]> {
    for (const slot of this.keys.byName()) yield [symbolName(this.keys.ids[slot]!), this.values[slot]!];
  }

  /** Some of the attributes: those in the given slots, which must be in order. */
  pick(slots: readonly number[]): Attrs {
    if (slots.length === this.values.length) return this;
    if (slots.length === 0) return Attrs.empty;
    const { keys, values, positions } = this;
    return new Attrs(
      KeyTable.of(slots.map((slot) => keys.ids[slot]!)),
      slots.map((slot) => values[slot]!),
      pickPositions(positions, slots),
    );
  }
}
