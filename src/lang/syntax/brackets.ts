/**
 * Which bracket is the one that lacks its partner. The parser only sees the consequence, often at the end of the file; how
 * the lines are indented tells where the writer thought to be.
 */
import { Lexer } from "./lexer.ts";
import type { Source } from "./source.ts";
import { T, type TokenKind } from "./tokens.ts";

/** What an error message says of brackets: a clause behind the message, and the line of the opening bracket below it. */
export interface BracketAdvice {
  readonly clause: string;
  readonly details: string;
  readonly hint: string;
}

interface Opener {
  readonly closer: TokenKind;
  readonly text: string;
  readonly offset: number;
  /** Indentation of its line. */
  readonly indent: number;
}

interface Scan {
  readonly open: Opener[];
  readonly missing: Opener[];
  /** The first `"` string of more than one line. */
  readonly longString: Opener | undefined;
}

const closers: ReadonlyMap<TokenKind, TokenKind> = new Map<TokenKind, TokenKind>([
  [T.braceOpen, T.braceClose],
  [T.interpolation, T.braceClose],
  [T.bracketOpen, T.bracketClose],
  [T.parenOpen, T.parenClose],
  [T.quote, T.quote],
  [T.indentedOpen, T.indentedClose],
]);

const closing: ReadonlySet<TokenKind> = new Set(closers.values());

/** Looks at the brackets up to a syntax error at `offset`, where a token of that kind was unexpected. */
export function explainBrackets(source: Source, offset: number, kind: TokenKind): BracketAdvice | undefined {
  if (source.text.startsWith("/*", offset)) return advise(source, { text: "/*", offset }, "comment");
  const strict = scan(source, offset, false);
  const lenient = scan(source, offset, true);
  const suspect = lenient.missing[0];
  const innermost = strict.open[strict.open.length - 1];
  if (kind === T.end) {
    if (innermost === undefined) return undefined;
    // A quote that is missing turns strings inside out up to the end; the first that runs over a line's end is the likely one.
    if (innermost.closer === T.quote) return advise(source, strict.longString ?? innermost);
    if (innermost.closer === T.indentedClose) return advise(source, innermost);
    return advise(source, suspect !== undefined && lenient.open.length === 0 ? suspect : innermost);
  }
  if (closing.has(kind) && kind !== T.quote) {
    if (suspect !== undefined) return advise(source, suspect);
    return innermost === undefined || innermost.closer === kind ? undefined : advise(source, innermost);
  }
  if (kind === T.semicolon || kind === T.assign || kind === T.in) {
    if (suspect !== undefined) return advise(source, suspect);
    if (innermost?.closer === T.bracketClose || innermost?.closer === T.parenClose) return advise(source, innermost);
  }
  return undefined;
}

/**
 * Matches brackets. With `byIndentation`, a closer at the beginning of a line that stands further left than the line of its
 * opener closes the nearest bracket outside whose line begins where it does; what lies between is missing its closer.
 */
function scan(source: Source, end: number, byIndentation: boolean): Scan {
  const lexer = new Lexer(source, { pipeOperators: true });
  const open: Opener[] = [];
  const missing: Opener[] = [];
  let longString: Opener | undefined;
  for (;;) {
    let kind: TokenKind;
    try {
      kind = lexer.next();
    } catch {
      break;
    }
    if (kind === T.text && source.text.slice(lexer.start, lexer.end).includes("\n")) {
      const around = open[open.length - 1];
      if (around?.closer === T.quote) longString ??= around;
    }
    if (kind === T.end || lexer.start >= end) break;
    const top = open[open.length - 1];
    if (kind === top?.closer) {
      if (byIndentation) missing.push(...skipped(source, open, lexer.start));
      open.pop();
    } else {
      const closer = closers.get(kind);
      if (closer !== undefined)
        open.push({
          closer,
          text: source.text.slice(lexer.start, lexer.end).trim(),
          offset: lexer.start,
          indent: indentOf(source, lexer.start),
        });
    }
  }
  return { open, missing, longString };
}

/** Removes and returns the brackets that the closer at `offset` leaves open, innermost last, by the looks of it. */
function skipped(source: Source, open: Opener[], offset: number): Opener[] {
  const top = open[open.length - 1]!;
  const indent = indentOf(source, offset);
  if (indent >= top.indent || !/^[ \t]*$/.test(lineBefore(source, offset))) return [];
  for (let i = open.length - 2; i >= 0; i--) {
    const outer = open[i]!;
    if (outer.indent < indent) return [];
    if (outer.indent === indent && outer.closer === top.closer) return open.splice(i + 1);
  }
  return [];
}

function lineBefore(source: Source, offset: number): string {
  const start = Math.max(source.text.lastIndexOf("\n", offset - 1), source.text.lastIndexOf("\r", offset - 1)) + 1;
  return source.text.slice(offset === 0 ? 0 : start, offset);
}

function indentOf(source: Source, offset: number): number {
  return /^[ \t]*/.exec(lineBefore(source, offset))![0].length;
}

function advise(source: Source, opener: { readonly text: string; readonly offset: number }, what = ""): BracketAdvice {
  const { file, line, column, text } = source.location(opener.offset);
  const gutter = String(line).length;
  const name =
    what !== "" ? what : opener.text === '"' ? "string" : opener.text === "''" ? "indented string" : `'${opener.text}'`;
  return {
    clause: `; the ${name} opened at ${file}:${line}:${column} is never closed`,
    details: `${line} | ${text}\n${" ".repeat(gutter)} | ${" ".repeat(column! - 1)}^ never closed`,
    hint: `Add what closes the ${name} of line ${line}.`,
  };
}
