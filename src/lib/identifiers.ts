/** Nix's own syntax for names and strings. */

const KEYWORDS = new Set(["assert", "else", "if", "in", "inherit", "let", "or", "rec", "then", "with"]);

/** A name as it stands in an attribute path: quoted where it has to be. */
export function escapeNixIdentifier(name: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_'-]*$/.test(name) && !KEYWORDS.has(name) ? name : escapeNixString(name);
}

/** A string as a literal of the language. */
export function escapeNixString(text: string): string {
  return jsonString(text).replaceAll("$", "\\$");
}

/** JSON text of a byte string, bytes beyond ASCII as they are. */
export function jsonString(text: string): string {
  return `"${text.replace(/["\\\u0000-\u001f]/g, (character) => escapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`;
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\b": "\\b",
  "\f": "\\f",
};
