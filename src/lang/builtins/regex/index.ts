/** Regular expressions (manual, "match", "split"). */
import { EvalError } from "../../errors.ts";
import { forceString, forceStringNoContext, textOf } from "../../operations/index.ts";
import type { Lazy } from "../../values/thunk.ts";
import type { NixList } from "../../values/value.ts";
import type { Family } from "../interpreter.ts";
import { Matcher } from "./matcher.ts";
import { RegexError } from "./syntax.ts";

const MAX_CACHED = 1000;
const cache = new Map<string, Matcher>();

function matcher(source: string): Matcher {
  let found = cache.get(source);
  if (found === undefined) {
    try {
      found = new Matcher(source);
    } catch (error) {
      throw explained(error, source);
    }
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(source, found);
  }
  return found;
}

function explained(error: unknown, source: string): unknown {
  if (!(error instanceof RegexError)) return error;
  return new EvalError(
    error.tooBig ? `memory limit exceeded by regular expression '${source}'` : `invalid regular expression '${source}'`,
  );
}

export const regexes: Family = {
  /** The groups, if the whole string matches an extended POSIX regular expression, else null. */
  match(regex: Lazy, string: Lazy): Lazy {
    const source = forceStringNoContext(regex, "while evaluating the first argument passed to builtins.match");
    const compiled = matcher(source);
    const text = textOf(forceString(string, "while evaluating the second argument passed to builtins.match"));
    try {
      return compiled.match(text) ?? null;
    } catch (error) {
      throw explained(error, source);
    }
  },

  /** The parts of a string between matches, alternating with lists of the groups of each match. */
  split(regex: Lazy, string: Lazy): NixList {
    const source = forceStringNoContext(regex, "while evaluating the first argument passed to builtins.split");
    const compiled = matcher(source);
    const value = forceString(string, "while evaluating the second argument passed to builtins.split");
    const text = textOf(value);
    const parts: Lazy[] = [];
    let at = 0;
    try {
      for (const { begin, end, groups } of compiled.matches(text)) {
        parts.push(text.slice(at, begin), groups);
        at = end;
      }
    } catch (error) {
      throw explained(error, source);
    }
    // Without any match the string itself, context included, is the only part.
    if (parts.length === 0) return [value];
    parts.push(text.slice(at));
    return parts;
  },
};
