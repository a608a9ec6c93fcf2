/**
 * Flake references: the URL-like form, the path-like form and the attribute form (Nix manual, "nix3-flake", "Flake
 * references"). Pure: nothing here looks at the disk.
 */
import { D2nError } from "../base/index.ts";
import { parseHash } from "../formats/index.ts";
import {
  applicationOf,
  BadUrl,
  decodeUrlText,
  filePath,
  formatUrl,
  parseQuery,
  parseUrl,
  transportOf,
  type Url,
} from "./url.ts";

/** A reference as attributes, the form that lock files hold. Keys in no particular order. */
type Plain = string | number | boolean;
export type RefAttributes = ReadonlyMap<string, Plain>;

export interface FlakeReference {
  /** `path`, `git`, `github`, `gitlab`, `sourcehut`, `tarball`, `file`, `indirect`, or `d2n` for what is built in. */
  readonly type: string;
  readonly attributes: RefAttributes;
  /** Folder of the flake within its source tree; "" for its root. */
  readonly dir: string;
}

const FLAKE_ID = /^[a-zA-Z][a-zA-Z0-9_-]*$/;
const REVISION = /^[0-9a-f]{40}([0-9a-f]{24})?$/;
const SHA1 = /^[0-9a-fA-F]{40}$/;
/** Names, as in `nixpkgs`, `nixpkgs/branch` and `nixpkgs/branch/commit`, with a fragment perhaps. */
const NAMED =
  /^([a-zA-Z][a-zA-Z0-9_-]*(?:\/(?:[0-9a-fA-F]{40}|[a-zA-Z0-9@][a-zA-Z0-9_./@+-]*))?)(?:#((?:[a-zA-Z0-9._~!$&'"()*+,;=:@/? ^-]|%[0-9a-fA-F]{2})*))?$/;

const HINT =
  "Write a path (`.`, `./sub`, `/abs`), or a URL like `path:…`, `git+file:///…`, `git+https://…`, `github:owner/repo`.";

function refused(message: string, hint = HINT): D2nError {
  return new D2nError("flake-reference", message, { hint });
}

function invalid(text: string, why: string): D2nError {
  return refused(`\`${text}\` is not a valid flake reference: ${why}`);
}

/** From attributes, as in a lock file or `inputs.x = { type = …; }`. @throws D2nError `flake-reference` */
export function referenceFromAttributes(attributes: RefAttributes): FlakeReference {
  const rest = new Map(attributes);
  const type = rest.get("type");
  if (type === undefined) throw refused("'type' attribute to specify input scheme is required but not provided");
  if (typeof type !== "string") throw refused(`input attribute 'type' is not a string ${json(attributes)}`);
  rest.delete("dir");
  checkAttributes(type, rest);
  let checked: Map<string, Plain>;
  try {
    checked = checkInput(type, rest);
  } catch (error) {
    if (error instanceof BadUrl) throw refused(error.message);
    throw error;
  }
  return { type, attributes: checked, dir: textAttribute(attributes, "dir") ?? "" };
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
  hg: ["url", "ref", "rev", "revCount", "narHash", "name"],
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

export interface ParseOptions {
  /** Paths from the root only, as in `builtins.parseFlakeRef`, and in the words of Nix; what is wrong with a commit shows later. */
  readonly absolute?: boolean;
}

/**
 * Parses the URL-like forms. Path-like references come back as type `path` with the path as written: who knows the
 * surroundings (working folder, parent flake) resolves them. A URL without a type is a tarball, whatever its ending.
 * @throws D2nError `flake-reference`
 */
export function parseReference(text: string, { absolute = false }: ParseOptions = {}): FlakeReference {
  let found: { reference: FlakeReference; fragment: string };
  try {
    found = !absolute && isPathLike(text) ? parsePath(text) : (parseName(text) ?? parseUrlOrPath(text, absolute));
  } catch (error) {
    if (!(error instanceof BadUrl)) throw error;
    throw absolute ? refused(error.message) : invalid(text, error.message);
  }
  const { reference, fragment } = found;
  if (fragment !== "") throw refused(`unexpected fragment '${fragment}' in flake reference '${text}'`);
  const rev = reference.attributes.get("rev");
  if (!absolute && reference.type !== "path" && rev !== undefined && !REVISION.test(String(rev).toLowerCase()))
    throw invalid(text, "`rev` wants the full hash of a commit");
  return reference;
}

function parseName(text: string): { reference: FlakeReference; fragment: string } | undefined {
  const named = NAMED.exec(text);
  if (named === null) return undefined;
  const [, name = "", fragment = ""] = named;
  const url = { scheme: "flake", authority: undefined, path: name.split("/"), query: new Map(), fragment: "" };
  return { reference: fromUrl(url), fragment: decodeUrlText(fragment) };
}

function parseUrlOrPath(text: string, absolute: boolean): { reference: FlakeReference; fragment: string } {
  let why = "it is neither a path, a URL, nor the name of a flake";
  try {
    const url = parseUrl(text, { lenient: true });
    return { reference: fromUrl({ ...url, fragment: "" }), fragment: url.fragment };
  } catch (error) {
    if (!(error instanceof BadUrl)) throw error;
    if (/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text)) why = error.message;
  }
  if (text.startsWith("/") || !absolute) {
    if (!isPathLike(text)) throw invalid(text, why);
    return parsePath(text);
  }
  // As Nix does, which complains of these before it does of the path.
  const { query, fragment } = splitPath(text);
  parseQuery(query, { lenient: true });
  decodeUrlText(fragment);
  throw refused(`flake reference '${text}' is not an absolute path`, `${HINT} Read as a URL: ${why}.`);
}

function splitPath(text: string): { path: string; query: string; fragment: string } {
  const [, path = "", query = "", fragment = ""] = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text)!;
  return { path, query, fragment };
}

/** A path is taken as it is: percent signs in it are percent signs. */
function parsePath(text: string): { reference: FlakeReference; fragment: string } {
  const { path, query, fragment } = splitPath(text);
  const url: Url = {
    scheme: "path",
    authority: path.startsWith("/") ? "" : undefined,
    path: (path === "" ? "." : path.replace(/\/+/g, "/")).split("/"),
    query: parseQuery(query, { lenient: true }),
    fragment: "",
  };
  return { reference: fromUrl(url), fragment: decodeUrlText(fragment) };
}

/** @throws BadUrl where it might be something else, D2nError where it is wrong */
function fromUrl(whole: Url): FlakeReference {
  const query = new Map(whole.query);
  const dir = query.get("dir") ?? "";
  query.delete("dir");
  const url = { ...whole, query };
  const { scheme } = url;
  const make = (type: string, attributes: Iterable<readonly [string, Plain]>): FlakeReference => ({
    type,
    attributes: checkInput(type, new Map([["type", type], ...attributes])),
    dir,
  });
  if (scheme === "d2n") return make("d2n", [["id", url.path.join("/")]]);
  if (scheme === "flake") return make("indirect", indirectAttributes(url));
  if (scheme === "path") return make("path", pathAttributes(url));
  if (scheme === "github" || scheme === "gitlab" || scheme === "sourcehut") return make(scheme, forgeAttributes(url));
  if (scheme === "git" || applicationOf(scheme) === "git") return make("git", gitAttributes(url));
  if (/^hg\+(?:https?|ssh|file)$/.test(scheme)) return make("hg", mercurialAttributes(url));
  const archive = /^(?:(tarball|file)\+)?(?:https?|file)$/.exec(scheme);
  if (archive !== null) return make(archive[1] ?? "tarball", archiveAttributes(url));
  const swapped = scheme === "file+git" ? "; did you mean 'git+file' instead of 'file+git'?" : "";
  throw refused(`input '${formatUrl(url)}' is unsupported${swapped}`);
}

type Attributes = Iterable<readonly [string, Plain]>;

function indirectAttributes(url: Url): Attributes {
  const [id = "", first, second, ...more] = url.path.filter((part) => part !== "");
  if (id === "" || more.length > 0) throw new BadUrl(`GitHub URL '${formatUrl(url)}' is invalid`);
  const attributes: [string, string][] = [["id", id]];
  const where = `in flake URL '${formatUrl(url)}', `;
  if (second !== undefined) {
    if (!isRefName(first!)) throw new BadUrl(`${where}'${first}' is not a branch/tag name`);
    if (!SHA1.test(second)) throw new BadUrl(`${where}'${second}' is not a commit hash`);
    attributes.push(["ref", first!], ["rev", second.toLowerCase()]);
  } else if (first !== undefined) {
    if (SHA1.test(first)) attributes.push(["rev", first.toLowerCase()]);
    else if (isRefName(first)) attributes.push(["ref", first]);
    else throw new BadUrl(`${where}'${first}' is not a commit hash or branch/tag name`);
  }
  return attributes;
}

function pathAttributes(url: Url): Attributes {
  const shown = `path URL '${formatUrl(url)}'`;
  if (url.authority) throw refused(`${shown} should not have an authority ('${url.authority}')`);
  const attributes: [string, Plain][] = [["path", filePath(url.path)]];
  for (const [name, value] of [...url.query].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (name === "rev" || name === "narHash") attributes.push([name, value]);
    else if (name !== "revCount" && name !== "lastModified")
      throw refused(`${shown} has unsupported parameter '${name}'`);
    else if (/^[0-9]+$/.test(value)) attributes.push([name, Number(value)]);
    else throw refused(`${shown} has invalid parameter '${name}'`);
  }
  return attributes;
}

function forgeAttributes(url: Url): Attributes {
  const [owner, repo, ...at] = url.path.filter((part) => part !== "");
  const shown = `URL '${formatUrl(url)}'`;
  if (owner === undefined || repo === undefined) throw new BadUrl(`${shown} is invalid: it wants owner/repository`);
  const attributes: [string, string][] = [
    ["owner", owner],
    ["repo", repo],
  ];
  const point = at.join("/");
  if (at.length > 0) attributes.push([SHA1.test(point) ? "rev" : "ref", point]);
  for (const name of ["rev", "ref", "host", "narHash"]) {
    const value = url.query.get(name);
    if (value === undefined) continue;
    if (attributes.some(([had]) => had === name))
      throw new BadUrl(`${shown} contains multiple ${name === "rev" ? "commit hashes" : "branch/tag names"}`);
    attributes.push([name, value]);
  }
  return attributes;
}

const GIT_FLAGS = "shallow submodules lfs exportIgnore allRefs verifyCommit".split(" ");
const GIT_TEXTS = "rev ref keytype publicKey publicKeys".split(" ");

/** Parameters that Nix knows nothing of are the server's. */
function gitAttributes(url: Url): Attributes {
  const query = new Map(url.query);
  const attributes: [string, Plain][] = [];
  for (const [name, value] of url.query) {
    if (GIT_TEXTS.includes(name)) attributes.push([name, value]);
    else if (GIT_FLAGS.includes(name)) attributes.push([name, value === "1"]);
    else continue;
    query.delete(name);
  }
  return [["url", formatUrl({ ...url, query })], ...attributes];
}

function mercurialAttributes(url: Url): Attributes {
  const query = new Map(url.query);
  const attributes = [...url.query].filter(([name]) => name === "ref" || name === "rev");
  for (const [name] of attributes) query.delete(name);
  return [["url", formatUrl({ ...url, scheme: transportOf(url.scheme), query })], ...attributes];
}

function archiveAttributes(url: Url): Attributes {
  const query = new Map(url.query);
  const attributes: [string, Plain][] = [];
  for (const name of ["narHash", "rev"]) if (query.has(name)) attributes.push([name, query.get(name)!]);
  for (const name of ["revCount", "lastModified"])
    if (/^[0-9]+$/.test(query.get(name) ?? "")) attributes.push([name, Number(query.get(name))]);
  for (const name of ARCHIVE_ATTRIBUTES) query.delete(name);
  return [["url", formatUrl({ ...url, scheme: transportOf(url.scheme), query })], ...attributes];
}

/** What each type of input wants of its attributes; gives them with the address of a git repository as a URL. */
function checkInput(type: string, attributes: RefAttributes): Map<string, Plain> {
  const checked = new Map(attributes);
  switch (type) {
    case "path":
      required(attributes, "path");
      break;
    case "indirect": {
      const id = required(attributes, "id");
      if (!FLAKE_ID.test(id)) throw new BadUrl(`'${id}' is not a valid flake ID`);
      break;
    }
    case "github":
    case "gitlab":
    case "sourcehut":
      checkForge(attributes);
      break;
    case "git": {
      const ref = textAttribute(attributes, "ref");
      if (ref !== undefined && !isRefName(ref)) throw new BadUrl(`invalid Git branch/tag name '${ref}'`);
      checked.set("url", gitUrl(required(attributes, "url")));
      for (const flag of GIT_FLAGS)
        if (typeof (attributes.get(flag) ?? false) !== "boolean")
          throw refused(`input attribute '${flag}' is not a Boolean`);
      break;
    }
    case "hg": {
      parseUrl(required(attributes, "url"));
      const ref = textAttribute(attributes, "ref");
      if (ref !== undefined && !/^[a-zA-Z0-9@][a-zA-Z0-9_./@+-]*$/.test(ref))
        throw new BadUrl(`invalid Mercurial branch/tag name '${ref}'`);
    }
  }
  textAttribute(attributes, "ref");
  for (const name of ["revCount", "lastModified"])
    if (typeof (attributes.get(name) ?? 0) !== "number") throw refused(`input attribute '${name}' is not an integer`);
  return checked;
}

function checkForge(attributes: RefAttributes): void {
  required(attributes, "owner");
  required(attributes, "repo");
  const [ref, rev, host] = ["ref", "rev", "host"].map((name) => textAttribute(attributes, name));
  if (ref !== undefined && rev !== undefined)
    throw new BadUrl(
      `input ${json(attributes)} contains both a commit hash ('${rev}') and a branch/tag name ('${ref}')`,
    );
  if (rev !== undefined) parseHash(rev, "sha1");
  if (ref !== undefined && !isRefName(ref))
    throw new BadUrl(`input ${json(attributes)} contains an invalid branch/tag name`);
  if (host !== undefined && !/^[a-zA-Z0-9.-]*$/.test(host))
    throw new BadUrl(`input ${json(attributes)} contains an invalid instance host`);
}

/** The address of a repository as a URL: `user@host:path` is one of `ssh:`, a path one of `file:`. */
function gitUrl(address: string): string {
  const url = address.startsWith("/") ? address : address.replace(/^([^/]*)@(.*):(.*)$/, "ssh://$1@$2/$3");
  if (!/^(?:git\+)?file:/.test(url) && !url.includes("://")) {
    const path = url.split("/");
    if (path[0]!.includes(":"))
      throw new BadUrl(`SCP-like URL '${url}' is not supported; use SSH URL syntax instead (ssh://...)`);
    const authority = url.startsWith("/") ? "" : undefined;
    return formatUrl({ scheme: "file", authority, path, query: new Map(), fragment: "" });
  }
  const parsed = parseUrl(url);
  const { scheme } = parsed;
  return formatUrl({ ...parsed, scheme: applicationOf(scheme) === "git" ? transportOf(scheme) : scheme });
}

/** Whether git takes it as the name of a branch, a tag or a reference (git-check-ref-format). */
function isRefName(name: string): boolean {
  if (name === "@" || /[\0-\x20\x7f~^:?*[\\]|\.\.|@\{|\.$/.test(name)) return false;
  if (name.startsWith("-") && !name.includes("/")) return false;
  return name.split("/").every((part) => part !== "" && !part.startsWith(".") && !part.endsWith(".lock"));
}

function textAttribute(attributes: RefAttributes, name: string): string | undefined {
  const value = attributes.get(name);
  if (value !== undefined && typeof value !== "string")
    throw refused(`input attribute '${name}' is not a string ${json(attributes)}`);
  return value;
}

function required(attributes: RefAttributes, name: string): string {
  const value = textAttribute(attributes, name);
  if (value === undefined) throw refused(`input attribute '${name}' is missing`);
  return value;
}

/** Attributes as an object, in the order of their names: as lock files, registries and messages have them. */
export function sortedAttributes(attributes: RefAttributes): Record<string, Plain> {
  return Object.fromEntries([...attributes].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function json(attributes: RefAttributes): string {
  return JSON.stringify(sortedAttributes(attributes));
}
