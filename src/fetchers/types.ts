/** Contracts of the fetchers. */
import type { EventSink } from "../base/index.ts";
import type { Hash, HashAlgorithm } from "../formats/index.ts";

/** Variables of the user's environment; never read from the process here. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface DownloadRequest {
  /** Candidates in order: the next is tried when one fails for good. `http:`, `https:` and `file:`. */
  readonly urls: readonly string[];
  /** The file to write; appears at once, with mode 0644, when everything is there and right. Its folder must exist. */
  readonly destination: string;
  /** Checked before the file appears. */
  readonly expectedHash?: Hash | undefined;
  /** Hashes to compute besides that of `expectedHash`; sha256 unless given. */
  readonly algorithms?: readonly HashAlgorithm[] | undefined;
  /** What to call it in progress and errors; the last part of the URL unless given. */
  readonly name?: string | undefined;
  /** Proxies, NO_PROXY, SSL_CERT_FILE, NIX_SSL_CERT_FILE. */
  readonly environment: Environment;
  /** Further request headers. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Refuses anything but `file:` URLs. */
  readonly offline?: boolean | undefined;
  /** Bytes after which the download is refused; no limit unless given. */
  readonly maxBytes?: number | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly sink: EventSink;
  readonly signal?: AbortSignal | undefined;
}

export interface RetryPolicy {
  /** Attempts for each URL, the first included; 5 unless given. */
  readonly attempts?: number | undefined;
  /** Milliseconds before the second attempt, doubled each time; 300 unless given. */
  readonly delay?: number | undefined;
  /** Milliseconds without a byte after which a connection counts as broken; 30 000 unless given. */
  readonly stall?: number | undefined;
  /** Milliseconds to wait for a connection; 15 000 unless given. */
  readonly connect?: number | undefined;
  /** The longest Retry-After that is obeyed, in milliseconds; 60 000 unless given. */
  readonly longestWait?: number | undefined;
}

export interface DownloadResult {
  readonly size: number;
  /** By algorithm, `expectedHash`'s included. */
  readonly hashes: ReadonlyMap<HashAlgorithm, Hash>;
  /** The candidate that it came from, after redirects, without credentials. */
  readonly url: string;
  /** As the server sent them. */
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}
