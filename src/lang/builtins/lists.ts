/** Lists (manual, "all" … "tail"). */
import { EvalError, OutOfMemoryError } from "../errors.ts";
import { reserveElements } from "../memory.ts";
import {
  addTrace,
  callFunction2,
  callFunction1,
  concatLists,
  equalValues,
  forceBool,
  forceFunction,
  forceInt,
  forceList,
  lessThan as isLess,
} from "../operations/index.ts";
import { Source, SourcePosition } from "../syntax/source.ts";
import { Attrs } from "../values/attrs.ts";
import { force, type Lazy } from "../values/thunk.ts";
import { Lambda, type NixList, type Position, PrimOp, type Value } from "../values/value.ts";
import { apply } from "./application.ts";
import { lessThan } from "./arithmetic.ts";
import type { Family } from "./interpreter.ts";
import { peeksort } from "./peeksort.ts";

/** Nothing sensible makes longer lists, and V8 would end the process rather than fail. */
const MAX_LENGTH = 2 ** 26;

function resultList(fn: Value, result: Value): NixList {
  if (Array.isArray(result)) return result as NixList;
  const step = "while evaluating the return value of the function passed to builtins.concatMap";
  return forceList(result, step, lambdaPlace(result) ?? lambdaPlace(fn));
}

/** Where a function stands, for messages. */
function lambdaPlace(fn: Value): Position | undefined {
  if (!(fn instanceof Lambda)) return undefined;
  const { source, offset } = fn.info;
  return source instanceof Source ? new SourcePosition(source, offset) : fn.info.position();
}

const first = (name: string): string => `while evaluating the first argument passed to builtins.${name}`;
const second = (name: string): string => `while evaluating the second argument passed to builtins.${name}`;

export const lists: Family = {
  /** Whether the function gives true for all elements. */
  all: (predicate: Lazy, list: Lazy): boolean => !decides("all", predicate, list, false),
  /** Whether the function gives true for some element. */
  any: (predicate: Lazy, list: Lazy): boolean => decides("any", predicate, list, true),

  /** All lists of a list joined. */
  concatLists(list: Lazy): NixList {
    const elements = forceList(list, first("concatLists"));
    return concatLists(
      elements.map((element) =>
        forceList(element, "while evaluating a value of the list passed to builtins.concatLists"),
      ),
    );
  },

  /** The lists that the function gives for each element, joined. */
  concatMap(f: Lazy, list: Lazy): NixList {
    const fn = forceFunction(f, first("concatMap"));
    const elements = forceList(list, second("concatMap"));
    return concatLists(elements.map((element) => resultList(fn, callFunction1(fn, element))));
  },

  /** Whether a list has an element equal to a value. */
  elem(value: Lazy, list: Lazy): boolean {
    for (const element of forceList(list, second("elem"))) {
      const sought = force(value);
      const found = force(element);
      // One and the same value is equal to itself even if it is a function.
      if (value === element) return true;
      try {
        if (equalValues(sought, found)) return true;
      } catch (error) {
        throw addTrace(error, "while searching for the presence of the given element in the list");
      }
    }
    return false;
  },

  /** The element at an index, from 0. */
  elemAt(list: Lazy, index: Lazy): Lazy {
    const at = forceInt(index, "while evaluating the second argument passed to 'builtins.elemAt'");
    const elements = forceList(list, "while evaluating the first argument passed to 'builtins.elemAt'");
    if (at < 0 || at >= elements.length)
      throw new EvalError(`'builtins.elemAt' called with index ${at} on a list of size ${elements.length}`);
    return elements[Number(at)]!;
  },

  /** The elements for which the function gives true. */
  filter(predicate: Lazy, list: Lazy): NixList {
    const elements = forceList(list, second("filter"));
    if (elements.length === 0) return elements;
    const fn = forceFunction(predicate, first("filter"));
    reserveElements(elements.length);
    const kept = elements.filter((element) =>
      forceBool(
        callFunction1(fn, element),
        "while evaluating the return value of the filtering function passed to builtins.filter",
      ),
    );
    return kept.length === elements.length ? elements : kept;
  },

  /** Folds from the left; each result is evaluated before the next step. */
  "foldl'"(operator: Lazy, start: Lazy, list: Lazy): Lazy {
    const fn = forceFunction(operator, "while evaluating the first argument passed to builtins.foldlStrict");
    const elements = forceList(list, "while evaluating the third argument passed to builtins.foldlStrict");
    let result = start;
    for (let i = 0; i < elements.length; i++) result = callFunction2(fn, result, elements[i]!);
    return result;
  },

  /** `[ (f 0) (f 1) … ]` of the given length. */
  genList(generator: Lazy, length: Lazy): NixList {
    const size = forceInt(length, second("genList"));
    if (size < 0) throw new EvalError(`cannot create list of size ${size}`);
    if (size > MAX_LENGTH) throw new OutOfMemoryError();
    forceFunction(generator, first("genList"));
    reserveElements(Number(size));
    const elements = new Array<Lazy>(Number(size));
    for (let i = 0; i < elements.length; i++) elements[i] = apply(generator, i);
    return elements;
  },

  /** The first element. */
  head(list: Lazy): Lazy {
    const elements = forceList(list, "while evaluating the first argument passed to 'builtins.head'");
    if (elements.length === 0) throw new EvalError("'builtins.head' called on an empty list");
    return elements[0]!;
  },

  /** The number of elements. */
  length: (list: Lazy): number => forceList(list, first("length")).length,

  /** The function's result for each element, evaluated when needed. */
  map(f: Lazy, list: Lazy): NixList {
    const elements = forceList(list, second("map"));
    if (elements.length === 0) return elements;
    forceFunction(f, first("map"));
    reserveElements(elements.length);
    const results = new Array<Lazy>(elements.length);
    for (let i = 0; i < elements.length; i++) results[i] = apply(f, elements[i]!);
    return results;
  },

  /** `{ right, wrong }`: the elements for which the function gives true, and the others. */
  partition(predicate: Lazy, list: Lazy): Attrs {
    const fn = forceFunction(predicate, first("partition"));
    const right: Lazy[] = [];
    const wrong: Lazy[] = [];
    for (const element of forceList(list, second("partition"))) {
      force(element);
      const holds = forceBool(
        callFunction1(fn, element),
        "while evaluating the return value of the partition function passed to builtins.partition",
      );
      (holds ? right : wrong).push(element);
    }
    return Attrs.from([
      ["right", right],
      ["wrong", wrong],
    ]);
  },

  /** The list in the order of a function that tells whether its first argument comes before the second; stable. */
  sort(comparator: Lazy, list: Lazy): NixList {
    const elements = forceList(list, second("sort"));
    if (elements.length === 0) return elements;
    const fn = forceFunction(comparator, first("sort"));
    for (const element of elements) force(element);
    const sorted = [...elements];
    peeksort(sorted, isLessThan(fn) ? natural : (a, b) => comesBefore(fn, a, b));
    return sorted;
  },

  /** All elements but the first. */
  tail(list: Lazy): NixList {
    const elements = forceList(list, "while evaluating the first argument passed to 'builtins.tail'");
    if (elements.length === 0) throw new EvalError("'builtins.tail' called on an empty list");
    return elements.slice(1);
  },
};

function decides(name: string, predicate: Lazy, list: Lazy, by: boolean): boolean {
  const fn = forceFunction(predicate, first(name));
  for (const element of forceList(list, second(name))) {
    const result = forceBool(
      callFunction1(fn, element),
      `while evaluating the return value of the function passed to builtins.${name}`,
    );
    if (result === by) return true;
  }
  return false;
}

function isLessThan(fn: Value): boolean {
  return fn instanceof PrimOp && fn.args.length === 0 && fn.run === lessThan;
}

const natural = (a: Lazy, b: Lazy): boolean =>
  isLess(force(a), force(b), "while evaluating the ordering function passed to builtins.sort");

function comesBefore(fn: Value, a: Lazy, b: Lazy): boolean {
  return forceBool(
    callFunction2(fn, a, b),
    "while evaluating the return value of the sorting function passed to builtins.sort",
  );
}
