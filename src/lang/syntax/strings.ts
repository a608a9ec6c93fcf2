/** What string literals mean: escapes, and the indentation of `''` strings. */

import type { Expression } from "./ast.ts";

const LF = 10;
const CR = 13;
const SPACE = 32;
const BACKSLASH = 92;

/** The text of a piece of a `"` string: escapes replaced, CR LF and CR made LF. */
export function unescape(raw: string): string {
  if (raw.indexOf("\\") < 0 && raw.indexOf("\r") < 0) return raw;
  let result = "";
  let from = 0;
  for (let i = 0; i < raw.length; i++) {
    const c = raw.charCodeAt(i);
    if (c === BACKSLASH) {
      result += raw.slice(from, i);
      const escaped = raw[++i] ?? "";
      result += escaped === "n" ? "\n" : escaped === "r" ? "\r" : escaped === "t" ? "\t" : escaped;
      from = i + 1;
    } else if (c === CR) {
      result += `${raw.slice(from, i)}\n`;
      if (raw.charCodeAt(i + 1) === LF) i++;
      from = i + 1;
    }
  }
  return result + raw.slice(from);
}

/** A piece of a `''` string: literal text, an escape (which ends a line's indentation), or an expression. */
export type IndentedPart =
  | { readonly text: string; readonly indented: boolean; readonly offset: number }
  | { readonly expression: Expression; readonly offset: number };

/**
 * Removes the indentation that all lines share. A last line of spaces only does not count and is dropped; neither do empty
 * lines. Tabs are not indentation.
 */
export function stripIndentation(parts: readonly IndentedPart[]): { parts: Expression[]; starts: number[] } {
  const common = commonIndentation(parts);
  const stripped: Expression[] = [];
  const starts: number[] = [];
  let atLineStart = true;
  let dropped = 0;
  parts.forEach((part, index) => {
    if ("expression" in part) {
      atLineStart = false;
      dropped = 0;
      stripped.push(part.expression);
      starts.push(part.offset);
      return;
    }
    let { text } = part;
    let result = "";
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (!atLineStart) {
        if (c === LF) atLineStart = true;
      } else if (c === SPACE) {
        if (dropped++ < common) {
          result += text.slice(from, i);
          from = i + 1;
        }
      } else {
        dropped = 0;
        if (c !== LF) atLineStart = false;
      }
    }
    text = result + text.slice(from);
    if (index === parts.length - 1) {
      const lastLine = text.lastIndexOf("\n");
      if (lastLine >= 0 && /^ *$/.test(text.slice(lastLine + 1))) text = text.slice(0, lastLine + 1);
    }
    if (text === "") return;
    stripped.push({ kind: "string", offset: part.offset, value: text });
    starts.push(part.offset);
  });
  return { parts: stripped, starts };
}

function commonIndentation(parts: readonly IndentedPart[]): number {
  let common = 1_000_000;
  let current = 0;
  let atLineStart = true;
  for (const part of parts) {
    if ("expression" in part || !part.indented) {
      if (atLineStart) {
        atLineStart = false;
        common = Math.min(common, current);
      }
      continue;
    }
    const { text } = part;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === LF) {
        atLineStart = true;
        current = 0;
      } else if (atLineStart) {
        if (c === SPACE) current++;
        else {
          atLineStart = false;
          common = Math.min(common, current);
        }
      }
    }
  }
  return common;
}
