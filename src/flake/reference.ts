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
const ARCHIVE = /\.(zip|tar|tgz|tar\.gz|tar\.xz|tar\.bz2|tar\.zst)$/;

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
  return { type, attributes: rest, dir: typeof dir === "string" ? dir : "" };
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
 * surroundings (working folder, parent flake) resolves them.
 * @throws D2nError `flake-reference`
 */
export function parseReference(text: string): FlakeReference {
  if (isPathLike(text)) {
    const { path, query } = splitQuery(text);
    return make("path", { path: path === "" ? "." : decodePath(path) }, query);
  }
  const scheme = /^([a-z][a-z0-9+.-]*):(.*)$/s.exec(text);
  if (scheme === null) return parseIndirect(text, text);
  const [, name = "", rest = ""] = scheme;
  const { path, query } = splitQuery(rest);
  switch (name) {
    case "d2n":
      return make("d2n", { id: path }, query);
    case "flake":
      return parseIndirect(rest, text);
    case "path": {
      const location = path.startsWith("//") ? path.slice(2) : path;
      return make("path", { path: decodePath(location) }, query);
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
      return make("git", { url: name === "git+file" ? normaliseFileUrl(url) : url }, query);
    }
    case "tarball+http":
    case "tarball+https":
    case "tarball+file":
      return make("tarball", { url: `${name.slice(8)}:${path}${extraQuery(query)}` }, query);
    case "file+http":
    case "file+https":
    case "file+file":
      return make("file", { url: `${name.slice(5)}:${path}${extraQuery(query)}` }, query);
    case "http":
    case "https":
    case "file":
      return make(
        ARCHIVE.test(path) || query.has("narHash") ? "tarball" : "file",
        { url: `${name}:${path}${extraQuery(query)}` },
        query,
      );
    default:
      throw invalid(text, `\`${name}\` is not a scheme that flakes know`);
  }
}

/** The URL-like form, which `parseReference` reads back. */
export function formatReference(reference: FlakeReference): string {
  const { type, dir } = reference;
  const rest = new Map<string, string>();
  for (const [name, value] of reference.attributes) if (name !== "type") rest.set(name, String(value));
  const take = (name: string): string => {
    const value = rest.get(name) ?? "";
    rest.delete(name);
    return value;
  };
  let head: string;
  switch (type) {
    case "path":
      head = `path:${encodeURI(take("path"))}`;
      break;
    case "git":
      head = `git+${take("url")}`;
      break;
    case "github":
    case "gitlab":
    case "sourcehut": {
      head = `${type}:${encodeURIComponent(take("owner"))}/${encodeURIComponent(take("repo"))}`;
      const at = take("rev") || take("ref");
      if (at !== "") head += `/${at}`;
      break;
    }
    case "indirect": {
      head = `flake:${take("id")}`;
      for (const part of ["ref", "rev"]) {
        const value = take(part);
        if (value !== "") head += `/${value}`;
      }
      break;
    }
    case "d2n":
      head = `d2n:${take("id")}`;
      break;
    default:
      head = take("url");
  }
  for (const hidden of ["narHash", "lastModified", "revCount"]) rest.delete(hidden);
  if (dir !== "") rest.set("dir", dir);
  const query = [...rest].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  return query === "" ? head : `${head}?${query}`;
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
  return make("indirect", attributes, query);
}

function parseForge(type: string, path: string, query: URLSearchParams, whole: string): FlakeReference {
  const [owner, repo, ...at] = path.split("/").map(decodeURIComponent);
  if (!owner || !repo) throw invalid(whole, `\`${type}:\` wants owner/repository`);
  const attributes: Record<string, string> = { owner, repo };
  if (at.length > 0) {
    const point = at.join("/");
    attributes[REVISION.test(point) ? "rev" : "ref"] = point;
  }
  return make(type, attributes, query);
}

function make(type: string, attributes: Record<string, string>, query: URLSearchParams): FlakeReference {
  const all = new Map<string, string | number | boolean>([["type", type], ...Object.entries(attributes)]);
  let dir = "";
  for (const [name, value] of query) {
    if (name === "dir") dir = value;
    else if (name === "shallow" || name === "submodules" || name === "allRefs" || name === "lfs")
      all.set(name, value === "1" || value === "true");
    else if (name === "lastModified" || name === "revCount") all.set(name, Number(value));
    else if (["ref", "rev", "narHash", "host"].includes(name)) all.set(name, value);
  }
  return { type, attributes: all, dir };
}

function splitQuery(text: string): { path: string; query: URLSearchParams } {
  const mark = text.indexOf("?");
  return mark < 0
    ? { path: text, query: new URLSearchParams() }
    : { path: text.slice(0, mark), query: new URLSearchParams(text.slice(mark + 1)) };
}

/** Query parameters of a tarball's URL that are the server's business, not ours. */
function extraQuery(query: URLSearchParams): string {
  const rest = [...query].filter(
    ([name]) => !["dir", "narHash", "rev", "ref", "lastModified", "revCount"].includes(name),
  );
  return rest.length === 0 ? "" : `?${rest.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
}

function normaliseFileUrl(url: string): string {
  return /^file:\/[^/]/.test(url) ? `file://${url.slice("file:".length)}` : url;
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
