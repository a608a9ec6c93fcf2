/** Fetching (manual, "fetchurl", "fetchTarball", "fetchGit", "fetchTree", "fetchMercurial"). */
import { D2nError } from "../../base/index.ts";
import { checkStorePathName } from "../../formats/index.ts";
import { EvalError } from "../errors.ts";
import type { FetchTreeRequest, FetchTreeResult, Host } from "../host.ts";
import {
  addTrace,
  coerceToString,
  forceStringNoContext,
  isInteger,
  isString,
  showType,
  textOf,
} from "../operations/index.ts";
import { Attrs } from "../values/attrs.ts";
import { force, type Lazy } from "../values/thunk.ts";
import { NixPath, type NixString } from "../values/value.ts";
import type { Family, Interpreter } from "./interpreter.ts";
import { expectedSha256, storeString } from "./sources.ts";

export function fetchers(interpreter: Interpreter): Family {
  const { host } = interpreter;
  return {
    /** Downloads a file: a URL, or `{ url, name, sha256 }`. */
    fetchurl: (argument: Lazy): NixString => fetchUrl(host, argument, "fetchurl"),

    /** Downloads and unpacks a tarball, without its only top-level folder: a URL, or `{ url, name, sha256 }`. */
    fetchTarball: (argument: Lazy): NixString => fetchUrl(host, argument, "fetchTarball"),

    /** Fetches a revision of a git repository: a URL, or `{ url, rev, ref, … }`. */
    fetchGit: (argument: Lazy): Attrs => fetchTree(interpreter, argument, "fetchGit"),

    /** Fetches a tree: a flake reference, or its attributes. */
    fetchTree: (argument: Lazy): Attrs => fetchTree(interpreter, argument, "fetchTree"),

    /** Would fetch from a Mercurial repository. */
    fetchMercurial(argument: Lazy): never {
      force(argument);
      throw new EvalError("'fetchMercurial' is not supported: d2n does not use Mercurial", {
        hint: "Fetch the source with `builtins.fetchTarball` from an archive, or from a git mirror with `builtins.fetchGit`.",
      });
    },
  };
}

function fetchUrl(host: Host, argument: Lazy, who: "fetchurl" | "fetchTarball"): NixString {
  const urlContext = "while evaluating the url we should fetch";
  const value = force(argument);
  let url: string | undefined;
  let sha256: string | undefined;
  let name: string | undefined;
  if (value instanceof Attrs) {
    for (const [key, attribute] of value.entries()) {
      if (key === "url") url = forceStringNoContext(attribute, urlContext);
      else if (key === "sha256")
        sha256 = expectedSha256(
          host,
          forceStringNoContext(attribute, "while evaluating the sha256 of the content we should fetch"),
        );
      else if (key === "name")
        name = forceStringNoContext(attribute, "while evaluating the name of the content we should fetch");
      else throw new EvalError(`unsupported argument '${key}' to '${who}'`);
    }
    if (url === undefined) throw new EvalError("'url' argument required");
  } else url = forceStringNoContext(value, urlContext);
  if (who === "fetchTarball" && url.startsWith("channel:"))
    url = `https://channels.nixos.org/${url.slice("channel:".length)}/nixexprs.tar.xz`;
  const wanted = name ?? (who === "fetchTarball" ? "source" : "");
  const storeName = wanted === "" ? url.slice(url.replace(/\/$/, "").lastIndexOf("/") + 1).replace(/\/$/, "") : wanted;
  try {
    checkStorePathName(storeName);
  } catch (error) {
    if (!(error instanceof D2nError)) throw error;
    const advice =
      name !== undefined
        ? `Please change the value for the 'name' attribute passed to '${who}', so that it can create a valid store path.`
        : value instanceof Attrs
          ? `Please add a valid 'name' attribute to the argument for '${who}', so that it can create a valid store path.`
          : `Please pass an attribute set with 'url' and 'name' attributes to '${who}',  so that it can create a valid store path.`;
    throw new EvalError(`invalid store path name when fetching URL '${url}': ${error.message}. ${advice}`);
  }
  if (host.pure && sha256 === undefined)
    throw new EvalError(`in pure evaluation mode, '${who}' requires a 'sha256' argument`);
  checkUrl(url);
  return storeString(host.fetchUrl({ url, name: storeName, unpack: who === "fetchTarball", sha256 }));
}

function fetchTree({ host, world }: Interpreter, argument: Lazy, who: "fetchGit" | "fetchTree"): Attrs {
  const isGit = who === "fetchGit";
  const value = force(argument);
  const request = new Map<string, string | number | boolean>();
  if (isGit) request.set("type", "git");
  if (value instanceof Attrs) {
    const type = value.get("type");
    if (type !== undefined) {
      if (isGit) throw new EvalError("unexpected argument 'type'");
      request.set("type", forceStringNoContext(type, `while evaluating the \`type\` argument passed to '${who}'`));
    } else if (!isGit) throw new EvalError(`argument 'type' is missing in call to '${who}'`);
    for (const [key, attribute] of value.entries())
      if (key !== "type") request.set(key, plainAttribute(world, who, key, attribute));
    if (request.get("type") === "git" && !isGit && !request.has("shallow")) request.set("shallow", true);
    if (!isGit && request.has("name")) throw new EvalError(`argument 'name' isn’t supported in call to '${who}'`);
  } else {
    const reference = textOf(
      coerceToString(world, value, { copyToStore: false }, `while evaluating the first argument passed to '${who}'`),
    );
    if (isGit) request.set("url", gitUrl(reference));
    else {
      checkUrl(reference);
      if (host.parseFlakeReference === undefined)
        throw new EvalError(`passing a string argument to '${who}' is not supported by this host`);
      for (const [key, attribute] of host.parseFlakeReference(reference)) request.set(key, attribute);
      // A flake is a tree, so its URL means an archive in any case; here, only one that looks like it does.
      if (request.get("type") === "tarball" && !looksLikeArchive(reference)) request.set("type", "file");
    }
  }
  refuseRelativeFile(request);
  if (value instanceof Attrs && request.has("dir"))
    throw new EvalError(`input attribute 'dir' not supported by scheme '${String(request.get("type"))}'`);
  if (request.get("type") === "git") checkGitRequest(request);
  if (isGit && !request.has("exportIgnore") && request.get("submodules") !== true) request.set("exportIgnore", true);
  if (host.pure && !request.has("rev") && !request.has("narHash"))
    throw new EvalError(`in pure evaluation mode, '${who}' doesn't fetch unlocked input '${shown(host, request)}'`, {
      hint: "Name a revision (`rev`) or a hash (`narHash`), or allow impure evaluation.",
    });
  try {
    return treeAttrs(host.fetchTree(request), isGit);
  } catch (error) {
    throw addTrace(error, `while fetching the input '${shown(host, request)}'`);
  }
}

function shown(host: Host, request: FetchTreeRequest): string {
  try {
    return host.showFlakeReference!(request);
  } catch {
    // What has no such form at all is told by what it has.
    return String(request.get("url") ?? request.get("path") ?? request.get("type"));
  }
}

/** A URL is ASCII, whatever the path that it names. */
function checkUrl(url: string): void {
  if (/[^\x21-\x7e]/.test(url)) throw new EvalError(`'${url}' is not a valid URL: leftover`);
  if (!SCHEME.test(url)) throw new EvalError(`'${url}' doesn't have a scheme`);
}

const SCHEME = /^[a-zA-Z][a-zA-Z0-9+.-]*:/;

function looksLikeArchive(reference: string): boolean {
  return (
    reference.startsWith("tarball+") ||
    /\.(?:zip|tar|tgz|tar\.(?:gz|xz|bz2|zst))$/.test(reference.replace(/[?#].*$/s, ""))
  );
}

/** A `file:` URL of an archive names a file by its whole path. */
function refuseRelativeFile(request: ReadonlyMap<string, string | number | boolean>): void {
  const type = request.get("type");
  const url = request.get("url");
  if ((type !== "tarball" && type !== "file") || typeof url !== "string" || !/^file:(?!\/)/.test(url)) return;
  throw addTrace(
    new EvalError(`${type} '${url}' must use an absolute path. The 'file' scheme does not support relative paths.`),
    `while fetching the input '${url}'`,
  );
}

function plainAttribute(world: Interpreter["world"], who: string, key: string, lazy: Lazy): string | number | boolean {
  const value = force(lazy);
  if (isString(value) || value instanceof NixPath) {
    const text = textOf(coerceToString(world, value, { copyToStore: false }));
    return who === "fetchGit" && key === "url" ? gitUrl(text) : text;
  }
  if (typeof value === "boolean") return value;
  if (isInteger(value)) {
    if (value < 0) throw new EvalError(`negative value given for '${who}' argument '${key}': ${value}`);
    return Number(value);
  }
  if (key === "publicKeys") throw unverified();
  throw new EvalError(
    `argument '${key}' to '${who}' is ${showType(value)} while a string, Boolean or integer is expected`,
  );
}

const GIT_FLAGS = ["shallow", "submodules", "lfs", "exportIgnore", "allRefs", "verifyCommit"];
/** What may not stand in the name of a branch or a tag (git-check-ref-format). */
const BAD_REF = /^$|^@$|^[-./]|\/\/|\/\.|\.\.|@\{|[\0-\x20\x7f~^:?*[\\]|\.$|\/$|\.lock(\/|$)/;

/** What is wrong with a request for a git tree whatever is in the repository (Nix 2.34, libfetchers/git.cc). */
function checkGitRequest(request: FetchTreeRequest): void {
  for (const flag of GIT_FLAGS)
    if (request.has(flag) && typeof request.get(flag) !== "boolean")
      throw new EvalError(`input attribute '${flag}' is not a Boolean`);
  if (request.get("verifyCommit") === true || ["keytype", "publicKey", "publicKeys"].some((name) => request.has(name)))
    throw unverified();
  for (const name of ["ref", "rev"])
    if (request.has(name) && typeof request.get(name) !== "string")
      throw new EvalError(`input attribute '${name}' is not a string`);
  const ref = request.get("ref");
  if (typeof ref === "string" && BAD_REF.test(ref)) throw new EvalError(`invalid Git branch/tag name '${ref}'`);
  const rev = request.get("rev");
  if (typeof rev === "string" && !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(rev))
    throw new EvalError(`hash '${rev}' has wrong length for hash algorithm 'sha1'`);
  if (request.get("exportIgnore") === true && request.get("submodules") === true)
    throw new EvalError("exportIgnore and submodules are not supported together yet");
}

function unverified(): EvalError {
  return new EvalError(
    "experimental Nix feature 'verified-fetches' is disabled; add '--extra-experimental-features verified-fetches' to enable it",
  );
}

/** In front of a colon no host, but what git knows how to fetch by. */
const GIT_SCHEME = /^(git\+)?(ssh|https?|file|ftps?|git)$/;

/** A repository's address as a URL: paths become `file:`, `host:path` becomes `ssh:`. */
function gitUrl(address: string): string {
  if (address.startsWith("/")) {
    // A string here is bytes, and a path's percent signs are percent signs.
    const encode = (c: string): string => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
    return `file://${address.replace(/[^a-zA-Z0-9/:@._~-]/g, encode)}`;
  }
  const scp = /^([^/:]+):(?!\/\/)(.*)$/.exec(address);
  if (scp !== null && !GIT_SCHEME.test(scp[1]!)) return `ssh://${scp[1]}/${scp[2]!.replace(/^\//, "")}`;
  return address.replace(/^git\+(?=file:(?!\/\/))/, "");
}

/** The result as a set: `outPath` with its context, `rev`, `narHash`, `lastModified` and so on. */
function treeAttrs({ outPath, attributes }: FetchTreeResult, emptyRevFallback: boolean): Attrs {
  const result = new Map<string, Lazy>([["outPath", storeString(outPath)], ...attributes]);
  if (emptyRevFallback) {
    // As ever, `fetchGit` of a tree with uncommitted changes gives a revision of zeros.
    if (!result.has("rev")) result.set("rev", "0".repeat(40)).set("shortRev", "0".repeat(7));
    if (!result.has("revCount")) result.set("revCount", 0);
  }
  return Attrs.from(result);
}
