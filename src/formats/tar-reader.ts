/**
 * Reads tar archives (POSIX ustar and pax, GNU, V7) as streams. Names are byte strings. What cannot be read faithfully
 * (sparse files, several volumes) is an error, never skipped.
 */
import { ByteReader } from "./byte-reader.ts";
import { FormatError } from "./errors.ts";
import type { ByteSource } from "./nar-reader.ts";

export type TarType = "file" | "directory" | "symlink" | "hardlink" | "character-device" | "block-device" | "pipe";

export interface TarEntry {
  /** As it stands in the archive, but for trailing slashes; see `safeArchivePath`. */
  readonly path: string;
  readonly type: TarType;
  /** Permission bits. */
  readonly mode: number;
  /** Bytes of a file. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly modified: number;
  /** Target of a symlink; for a hard link the path of another entry. */
  readonly link: string;
  /** The contents; what is not taken before the next entry is skipped. */
  readonly data: AsyncIterable<Uint8Array>;
}

const block = 512;
/** Longest extended header: names have at most some thousand bytes. */
const largestExtension = 1 << 20;

const types: Readonly<Record<string, TarType>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character-device",
  "4": "block-device",
  "5": "directory",
  "6": "pipe",
};

/** The entries of an archive, in order. @throws FormatError `archive-malformed` */
export async function* readTar(source: ByteSource): AsyncGenerator<TarEntry, void, void> {
  const reader = new ByteReader(source, "tar archive");
  const globals = new Map<string, string>();
  let locals = new Map<string, string>();
  let longName: string | undefined;
  let longLink: string | undefined;
  try {
    for (;;) {
      // The end is marked by two blocks of zeros, which some writers leave out.
      if (await reader.atEnd()) {
        if (reader.offset === 0) throw malformed(reader, "it is empty");
        if (locals.size > 0 || longName !== undefined || longLink !== undefined)
          throw malformed(reader, "it ends after an extended header");
        return;
      }
      const header = await reader.read(block);
      if (header[0] === 0 && header.every((byte) => byte === 0)) {
        if (reader.offset === block && (await reader.atEnd())) return;
        await reader.drain();
        return;
      }
      checkSum(reader, header);
      const kind = String.fromCharCode(header[156]!);
      const size = number(reader, header, 124, 12);
      if (kind === "x" || kind === "g" || kind === "L" || kind === "K") {
        if (size > largestExtension) throw malformed(reader, `an extended header has ${size} bytes`);
        const content = (await reader.read(Math.ceil(size / block) * block)).subarray(0, size).toString("latin1");
        if (kind === "x") locals = new Map([...locals, ...paxRecords(reader, content)]);
        else if (kind === "g") for (const [key, value] of paxRecords(reader, content)) globals.set(key, value);
        else if (kind === "L") longName = untilNul(content);
        else longLink = untilNul(content);
        continue;
      }
      const attributes = globals.size === 0 ? locals : new Map([...globals, ...locals]);
      for (const key of attributes.keys())
        if (key.startsWith("GNU.sparse.")) throw malformed(reader, "it has a sparse file, which is not supported");
      if (kind === "V") {
        await reader.skip(Math.ceil(size / block) * block);
        continue;
      }
      const entry = describe(reader, header, kind, size, attributes, longName, longLink);
      locals = new Map();
      longName = undefined;
      longLink = undefined;
      let left = entry.size;
      const data = (async function* () {
        while (left > 0) {
          const bytes = await reader.readSome(left);
          left -= bytes.length;
          yield bytes;
        }
      })();
      yield { ...entry, data };
      await reader.skip(left + ((block - (entry.size % block)) % block));
    }
  } finally {
    await reader.stop();
  }
}

function describe(
  reader: ByteReader,
  header: Buffer,
  kind: string,
  headerSize: number,
  attributes: ReadonlyMap<string, string>,
  longName: string | undefined,
  longLink: string | undefined,
): Omit<TarEntry, "data"> {
  if (kind === "S") throw malformed(reader, "it has a sparse file, which is not supported");
  let type = types[kind];
  if (type === undefined)
    throw malformed(reader, `it has an entry of the unknown type '${kind.replace(/[^ -~]/, "?")}'`);
  let path = attributes.get("path") ?? longName;
  if (path === undefined) {
    path = text(header, 0, 100);
    // Only ustar has a prefix; GNU keeps other things there.
    const prefix = header.toString("latin1", 257, 263) === "ustar\0" ? text(header, 345, 155) : "";
    if (prefix !== "") path = `${prefix}/${path}`;
  }
  const link = attributes.get("linkpath") ?? longLink ?? text(header, 157, 100);
  const size = attributes.has("size") ? decimal(reader, attributes.get("size")!) : headerSize;
  // V7 knows directories by their slash.
  if (type === "file" && path.endsWith("/")) type = "directory";
  const modified = attributes.has("mtime")
    ? Math.floor(Number(attributes.get("mtime")))
    : number(reader, header, 136, 12);
  if (path === "" || path.includes("\0") || link.includes("\0"))
    throw malformed(reader, "an entry has an impossible name");
  if (!Number.isSafeInteger(modified)) throw malformed(reader, `'${path}' has an impossible time`);
  if ((type === "symlink" || type === "hardlink") && link === "")
    throw malformed(reader, `the link '${path}' has no target`);
  return {
    path: path.length > 1 ? path.replace(/\/+$/, "") || "/" : path,
    type,
    mode: number(reader, header, 100, 8) & 0o7777,
    // Some writers give links and directories the size of what they stand for, but no contents.
    size: type === "file" ? size : type === "directory" && kind !== "5" ? size : 0,
    modified,
    link,
  };
}

function checkSum(reader: ByteReader, header: Buffer): void {
  const expected = number(reader, header, 148, 8);
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < block; i++) {
    const byte = i >= 148 && i < 156 ? 32 : header[i]!;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  if (expected !== unsigned && expected !== signed)
    throw malformed(reader, "the checksum of a header is wrong; it is damaged or not a tar archive");
}

/** Octal digits between blanks, or GNU's base 256 with the top bit set. */
function number(reader: ByteReader, header: Buffer, at: number, length: number): number {
  if (header[at]! & 0x80) {
    let value = BigInt(header[at]! & 0x7f);
    if (header[at]! & 0x40) value -= 0x80n;
    for (let i = 1; i < length; i++) value = value * 256n + BigInt(header[at + i]!);
    if (value < 0n) return 0;
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(reader, "a number is beyond all bounds");
    return Number(value);
  }
  const digits = header
    .toString("latin1", at, at + length)
    .replace(/\0.*$/s, "")
    .trim();
  if (!/^[0-7]*$/.test(digits)) throw malformed(reader, `'${digits.replace(/[^ -~]/g, "?")}' is not an octal number`);
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function decimal(reader: ByteReader, digits: string): number {
  const value = Number(digits);
  if (!/^[0-9]+$/.test(digits) || !Number.isSafeInteger(value))
    throw malformed(reader, `the size '${digits}' is no number`);
  return value;
}

/** `<length> <key>=<value>\n`, the length counting all of it. */
function paxRecords(reader: ByteReader, content: string): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length;) {
    const blank = content.indexOf(" ", at);
    const length = blank < 0 ? Number.NaN : Number(content.slice(at, blank));
    const end = at + length;
    if (!Number.isInteger(length) || end > content.length || end <= blank + 1 || content[end - 1] !== "\n")
      throw malformed(reader, "an extended header is damaged");
    const equals = content.indexOf("=", blank);
    if (equals < 0 || equals >= end) throw malformed(reader, "an extended header is damaged");
    records.set(content.slice(blank + 1, equals), content.slice(equals + 1, end - 1));
    at = end;
  }
  return records;
}

function text(header: Buffer, at: number, length: number): string {
  return untilNul(header.toString("latin1", at, at + length));
}

function untilNul(value: string): string {
  const end = value.indexOf("\0");
  return end < 0 ? value : value.slice(0, end);
}

function malformed(reader: ByteReader, message: string): FormatError {
  return new FormatError("archive-malformed", `bad tar archive near byte ${reader.offset}: ${message}`);
}
