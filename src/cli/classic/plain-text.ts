/** Text as Nix writes it to a standard error that is no terminal (libutil/terminal.cc, filterANSIEscapes). */

const escapes = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x1b\x07]*(?:\x07|\x1b\\)?|[\r\x07]/g;
const narrow = /[\x00-\x1f\x7f-\x9f\p{Mn}\p{Me}\u200b]/u;
const wide =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;

/** Without colours and links, and with tabs expanded. Columns are counted from the start of the text: a line's end does not start anew. */
export function plainText(text: string): string {
  const clean = text.replace(escapes, "");
  if (!clean.includes("\t")) return clean;
  let column = 0;
  let result = "";
  for (const c of clean) {
    if (c === "\t") {
      do {
        result += " ";
        column++;
      } while (column % 8 !== 0);
    } else {
      result += c;
      if (!narrow.test(c)) column += wide.test(c) ? 2 : 1;
    }
  }
  return result;
}
