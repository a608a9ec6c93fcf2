/**
 * Downloads to a file: hashed while it streams, resumed after a broken connection, tried at one address after the other. The
 * file appears under its name only when all of it is there and its hash is right.
 */
import { randomBytes } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Activity, D2nError, explainFileError, InterruptedError, isSystemError, messageOf } from "../base/index.ts";
import { equalHashes, formatHash, type Hash, type HashAlgorithm, Hasher } from "../formats/index.ts";
import { explainNetworkError, explainStatus, FetchError, HashMismatchError, networkCode, shown } from "./errors.ts";
import { type HttpClient, type HttpResponse, httpClient } from "./http-client.ts";
import { type Policy, pauseAfter, refusal, retryPolicy, strongValidator, TemporaryFailure } from "./retry.ts";
import type { DownloadRequest, DownloadResult } from "./types.ts";

/** Milliseconds between two reports of progress. */
const progressInterval = 100;

/**
 * Downloads one file.
 * @throws FetchError when no candidate works; HashMismatchError when the last candidate's content was not what it should be;
 *   D2nError "disk-full"; InterruptedError when aborted. The destination does not exist, or is as it was, then.
 */
export async function downloadFile(request: DownloadRequest): Promise<DownloadResult> {
  const name = request.name ?? nameOf(request.urls[0] ?? "");
  if (request.urls.length === 0)
    throw new FetchError("download-failed", `there is no address to download '${name}' from`);
  const activity = new Activity(request.sink, "download", name);
  const transfer = new Transfer(request, name, activity);
  try {
    const result = await transfer.run();
    activity.stop(true);
    return result;
  } catch (error) {
    if (request.signal?.aborted === true) throw interruption(request.signal);
    throw explainFileError(error, request.destination) ?? error;
  } finally {
    await transfer.close();
    activity.stop(false);
  }
}

/** What an aborted signal means: its own D2nError, or that the user interrupted. */
export function interruption(signal: AbortSignal): Error {
  return signal.reason instanceof D2nError ? signal.reason : new InterruptedError();
}

class Transfer {
  readonly #request: DownloadRequest;
  readonly #name: string;
  readonly #activity: Activity;
  readonly #policy: Policy;
  readonly #algorithms: readonly HashAlgorithm[];
  readonly #temporary: string;
  #file: FileHandle | undefined;
  #hashers: Hasher[] = [];
  #done = 0;
  #reported = 0;
  /** Lets a server say that the file is still the same one. */
  #validator: string | undefined;
  #resumed = false;

  constructor(request: DownloadRequest, name: string, activity: Activity) {
    this.#request = request;
    this.#name = name;
    this.#activity = activity;
    this.#policy = retryPolicy(request.retry);
    const wanted = new Set<HashAlgorithm>(request.algorithms ?? ["sha256"]);
    if (request.expectedHash !== undefined) wanted.add(request.expectedHash.algorithm);
    this.#algorithms = [...wanted];
    this.#temporary = `${request.destination}.${process.pid}-${randomBytes(4).toString("hex")}.part`;
  }

  async run(): Promise<DownloadResult> {
    const failures: { url: string; error: unknown }[] = [];
    for (const url of this.#request.urls) {
      try {
        return await this.#from(url);
      } catch (error) {
        if (this.#request.signal?.aborted === true || isLocal(error)) throw error;
        failures.push({ url, error });
      }
    }
    const last = failures.at(-1)!.error;
    // With several candidates, a wrong hash says more than a 404 elsewhere.
    const worst = failures.find(({ error }) => error instanceof HashMismatchError)?.error ?? last;
    if (failures.length === 1 || !(worst instanceof FetchError)) throw worst;
    worst.details = [
      ...(worst.details === undefined ? [] : [worst.details]),
      "All addresses failed:",
      ...failures.map(({ url, error }) => `  ${shown(url)}: ${messageOf(error)}`),
    ].join("\n");
    throw worst;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => {});
    await rm(this.#temporary, { force: true }).catch(() => {});
  }

  async #from(url: string): Promise<DownloadResult> {
    let parsed: URL;
    try {
      parsed = new URL(url);
    } catch (error) {
      throw new FetchError("download-failed", `cannot download '${this.#name}': '${url}' is not a URL`, {
        cause: error,
      });
    }
    await this.#restart();
    if (parsed.protocol === "file:") return this.#copy(parsed);
    if (parsed.protocol !== "http:" && parsed.protocol !== "https:")
      throw new FetchError(
        "download-failed",
        `cannot download '${this.#name}': the scheme '${parsed.protocol.slice(0, -1)}' of ${shown(url)} is not supported`,
        {
          hint: "http, https and file are.",
        },
      );
    if (this.#request.offline === true)
      throw new FetchError(
        "network-unreachable",
        `cannot download '${this.#name}' from ${shown(url)}: d2n was told to work offline`,
        {
          hint: "Run the command again without --offline.",
        },
      );
    const client = await httpClient(this.#request.environment, this.#policy);
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await this.#receive(client, url);
        return await this.#finish(response);
      } catch (error) {
        this.#request.signal?.throwIfAborted();
        const wait = this.#worthWaiting(error, attempt);
        if (wait === undefined)
          throw error instanceof FetchError || isLocal(error) ? error : explainNetworkError(error, url, this.#name);
        await sleep(wait, undefined, this.#request.signal === undefined ? {} : { signal: this.#request.signal });
      }
    }
  }

  /** Milliseconds to wait before the next attempt, or undefined to give this address up. */
  #worthWaiting(error: unknown, attempt: number): number | undefined {
    // A file pieced together from a server's several versions of it: once more, all of it.
    if (error instanceof HashMismatchError && this.#resumed && attempt < this.#policy.attempts) {
      this.#forget();
      return 0;
    }
    return isLocal(error) ? undefined : pauseAfter(error, attempt, this.#policy);
  }

  #forget(): void {
    this.#validator = undefined;
    this.#done = 0;
    this.#resumed = false;
  }

  async #receive(client: HttpClient, url: string): Promise<HttpResponse> {
    const { signal } = this.#request;
    const headers: Record<string, string> = { ...this.#request.headers };
    // Without a validator a resumed file is only as good as the hash that it is checked against.
    const resume = this.#done > 0 && (this.#validator !== undefined || this.#request.expectedHash !== undefined);
    if (resume) {
      headers.range = `bytes=${this.#done}-`;
      if (this.#validator !== undefined) headers["if-range"] = this.#validator;
    }
    const response = await client.get(url, headers, signal);
    if (response.status === 416 && resume) {
      await response.discard();
      this.#forget();
      throw new TemporaryFailure(explainStatus(416, url, this.#name), 0);
    }
    if (response.status !== 200 && response.status !== 206) throw await refusal(response, this.#name, this.#policy);
    let total = number(response.header("content-length"));
    if (response.status === 206) {
      const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.header("content-range") ?? "");
      if (!resume || range === null || Number(range[1]) !== this.#done) {
        await response.discard();
        this.#forget();
        throw new TemporaryFailure(
          new FetchError(
            "download-failed",
            `cannot download '${this.#name}': ${shown(url)} answers with another part than was asked for`,
          ),
          0,
        );
      }
      total = range[3] === "*" ? undefined : Number(range[3]);
      this.#resumed = true;
    } else {
      await this.#restart();
    }
    this.#validator = strongValidator(response);
    this.#checkSize(total ?? 0);
    this.#activity.progress(this.#done, total);
    for await (const chunk of response.body) await this.#write(chunk, total);
    if (total !== undefined && this.#done !== total)
      throw new TemporaryFailure(
        new FetchError(
          "download-failed",
          `cannot download '${this.#name}': ${this.#done} of ${total} bytes arrived from ${shown(url)}`,
        ),
      );
    this.#activity.progress(this.#done, total);
    return response;
  }

  async #copy(url: URL): Promise<DownloadResult> {
    let path: string;
    try {
      path = fileURLToPath(url);
    } catch (error) {
      throw new FetchError("download-failed", `'${url.href}' is not the URL of a file here: ${messageOf(error)}`, {
        cause: error,
      });
    }
    let source: FileHandle;
    try {
      source = await open(path, "r");
    } catch (error) {
      throw new FetchError(
        "download-failed",
        `cannot read the file '${path}': ${isSystemError(error, "ENOENT") ? "it does not exist" : messageOf(error)}`,
        { cause: error },
      );
    }
    try {
      const status = await source.stat();
      if (!status.isFile()) throw new FetchError("download-failed", `'${path}' is not a regular file`);
      for await (const chunk of source.createReadStream({ autoClose: false, highWaterMark: 1 << 18 })) {
        this.#request.signal?.throwIfAborted();
        await this.#write(chunk as Uint8Array, status.size);
      }
    } finally {
      await source.close();
    }
    return this.#finish(undefined, url.href);
  }

  async #restart(): Promise<void> {
    this.#forget();
    this.#hashers = this.#algorithms.map((algorithm) => new Hasher(algorithm));
    if (this.#file === undefined) this.#file = await open(this.#temporary, "wx", 0o644);
    else await this.#file.truncate(0);
  }

  async #write(chunk: Uint8Array, total: number | undefined): Promise<void> {
    this.#checkSize(this.#done + chunk.length);
    for (let at = 0; at < chunk.length;) {
      const { bytesWritten } = await this.#file!.write(chunk, at, chunk.length - at, this.#done + at);
      at += bytesWritten;
    }
    for (const hasher of this.#hashers) hasher.update(chunk);
    this.#done += chunk.length;
    const now = Date.now();
    if (now - this.#reported < progressInterval) return;
    this.#reported = now;
    this.#activity.progress(this.#done, total);
  }

  #checkSize(size: number): void {
    const { maxBytes } = this.#request;
    if (maxBytes !== undefined && size > maxBytes)
      throw new FetchError("download-failed", `'${this.#name}' is larger than the ${maxBytes} bytes that are allowed`);
  }

  async #finish(response: HttpResponse | undefined, url = response?.url ?? ""): Promise<DownloadResult> {
    const { expectedHash, destination } = this.#request;
    const hashes = new Map<HashAlgorithm, Hash>();
    for (const hasher of this.#hashers) hashes.set(hasher.algorithm, hasher.finish());
    const size = this.#done;
    if (expectedHash !== undefined) {
      const got = hashes.get(expectedHash.algorithm)!;
      if (!equalHashes(got, expectedHash))
        throw new HashMismatchError(`the download '${this.#name}' from ${shown(url)}`, expectedHash, got, {
          details: `specified: ${formatHash(expectedHash, "sri")}\n      got: ${formatHash(got, "sri")}\n${size} bytes; nothing of it was kept.`,
          hint: "Either the hash is wrong, or the file at this address is not the one it used to be.",
        });
    }
    await this.#file!.close();
    this.#file = undefined;
    await rename(this.#temporary, destination);
    return {
      size,
      hashes,
      url: shown(url),
      etag: response?.header("etag"),
      lastModified: response?.header("last-modified"),
    };
  }
}

/** Errors of this machine's files rather than of the network. */
function isLocal(error: unknown): boolean {
  if (error instanceof D2nError) return error.code === "disk-full" || error.code === "interrupted";
  return (
    isSystemError(error) &&
    ["write", "open", "rename", "fsync", "ftruncate", "close"].includes(error.syscall ?? "") &&
    networkCode(error) !== "ECONNRESET" &&
    networkCode(error) !== "EPIPE"
  );
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The last part of a URL's path. */
export function nameOf(url: string): string {
  try {
    const { pathname, host } = new URL(url);
    return decodeURIComponent(basename(pathname)) || host;
  } catch {
    return basename(url) || url;
  }
}
