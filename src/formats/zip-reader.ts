/**
 * Reads zip archives and wheels. yauzl does the format; what it lets through is checked here: CRC, names that occur twice,
 * NUL bytes, paths that are not canonical.
 */
import { crc32 } from "node:zlib";
import type { Readable } from "node:stream";
import type * as Yauzl from "yauzl";
import type { Entry, ZipFile } from "yauzl";
import { D2nError, isSystemError, messageOf } from "../base/index.ts";
import { ArchiveUnpacker, safeArchivePath, type UnpackLimits } from "./archive-unpacker.ts";
import { FormatError } from "./errors.ts";

export interface ZipEntry {
  /** Relative, canonical, without a trailing slash; a byte string. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink";
  /** Unix permission bits; 0 if the archive comes from elsewhere. */
  readonly mode: number;
  /** Uncompressed bytes. */
  readonly size: number;
  readonly crc32: number;
}

export class ZipArchive implements AsyncDisposable {
  readonly entries: readonly ZipEntry[];
  #zip: ZipFile;
  #sources: ReadonlyMap<ZipEntry, Entry>;

  private constructor(zip: ZipFile, sources: ReadonlyMap<ZipEntry, Entry>) {
    this.#zip = zip;
    this.#sources = sources;
    this.entries = [...sources.keys()];
  }

  /**
   * Opens an archive and checks its directory.
   * @throws FormatError `archive-malformed`, `archive-unsafe`; system errors for an unreadable file
   */
  static async open(source: string | Buffer): Promise<ZipArchive> {
    // CommonJS: its exports are the default one.
    const { open, fromBuffer } = ((await import("yauzl")) as unknown as { default: typeof Yauzl }).default;
    const options = { lazyEntries: true, autoClose: false, decodeStrings: false, validateEntrySizes: true };
    const zip = await new Promise<ZipFile>((resolve, reject) => {
      const done = (error: Error | null, file: ZipFile) => (error === null ? resolve(file) : reject(malformed(error)));
      if (typeof source === "string") open(source, options, done);
      else fromBuffer(source, options, done);
    });
    try {
      const sources = new Map<ZipEntry, Entry>();
      const seen = new Set<string>();
      for await (const entry of (zip as ZipFile & { eachEntry(): AsyncIterable<Entry> }).eachEntry()) {
        const described = describe(entry);
        if (seen.has(described.path)) throw unsafe(described.path, "occurs twice");
        seen.add(described.path);
        sources.set(described, entry);
      }
      return new ZipArchive(zip, sources);
    } catch (error) {
      zip.close();
      throw malformed(error);
    }
  }

  find(path: string): ZipEntry | undefined {
    return this.entries.find((entry) => entry.path === path);
  }

  /** The contents of a file, checked against its CRC at the end. */
  async *read(entry: ZipEntry): AsyncGenerator<Uint8Array, void, void> {
    const source = this.#sources.get(entry)!;
    const stream = await new Promise<Readable>((resolve, reject) => {
      this.#zip.openReadStream(source, (error, opened) =>
        error === null ? resolve(opened) : reject(malformed(error)),
      );
    });
    let crc = 0;
    try {
      for await (const bytes of stream as AsyncIterable<Buffer>) {
        crc = crc32(bytes, crc);
        yield bytes;
      }
    } catch (error) {
      throw malformed(error);
    }
    if (crc !== entry.crc32)
      throw new FormatError("archive-malformed", `the CRC of '${entry.path}' in the zip archive is wrong`);
  }

  /** The contents of a small file at once. */
  async readAll(entry: ZipEntry, maxSize = 1 << 28): Promise<Buffer> {
    if (entry.size > maxSize) throw new FormatError("archive-unsafe", `'${entry.path}' has more than ${maxSize} bytes`);
    const pieces: Uint8Array[] = [];
    for await (const piece of this.read(entry)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async close(): Promise<void> {
    if (this.#zip.isOpen) this.#zip.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Unpacks a zip archive to a folder that must be empty or not there yet; gives the names directly below it. */
export async function unpackZip(
  source: string | Buffer,
  folder: string | Uint8Array,
  limits: UnpackLimits = {},
): Promise<readonly string[]> {
  await using zip = await ZipArchive.open(source);
  const unpacker = new ArchiveUnpacker(folder, limits);
  for (const entry of zip.entries) {
    const link = entry.type === "symlink" ? (await zip.readAll(entry, 4095)).toString("latin1") : "";
    if (entry.type === "symlink" && (link === "" || link.includes("\0")))
      throw unsafe(entry.path, "has an impossible target");
    await unpacker.add({
      path: entry.path,
      type: entry.type,
      executable: (entry.mode & 0o100) !== 0,
      link,
      data: entry.type === "file" ? zip.read(entry) : [],
    });
  }
  return unpacker.topLevel();
}

function describe(entry: Entry): ZipEntry {
  const name = (entry.fileName as unknown as Buffer).toString("latin1");
  // Unix systems say so; other systems' attributes mean something else.
  const unix = entry.versionMadeBy >>> 8 === 3 ? entry.externalFileAttributes >>> 16 : 0;
  const isDirectory = name.endsWith("/");
  if (name.includes("\\")) throw unsafe(name, "contains a backslash");
  if (/^[a-zA-Z]:/.test(name)) throw unsafe(name, "names a drive");
  const path = safeArchivePath(name);
  if (path !== (isDirectory ? name.slice(0, -1) : name)) throw unsafe(name, "is not written canonically");
  const format = unix & 0o170000;
  if (format !== 0 && format !== 0o100000 && format !== 0o040000 && format !== 0o120000)
    throw unsafe(name, "is a device, pipe or socket");
  if ((entry.generalPurposeBitFlag & 1) !== 0)
    throw new FormatError("archive-malformed", `'${name}' in the zip archive is encrypted`);
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8)
    throw new FormatError(
      "archive-malformed",
      `'${name}' in the zip archive is compressed in a way that is not supported`,
    );
  return {
    path,
    type: isDirectory ? "directory" : format === 0o120000 ? "symlink" : "file",
    mode: unix & 0o7777,
    size: entry.uncompressedSize,
    crc32: entry.crc32,
  };
}

function malformed(error: unknown): Error {
  if (error instanceof D2nError || isSystemError(error)) return error;
  return new FormatError("archive-malformed", `bad zip archive: ${messageOf(error)}`, { cause: error });
}

function unsafe(path: string, why: string): FormatError {
  return new FormatError("archive-unsafe", `the zip archive's entry '${path}' ${why}`);
}
