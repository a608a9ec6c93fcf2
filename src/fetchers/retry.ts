/** What is tried again, and when. */
import { explainStatus, FetchError, retryWorth } from "./errors.ts";
import type { HttpResponse } from "./http-client.ts";
import type { RetryPolicy } from "./types.ts";

export type Policy = { readonly [K in keyof RetryPolicy]-?: number };

export function retryPolicy(wanted: RetryPolicy | undefined): Policy {
  return { attempts: 5, delay: 300, stall: 30_000, connect: 15_000, longestWait: 60_000, ...defined(wanted) };
}

/** A failure that another attempt may mend. */
export class TemporaryFailure extends FetchError {
  /** Milliseconds that the server asks to wait. */
  readonly wait: number | undefined;

  constructor(failure: FetchError, wait?: number) {
    super(failure.code, failure.message, { hint: failure.hint ?? "Try again later.", status: failure.status });
    this.wait = wait;
  }
}

/** Milliseconds to wait before the next attempt, or undefined if there should be none. */
export function pauseAfter(error: unknown, attempt: number, { attempts, delay }: Policy): number | undefined {
  if (attempt >= attempts) return undefined;
  // Some spread, so that a hundred downloads do not come back at the same moment.
  const pause = delay * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
  if (error instanceof TemporaryFailure) return error.wait ?? pause;
  if (error instanceof FetchError) return undefined;
  const worth = retryWorth(error);
  return worth === "often" || (worth === "once" && attempt === 1) ? pause : undefined;
}

/** The error for an answer without content; gives its connection up. */
export async function refusal(response: HttpResponse, name: string, policy: Policy): Promise<FetchError> {
  await response.discard();
  const failure = explainStatus(response.status, response.url, name);
  return response.status === 408 || response.status === 429 || response.status >= 500
    ? new TemporaryFailure(failure, retryAfter(response, policy.longestWait))
    : failure;
}

/** What lets a server say that a file is still the same. Weak validators do not speak about bytes (RFC 9110, 8.8.1). */
export function strongValidator(response: HttpResponse): string | undefined {
  const etag = response.header("etag");
  return etag !== undefined && !etag.startsWith("W/") ? etag : undefined;
}

function retryAfter(response: HttpResponse, longest: number): number | undefined {
  const value = response.header("retry-after");
  if (value === undefined) return undefined;
  const wait = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), longest);
}

function defined<T extends object>(record: T | undefined): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(record ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
