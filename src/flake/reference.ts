/**
 * Flake references: the URL-like form, the path-like form and the attribute form (Nix manual, "nix3-flake", "Flake
 * references"). Pure: nothing here looks at the disk.
 */
import { D2nError } from "../base/index.ts";

/** A reference as attributes, the form that lock files hold. Keys in no particular order. */
export type RefAttributes = ReadonlyMap<string, string | number | boolean>;

export interface FlakeReference {
  /** `path`, `git`, `github`, `gitlab`, `sourcehut`, `tarball`, `file`, `indirect`, or `d2n` for what is built in. */
  readonly type: string;
  readonly attributes: RefAttributes;
  /** Folder of the flake within its source tree; "" for its root. */
  readonly dir: string;
}

const FLAKE_ID = /^[a-zA-Z][a-zA-Z0-9_-]*$/;
const REVISION = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

function invalid(text: string, why: string): D2nError {
  return new D2nError("flake-reference", `\`${text}\` is not a valid flake reference: ${why}`, {
    hint: "Write a path (`.`, `./sub`, `/abs`), or a URL like `path:…`, `git+file:///…`, `git+https://…`, `github:owner/repo`.",
  });
}

/** From attributes, as in a lock file or `inputs.x = { type = …; }`. @throws D2nError `flake-reference` */
export function referenceFromAttributes(attributes: RefAttributes): FlakeReference {
  const rest = new Map(attributes);
  const type = rest.get("type");
  if (typeof type !== "string") throw invalid(JSON.stringify(Object.fromEntries(rest)), "it has no `type`");
  const dir = rest.get("dir");
  rest.delete("dir");
  checkAttributes(type, rest);
  return { type, attributes: rest, dir: typeof dir === "string" ? dir : "" };
}

const ARCHIVE_ATTRIBUTES = "url narHash name unpack rev revCount lastModified".split(" ");
const FORGE_ATTRIBUTES = "owner repo ref rev narHash lastModified host treeHash".split(" ");

/** What inputs of each type may say (Nix 2.34, libfetchers: `allowedAttrs`). */
const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  path: ["path", "rev", "revCount", "lastModified", "narHash"],
  git: (
    "url ref rev shallow submodules lfs exportIgnore lastModified revCount narHash allRefs name dirtyRev dirtyShortRev " +
    "verifyCommit keytype publicKey publicKeys"
  ).split(" "),
  tarball: ARCHIVE_ATTRIBUTES,
  file: ARCHIVE_ATTRIBUTES,
  github: FORGE_ATTRIBUTES,
  gitlab: FORGE_ATTRIBUTES,
  sourcehut: FORGE_ATTRIBUTES,
  indirect: ["id", "ref", "rev", "narHash"],
};

/** @throws D2nError `flake-reference` for an attribute that inputs of this type do not have */
export function checkAttributes(type: string, attributes: RefAttributes): void {
  const allowed = ATTRIBUTES[type];
  if (allowed === undefined) return;
  for (const name of attributes.keys())
    if (name !== "type" && name !== "__final" && !allowed.includes(name))
      throw new D2nError("flake-reference", `input attribute '${name}' not supported by scheme '${type}'`, {
        hint: `An input of type ${type} has ${allowed.map((one) => `\`${one}\``).join(", ")}.`,
      });
}

/** The attributes with `dir`, for a lock file. */
export function referenceToAttributes(reference: FlakeReference): Map<string, string | number | boolean> {
  const attributes = new Map(reference.attributes);
  if (reference.dir !== "") attributes.set("dir", reference.dir);
  return attributes;
}

export function sameReference(a: FlakeReference, b: FlakeReference): boolean {
  const left = referenceToAttributes(a);
  const right = referenceToAttributes(b);
  if (left.size !== right.size) return false;
  for (const [name, value] of left) if (right.get(name) !== value) return false;
  return true;
}

/** Whether a text is a path rather than a URL or an identifier. */
export function isPathLike(text: string): boolean {
  return /^\.{0,2}($|[/?])/.test(text);
}

/**
 * Parses the URL-like forms. Path-like references come back as type `path` with the path as written: who knows the
 * surroundings (working folder, parent flake) resolves them. A URL without a type is a tarball, whatever its ending.
 * @throws D2nError `flake-reference`
 */
export function parseReference(text: string): FlakeReference {
  if (isPathLike(text)) {
    const { path, query } = splitQuery(text);
    return make("path", { path: path === "" ? "." : decodePath(path) }, query, text);
  }
  const scheme = /^([a-z][a-z0-9+.-]*):(.*)$/s.exec(text);
  if (scheme === null) return parseIndirect(text, text);
  const [, name = "", rest = ""] = scheme;
  const { path, query } = splitQuery(rest);
  switch (name) {
    case "d2n":
      return make("d2n", { id: path }, query, text);
    case "flake":
      return parseIndirect(rest, text);
    case "path": {
      const location = path.startsWith("//") ? path.slice(2) : path;
      return make("path", { path: decodePath(location) }, query, text);
    }
    case "github":
    case "gitlab":
    case "sourcehut":
      return parseForge(name, path, query, text);
    case "git":
    case "git+file":
    case "git+http":
    case "git+https":
    case "git+ssh": {
      const url = name === "git" ? `git:${path}` : `${name.slice(4)}:${path}`;
      return make("git", { url: `${normaliseUrl(url)}${serversQuery("git", query)}` }, query, text);
    }
    case "tarball+http":
    case "tarball+https":
    case "tarball+file":
      return make("tarball", { url: `${name.slice(8)}:${path}${serversQuery("tarball", query)}` }, query, text);
    case "file+http":
    case "file+https":
    case "file+file":
      return make("file", { url: `${name.slice(5)}:${path}${serversQuery("file", query)}` }, query, text);
    case "http":
    case "https":
    case "file":
      return make("tarball", { url: `${name}:${path}${serversQuery("tarball", query)}` }, query, text);
    default:
      throw invalid(text, `\`${name}\` is not a scheme that flakes know`);
  }
}

/** The URL-like form, which `parseReference` reads back, with what Nix shows in it: parameters sorted, flags that are off left out. */
export function formatReference(reference: FlakeReference): string {
  const { type, dir, attributes } = reference;
  const text = (name: string): string => String(attributes.get(name) ?? "");
  const query = new Map<string, string>();
  const add = (...names: string[]): void => {
    for (const name of names) {
      const value = attributes.get(name);
      if (value === true) query.set(name, "1");
      else if (value !== undefined && value !== false) query.set(name, String(value));
    }
  };
  let head: string;
  switch (type) {
    case "path":
      head = `path:${escaped(text("path"), ":@/")}`;
      add("lastModified", "narHash", "rev", "revCount");
      break;
    case "git":
      head = text("url").startsWith("git:") ? text("url") : `git+${text("url")}`;
      add("ref", "rev", "shallow", "lfs", "submodules", "exportIgnore", "verifyCommit");
      add("keytype", "publicKey", "publicKeys");
      break;
    case "github":
    case "gitlab":
    case "sourcehut":
      head = `${type}:${[text("owner"), text("repo"), text("rev") || text("ref")]
        .filter((part) => part !== "")
        .map((part) => escaped(part, ":@"))
        .join("/")}`;
      add("host", "narHash");
      break;
    case "indirect":
      head = `flake:${["id", "ref", "rev"]
        .map((name) => text(name))
        .filter((part) => part !== "")
        .map((part) => escaped(part, ":@"))
        .join("/")}`;
      break;
    case "d2n":
      head = `d2n:${text("id")}`;
      break;
    default:
      if (type !== "tarball" && type !== "file")
        throw new D2nError(
          "flake-reference",
          `cannot show unsupported input '${JSON.stringify(Object.fromEntries(attributes))}'`,
        );
      head = type === "file" && !/^file\+/.test(text("url")) ? `file+${text("url")}` : text("url");
      add("narHash");
  }
  if (dir !== "") query.set("dir", dir);
  if (query.size === 0) return head;
  const [address = "", own] = head.split("?", 2);
  for (const [name, value] of new URLSearchParams(own ?? "")) if (!query.has(name)) query.set(name, value);
  return `${address}?${[...query]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${escaped(name, ":@/?")}=${escaped(value, ":@/?")}`)
    .join("&")}`;
}

/** The URL-like form without the hash and the dates of what was found there: short enough for messages. */
export function formatLocation(reference: FlakeReference): string {
  const attributes = new Map(reference.attributes);
  for (const name of ["narHash", "lastModified", "revCount"]) attributes.delete(name);
  return formatReference({ ...reference, attributes });
}

/** Percent-encodes all but letters, digits, `-._~` and what is allowed besides. */
function escaped(text: string, allowed: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%([0-9A-F]{2})/g, (code, hex: string) => {
      const c = String.fromCharCode(parseInt(hex, 16));
      return allowed.includes(c) ? c : code;
    });
}

function parseIndirect(text: string, whole: string): FlakeReference {
  const { path, query } = splitQuery(text);
  const [id = "", first, second, ...more] = path.split("/");
  if (!FLAKE_ID.test(id) || more.length > 0)
    throw invalid(whole, "it is neither a path, a URL, nor the name of a flake");
  const attributes: Record<string, string> = { id };
  if (second !== undefined) {
    attributes["ref"] = first ?? "";
    attributes["rev"] = second;
  } else if (first !== undefined) attributes[REVISION.test(first) ? "rev" : "ref"] = first;
  return make("indirect", attributes, query, whole);
}

function parseForge(type: string, path: string, query: URLSearchParams, whole: string): FlakeReference {
  const [owner, repo, ...at] = path.split("/").map(decodeURIComponent);
  if (!owner || !repo) throw invalid(whole, `\`${type}:\` wants owner/repository`);
  const attributes: Record<string, string> = { owner, repo };
  if (at.length > 0) {
    const point = at.join("/");
    attributes[REVISION.test(point) ? "rev" : "ref"] = point;
  }
  return make(type, attributes, query, whole);
}

/** Parameters of a reference that mean something to Nix, by type; `dir` belongs to all of them. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  path: ["rev", "narHash", "revCount", "lastModified"],
  git: "rev ref keytype publicKey publicKeys shallow submodules lfs exportIgnore allRefs verifyCommit narHash revCount lastModified".split(
    " ",
  ),
  tarball: ["rev", "narHash", "revCount", "lastModified"],
  file: ["narHash"],
};
const FLAGS: ReadonlySet<string> = new Set("shallow submodules lfs exportIgnore allRefs verifyCommit".split(" "));

function make(type: string, attributes: Record<string, string>, query: URLSearchParams, whole: string): FlakeReference {
  const all = new Map<string, string | number | boolean>([["type", type], ...Object.entries(attributes)]);
  const known = PARAMETERS[type] ?? ["ref", "rev", "narHash", "host"];
  let dir = "";
  for (const [name, value] of query) {
    if (name === "dir") dir = value;
    else if (!known.includes(name)) {
      if (type === "path") throw invalid(whole, `a path has no parameter \`${name}\``);
    } else if (FLAGS.has(name)) all.set(name, value === "1" || value === "true");
    else if (name === "lastModified" || name === "revCount") {
      if (!/^[0-9]+$/.test(value)) throw invalid(whole, `\`${name}\` wants a number`);
      all.set(name, Number(value));
    } else if (name === "rev" && !REVISION.test(value)) throw invalid(whole, "`rev` wants the full hash of a commit");
    else all.set(name, value);
  }
  return { type, attributes: all, dir };
}

function splitQuery(text: string): { path: string; query: URLSearchParams } {
  const mark = text.indexOf("?");
  return mark < 0
    ? { path: text, query: new URLSearchParams() }
    : { path: text.slice(0, mark), query: new URLSearchParams(text.slice(mark + 1)) };
}

/** Query parameters of a URL that are the server's business, not ours. */
function serversQuery(type: string, query: URLSearchParams): string {
  const ours = new Set([...PARAMETERS[type]!, "dir"]);
  const rest = [...query].filter(([name]) => !ours.has(name));
  return rest.length === 0
    ? ""
    : `?${rest.map(([name, value]) => `${escaped(name, ":@/?")}=${escaped(value, ":@/?")}`).join("&")}`;
}

/** With the path percent-encoded in one way only, and the two slashes that `file:/x` may lack. */
function normaliseUrl(url: string): string {
  const parts = /^([a-z+]+:)(\/\/[^/]*)?(\/.*)?$/s.exec(url);
  if (parts === null) return url;
  const [, scheme = "", authority, path = ""] = parts;
  return `${scheme}${authority ?? (scheme === "file:" ? "//" : "")}${escaped(decodePath(path), ":@/")}`;
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
