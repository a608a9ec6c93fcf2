/** Chooses how a regular expression is matched: by JavaScript's engine where it gives what C++'s does, else by an automaton. */
import { Automaton, type Match } from "./automaton.ts";
import { type ByteSet, type ParsedRegex, parseRegex, RegexError, type RegexNode } from "./syntax.ts";

/** What the groups of a match hold; null for those that took no part. */
export type Groups = (string | null)[];

export interface Found {
  readonly begin: number;
  readonly end: number;
  readonly groups: Groups;
}

/** C++'s own limit. */
const MAX_STATES = 100_000;

export class Matcher {
  readonly #parsed: ParsedRegex;
  readonly #whole: RegExp | undefined;
  readonly #anywhere: RegExp | undefined;
  #automaton: Automaton | undefined;

  /** @throws RegexError */
  constructor(source: string) {
    this.#parsed = parseRegex(source);
    const { root } = this.#parsed;
    if (stateCount(root) > MAX_STATES) throw new RegexError(true);
    const same = !hasTrickyLoop(root);
    const translated = same ? translate(root) : "";
    // Of alternatives JavaScript takes the first that leads to a match; for a whole text that makes no difference.
    this.#whole = same ? compile(`^(?:${translated})$`, "") : undefined;
    this.#anywhere = same && !hasTrickyChoice(root) ? compile(translated, "g") : undefined;
  }

  /** The groups, if all of the text matches. */
  match(text: string): Groups | undefined {
    if (this.#whole !== undefined)
      return this.#whole
        .exec(text)
        ?.slice(1)
        .map((group) => group ?? null);
    const match = this.#backup().matchAt(text, 0, true);
    return match === undefined ? undefined : groupsOf(match, text);
  }

  /** All matches from left to right. After an empty one the search goes on a byte later. */
  *matches(text: string): Generator<Found> {
    if (this.#anywhere !== undefined) {
      for (const found of text.matchAll(this.#anywhere))
        yield {
          begin: found.index,
          end: found.index + found[0].length,
          groups: found.slice(1).map((group) => group ?? null),
        };
      return;
    }
    const automaton = this.#backup();
    for (let at = 0; at <= text.length;) {
      const match = automaton.matchAt(text, at, false);
      if (match === undefined) at++;
      else {
        yield { begin: match.begin, end: match.end, groups: groupsOf(match, text) };
        at = match.end > match.begin ? match.end : at + 1;
      }
    }
  }

  #backup(): Automaton {
    return (this.#automaton ??= new Automaton(this.#parsed));
  }
}

function groupsOf({ groups }: Match, text: string): Groups {
  const result: Groups = [];
  for (let slot = 0; slot < groups.length; slot += 2)
    result.push(groups[slot + 1]! < 0 ? null : text.slice(groups[slot], groups[slot + 1]));
  return result;
}

/** What C++ would need for a regular expression, about. */
function stateCount(node: RegexNode): number {
  switch (node.kind) {
    case "group":
      return stateCount(node.body) + 2;
    case "sequence":
      return node.parts.reduce((sum, part) => sum + stateCount(part), 0);
    case "choice":
      return node.options.reduce((sum, option) => sum + stateCount(option) + 2, 0);
    case "repeat":
      return (stateCount(node.body) + 1) * Math.max(1, node.how === "{}" ? (node.max ?? node.min + 1) : 1);
    default:
      return 1;
  }
}

/** Undefined if it is too big for V8. */
function compile(source: string, flags: string): RegExp | undefined {
  try {
    const regex = new RegExp(source, flags);
    regex.test("");
    regex.lastIndex = 0;
    return regex;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function translate(node: RegexNode): string {
  switch (node.kind) {
    case "empty":
      return "(?:)";
    case "begin":
      return "^";
    case "end":
      return "$";
    case "bytes":
      return translateSet(node.set);
    case "group":
      return `(${translate(node.body)})`;
    case "sequence":
      return node.parts.map((part) => (part.kind === "choice" ? `(?:${translate(part)})` : translate(part))).join("");
    case "choice":
      return node.options.map(translate).join("|");
    case "repeat": {
      const simple = node.body.kind === "bytes" || node.body.kind === "group";
      const body = simple ? translate(node.body) : `(?:${translate(node.body)})`;
      return body + (node.how === "{}" ? `{${node.min},${node.max ?? ""}}` : node.how);
    }
  }
}

function translateSet(set: ByteSet): string {
  const hex = (code: number): string => `\\x${code.toString(16).padStart(2, "0")}`;
  let ranges = "";
  let members = 0;
  let last = 0;
  for (let code = 0; code < 256; code++) {
    if (set[code] !== 1) continue;
    let end = code;
    while (end < 255 && set[end + 1] === 1) end++;
    ranges += end === code ? hex(code) : `${hex(code)}-${hex(end)}`;
    members += end - code + 1;
    last = code;
    code = end;
  }
  return members === 1 ? hex(last) : `[${ranges}]`;
}

function isNullable(node: RegexNode): boolean {
  switch (node.kind) {
    case "bytes":
      return false;
    case "group":
      return isNullable(node.body);
    case "sequence":
      return node.parts.every(isNullable);
    case "choice":
      return node.options.some(isNullable);
    case "repeat":
      return node.min === 0 || isNullable(node.body);
    default:
      return true;
  }
}

/** Whether a match of the node may leave one of its groups untouched. */
function maySkipGroup(node: RegexNode): boolean {
  switch (node.kind) {
    case "group":
      return maySkipGroup(node.body);
    case "sequence":
      return node.parts.some(maySkipGroup);
    case "choice":
      return node.options.some(hasGroup);
    case "repeat":
      return node.min === 0 ? hasGroup(node.body) : maySkipGroup(node.body);
    default:
      return false;
  }
}

function hasGroup(node: RegexNode): boolean {
  switch (node.kind) {
    case "group":
      return true;
    case "sequence":
      return node.parts.some(hasGroup);
    case "choice":
      return node.options.some(hasGroup);
    case "repeat":
      return hasGroup(node.body);
    default:
      return false;
  }
}

/** A loop in which JavaScript would forget groups from one round to the next, or stop at an empty round. */
function hasTrickyLoop(node: RegexNode): boolean {
  switch (node.kind) {
    case "group":
      return hasTrickyLoop(node.body);
    case "sequence":
      return node.parts.some(hasTrickyLoop);
    case "choice":
      return node.options.some(hasTrickyLoop);
    case "repeat": {
      if (hasTrickyLoop(node.body)) return true;
      if (!hasGroup(node.body)) return false;
      // An optional group that matches nothing counts as matched in C++, not in JavaScript.
      if (isNullable(node.body)) return true;
      return node.max !== 1 && maySkipGroup(node.body);
    }
    default:
      return false;
  }
}

/** Alternatives of which more than one can match at the same place. */
function hasTrickyChoice(node: RegexNode): boolean {
  switch (node.kind) {
    case "group":
      return hasTrickyChoice(node.body);
    case "sequence":
      return node.parts.some(hasTrickyChoice);
    case "repeat":
      return hasTrickyChoice(node.body);
    case "choice": {
      if (node.options.some((option) => isNullable(option) || hasTrickyChoice(option))) return true;
      const taken = new Uint8Array(256);
      for (const option of node.options) {
        const first = new Uint8Array(256);
        addFirst(option, first);
        for (let code = 0; code < 256; code++) {
          if (first[code] === 1 && taken[code] === 1) return true;
          taken[code]! |= first[code]!;
        }
      }
      return false;
    }
    default:
      return false;
  }
}

/** Adds the bytes with which a match can begin; true if what follows can begin it as well. */
function addFirst(node: RegexNode, into: ByteSet): boolean {
  switch (node.kind) {
    case "bytes":
      for (let code = 0; code < 256; code++) into[code]! |= node.set[code]!;
      return false;
    case "group":
      return addFirst(node.body, into);
    case "sequence":
      return node.parts.every((part) => addFirst(part, into));
    case "choice":
      return node.options.map((option) => addFirst(option, into)).includes(true);
    case "repeat":
      return addFirst(node.body, into) || node.min === 0;
    default:
      return true;
  }
}
