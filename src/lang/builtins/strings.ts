/** Strings (manual, "concatStringsSep" … "toString"). */
import { EvalError } from "../errors.ts";
import { reserveBytes } from "../memory.ts";
import {
  coerceToString,
  interpolated,
  contextOf,
  forceInt,
  forceList,
  forceString,
  forceText,
  joinContexts,
  makeString,
  textOf,
} from "../operations/index.ts";
import { TextBuilder } from "../print/text-builder.ts";
import { force, type Lazy } from "../values/thunk.ts";
import { ContextString, type NixList, type NixString } from "../values/value.ts";
import type { Family, Interpreter } from "./interpreter.ts";

export function strings({ world }: Interpreter): Family {
  return {
    /** The strings of a list with a separator between them. */
    concatStringsSep(separator: Lazy, list: Lazy): NixString {
      const between = forceString(
        separator,
        "while evaluating the first argument (the separator string) passed to builtins.concatStringsSep",
      );
      const elements = forceList(
        list,
        "while evaluating the second argument (the list of strings to concat) passed to builtins.concatStringsSep",
      );
      let context = contextOf(between);
      let length = 0;
      const texts = new Array<string>(elements.length);
      for (let i = 0; i < elements.length; i++) {
        const element = coerceToString(
          world,
          elements[i]!,
          interpolated,
          "while evaluating one element of the list of strings to concat passed to builtins.concatStringsSep",
        );
        texts[i] = textOf(element);
        length += texts[i]!.length;
        context = joinContexts(context, contextOf(element));
      }
      reserveBytes(length + elements.length * textOf(between).length);
      return makeString(texts.join(textOf(between)), context);
    },

    /** Replaces each occurrence of any of the strings by its counterpart; at any place the first that fits counts. */
    replaceStrings(from: Lazy, to: Lazy, string: Lazy): NixString {
      const patterns = forceList(from, "while evaluating the first argument passed to builtins.replaceStrings");
      const replacements = forceList(to, "while evaluating the second argument passed to builtins.replaceStrings");
      if (patterns.length !== replacements.length)
        throw new EvalError("'from' and 'to' arguments passed to builtins.replaceStrings have different lengths");
      const search = searchFor(patterns);
      const source = forceString(string, "while evaluating the third argument passed to builtins.replaceStrings");
      return replace(search, replacements, source);
    },

    /** The number of bytes. */
    stringLength: (value: Lazy): number =>
      textOf(
        coerceToString(world, value, interpolated, "while evaluating the argument passed to builtins.stringLength"),
      ).length,

    /** `length` bytes from `start` on; less where the string ends, all of them if the length is negative. */
    substring(start: Lazy, length: Lazy, string: Lazy): NixString {
      const from = forceInt(
        start,
        "while evaluating the first argument (the start offset) passed to builtins.substring",
      );
      if (from < 0) throw new EvalError("negative start position in 'substring'");
      const size = forceInt(
        length,
        "while evaluating the second argument (the substring length) passed to builtins.substring",
      );
      const value =
        force(string) instanceof ContextString && size === 0
          ? (force(string) as ContextString)
          : coerceToString(
              world,
              string,
              interpolated,
              "while evaluating the third argument (the string) passed to builtins.substring",
            );
      const text = textOf(value);
      const begin = Number(from);
      return makeString(size < 0 ? text.slice(begin) : text.slice(begin, begin + Number(size)), contextOf(value));
    },

    /** Anything but a function as a string; paths are not copied to the store. */
    toString: (value: Lazy): NixString =>
      coerceToString(
        world,
        value,
        { coerceMore: true, copyToStore: false },
        "while evaluating the first argument passed to builtins.toString",
      ),
  };
}

/** Results up to this length are put together as they come. */
const SHORT = 1 << 12;

function replace(search: Search, replacements: readonly Lazy[], source: NixString): NixString {
  const text = textOf(source);
  let at = search.next(text, 0);
  if (at < 0) return source;
  let context = contextOf(source);
  let joined: Set<number> | undefined;
  let start = 0;
  let short = "";
  let long: TextBuilder | undefined;
  // One step past the end, where an empty pattern still fits.
  for (; at >= 0; at = search.next(text, start)) {
    const { index, length } = search;
    const value = replacements[index]!;
    let replacement: string;
    if (typeof value === "string") replacement = value;
    else {
      const forced = forceString(
        value,
        "while evaluating one of the replacement strings passed to builtins.replaceStrings",
      );
      replacement = textOf(forced);
      if (typeof forced !== "string" && joined?.has(index) !== true) {
        context = joinContexts(context, forced.context);
        (joined ??= new Set()).add(index);
      }
    }
    let before = text.slice(start, at);
    if (length > 0) start = at + length;
    else {
      replacement += text.charAt(at);
      start = at + 1;
    }
    if (long === undefined && short.length + before.length + replacement.length > SHORT) {
      long = new TextBuilder();
      before = short + before;
    }
    if (long === undefined) short += before + replacement;
    else long.push(before, replacement);
    if (start > text.length) break;
  }
  const rest = text.slice(start);
  if (long === undefined) return makeString(short + rest, context);
  long.push(rest);
  return makeString(long.text(), context);
}

/** Finds the places in a text where one of several patterns fits; at each, the first of them that does counts. */
class Search {
  /** The pattern that fits at the place found last, and its length. */
  index = 0;
  length = 0;
  readonly #wanted: readonly string[];
  /** By first byte; only those before the empty pattern, which fits everywhere. */
  readonly #candidates = new Array<number[] | undefined>(256).fill(undefined);
  readonly #empty: number;
  readonly #only: string | undefined;

  constructor(wanted: readonly string[]) {
    this.#wanted = wanted;
    this.#empty = wanted.indexOf("");
    this.#only = wanted.length === 1 && this.#empty < 0 ? wanted[0] : undefined;
    const end = this.#empty < 0 ? wanted.length : this.#empty;
    for (let index = 0; index < end; index++) (this.#candidates[wanted[index]!.charCodeAt(0)] ??= []).push(index);
  }

  /** The next place from an offset on, or -1. */
  next(text: string, from: number): number {
    if (this.#only !== undefined) {
      this.length = this.#only.length;
      return text.indexOf(this.#only, from);
    }
    for (let at = from; at < text.length; at++) {
      const candidates = this.#candidates[text.charCodeAt(at)];
      if (candidates !== undefined)
        for (let i = 0; i < candidates.length; i++) {
          const pattern = this.#wanted[candidates[i]!]!;
          if (pattern.length === 1 || text.startsWith(pattern, at)) return this.#found(at, candidates[i]!);
        }
      if (this.#empty >= 0) return this.#found(at, this.#empty);
    }
    return this.#empty >= 0 && from <= text.length ? this.#found(text.length, this.#empty) : -1;
  }

  #found(at: number, index: number): number {
    this.index = index;
    this.length = this.#wanted[index]!.length;
    return at;
  }
}

/** Lists of patterns that were searched for: constants in the source are one and the same list in every call. */
const searches = new WeakMap<NixList, Search>();

/** @throws EvalError for patterns that are no strings */
function searchFor(patterns: NixList): Search {
  let search = searches.get(patterns);
  if (search === undefined) {
    search = new Search(
      patterns.map((pattern) =>
        forceText(pattern, "while evaluating one of the strings to replace passed to builtins.replaceStrings"),
      ),
    );
    searches.set(patterns, search);
  }
  return search;
}
