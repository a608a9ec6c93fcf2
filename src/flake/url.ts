/**
 * URLs as flake references have them: RFC 3986, with what Nix allows besides (spaces and quotes in queries, `^` in fragments)
 * and what it leaves out (parameters without a value; of repeated ones, the first counts).
 */
import { isIPv6 } from "node:net";

export interface Url {
  readonly scheme: string;
  /** Encoded as Nix writes it; undefined without `//`. */
  readonly authority: string | undefined;
  /** Decoded segments between slashes; the first is empty where the path begins with a slash. */
  readonly path: readonly string[];
  readonly query: ReadonlyMap<string, string>;
  /** Decoded. */
  readonly fragment: string;
}

/** A text is no URL that means anything; whoever reads references may find another meaning in it. */
export class BadUrl extends Error {}

const PARTS = /^([a-zA-Z][a-zA-Z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;
const UNRESERVED = "a-zA-Z0-9._~\\-";
const PCT = "%[0-9a-fA-F]{2}";
const PCHAR = `${UNRESERVED}!$&'()*+,;=:@`;
const PATH = new RegExp(`^(?:[${PCHAR}/]|${PCT})*$`);
const QUERY = new RegExp(`^(?:[${PCHAR}/?[\\]]|${PCT})*$`);
const LENIENT_QUERY = new RegExp(`^(?:[${PCHAR}/?[\\] "]|${PCT})*$`);
const FRAGMENT = new RegExp(`^(?:[${PCHAR}/?]|${PCT})*$`);
const LENIENT_FRAGMENT = new RegExp(`^(?:[${PCHAR}/? "^]|${PCT})*$`);
const NAME = new RegExp(`^(?:[${UNRESERVED}!$&'()*+,;=]|${PCT})*$`);
const USER = new RegExp(`^(?:[${UNRESERVED}!$&'()*+,;=:]|${PCT})*$`);

/** With `lenient`, as references are read; without, as the `url` of an input is. @throws BadUrl */
export function parseUrl(text: string, { lenient = false } = {}): Url {
  const parts = PARTS.exec(text);
  if (parts === null)
    throw new BadUrl(
      /^[\x21-\x7e]*$/.test(text) && !text.startsWith(":")
        ? `'${text}' doesn't have a scheme`
        : `'${text}' is not a valid URL: leftover`,
    );
  const [, scheme = "", rawAuthority, rawPath = "", query = "", fragment = ""] = parts;
  if (!PATH.test(rawPath) || !(lenient ? LENIENT_FRAGMENT : FRAGMENT).test(fragment))
    throw new BadUrl(`'${text}' is not a valid URL: leftover`);
  const authority = rawAuthority === undefined ? undefined : parseAuthority(rawAuthority);
  let path = rawPath;
  if (transportOf(scheme) === "file") {
    if (authority) throw new BadUrl(`file:// URL '${text}' has unexpected authority '${authority}'`);
    path ||= "/";
  }
  return {
    scheme,
    authority,
    path: path.split("/").map(decodeUrlText),
    query: parseQuery(query, { lenient }),
    fragment: decodeUrlText(fragment),
  };
}

/** @throws BadUrl */
export function parseQuery(text: string, { lenient = false } = {}): Map<string, string> {
  if (!(lenient ? LENIENT_QUERY : QUERY).test(text)) throw new BadUrl(`invalid URI query '${text}': leftover`);
  const query = new Map<string, string>();
  for (const part of text.split("&")) {
    const mark = part.indexOf("=");
    if (mark < 0) continue;
    const name = decodeUrlText(part.slice(0, mark));
    if (!query.has(name)) query.set(name, decodeUrlText(part.slice(mark + 1)));
  }
  return query;
}

export function formatUrl({ scheme, authority, path, query, fragment }: Url): string {
  const head = `${scheme}:${authority === undefined ? "" : `//${authority}`}`;
  const parameters = [...query]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${encodeUrlText(name, ":@/?")}=${encodeUrlText(value, ":@/?")}`);
  return [
    head,
    path.map((segment) => encodeUrlText(segment, ":@")).join("/"),
    parameters.length === 0 ? "" : `?${parameters.join("&")}`,
    fragment === "" ? "" : `#${encodeUrlText(fragment)}`,
  ].join("");
}

/** `https` of `git+https`. */
export function transportOf(scheme: string): string {
  return scheme.slice(scheme.indexOf("+") + 1);
}

/** `git` of `git+https`; undefined without a plus sign. */
export function applicationOf(scheme: string): string | undefined {
  const plus = scheme.indexOf("+");
  return plus < 0 ? undefined : scheme.slice(0, plus);
}

/** The path of a file from the segments of a URL; slashes between them count once. @throws BadUrl */
export function filePath(segments: readonly string[]): string {
  const odd = segments.find((segment) => /[/\0]/.test(segment));
  if (odd !== undefined)
    throw new BadUrl(
      odd.includes("/")
        ? `URL path component '${odd}' contains '/', which is not allowed in file names`
        : `URL path component '${odd.replaceAll("\0", "␀")}' contains NUL byte which is not allowed`,
    );
  const [first = "", ...rest] = segments;
  return rest.reduce(
    (path, segment) => (path === "" || path.endsWith("/") ? path + segment : `${path}/${segment}`),
    first === "" ? "/" : first,
  );
}

/** Percent-encodes all but letters, digits, `-._~` and what is allowed besides. */
export function encodeUrlText(text: string, allowed = ""): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%([0-9A-F]{2})/g, (code, hex: string) => {
      const c = String.fromCharCode(parseInt(hex, 16));
      return allowed.includes(c) ? c : code;
    });
}

/** @throws BadUrl for percent signs that encode nothing, or no text in UTF-8 */
export function decodeUrlText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new BadUrl(`invalid URI parameter '${text}': leftover`);
  }
}

function parseAuthority(text: string): string {
  const bad = (): BadUrl => new BadUrl(`invalid URL authority: '${text}': leftover`);
  const parts = /^(?:([^@]*)@)?(\[[^\]]*\]|[^:@[\]]*)(?::([0-9]*))?$/.exec(text);
  if (parts === null) throw bad();
  const [, user, host = "", port = ""] = parts;
  if (host.startsWith("[") ? !isIPv6(host.slice(1, -1)) : !NAME.test(host)) throw bad();
  if (user !== undefined && !USER.test(user)) throw bad();
  if (port !== "" && (Number(port) < 1 || Number(port) > 65535)) throw new BadUrl(`port '${port}' is invalid`);
  const credentials = user === undefined ? "" : `${user.replace(/[^:]+|(?<=:.*):/g, recoded)}@`;
  return `${credentials}${host.startsWith("[") ? host : recoded(host)}${port === "" ? "" : `:${Number(port)}`}`;
}

function recoded(text: string): string {
  return encodeUrlText(decodeUrlText(text));
}
