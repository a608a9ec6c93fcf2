/** `builtins.genericClosure` (manual): everything that can be reached from a start set. */
import { addTrace, callFunction1, forceAttrs, forceFunction, forceList, lessThan } from "../operations/index.ts";
import { reserveElements } from "../memory.ts";
import { showForError } from "../print/printer.ts";
import type { Attrs } from "../values/attrs.ts";
import { force, type Lazy } from "../values/thunk.ts";
import { ContextString, type NixList, type Value } from "../values/value.ts";
import { requireAttr } from "./attrsets.ts";
import type { Family } from "./interpreter.ts";

interface Seen {
  readonly key: Value;
  readonly element: Lazy;
}

/** Keys met so far: strings and integers, the common cases, by hash; others in an ordered list, as they need `<`. */
class KeySet {
  readonly #strings = new Map<string, Lazy>();
  readonly #integers = new Map<number | bigint, Lazy>();
  readonly #others: Seen[] = [];
  #any: Seen | undefined;

  /** False if the key was there already. */
  add(key: Value, element: Lazy): boolean {
    const text = key instanceof ContextString ? key.text : key;
    // A key that cannot be compared with the ones before is an error, found by comparing it with one of them.
    if (this.#any !== undefined) this.#compare(key, this.#any, element);
    this.#any ??= { key, element };
    if (this.#others.length === 0) {
      if (typeof text === "string") return addTo(this.#strings, text, element);
      if (typeof text === "number" || typeof text === "bigint") return addTo(this.#integers, text, element);
      // Integers and floats may be mixed: from the first float on, all are kept in order.
      const before = [...this.#integers].sort(([a], [b]) => (a < b ? -1 : 1));
      for (const [number, its] of before) this.#others.push({ key: number, element: its });
    }
    let low = 0;
    let high = this.#others.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.#others[middle]!.key, { key, element }, this.#others[middle]!.element)) low = middle + 1;
      else high = middle;
    }
    const found = this.#others[low];
    if (found !== undefined && !this.#compare(key, found, element)) return false;
    this.#others.splice(low, 0, { key, element });
    return true;
  }

  #compare(key: Value, other: Seen, element: Lazy): boolean {
    try {
      return lessThan(key, other.key);
    } catch (error) {
      addTrace(error, `with element ${showForError(other.element)}`);
      throw addTrace(error, `while comparing element ${showForError(element)}`);
    }
  }
}

function addTo<K>(map: Map<K, Lazy>, key: K, element: Lazy): boolean {
  if (map.has(key)) return false;
  map.set(key, element);
  return true;
}

export const closures: Family = {
  /**
   * The elements of `startSet` and what `operator` gives for them, transitively; elements with equal `key` count once. Keys
   * are whatever `<` can compare.
   */
  genericClosure(argument: Lazy): NixList {
    const attrs = forceAttrs(argument, "while evaluating the first argument passed to builtins.genericClosure");
    const attribute = (name: string): Lazy =>
      requireAttr(attrs, name, "in the attrset passed as argument to builtins.genericClosure");
    const start = forceList(
      attribute("startSet"),
      "while evaluating the 'startSet' attribute passed as argument to builtins.genericClosure",
    );
    if (start.length === 0) return start;
    const operator = forceFunction(
      attribute("operator"),
      "while evaluating the 'operator' attribute passed as argument to builtins.genericClosure",
    );
    const queue = [...start];
    const seen = new KeySet();
    const result: Lazy[] = [];
    for (let next = 0; next < queue.length; next++) {
      const element = queue[next]!;
      if (!seen.add(force(keyOf(element)), element)) continue;
      result.push(element);
      // The tables double when they are full.
      if ((result.length & (result.length - 1)) === 0) reserveElements(8 * result.length);
      try {
        const reached = forceList(
          callFunction1(operator, element),
          "while evaluating the return value of the `operator` passed to builtins.genericClosure",
        );
        for (const each of reached) {
          force(each);
          queue.push(each);
        }
      } catch (error) {
        throw addTrace(error, `while calling operator on genericClosure element ${showForError(element)}`);
      }
    }
    return result;
  },
};

function keyOf(element: Lazy): Lazy {
  let attrs: Attrs;
  try {
    attrs = forceAttrs(element);
    return requireAttr(attrs, "key", undefined);
  } catch (error) {
    throw addTrace(error, `in genericClosure element ${showForError(element)}`);
  }
}
