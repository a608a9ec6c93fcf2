/** Attribute sets (manual, "attrNames" … "zipAttrsWith"). */
import { EvalError } from "../errors.ts";
import { reserveElements } from "../memory.ts";
import {
  addTrace,
  atPosition,
  callFunction1,
  forceAttrs,
  forceFunction,
  forceList,
  forceStringNoContext,
  placeOf,
} from "../operations/index.ts";
import { attributeName } from "../print/literals.ts";
import {
  Attrs,
  KeyTable,
  type LazyPosition,
  ListedPositions,
  positionOf,
  type Symbol,
  symbol,
  symbolName,
} from "../values/attrs.ts";
import type { Lazy } from "../values/thunk.ts";
import type { Position } from "../values/value.ts";
import { apply2 } from "./application.ts";
import type { Family } from "./interpreter.ts";

/** An attribute that has to be there. `context` becomes a step of the trace. */
export function requireAttr(attrs: Attrs, name: string, context: string | undefined): Lazy {
  const value = attrs.get(name);
  if (value === undefined) throw addTrace(new EvalError(`attribute '${attributeName(name)}' missing`), context);
  return value;
}

const first = (name: string): string => `while evaluating the first argument passed to builtins.${name}`;
const second = (name: string): string => `while evaluating the second argument passed to builtins.${name}`;

function nameOfPair(pair: Attrs): string {
  const name = requireAttr(pair, "name", "in a {name=...; value=...;} pair");
  try {
    return forceStringNoContext(name);
  } catch (error) {
    const position = positionOf(pair.positionAt(pair.keys.find(NAME)));
    if (error instanceof EvalError && error.wantsPlace) atPosition(error, placeOf(position));
    throw addTrace(
      error,
      "while evaluating the `name` attribute of an element of the list passed to builtins.listToAttrs",
      position,
    );
  }
}

const NAME = symbol("name");

/** `{ file, line, column }` as `unsafeGetAttrPos` and `__curPos` give it, or null. */
export function positionValue(position: Position | undefined): Lazy {
  if (position === undefined) return null;
  return Attrs.from([
    ["file", position.file],
    ["line", position.line],
    ["column", position.column],
  ]);
}

export const attrsets: Family = {
  /** The names of the attributes in byte order. */
  attrNames: (set: Lazy): Lazy => forceAttrs(set, "while evaluating the argument passed to builtins.attrNames").names(),

  /** The values in byte order of their names. */
  attrValues(set: Lazy): Lazy {
    const attrs = forceAttrs(set, "while evaluating the argument passed to builtins.attrValues");
    return attrs.keys.byName().map((slot) => attrs.values[slot]!);
  },

  /** The values of an attribute in those sets of a list that have it. */
  catAttrs(name: Lazy, list: Lazy): Lazy {
    const id = symbol(forceStringNoContext(name, first("catAttrs")));
    const found: Lazy[] = [];
    for (const element of forceList(list, second("catAttrs"))) {
      const value = forceAttrs(
        element,
        "while evaluating an element in the list passed as second argument to builtins.catAttrs",
      ).getSymbol(id);
      if (value !== undefined) found.push(value);
    }
    return found;
  },

  /** The value of an attribute: `set.${name}`. */
  getAttr(name: Lazy, set: Lazy): Lazy {
    const wanted = forceStringNoContext(name, first("getAttr"));
    const attrs = forceAttrs(set, second("getAttr"));
    return requireAttr(attrs, wanted, "in the attribute set under consideration");
  },

  /** Whether a set has an attribute: `set ? ${name}`. */
  hasAttr(name: Lazy, set: Lazy): boolean {
    const wanted = forceStringNoContext(name, first("hasAttr"));
    return forceAttrs(set, second("hasAttr")).has(wanted);
  },

  /** Where an attribute was defined: `{ file, line, column }`, or null if nobody knows. */
  unsafeGetAttrPos(name: Lazy, set: Lazy): Lazy {
    const wanted = forceStringNoContext(name, first("unsafeGetAttrPos"));
    return positionValue(forceAttrs(set, second("unsafeGetAttrPos")).position(wanted));
  },

  /** The attributes of the second set whose names are in the first. */
  intersectAttrs(a: Lazy, b: Lazy): Attrs {
    const left = forceAttrs(a, first("intersectAttrs"));
    const right = forceAttrs(b, second("intersectAttrs"));
    const slots: number[] = [];
    if (left.size < right.size) {
      for (const id of left.keys.ids) {
        const slot = right.keys.find(id);
        if (slot >= 0) slots.push(slot);
      }
    } else {
      const { ids } = right.keys;
      for (let slot = 0; slot < ids.length; slot++) if (left.keys.find(ids[slot]!) >= 0) slots.push(slot);
    }
    return right.pick(slots);
  },

  /** A set from a list of `{ name, value }`; of equal names the first counts. */
  listToAttrs(list: Lazy): Attrs {
    const elements = forceList(list, "while evaluating the argument passed to builtins.listToAttrs");
    const found = new Map<Symbol, Attrs>();
    for (const element of elements) {
      const pair = forceAttrs(element, "while evaluating an element of the list passed to builtins.listToAttrs");
      const id = symbol(nameOfPair(pair));
      if (!found.has(id)) found.set(id, pair);
    }
    if (found.size === 0) return Attrs.empty;
    const ids = [...found.keys()].sort((x, y) => x - y);
    reserveElements(ids.length);
    const values = new Array<Lazy>(ids.length);
    const positions = new Array<LazyPosition>(ids.length);
    const valueId = symbol("value");
    for (let i = 0; i < ids.length; i++) {
      const pair = found.get(ids[i]!)!;
      const slot = pair.keys.find(valueId);
      if (slot < 0) requireAttr(pair, "value", "in a {name=...; value=...;} pair");
      values[i] = pair.values[slot]!;
      positions[i] = pair.positionAt(slot);
    }
    return new Attrs(KeyTable.of(ids), values, ListedPositions.of(positions));
  },

  /** The set of `f name value`. */
  mapAttrs(f: Lazy, set: Lazy): Attrs {
    const attrs = forceAttrs(set, second("mapAttrs"));
    const { ids } = attrs.keys;
    reserveElements(ids.length);
    const values = new Array<Lazy>(ids.length);
    for (let slot = 0; slot < ids.length; slot++) values[slot] = apply2(f, symbolName(ids[slot]!), attrs.values[slot]!);
    return new Attrs(attrs.keys, values);
  },

  /** The set without the attributes named in a list. */
  removeAttrs(set: Lazy, names: Lazy): Attrs {
    const attrs = forceAttrs(set, first("removeAttrs"));
    const unwanted = new Set<number>();
    for (const name of forceList(names, second("removeAttrs"))) {
      const wanted = forceStringNoContext(
        name,
        "while evaluating the values of the second argument passed to builtins.removeAttrs",
      );
      const slot = attrs.keys.find(symbol(wanted));
      if (slot >= 0) unwanted.add(slot);
    }
    if (unwanted.size === 0) return attrs;
    const slots: number[] = [];
    for (let slot = 0; slot < attrs.size; slot++) if (!unwanted.has(slot)) slots.push(slot);
    return attrs.pick(slots);
  },

  /** For each name in any of the sets, `f name [ values ]`. */
  zipAttrsWith(f: Lazy, list: Lazy): Attrs {
    forceFunction(f, first("zipAttrsWith"));
    const found = new Map<Symbol, Lazy[]>();
    for (const element of forceList(list, second("zipAttrsWith"))) {
      const { keys, values } = forceAttrs(
        element,
        "while evaluating a value of the list passed as second argument to builtins.zipAttrsWith",
      );
      for (let slot = 0; slot < values.length; slot++) {
        const id = keys.ids[slot]!;
        const collected = found.get(id);
        if (collected === undefined) found.set(id, [values[slot]!]);
        else collected.push(values[slot]!);
      }
    }
    const ids = [...found.keys()].sort((x, y) => x - y);
    return new Attrs(
      KeyTable.of(ids),
      ids.map((id) => apply2(f, symbolName(id), found.get(id)!)),
    );
  },

  /** The set `{ name = …; }` of lists of elements for which the function gave that name. */
  groupBy(f: Lazy, list: Lazy): Attrs {
    const fn = forceFunction(f, first("groupBy"));
    const groups = new Map<Symbol, Lazy[]>();
    for (const element of forceList(list, second("groupBy"))) {
      const id = symbol(
        forceStringNoContext(
          callFunction1(fn, element),
          "while evaluating the return value of the grouping function passed to builtins.groupBy",
        ),
      );
      const group = groups.get(id);
      if (group === undefined) groups.set(id, [element]);
      else group.push(element);
    }
    const ids = [...groups.keys()].sort((x, y) => x - y);
    return new Attrs(
      KeyTable.of(ids),
      ids.map((id) => groups.get(id)!),
    );
  },
};
