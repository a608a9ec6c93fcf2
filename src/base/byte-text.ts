/** Text that may have come from bytes that are no UTF-8: messages quote what users have, and that may be anything. */

/** Bytes (one code unit a byte) as text. Those that are no UTF-8 become lone surrogates, U+DC80 to U+DCFF. */
export function escapeBytes(bytes: string): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const lead = bytes.charCodeAt(at);
    const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    const piece = Buffer.from(bytes.slice(at, at + length), "latin1").toString("utf8");
    if (lead < 0x80 || (!piece.includes("\ufffd") && [...piece].length === 1)) {
      text += piece;
      at += length;
    } else {
      text += String.fromCharCode(0xdc00 + lead);
      at++;
    }
  }
  return text;
}

/** The bytes that such a text came from. */
export function unescapeBytes(text: string): Uint8Array {
  if (!/[\udc80-\udcff]/.test(text)) return Buffer.from(text, "utf8");
  const pieces: Uint8Array[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    pieces.push(code >= 0xdc80 && code <= 0xdcff ? Uint8Array.of(code - 0xdc00) : Buffer.from(character, "utf8"));
  }
  return Buffer.concat(pieces);
}
