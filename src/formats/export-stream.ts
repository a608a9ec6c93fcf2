/**
 * The stream of `nix-store --export`: for each path the number 1, its NAR, a magic number, then the path, its references, its
 * deriver and a 0 where once a signature stood; at the end the number 0 (libstore, `export-import.cc`). Numbers are 64 bits,
 * little-endian; strings have their length before them and are padded to eight bytes.
 */
import { ByteReader } from "./byte-reader.ts";
import { FormatError } from "./errors.ts";
import type { ByteSource } from "./nar-reader.ts";

const MAGIC = 0x4558494e;
/** Longest path, in bytes. */
const LONGEST = 4096;

/** What the stream says of a path besides its contents. */
export interface ExportedPath {
  readonly path: string;
  readonly references: readonly string[];
  readonly deriver: string | undefined;
}

/** What comes before each NAR (1), and at the end (0). */
export function exportMark(more: boolean): Uint8Array {
  return number(more ? 1 : 0);
}

/** What comes behind a NAR. */
export function exportTrailer({ path, references, deriver }: ExportedPath): Uint8Array {
  return Buffer.concat([
    number(MAGIC),
    string(path),
    number(references.length),
    ...references.map(string),
    string(deriver ?? ""),
    number(0),
  ]);
}

export interface ReadExport extends ExportedPath {
  /** The NAR in pieces; not checked yet. */
  readonly nar: readonly Uint8Array[];
}

/** The paths of a stream, one after the other. @throws FormatError `archive-malformed` for anything else */
export async function* readExport(source: ByteSource): AsyncGenerator<ReadExport, void, void> {
  const reader = new ByteReader(source, "the export");
  for (;;) {
    const mark = await readNumber(reader);
    if (mark === 0) return;
    if (mark !== 1) throw malformed("input doesn't look like something created by 'nix-store --export'");
    const nar = await readNarPieces(reader);
    if ((await readNumber(reader)) !== MAGIC) throw malformed("Nix archive cannot be imported; wrong format");
    const path = await readString(reader);
    const count = await readNumber(reader);
    const references: string[] = [];
    for (let i = 0; i < count; i++) references.push(await readString(reader));
    const deriver = await readString(reader);
    // A signature of old.
    if ((await readNumber(reader)) === 1) await readString(reader);
    yield { nar, path, references, deriver: deriver === "" ? undefined : deriver };
  }
}

/** The bytes of a NAR, as far as its brackets go. */
async function readNarPieces(reader: ByteReader): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  let depth = 0;
  let before = "";
  for (let first = true; first || depth > 0; first = false) {
    const head = await reader.read(8);
    pieces.push(Buffer.from(head));
    const size = sizeOf(head);
    let left = size + padding(size);
    // What follows these words is no word of the format, however it reads.
    if (before === "contents" || before === "name" || before === "target") {
      before = "";
      for (; left > 0; left -= pieces.at(-1)!.length) pieces.push(Buffer.from(await reader.readSome(left)));
      continue;
    }
    if (size > 16) throw malformed("bad NAR archive in an export");
    const bytes = await reader.read(left);
    pieces.push(Buffer.from(bytes));
    before = bytes.subarray(0, size).toString("latin1");
    if (first && before !== "nix-archive-1") throw malformed("input doesn't look like a Nix archive");
    if (before === "(") depth++;
    else if (before === ")") depth--;
    // The bracket of the root opens after the name of the format.
    if (first) {
      const root = await reader.read(16);
      pieces.push(Buffer.from(root));
      depth = 1;
      before = "(";
    }
  }
  return pieces;
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([number(bytes.length), bytes, Buffer.alloc(padding(bytes.length))]);
}

function padding(size: number): number {
  return (8 - (size % 8)) % 8;
}

function sizeOf(bytes: Buffer): number {
  const value = bytes.readBigUInt64LE(0);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed("a number in an export is too large");
  return Number(value);
}

async function readNumber(reader: ByteReader): Promise<number> {
  return sizeOf(await reader.read(8));
}

async function readString(reader: ByteReader): Promise<string> {
  const size = await readNumber(reader);
  if (size > LONGEST) throw malformed("a path in an export is too long");
  return (await reader.read(size + padding(size))).subarray(0, size).toString("latin1");
}

function malformed(message: string): FormatError {
  return new FormatError("archive-malformed", message);
}
