/** Text that may have come from bytes that are no UTF-8: messages quote what users have, and that may be anything. */

/** Bytes (one code unit a byte) as text. Those that are no UTF-8 become lone surrogates, U+DC80 to U+DCFF. */
export function escapeBytes(bytes: string): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const lead = bytes.charCodeAt(at);
    if (lead < 0x80) {
      text += bytes[at++]!;
      continue;
    }
    // No character begins with these.
    if (lead < 0xc2 || lead > 0xf4) {
      text += String.fromCharCode(0xdc00 + lead);
      at++;
      continue;
    }
    const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    const piece = Buffer.from(bytes.slice(at, at + length), "latin1").toString("utf8");
    if (!piece.includes("\ufffd") && [...piece].length === 1) {
      text += piece;
      at += length;
    } else {
      text += String.fromCharCode(0xdc00 + lead);
      at++;
    }
  }
  return text;
}

/** Bytes that stand for themselves; the second half of a character is none. */
const ESCAPED = /(?<![\ud800-\udbff])[\udc80-\udcff]+/g;

/** The bytes that such a text came from. */
export function unescapeBytes(text: string): Uint8Array {
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const { 0: run, index } of text.matchAll(ESCAPED)) {
    pieces.push(Buffer.from(text.slice(from, index), "utf8"));
    // The low byte is the byte that it was.
    pieces.push(Buffer.from(run, "latin1"));
    from = index + run.length;
  }
  const rest = Buffer.from(text.slice(from), "utf8");
  return from === 0 ? rest : Buffer.concat([...pieces, rest]);
}
