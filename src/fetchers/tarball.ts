/** `builtins.fetchTarball`, `fetchTree { type = "tarball"; }`, and the same for plain files. */
import { createReadStream } from "node:fs";
import { lstat, mkdtemp, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Activity, type EventSink, explainFileError } from "../base/index.ts";
import { detectCompression, type Hash, unpackTar, unpackZip } from "../formats/index.ts";
import type { ContentCache } from "./content-cache.ts";
import { downloadFile, nameOf } from "./download.ts";
import type { Environment, RetryPolicy } from "./types.ts";

export interface TarballRequest {
  /** `https:`, `http:`, `file:`. */
  readonly url: string;
  /** What to make: must not exist yet; its folder must. */
  readonly destination: string;
  /** False: the file as it is. */
  readonly unpack: boolean;
  /** Expected hash of the file itself. */
  readonly expectedHash?: Hash | undefined;
  readonly environment: Environment;
  readonly offline?: boolean | undefined;
  readonly retry?: RetryPolicy | undefined;
  /** Keeps the file; with `expectedHash` it may come from there. */
  readonly contentCache?: ContentCache | undefined;
  readonly sink: EventSink;
  readonly signal?: AbortSignal | undefined;
}

export interface TarballResult {
  /** The destination. */
  readonly path: string;
  /** The newest time of the entries in seconds since 1970; undefined for plain files and archives without times. */
  readonly lastModified: number | undefined;
  /** The address after all redirects, without credentials; the one asked for if the cache had the file. */
  readonly url: string;
}

/**
 * Downloads, and unpacks a tar archive (plain or compressed) or a zip archive. An archive's only top-level folder is
 * stripped, as in Nix.
 * @throws FetchError, FormatError for a damaged or unsafe archive; the destination does not exist then
 */
export async function fetchTarballTree(request: TarballRequest): Promise<TarballResult> {
  const { url, destination, expectedHash, contentCache, signal } = request;
  const scratch = await mkdtemp(`${destination}.fetch-`);
  try {
    const file = join(scratch, "file");
    let source = url;
    if (expectedHash === undefined || !(await contentCache?.copyTo(expectedHash, file, signal))) {
      const { environment, offline, retry, sink } = request;
      const got = await downloadFile({
        urls: [url],
        destination: file,
        expectedHash,
        environment,
        offline,
        retry,
        sink,
        signal,
      });
      source = got.url;
      await contentCache?.add(file, [...got.hashes.keys()], got.hashes);
    }
    if (!request.unpack) {
      await rename(file, destination);
      return { path: destination, lastModified: undefined, url: source };
    }
    const activity = new Activity(request.sink, "unpack", nameOf(url));
    try {
      const folder = join(scratch, "tree");
      const lastModified = await unpackArchive(file, folder);
      await rename(await onlyFolder(folder), destination);
      activity.stop(true);
      return { path: destination, lastModified, url: source };
    } finally {
      activity.stop(false);
    }
  } catch (error) {
    throw explainFileError(error, dirname(destination)) ?? error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Unpacks a tar or zip archive to a new folder; gives the newest time in it, where known. */
export async function unpackArchive(file: string, folder: string): Promise<number | undefined> {
  if (await isZip(file)) {
    await unpackZip(file, folder);
    return undefined;
  }
  const { lastModified } = await unpackTar(createReadStream(file, { highWaterMark: 1 << 18 }), folder);
  return lastModified;
}

async function isZip(file: string): Promise<boolean> {
  const handle = await open(file, "r");
  try {
    const start = Buffer.alloc(6);
    await handle.read(start, 0, 6, 0);
    return detectCompression(start) === "none" && start.readUInt32BE(0) === 0x504b0304;
  } finally {
    await handle.close();
  }
}

async function onlyFolder(folder: string): Promise<string> {
  const names = await readdir(folder, { encoding: "buffer" });
  if (names.length !== 1) return folder;
  const only = Buffer.concat([Buffer.from(`${folder}/`), names[0]!]);
  // A name that is no UTF-8 cannot be joined to a string; then the folder stays, which only costs a level of nesting.
  const text = only.toString("utf8");
  return Buffer.from(text, "utf8").equals(only) && (await lstat(only)).isDirectory() ? text : folder;
}
