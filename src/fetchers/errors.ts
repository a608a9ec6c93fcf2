import { D2nError, type D2nErrorOptions, type ErrorCode, messageOf, redactCredentials } from "../base/index.ts";
import { formatHash, type Hash } from "../formats/index.ts";

/** Something could not be fetched. Texts never hold credentials. */
export class FetchError extends D2nError {
  override readonly name: string = "FetchError";
  /** The HTTP status, if a server answered. */
  readonly status: number | undefined;

  constructor(code: ErrorCode, message: string, options: D2nErrorOptions & { status?: number | undefined } = {}) {
    super(code, redactCredentials(message), {
      ...options,
      details: options.details === undefined ? undefined : redactCredentials(options.details),
    });
    this.status = options.status;
  }
}

/** The content is not what was asked for. `what` says what it is the content of. */
export class HashMismatchError extends FetchError {
  override readonly name = "HashMismatchError";
  readonly specified: Hash;
  readonly got: Hash;

  constructor(what: string, specified: Hash, got: Hash, options: D2nErrorOptions = {}) {
    super("hash-mismatch", `hash mismatch in ${what}`, {
      details: `specified: ${formatHash(specified, "sri")}\n      got: ${formatHash(got, "sri")}\nNothing of it was kept.`,
      ...options,
    });
    this.specified = specified;
    this.got = got;
  }
}

/** Codes of Node, undici and OpenSSL, sorted by what a user can do about them. */
const unresolved = new Set(["ENOTFOUND", "EAI_AGAIN", "EAI_NONAME", "EAI_FAIL", "EAI_NODATA"]);
const unreachable = new Set(["ENETUNREACH", "EHOSTUNREACH", "ENETDOWN", "EHOSTDOWN", "EADDRNOTAVAIL", "ENONET"]);
const broken = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "UND_ERR_SOCKET",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
  "HPE_INVALID_EOF_STATE",
  "HPE_INVALID_CHUNK_SIZE",
]);
const timeouts = new Set(["ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]);

/** The code of an error or of the first cause that has one. */
export function networkCode(error: unknown): string | undefined {
  for (let current = error, depth = 0; current instanceof Error && depth < 6; depth++) {
    if ("code" in current && typeof current.code === "string") return current.code;
    if (current instanceof AggregateError && current.errors.length > 0) current = current.errors[0];
    else current = current.cause;
  }
  return undefined;
}

/** How often an error of the network is worth another attempt: "often", "once", or "never". */
export function retryWorth(error: unknown): "often" | "once" | "never" {
  const code = networkCode(error);
  if (code === undefined) return "never";
  if (broken.has(code)) return "often";
  if (code === "EAI_AGAIN" || unreachable.has(code)) return "once";
  return "never";
}

function isCertificateError(code: string): boolean {
  return (
    code.startsWith("CERT_") ||
    code.startsWith("UNABLE_TO_") ||
    code.startsWith("ERR_TLS_") ||
    code.startsWith("ERR_SSL_") ||
    code === "SELF_SIGNED_CERT_IN_CHAIN" ||
    code === "DEPTH_ZERO_SELF_SIGNED_CERT" ||
    code === "HOSTNAME_MISMATCH" ||
    code === "EPROTO"
  );
}

/** An error of the network, said in a way that tells what to do. */
export function explainNetworkError(error: unknown, url: string, name: string): FetchError {
  const host = hostOf(url);
  const code = networkCode(error) ?? "";
  if (unresolved.has(code))
    return new FetchError(
      "network-unreachable",
      `cannot download '${name}': the host name '${host}' could not be resolved (${code})`,
      {
        hint: `Check the network connection and the name in ${shown(url)}; behind a proxy, set http_proxy and https_proxy.`,
        cause: error,
      },
    );
  if (unreachable.has(code))
    return new FetchError(
      "network-unreachable",
      `cannot download '${name}': the network cannot reach '${host}' (${code})`,
      {
        hint: "Check the network connection; behind a proxy, set http_proxy and https_proxy.",
        cause: error,
      },
    );
  if (isCertificateError(code))
    return new FetchError(
      "certificate-untrusted",
      `cannot download '${name}': no trusted TLS connection to '${host}': ${messageOf(rootCause(error))} (${code})`,
      {
        hint: "If the network has a certificate authority of its own, name its certificates in SSL_CERT_FILE (or NODE_EXTRA_CA_CERTS).",
        cause: error,
      },
    );
  if (code === "ECONNREFUSED")
    return new FetchError("network-unreachable", `cannot download '${name}': '${host}' refuses connections (${code})`, {
      hint: `Nothing listens there, or a firewall forbids it: ${shown(url)}`,
      cause: error,
    });
  if (timeouts.has(code))
    return new FetchError("download-failed", `cannot download '${name}': '${host}' did not answer in time (${code})`, {
      hint: `The address was ${shown(url)}. Try again later.`,
      cause: error,
    });
  if (broken.has(code))
    return new FetchError("download-failed", `cannot download '${name}': the connection to '${host}' broke (${code})`, {
      hint: `The address was ${shown(url)}. Try again.`,
      cause: error,
    });
  return new FetchError(
    "download-failed",
    `cannot download '${name}' from ${shown(url)}: ${messageOf(rootCause(error))}`,
    {
      cause: error,
    },
  );
}

/** An HTTP status that is no success. */
export function explainStatus(status: number, url: string, name: string): FetchError {
  const meaning: Record<number, string> = {
    401: "it wants credentials",
    403: "access is forbidden",
    404: "there is no such file",
    407: "the proxy wants credentials",
    410: "the file is gone for good",
    429: "too many requests",
  };
  const text = meaning[status] ?? (status >= 500 ? "the server failed" : "unexpected answer");
  return new FetchError("download-failed", `cannot download '${name}': ${text} (HTTP ${status}) at ${shown(url)}`, {
    status,
  });
}

/** A URL for messages: no credentials, no query values that may be secrets. */
export function shown(url: string): string {
  return redactCredentials(url).replace(
    /([?&](?:[^=&]*(?:token|signature|secret|password|key)[^=&]*)=)[^&]*/gi,
    "$1***",
  );
}

export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

function rootCause(error: unknown): unknown {
  let current = error;
  for (let depth = 0; current instanceof Error && depth < 6; depth++) {
    if (current instanceof AggregateError && current.errors.length > 0) current = current.errors[0];
    else if (current.cause instanceof Error) current = current.cause;
    else break;
  }
  return current;
}
