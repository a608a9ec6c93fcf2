/** What `builtins.baseNameOf` gives. */
import { contextOf, makeString, textOf } from "../operations/index.ts";
import type { NixString } from "../values/value.ts";

/**
 * What follows the last slash. One slash at the end is left out of account, more are not: it was like that for too long to be
 * changed.
 */
export function legacyBaseName(path: NixString): NixString {
  const text = textOf(path);
  const end = text.length > 1 && text.endsWith("/") ? text.length - 1 : text.length;
  return makeString(text.slice(text.lastIndexOf("/", end - 1) + 1, end), contextOf(path));
}
