/** What a command works on: `REFERENCE#ATTRIBUTE.PATH^outputs` (Nix manual, "nix3-installables"). */
import { D2nError } from "../base/index.ts";

export interface Installable {
  /** Without fragment; "." where nothing is given. */
  readonly reference: string;
  /** After `#`, as written. */
  readonly fragment: string;
  /** After `^`: names, or "*" for all; undefined for the default. */
  readonly outputs: readonly string[] | "*" | undefined;
}

/** @throws D2nError `installable` */
export function parseInstallable(text: string): Installable {
  const caret = /\^([a-zA-Z0-9_,*-]+)$/.exec(text);
  const body = caret === null ? text : text.slice(0, caret.index);
  const hash = body.indexOf("#");
  const reference = hash < 0 ? body : body.slice(0, hash);
  const fragment = hash < 0 ? "" : decode(body.slice(hash + 1), text);
  const outputs = caret === null ? undefined : caret[1] === "*" ? "*" : caret[1]!.split(",");
  return { reference: reference === "" ? "." : reference, fragment, outputs };
}

/** Splits `a."b.c".d`. @throws D2nError `installable` */
export function parseAttributePath(text: string): string[] {
  const parts: string[] = [];
  let part = "";
  let quoted = false;
  for (const char of text) {
    if (char === '"') quoted = !quoted;
    else if (char === "." && !quoted) {
      parts.push(part);
      part = "";
    } else part += char;
  }
  if (quoted) throw new D2nError("installable", `the quote in \`${text}\` is never closed`);
  if (part !== "" || parts.length > 0) parts.push(part);
  return parts;
}

function decode(text: string, whole: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new D2nError("installable", `\`${whole}\` has a percent sign that encodes nothing`);
  }
}
