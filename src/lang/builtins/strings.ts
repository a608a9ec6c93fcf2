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
import { type Context, ContextString, type NixString } from "../values/value.ts";
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
      const wanted = patterns.map((pattern) =>
        forceText(pattern, "while evaluating one of the strings to replace passed to builtins.replaceStrings"),
      );
      const source = forceString(string, "while evaluating the third argument passed to builtins.replaceStrings");
      return replace(wanted, replacements, source);
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

function replace(wanted: readonly string[], replacements: readonly Lazy[], source: NixString): NixString {
  const text = textOf(source);
  let context: Context | undefined = contextOf(source);
  const texts = new Array<string | undefined>(wanted.length);
  const replacement = (index: number): string => {
    let its = texts[index];
    if (its === undefined) {
      const value = forceString(
        replacements[index]!,
        "while evaluating one of the replacement strings passed to builtins.replaceStrings",
      );
      context = joinContexts(context, contextOf(value));
      its = textOf(value);
      texts[index] = its;
    }
    return its;
  };
  const pieces = new TextBuilder();
  const find = finder(wanted, text);
  // One step past the end, where an empty pattern still fits.
  for (let at = 0; ;) {
    const found = find(at);
    if (found === undefined) {
      if (at === 0) return source;
      pieces.push(text.slice(at));
      break;
    }
    pieces.push(text.slice(at, found.at), replacement(found.index));
    at = found.at;
    const { length } = wanted[found.index]!;
    if (length > 0) at += length;
    else {
      if (at >= text.length) break;
      pieces.push(text[at]!);
      at++;
    }
  }
  return makeString(pieces.text(), context);
}

/** Searches for the next place, from an offset on, where one of the patterns fits, and the first pattern that does. */
function finder(
  wanted: readonly string[],
  text: string,
): (from: number) => { readonly at: number; readonly index: number } | undefined {
  if (wanted.length === 0) return () => undefined;
  if (wanted.length === 1) {
    const only = wanted[0]!;
    return (from) => {
      const at = text.indexOf(only, from);
      return at < 0 || from > text.length ? undefined : { at, index: 0 };
    };
  }
  const empty = wanted.indexOf("");
  if (empty < 0) return alternatives(wanted, text);
  const byFirstByte = new Map<number, number[]>();
  wanted.forEach((pattern, index) => {
    if (pattern === "" || (empty >= 0 && index > empty)) return;
    const first = pattern.charCodeAt(0);
    const same = byFirstByte.get(first);
    if (same === undefined) byFirstByte.set(first, [index]);
    else same.push(index);
  });
  return (from) => {
    for (let at = from; at <= text.length; at++) {
      const candidates = at < text.length ? byFirstByte.get(text.charCodeAt(at)) : undefined;
      if (candidates !== undefined)
        for (const index of candidates) if (text.startsWith(wanted[index]!, at)) return { at, index };
      if (empty >= 0) return { at, index: empty };
    }
    return undefined;
  };
}

interface Alternatives {
  readonly regex: RegExp;
  readonly indexes: ReadonlyMap<string, number>;
}

/** The last ones: code that replaces strings does so with the same patterns again and again. */
const knownAlternatives = new Map<string, Alternatives>();
const MAX_KNOWN = 64;

/** Of alternatives, a regular expression takes the first that fits, just as needed. */
function alternatives(wanted: readonly string[], text: string): ReturnType<typeof finder> {
  const { regex, indexes } = alternativesOf(wanted);
  return (from) => {
    regex.lastIndex = from;
    const found = regex.exec(text);
    return found === null ? undefined : { at: found.index, index: indexes.get(found[0])! };
  };
}

function alternativesOf(wanted: readonly string[]): Alternatives {
  const key = wanted.map((pattern) => `${pattern.length}:${pattern}`).join("");
  const known = knownAlternatives.get(key);
  if (known !== undefined) return known;
  const indexes = new Map<string, number>();
  wanted.forEach((pattern, index) => {
    if (!indexes.has(pattern)) indexes.set(pattern, index);
  });
  const regex = new RegExp(
    [...indexes.keys()].map((pattern) => pattern.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|"),
    "g",
  );
  if (knownAlternatives.size >= MAX_KNOWN) knownAlternatives.clear();
  knownAlternatives.set(key, { regex, indexes });
  return { regex, indexes };
}
