/** Where a file has values that can be parsed later: see `deferred.ts`. */
import type { Expression } from "./ast.ts";
import { T, type TokenKind } from "./tokens.ts";

/** Pairs of offsets, start and end of each value, ascending, none within another. */
export type Outline = Int32Array;

/** Shorter ones are parsed as fast as they are remembered, … */
const SHORTEST = 16;
/** … and of longer ones, parts may be needed and others not. */
const LONGEST = 10_000;

/** Takes notes while a whole file is parsed. */
export class OutlineRecorder {
  readonly #places: number[] = [];

  /** A value that was just parsed, and the kind of its first token. */
  record(value: Expression, first: TokenKind, start: number, end: number): void {
    if (end - start < SHORTEST || end - start > LONGEST || !opensPlainly(first) || !becomesThunk(value)) return;
    const places = this.#places;
    while (places.length > 0 && places[places.length - 2]! >= start) places.length -= 2;
    places.push(start, end);
  }

  outline(): Outline {
    return Int32Array.from(this.#places);
  }
}

/** Whether the lexer is in the same mode before and after such a token. */
function opensPlainly(first: TokenKind): boolean {
  return (
    first === T.identifier ||
    first === T.parenOpen ||
    first === T.bracketOpen ||
    first === T.with ||
    first === T.let ||
    first === T.if ||
    first === T.assert
  );
}

/** Whether the compiler makes a thunk of it whatever its parts are. */
function becomesThunk(value: Expression): boolean {
  switch (value.kind) {
    case "call":
    case "with":
    case "let":
    case "if":
    case "assert":
      return true;
    case "list":
      return value.elements.length > 0;
    default:
      return false;
  }
}

/** Finds the values of an outline while the parser passes them. */
export class OutlineReader {
  readonly #outline: Outline;
  #at = 0;

  constructor(outline: Outline) {
    this.#outline = outline;
  }

  /** Where the value that starts here ends, or -1 if it is to be parsed now. Must be asked in the order of the source. */
  endOf(start: number): number {
    const outline = this.#outline;
    while (this.#at < outline.length && outline[this.#at]! < start) this.#at += 2;
    return outline[this.#at] === start ? outline[this.#at + 1]! : -1;
  }
}

/** Whether numbers from a cache can be the outline of a text of this length. */
export function isOutline(numbers: Int32Array, length: number): boolean {
  if (numbers.length % 2 !== 0) return false;
  let last = 0;
  for (const number of numbers) {
    if (number <= last) return false;
    last = number;
  }
  return last < length;
}
