/** `lib.lists`. */
import {
  Attrs,
  equal,
  type Evaluator,
  force,
  forceAttrs,
  forceBool,
  forceInt,
  forceList,
  forceStringNoContext,
  forceText,
  type Lazy,
  lazy,
  lessThan,
  type NixList,
  ThrownError,
} from "../lang/index.ts";
import { builtinsNamed, call, callLater, fn, functions, type Namespace } from "./support.ts";

function length(value: Lazy): number {
  return Number(forceInt(value));
}

function sublist(start: number, count: number, list: NixList): NixList {
  return start >= list.length ? [] : list.slice(start, start + count > list.length ? list.length : start + count);
}

/** Elements in the order of their first appearance. */
function unique(list: NixList): Lazy[] {
  // Strings without context, by far the most common elements, are compared by hash.
  const texts = new Set<string>();
  const kept: Lazy[] = [];
  const others: Lazy[] = [];
  for (const element of list) {
    const value = force(element);
    if (typeof value === "string") {
      if (texts.has(value) || others.some((other) => equal(value, other))) continue;
      texts.add(value);
    } else {
      if (kept.some((other) => equal(other, value))) continue;
      others.push(value);
    }
    kept.push(element);
  }
  return kept;
}

function flatten(value: Lazy): Lazy[] {
  const forced = force(value);
  return Array.isArray(forced) ? (forced as NixList).flatMap(flatten) : [value];
}

const isIn = (element: Lazy, list: NixList): boolean => list.some((other) => equal(element, other));

/** Whether the first list begins the second. */
function isPrefix(prefix: NixList, list: NixList): boolean {
  return prefix.length <= list.length && prefix.every((element, index) => equal(element, list[index]!));
}

interface Search {
  readonly visited: Lazy[];
  readonly rest: Lazy[];
  readonly minimal?: Lazy;
  readonly cycle?: Lazy;
  readonly loops?: Lazy[];
}

/** Depth-first search for an element with nothing before it. */
function depthFirst(stopOnCycles: boolean, before: Lazy, list: NixList): Search {
  if (list.length === 0) throw new ThrownError("listDfs: the list is empty");
  let current = list[0]!;
  let visited: Lazy[] = [];
  let rest: Lazy[] = list.slice(1);
  const precedes = (a: Lazy, b: Lazy): boolean => forceBool(call(before, a, b));
  for (;;) {
    const loops = visited.filter((element) => precedes(element, current));
    if (stopOnCycles && loops.length > 0) return { cycle: current, loops, visited, rest };
    const first: Lazy[] = [];
    const later: Lazy[] = [];
    for (const element of rest) (precedes(element, current) ? first : later).push(element);
    if (first.length === 0) return { minimal: current, visited, rest };
    visited = [current, ...visited];
    current = first[0]!;
    rest = [...first.slice(1), ...later];
  }
}

function toposort(before: Lazy, list: NixList): Attrs {
  const sorted: Lazy[] = [];
  let left = list;
  while (left.length >= 2) {
    const found = depthFirst(true, before, left);
    if (found.cycle !== undefined)
      return Attrs.from([
        ["cycle", [found.cycle, ...found.visited].reverse()],
        ["loops", found.loops!],
      ]);
    sorted.push(found.minimal!);
    left = [...found.visited, ...found.rest];
  }
  return Attrs.from([["result", [...sorted, ...left]]]);
}

function compareLists(compare: Lazy, a: NixList, b: NixList): Lazy {
  for (let i = 0; ; i++) {
    if (i >= a.length) return i >= b.length ? 0 : -1;
    if (i >= b.length) return 1;
    const order = call(compare, a[i]!, b[i]!);
    if (!equal(order, 0)) return order;
  }
}

/** Digits count as numbers: "a10" after "a9". */
function compareNaturally(a: readonly (string | bigint)[], b: readonly (string | bigint)[]): number {
  for (let i = 0; ; i++) {
    const x = a[i];
    const y = b[i];
    if (x === undefined || y === undefined) return x === y ? 0 : x === undefined ? -1 : 1;
    if (x !== y) return x < y ? -1 : 1;
  }
}

function naturalParts(text: string): (string | bigint)[] {
  return text.split(/(0|[1-9][0-9]*)/).map((part, index) => (index % 2 === 1 ? BigInt(part) : part));
}

function foldRight(op: Lazy, nul: Lazy, list: NixList, from: number): Lazy {
  return from === list.length
    ? nul
    : call(op, list[from]!, from + 1 === list.length ? nul : lazy(() => foldRight(op, nul, list, from + 1)));
}

function foldLeft(op: Lazy, nul: Lazy, list: NixList, to: number): Lazy {
  return to < 0 ? nul : call(op, to === 0 ? nul : lazy(() => foldLeft(op, nul, list, to - 1)), list[to]!);
}

function groups(pred: Lazy, list: NixList): Map<string, Lazy[]> {
  const found = new Map<string, Lazy[]>();
  for (const element of list) {
    const key = forceStringNoContext(call(pred, element));
    const group = found.get(key);
    if (group === undefined) found.set(key, [element]);
    else group.push(element);
  }
  return found;
}

export function listsNamespace(ev: Evaluator): Namespace {
  const first = (pred: Lazy, list: NixList): number => list.findIndex((element) => forceBool(call(pred, element)));
  return {
    ...builtinsNamed(ev.builtins, [
      "all",
      "any",
      "concatLists",
      "concatMap",
      "elem",
      "elemAt",
      "filter",
      "genList",
      "groupBy",
      "head",
      "isList",
      "length",
      "map",
      "partition",
      "sort",
      "tail",
    ]),
    ...functions({
      singleton: (element) => [element],
      forEach: (list, f) => forceList(list).map((element) => callLater(f, element)),
      foldr: (op, nul, list) => foldRight(op, nul, forceList(list), 0),
      fold: (op, nul, list) => {
        ev.host.message("warning", "fold has been deprecated, use foldr instead");
        return foldRight(op, nul, forceList(list), 0);
      },
      foldl: (op, nul, list) => {
        const elements = forceList(list);
        return foldLeft(op, nul, elements, elements.length - 1);
      },
      "foldl'": (op, start, list) => {
        force(start);
        return call(ev.builtins.get("foldl'")!, op, start, list);
      },
      imap0: (f, list) => forceList(list).map((element, index) => callLater(f, index, element)),
      imap1: (f, list) => forceList(list).map((element, index) => callLater(f, index + 1, element)),
      ifilter0: (pred, list) => forceList(list).filter((element, index) => forceBool(call(pred, index, element))),
      flatten: (value) => flatten(value),
      remove: (unwanted, list) => forceList(list).filter((element) => !equal(element, unwanted)),
      findSingle: (pred, none, multiple, list) => {
        const found = forceList(list).filter((element) => forceBool(call(pred, element)));
        return found.length === 0 ? none : found.length === 1 ? found[0]! : multiple;
      },
      findFirstIndex: (pred, none, list) => {
        const index = first(pred, forceList(list));
        return index < 0 ? none : index;
      },
      findFirst: (pred, none, list) => {
        const elements = forceList(list);
        const index = first(pred, elements);
        return index < 0 ? none : elements[index]!;
      },
      count: (pred, list) => forceList(list).filter((element) => forceBool(call(pred, element))).length,
      optional: (condition, element) => (forceBool(condition) ? [element] : []),
      optionals: (condition, list) => (forceBool(condition) ? list : []),
      toList: (value) => {
        const forced = force(value);
        return Array.isArray(forced) ? (forced as NixList) : [value];
      },
      range: (from, to) => {
        const start = length(from);
        return Array.from({ length: Math.max(0, length(to) - start + 1) }, (_, index) => start + index);
      },
      replicate: (count, element) => new Array<Lazy>(Math.max(0, length(count))).fill(element),
      "groupBy'": (op, nul, pred, list) =>
        Attrs.from(
          [...groups(pred, forceList(list))].map(([name, own]) => [
            name,
            lazy(() => foldLeft(op, nul, own, own.length - 1)),
          ]),
        ),
      zipListsWith: (f, left, right) => {
        const a = forceList(left);
        const b = forceList(right);
        return a.slice(0, b.length).map((element, index) => callLater(f, element, b[index]!));
      },
      zipLists: (left, right) => {
        const a = forceList(left);
        const b = forceList(right);
        return a.slice(0, b.length).map((element, index) =>
          Attrs.from([
            ["fst", element],
            ["snd", b[index]!],
          ]),
        );
      },
      reverseList: (list) => [...forceList(list)].reverse(),
      listDfs: (stopOnCycles, before, list) => {
        const found = depthFirst(forceBool(stopOnCycles), before, forceList(list));
        const rest: [string, Lazy][] = [
          ["visited", found.visited],
          ["rest", found.rest],
        ];
        return found.cycle === undefined
          ? Attrs.from([["minimal", found.minimal!], ...rest])
          : Attrs.from([["cycle", found.cycle], ["loops", found.loops!], ...rest]);
      },
      toposort: (before, list) => toposort(before, forceList(list)),
      sortOn: (f, list) => {
        const pairs = forceList(list).map((element) => [callLater(f, element), element] as const);
        const sorted = call(
          ev.builtins.get("sort")!,
          fn("less", 2, (a, b) => lessThan(force(forceList(a)[0]!), force(forceList(b)[0]!))),
          pairs.map((pair) => [...pair]),
        );
        return forceList(sorted).map((pair) => forceList(pair)[1]!);
      },
      compareLists: (compare, a, b) => compareLists(compare, forceList(a), forceList(b)),
      naturalSort: (list) =>
        forceList(list)
          .map((element) => ({ element, parts: naturalParts(forceText(element)) }))
          .sort((a, b) => compareNaturally(a.parts, b.parts))
          .map(({ element }) => element),
      take: (count, list) => sublist(0, length(count), forceList(list)),
      takeEnd: (count, list) => {
        const elements = forceList(list);
        return elements.slice(Math.max(0, elements.length - length(count)));
      },
      drop: (count, list) => forceList(list).slice(length(count)),
      dropEnd: (count, list) => {
        const elements = forceList(list);
        return elements.slice(0, Math.max(0, elements.length - length(count)));
      },
      hasPrefix: (prefix, list) => isPrefix(forceList(prefix), forceList(list)),
      removePrefix: (prefix, list) => {
        const start = forceList(prefix);
        const elements = forceList(list);
        if (!isPrefix(start, elements))
          throw new ThrownError("lib.lists.removePrefix: First argument is not a list prefix of the second argument");
        return elements.slice(start.length);
      },
      sublist: (start, count, list) => sublist(length(start), length(count), forceList(list)),
      commonPrefix: (left, right) => {
        const a = forceList(left);
        const b = forceList(right);
        let same = 0;
        while (same < a.length && same < b.length && equal(a[same]!, b[same]!)) same++;
        return a.slice(0, same);
      },
      last: (list) => {
        const elements = forceList(list);
        if (elements.length === 0) throw new ThrownError("lists.last: list must not be empty!");
        return elements.at(-1)!;
      },
      init: (list) => {
        const elements = forceList(list);
        if (elements.length === 0) throw new ThrownError("lists.init: list must not be empty!");
        return elements.slice(0, -1);
      },
      crossLists: (f, lists) =>
        forceList(lists).reduce<Lazy[]>(
          (sum, list) => sum.flatMap((partial) => forceList(list).map((element) => callLater(partial, element))),
          [f],
        ),
      unique: (list) => unique(forceList(list)),
      uniqueStrings: (list) => [...new Set(forceList(list).map((element) => forceStringNoContext(element)))].sort(),
      allUnique: (list) => {
        const elements = forceList(list);
        return unique(elements).length === elements.length;
      },
      intersectLists: (left, right) => {
        const wanted = forceList(left);
        return forceList(right).filter((element) => isIn(element, wanted));
      },
      subtractLists: (unwanted, list) => {
        const without = forceList(unwanted);
        return forceList(list).filter((element) => !isIn(element, without));
      },
      mutuallyExclusive: (left, right) => {
        const b = forceList(right);
        return !forceList(left).some((element) => isIn(element, b));
      },
      concatAttrValues: (set) => [...forceAttrs(set).entries()].flatMap(([, list]) => forceList(list)),
      replaceElemAt: (list, index, element) => {
        const elements = forceList(list);
        const at = length(index);
        if (at < 0 || at >= elements.length)
          throw new ThrownError(`'lists.replaceElemAt' called with index ${at} on a list of size ${elements.length}`);
        return elements.map((old, slot) => (slot === at ? element : old));
      },
    }),
  };
}
