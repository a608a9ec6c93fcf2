/**
 * One HTTP client for an environment: its proxies, its certificate authorities, its connections. undici is loaded with the
 * first request, since loading it takes longer than many a command.
 */
import { readFile } from "node:fs/promises";
import { createSecureContext, rootCertificates } from "node:tls";
import type { Dispatcher } from "undici";
import { FetchError, shown } from "./errors.ts";
import { credentialsOf } from "./netrc.ts";
import type { Environment } from "./types.ts";

/** Where Linux distributions keep the certificate authorities they trust. */
const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

const maxRedirects = 20;

export interface HttpTimeouts {
  readonly stall: number;
  readonly connect: number;
}

export interface HttpResponse {
  readonly status: number;
  /** The last URL of the chain of redirects. */
  readonly url: string;
  /** Lower-case names; of repeated headers the first. */
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives the connection up; needed unless the body was read to its end. */
  discard(): Promise<void>;
}

export interface HttpClient {
  /**
   * A GET request that follows redirects; credentials stay with the origin they belong to.
   * @throws errors of undici and Node as they are; FetchError for redirects that lead nowhere
   */
  get(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<HttpResponse>;
}

const clients = new WeakMap<Environment, Map<string, Promise<HttpClient>>>();

/** The client of an environment record; the same record gives the same client, so connections are shared. */
export function httpClient(environment: Environment, timeouts: HttpTimeouts): Promise<HttpClient> {
  const key = `${timeouts.stall} ${timeouts.connect}`;
  let byTimeouts = clients.get(environment);
  if (byTimeouts === undefined) {
    byTimeouts = new Map<string, Promise<HttpClient>>();
    clients.set(environment, byTimeouts);
  }
  let client = byTimeouts.get(key);
  if (client === undefined) {
    client = createClient(environment, timeouts);
    byTimeouts.set(key, client);
    const made = byTimeouts;
    client.catch(() => made.delete(key));
  }
  return client;
}

async function createClient(environment: Environment, timeouts: HttpTimeouts): Promise<HttpClient> {
  const [undici, certificates, credentials] = await Promise.all([
    import("undici"),
    trustedCertificates(environment),
    credentialsOf(environment),
  ]);
  // One context for all connections: parsing some hundred certificates takes longer than a handshake.
  const tls = { secureContext: createSecureContext({ ca: certificates }), timeout: timeouts.connect };
  const all = nonEmpty(environment.all_proxy) ?? nonEmpty(environment.ALL_PROXY);
  let dispatcher: Dispatcher;
  try {
    dispatcher = new undici.EnvHttpProxyAgent({
      // Empty rather than undefined: undefined would make undici look at the process' own environment. HTTP_PROXY in capitals
      // is what a CGI server sets from a request header, but curl's reasons do not apply to a command line tool.
      httpProxy: nonEmpty(environment.http_proxy) ?? nonEmpty(environment.HTTP_PROXY) ?? all ?? "",
      httpsProxy: nonEmpty(environment.https_proxy) ?? nonEmpty(environment.HTTPS_PROXY) ?? all ?? "",
      noProxy: environment.no_proxy ?? environment.NO_PROXY ?? "",
      connect: tls,
      requestTls: tls,
      proxyTls: tls,
      // As curl does it: only https goes through a tunnel, which many a proxy forbids for anything else.
      proxyTunnel: false,
      headersTimeout: timeouts.stall,
      bodyTimeout: timeouts.stall,
      // IPv6 that leads nowhere must not cost the whole download.
      autoSelectFamily: true,
    });
  } catch (error) {
    throw new FetchError(
      "network-unreachable",
      "the proxy variables of the environment (http_proxy, https_proxy, all_proxy) hold no usable address",
      {
        hint: "They look like http://proxy.example.org:3128.",
        cause: error,
      },
    );
  }
  return {
    async get(url, headers, signal) {
      let current = new URL(url);
      const origin = current.origin;
      for (let step = 0; step <= maxRedirects; step++) {
        const own: Record<string, string> = {
          "user-agent": "d2n",
          accept: "*/*",
          // The bytes as they are stored: they are what hashes speak about.
          "accept-encoding": "identity",
        };
        for (const [name, value] of Object.entries(headers))
          if (current.origin === origin || !/^(authorization|cookie)$/i.test(name)) own[name.toLowerCase()] = value;
        const authorization = basicAuthorization(current) ?? credentials(current.hostname);
        if (authorization !== undefined && own.authorization === undefined) own.authorization = authorization;
        const target = new URL(current);
        target.username = "";
        target.password = "";
        target.hash = "";
        const response = await undici.request(target, {
          dispatcher,
          method: "GET",
          headers: own,
          ...(signal && { signal }),
        });
        const location = first(response.headers.location);
        if (![301, 302, 303, 307, 308].includes(response.statusCode) || location === undefined)
          return wrap(response, current.href);
        await discard(response.body);
        let next: URL;
        try {
          next = new URL(location, current);
        } catch (error) {
          throw new FetchError(
            "download-failed",
            `${shown(current.href)} redirects to '${location}', which is no address`,
            { cause: error },
          );
        }
        if (next.protocol !== "http:" && next.protocol !== "https:")
          throw new FetchError(
            "download-failed",
            `${shown(current.href)} redirects to ${shown(next.href)}, which is refused`,
          );
        current = next;
      }
      throw new FetchError("download-failed", `more than ${maxRedirects} redirects, starting at ${shown(url)}`);
    },
  };
}

function wrap(response: Dispatcher.ResponseData, url: string): HttpResponse {
  return {
    status: response.statusCode,
    url,
    header: (name) => first(response.headers[name]),
    body: response.body,
    discard: () => discard(response.body),
  };
}

async function discard(body: Dispatcher.ResponseData["body"]): Promise<void> {
  // A short body is read so that the connection can be used again; a long one is not worth it.
  await body.dump({ limit: 65_536 }).catch(() => {});
}

function basicAuthorization(url: URL): string | undefined {
  if (url.username === "" && url.password === "") return undefined;
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

/**
 * Node's own authorities, those of NODE_EXTRA_CA_CERTS, and those that the user names (NIX_SSL_CERT_FILE, SSL_CERT_FILE) or
 * else the system's.
 * @throws FetchError if a file that the user names cannot be read
 */
export async function trustedCertificates(environment: Environment): Promise<string[]> {
  const trusted = [...rootCertificates];
  for (const variable of ["NODE_EXTRA_CA_CERTS", "NIX_SSL_CERT_FILE", "SSL_CERT_FILE"]) {
    const path = nonEmpty(environment[variable]);
    if (path === undefined) continue;
    try {
      trusted.push(...splitBundle(await readFile(path, "latin1")));
    } catch (error) {
      throw new FetchError("certificate-untrusted", `the file '${path}' that ${variable} names cannot be read`, {
        hint: `Correct or unset ${variable}.`,
        cause: error,
      });
    }
  }
  if (nonEmpty(environment.NIX_SSL_CERT_FILE) === undefined && nonEmpty(environment.SSL_CERT_FILE) === undefined)
    for (const path of systemBundles) {
      const text = await readFile(path, "latin1").catch(() => undefined);
      if (text === undefined) continue;
      trusted.push(...splitBundle(text));
      break;
    }
  return [...new Set(trusted.map((certificate) => certificate.trim()))];
}

function splitBundle(text: string): string[] {
  return text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? [];
}
