/** Small things from a server, as they arrive: indexes, descriptions. What has a hash goes through `downloadFile`. */
import { createReadStream } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Activity, type EventSink, isSystemError } from "../base/index.ts";
import { interruption, nameOf } from "./download.ts";
import { explainNetworkError, FetchError, shown } from "./errors.ts";
import { type HttpResponse, httpClient } from "./http-client.ts";
import { type Policy, pauseAfter, refusal, retryPolicy, strongValidator } from "./retry.ts";
import type { Environment, RetryPolicy } from "./types.ts";

export interface StreamRequest {
  readonly url: string;
  readonly name?: string | undefined;
  readonly environment: Environment;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly offline?: boolean | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly sink: EventSink;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes behind a URL, or undefined if there is nothing (404, 410). Attempts that fail before the first byte are repeated;
 * a connection that breaks later is resumed where the server can vouch that the file is the same.
 * @throws FetchError, when called or while the bytes are read
 */
export async function downloadStream(request: StreamRequest): Promise<AsyncIterable<Uint8Array> | undefined> {
  const { url, signal } = request;
  const name = request.name ?? nameOf(url);
  const policy = retryPolicy(request.retry);
  if (url.startsWith("file:")) return readLocal(url, name);
  if (request.offline === true)
    throw new FetchError(
      "network-unreachable",
      `cannot download '${name}' from ${shown(url)}: d2n was told to work offline`,
      {
        hint: "Run the command again without --offline.",
      },
    );
  const response = await ask(request, name, policy, {});
  if (response === undefined) return undefined;
  return body(request, name, policy, response, signal);
}

async function ask(
  request: StreamRequest,
  name: string,
  policy: Policy,
  headers: Readonly<Record<string, string>>,
): Promise<HttpResponse | undefined> {
  const { url, signal } = request;
  const client = await httpClient(request.environment, policy);
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await client.get(url, { ...request.headers, ...headers }, signal);
      if (response.status === 404 || response.status === 410) {
        await response.discard();
        return undefined;
      }
      if (response.status !== 200 && response.status !== 206) throw await refusal(response, name, policy);
      return response;
    } catch (error) {
      if (signal?.aborted === true) throw interruption(signal);
      const pause = pauseAfter(error, attempt, policy);
      if (pause === undefined) throw error instanceof FetchError ? error : explainNetworkError(error, url, name);
      await sleep(pause);
    }
  }
}

async function* body(
  request: StreamRequest,
  name: string,
  policy: Policy,
  first: HttpResponse,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  const total = Number(first.header("content-length") ?? Number.NaN);
  using activity = new Activity(request.sink, "download", name, { total: Number.isNaN(total) ? undefined : total });
  const validator = strongValidator(first);
  let done = 0;
  let reported = 0;
  let response = first;
  for (let attempt = 1; ; attempt++) {
    try {
      for await (const chunk of response.body) {
        done += chunk.length;
        if (Date.now() - reported >= 100) {
          reported = Date.now();
          activity.progress(done);
        }
        yield chunk;
      }
      activity.progress(done);
      activity.stop(true);
      return;
    } catch (error) {
      if (signal?.aborted === true) throw interruption(signal);
      const pause = validator === undefined ? undefined : pauseAfter(error, attempt, policy);
      if (pause === undefined) throw explainNetworkError(error, request.url, name);
      await sleep(pause);
      const next = await ask(request, name, policy, { range: `bytes=${done}-`, "if-range": validator! });
      if (next?.status !== 206 || !new RegExp(`^bytes ${done}-`).test(next.header("content-range") ?? "")) {
        await next?.discard();
        throw explainNetworkError(error, request.url, name);
      }
      response = next;
    }
  }
}

function readLocal(url: string, name: string): Promise<AsyncIterable<Uint8Array> | undefined> {
  return new Promise((resolve, reject) => {
    const stream = createReadStream(fileURLToPath(url));
    stream.once("open", () => resolve(stream));
    stream.once("error", (error) =>
      isSystemError(error, "ENOENT")
        ? resolve(undefined)
        : reject(new FetchError("download-failed", `cannot read '${name}': ${error.message}`, { cause: error })),
    );
  });
}
