/** Reads `ar` archives, which .deb files are, as streams. */
import { ByteReader } from "./byte-reader.ts";
import { FormatError } from "./errors.ts";
import type { ByteSource } from "./nar-reader.ts";

export interface ArEntry {
  readonly name: string;
  readonly size: number;
  /** The contents; what is not taken before the next entry is skipped. */
  readonly data: AsyncIterable<Uint8Array>;
}

/** The members of an archive, in order. @throws FormatError `archive-malformed` */
export async function* readAr(source: ByteSource): AsyncGenerator<ArEntry, void, void> {
  const reader = new ByteReader(source, "ar archive");
  try {
    if ((await reader.peek(8)).toString("latin1") !== "!<arch>\n") throw malformed("it does not begin as one");
    await reader.skip(8);
    while (!(await reader.atEnd())) {
      const header = (await reader.read(60)).toString("latin1");
      if (header.slice(58) !== "`\n") throw malformed("a header is damaged");
      const name = header.slice(0, 16).trimEnd().replace(/\/$/, "");
      const digits = header.slice(48, 58).trim();
      if (!/^[0-9]+$/.test(digits)) throw malformed("a size is no number");
      if (name === "" || name.startsWith("#1/") || name.startsWith("/"))
        throw malformed("it has long names or a symbol table, which .deb files don't");
      const size = Number(digits);
      let left = size;
      const data = (async function* () {
        while (left > 0) {
          const bytes = await reader.readSome(left);
          left -= bytes.length;
          yield bytes;
        }
      })();
      yield { name, size, data };
      await reader.skip(left);
      if (size % 2 === 1 && !(await reader.atEnd())) await reader.skip(1);
    }
  } finally {
    await reader.stop();
  }
}

function malformed(message: string): FormatError {
  return new FormatError("archive-malformed", `bad ar archive: ${message}`);
}
