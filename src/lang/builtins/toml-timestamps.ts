/**
 * Dates and times of TOML as text. The parser's own dates end at milliseconds, so they are taken out of the text before it is
 * parsed, and marked strings put in their place.
 */

const TIMESTAMP =
  /(?:\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})?)?|\d{2}:\d{2}:\d{2}(?:\.\d+)?)(?![\w.:+-])/y;

export interface MarkedToml {
  readonly text: string;
  /** Undefined for strings that are not marked. */
  readonly timestampOf: (string: string) => string | undefined;
}

export function markTimestamps(text: string): MarkedToml {
  // A mark that the text itself does not have anywhere.
  let mark = "timestamp";
  while (text.includes(mark)) mark += "_";
  const marked = replaceTimestamps(text, (found) => `"${mark}${normal(found)}"`);
  return { text: marked, timestampOf: (string) => (string.startsWith(mark) ? string.slice(mark.length) : undefined) };
}

/** `T` between date and time, capital `Z`, and three, six or nine digits of a fraction. */
function normal(timestamp: string): string {
  return timestamp
    .replace(/^(\d{4}-\d{2}-\d{2})[t ]/, "$1T")
    .replace(/z$/, "Z")
    .replace(/\.(\d+)/, (_, digits: string) => {
      const kept = digits.slice(0, 9);
      return `.${kept.padEnd(Math.ceil(kept.length / 3) * 3, "0")}`;
    });
}

/** Only where values stand: a bare key may look like a date. */
function replaceTimestamps(text: string, replace: (timestamp: string) => string): string {
  let result = "";
  let copied = 0;
  let at = 0;
  let inValue = false;
  const brackets: string[] = [];
  while (at < text.length) {
    const c = text[at]!;
    if (c === '"' || c === "'") {
      at = endOfString(text, at);
      continue;
    }
    if (c === "#") {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end;
      continue;
    }
    if (c === "=") inValue = true;
    else if (c === "\n" && brackets.length === 0) inValue = false;
    else if (inValue && (c === "[" || c === "{")) {
      brackets.push(c);
      inValue = c === "[";
    } else if (brackets.length > 0 && (c === "]" || c === "}")) {
      brackets.pop();
      inValue = true;
    } else if (c === "," && brackets.at(-1) === "{") inValue = false;
    else if (inValue && /\d/.test(c) && !/[\w.+-]/.test(text[at - 1] ?? "")) {
      TIMESTAMP.lastIndex = at;
      const found = TIMESTAMP.exec(text)?.[0];
      if (found !== undefined) {
        result += text.slice(copied, at) + replace(found);
        at += found.length;
        copied = at;
        continue;
      }
    }
    at++;
  }
  return result + text.slice(copied);
}

function endOfString(text: string, start: number): number {
  const quote = text[start]!;
  const long = text.startsWith(quote.repeat(3), start);
  const closer = long ? quote.repeat(3) : quote;
  let at = start + closer.length;
  while (at < text.length && !text.startsWith(closer, at)) {
    if (!long && text[at] === "\n") return at;
    at += quote === '"' && text[at] === "\\" ? 2 : 1;
  }
  at += closer.length;
  // Up to two quotes may stand before the closing three.
  while (long && text[at] === quote) at++;
  return at;
}
