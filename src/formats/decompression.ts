/**
 * Decompression of streams: gzip, xz, bzip2, zstd, told apart by their first bytes.
 */
import { Readable } from "node:stream";
import * as zlib from "node:zlib";
import type * as Xz from "xz-decompress";
import { D2nError, messageOf } from "../base/index.ts";
import { ByteReader } from "./byte-reader.ts";
import { FormatError } from "./errors.ts";
import type { ByteSource } from "./nar-reader.ts";

export type Compression = "none" | "gzip" | "xz" | "bzip2" | "zstd";

/** What a stream is compressed with, from its first six bytes. */
export function detectCompression(start: Uint8Array): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  if (start[0] === 0xfd && Buffer.from(start.subarray(1, 6)).toString("latin1") === "7zXZ\0") return "xz";
  if (start[0] === 0x42 && start[1] === 0x5a && start[2] === 0x68 && start[3]! >= 0x31 && start[3]! <= 0x39)
    return "bzip2";
  if (start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd) return "zstd";
  return "none";
}

/**
 * Decompresses a stream; with "auto" as its first bytes say, where no known magic means not compressed.
 * Checksums inside of the stream are checked. @throws FormatError `archive-malformed` for damaged or truncated data
 */
export async function* decompress(
  source: ByteSource,
  compression: Compression | "auto" = "auto",
): AsyncGenerator<Uint8Array, void, void> {
  const reader = new ByteReader(source, "compressed data");
  const kind = compression === "auto" ? detectCompression(await reader.peek(6)) : compression;
  const input = reader.rest();
  if (kind === "none") {
    yield* input;
    return;
  }
  // Errors of the source itself (network, disk) must pass as they are.
  const watched = remembering(input);
  try {
    if (kind === "gzip") yield* throughNode(watched.bytes, zlib.createGunzip());
    else if (kind === "xz") yield* xz(watched.bytes);
    else if (kind === "bzip2") yield* bzip2(watched.bytes);
    else yield* zstd(watched.bytes);
  } catch (error) {
    if (watched.failed) throw watched.error as Error;
    if (error instanceof D2nError) throw error;
    throw new FormatError("archive-malformed", `cannot decompress ${kind} data: ${messageOf(error)}`, {
      hint: "It is damaged or incomplete; fetch it again.",
      cause: error,
    });
  } finally {
    await reader.stop();
  }
}

interface Watched {
  readonly bytes: AsyncGenerator<Uint8Array>;
  failed: boolean;
  error: unknown;
}

function remembering(input: AsyncIterable<Uint8Array>): Watched {
  const state: Watched = { bytes: pass(), failed: false, error: undefined };
  async function* pass(): AsyncGenerator<Uint8Array> {
    try {
      yield* input;
    } catch (error) {
      state.failed = true;
      state.error = error;
      throw error;
    }
  }
  return state;
}

/** Through a Node.js stream that transforms. */
async function* throughNode(
  input: AsyncIterable<Uint8Array>,
  transform: NodeJS.ReadWriteStream & AsyncIterable<unknown>,
): AsyncGenerator<Uint8Array> {
  const from = Readable.from(input, { objectMode: false });
  const destroyable = transform as unknown as { destroy?: (error?: Error) => void };
  from.on("error", (error) => {
    if (destroyable.destroy !== undefined) destroyable.destroy(error);
  });
  from.pipe(transform);
  try {
    for await (const bytes of transform) yield bytes as Uint8Array;
  } finally {
    from.destroy();
    destroyable.destroy?.();
  }
}

async function* xz(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // A CommonJS bundle: all of it is the default export, which its types do not say.
  const module = (await import("xz-decompress")) as unknown as { default: typeof Xz };
  const { XzReadableStream } = module.default;
  // The decoder returns nothing for a truncated stream instead of failing, so the end marker is looked for here.
  const footer = new Footer();
  const web = Readable.toWeb(Readable.from(footer.watch(input), { objectMode: false }));
  const output = new XzReadableStream(web);
  for await (const bytes of output as unknown as AsyncIterable<Uint8Array>) yield bytes;
  if (!footer.complete) throw new Error("it ends in the middle");
}

/** Remembers the last bytes of an xz file: each ends in "YZ", then zeros by fours. */
class Footer {
  #last: Buffer = Buffer.alloc(0);

  async *watch(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const bytes of input) {
      const end = bytes.subarray(Math.max(0, bytes.length - 64));
      this.#last = Buffer.concat([this.#last, end]).subarray(-64);
      yield bytes;
    }
  }

  get complete(): boolean {
    let end = this.#last.length;
    while (end >= 4 && this.#last.readUInt32LE(end - 4) === 0) end -= 4;
    return end >= 2 && this.#last[end - 2] === 0x59 && this.#last[end - 1] === 0x5a;
  }
}

async function* bzip2(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { default: unbzip2 } = await import("unbzip2-stream");
  // An old-style stream: what is written comes out before `write` returns.
  const stream = unbzip2();
  const ready: Uint8Array[] = [];
  let failure: Error | undefined;
  stream.on("data", (bytes: Uint8Array) => ready.push(bytes));
  stream.on("error", (error: Error) => {
    failure ??= error;
  });
  for await (const bytes of input) {
    stream.write(Buffer.from(bytes));
    if (failure !== undefined) throw failure;
    yield* ready.splice(0);
  }
  stream.end();
  if (failure !== undefined) throw failure;
  yield* ready;
}

/** Node.js before 22.15 has no zstd of its own, and the other decoder wants its input at once. */
const largestZstd = 1 << 30;

async function* zstd(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const create = (zlib as unknown as { createZstdDecompress?: (options: object) => zlib.Gunzip }).createZstdDecompress;
  if (create !== undefined) {
    // 27: as `zstd --long` writes.
    const windowLogMax = (zlib.constants as unknown as Record<string, number>)["ZSTD_d_windowLogMax"];
    yield* throughNode(input, create(windowLogMax === undefined ? {} : { params: { [windowLogMax]: 27 } }));
    return;
  }
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const bytes of input) {
    size += bytes.length;
    if (size > largestZstd)
      throw new Error("too large for this version of Node.js, which has no zstd: use Node.js 22.15 or later");
    pieces.push(bytes);
  }
  const { ZSTDDecoder } = await import("zstddec/stream");
  const decoder = new ZSTDDecoder();
  await decoder.init();
  // The decoder does not look at zstd's errors and would turn in circles: output without progress tells.
  let idle = 0;
  const watched = (function* () {
    for (const piece of pieces)
      for (let at = 0; at < piece.length; at += 1 << 17) {
        idle = 0;
        yield piece.subarray(at, at + (1 << 17));
      }
  })();
  for (const bytes of decoder.decodeStreaming(watched)) {
    idle = bytes.length === 0 ? idle + 1 : 0;
    if (idle > 1000) throw new Error("it is damaged");
    if (bytes.length > 0) yield bytes;
  }
}
