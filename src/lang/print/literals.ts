/** Strings and attribute names as Nix source. */
import { Escaper } from "./escaper.ts";

/** A string literal: quoted, with `"`, `\`, line ends, tabs and `${` escaped. */
export function stringLiteral(text: string): string {
  return `"${escapeString(text)}"`;
}

export function escapeString(text: string): string {
  return escaper.escape(text);
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  $: "\\$",
};

const escaper = new Escaper(/["\\\n\r\t]|\$(?=\{)/g, (found) => escapes[found]!);

const keywords: ReadonlySet<string> = new Set(["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit"]);

/** An attribute's name, quoted unless it is an identifier. (`or` is one.) */
export function attributeName(name: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_'-]*$/.test(name) && !keywords.has(name) ? name : stringLiteral(name);
}

/** Guillemets as bytes, around what is not Nix source: what is printed is a byte string like all others. */
export function marked(text: string): string {
  return `\xc2\xab${text}\xc2\xbb`;
}
