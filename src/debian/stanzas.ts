/**
 * Debian's control-file format (deb-control(5)): paragraphs of `Field: value`, continued on lines that begin with a blank.
 */

export type Stanza = ReadonlyMap<string, string>;

/** One paragraph. Field names are lower-cased, since they are case-insensitive; continuation lines keep their line breaks. */
export function parseStanza(text: string): Stanza {
  const fields = new Map<string, string>();
  let name: string | undefined;
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith(" ") || line.startsWith("\t")) {
      if (name !== undefined) fields.set(name, `${fields.get(name)}\n${line.trim()}`);
      continue;
    }
    const colon = line.indexOf(":");
    if (colon <= 0) {
      name = undefined;
      continue;
    }
    name = line.slice(0, colon).toLowerCase();
    fields.set(name, line.slice(colon + 1).trim());
  }
  return fields;
}

/** All paragraphs of a text, separated by lines that hold nothing but blanks. */
export function parseStanzas(text: string): Stanza[] {
  return text
    .replace(/\r\n/g, "\n")
    .split(/\n[ \t]*\n+/)
    .map(parseStanza)
    .filter((stanza) => stanza.size > 0);
}
