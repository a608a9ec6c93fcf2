/**
 * Store paths: their syntax and how they are computed (Nix manual, "Complete Store Path Calculation"). The store directory
 * is always a parameter. Paths and names are byte strings: one code unit a byte.
 */
import { encodeBase32, isBase32 } from "./base32.ts";
import { FormatError } from "./errors.ts";
import { compressHash, formatHash, type Hash, hashBytes, hashHex } from "./hash.ts";

/** Characters of the hash part. */
export const hashPartLength = 32;

/** Nix refuses longer names: the store path must fit a file name with room for `.lock` and the like. */
const maxNameLength = 211;

/**
 * Checks the name of a store object.
 * @throws FormatError with Nix's wording.
 */
export function checkStorePathName(name: string): void {
  if (name.length === 0) throw invalid("name must not be empty");
  if (name.length > maxNameLength) throw invalid(`name '${name}' must be no longer than ${maxNameLength} characters`);
  if (name.charCodeAt(0) === 0x2e) {
    if (name === "." || name === "..") throw invalid(`name '${name}' is not valid`);
    const dots = name.startsWith(".-") ? "." : name.startsWith("..-") ? ".." : undefined;
    if (dots !== undefined)
      throw invalid(`name '${name}' is not valid: first dash-separated component must not be '${dots}'`);
  }
  for (let i = 0; i < name.length; i++)
    if (!isNameCharacter(name.charCodeAt(i))) throw invalid(`name '${name}' contains illegal character '${name[i]}'`);
}

/** Whether it can name a store object. */
export function isStorePathName(name: string): boolean {
  if (name.length === 0 || name.length > maxNameLength || name === "." || name === "..") return false;
  if (name.startsWith(".-") || name.startsWith("..-")) return false;
  for (let i = 0; i < name.length; i++) if (!isNameCharacter(name.charCodeAt(i))) return false;
  return true;
}

function isNameCharacter(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) || // a-z
    (code >= 0x41 && code <= 0x5a) || // A-Z
    (code >= 0x30 && code <= 0x39) || // 0-9
    code === 0x2b || // +
    code === 0x2d || // -
    code === 0x2e || // .
    code === 0x5f || // _
    code === 0x3f || // ?
    code === 0x3d // =
  );
}

/** A store path taken apart. */
export interface StorePathParts {
  readonly hashPart: string;
  readonly name: string;
}

/**
 * Takes `<hash>-<name>` apart.
 * @throws FormatError
 */
export function parseStorePathBase(base: string): StorePathParts {
  if (base.length < hashPartLength + 1) throw invalid(`'${base}' is too short to be a valid store path`);
  if (base.charCodeAt(hashPartLength) !== 0x2d)
    throw invalid(`'${base}' can't name a store path because the hash part is not followed by a '-'`);
  for (let i = 0; i < hashPartLength; i++)
    if (!isBase32(base.charCodeAt(i)))
      throw invalid(`store path '${base}' contains illegal base-32 character '${base[i]}'`);
  const name = base.slice(hashPartLength + 1);
  try {
    checkStorePathName(name);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw invalid(`path '${base}' is not a valid store path: ${error.message}`);
  }
  return { hashPart: base.slice(0, hashPartLength), name };
}

/**
 * Takes a whole store path apart; it must lie directly in the store directory.
 * @throws FormatError
 */
export function parseStorePath(storeDir: string, path: string): StorePathParts {
  if (!path.startsWith(storeDir) || path.charCodeAt(storeDir.length) !== 0x2f)
    throw invalid(`path '${path}' is not in the Nix store`);
  return parseStorePathBase(path.slice(storeDir.length + 1));
}

/** Whether it is exactly a store path: in the store directory, nothing below it. */
export function isStorePath(storeDir: string, path: string): boolean {
  const start = storeDir.length + 1;
  if (path.length < start + hashPartLength + 2 || !path.startsWith(storeDir) || path.charCodeAt(start - 1) !== 0x2f)
    return false;
  for (let i = start; i < start + hashPartLength; i++) if (!isBase32(path.charCodeAt(i))) return false;
  return path.charCodeAt(start + hashPartLength) === 0x2d && isStorePathName(path.slice(start + hashPartLength + 1));
}

/** Whether a path lies below the store directory, store path or not. */
export function isInStore(storeDir: string, path: string): boolean {
  return path.length > storeDir.length + 1 && path.startsWith(storeDir) && path.charCodeAt(storeDir.length) === 0x2f;
}

/**
 * The store path that a path lies in, and what follows it (empty, or beginning with a slash).
 * @throws FormatError
 */
export function splitStorePath(storeDir: string, path: string): { readonly storePath: string; readonly rest: string } {
  if (!isInStore(storeDir, path)) throw invalid(`path '${path}' is not in the Nix store`);
  const slash = path.indexOf("/", storeDir.length + 1);
  const storePath = slash < 0 ? path : path.slice(0, slash);
  parseStorePath(storeDir, storePath);
  return { storePath, rest: slash < 0 ? "" : path.slice(slash) };
}

/** `<hash>-<name>`: the last component. */
export function storePathBase(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The 32 characters that the reference scanner looks for. */
export function storePathHashPart(path: string): string {
  const start = path.lastIndexOf("/") + 1;
  return path.slice(start, start + hashPartLength);
}

/** The name without the hash. */
export function storePathName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1 + hashPartLength + 1);
}

export function isDerivationPath(path: string): boolean {
  return path.endsWith(".drv");
}

/**
 * The root of all store path computations. `type` is `text`, `source`, `output:out` with references appended; `hash` is
 * `sha256:` and base 16.
 */
export function makeStorePath(storeDir: string, type: string, hash: string, name: string): string {
  checkStorePathName(name);
  const digest = hashBytes("sha256", `${type}:${hash}:${storeDir}:${name}`);
  return `${storeDir}/${encodeBase32(compressHash(digest.bytes, 20))}-${name}`;
}

/** References of a content-addressed object; `self` when it refers to itself. */
export interface StoreReferences {
  readonly others: Iterable<string>;
  readonly self: boolean;
}

const noReferences: StoreReferences = { others: [], self: false };

function typeWithReferences(type: string, references: StoreReferences): string {
  let text = type;
  for (const path of [...new Set(references.others)].sort()) text += `:${path}`;
  return references.self ? `${text}:self` : text;
}

/** Where a text lies: `builtins.toFile`, .drv files. */
export function makeTextPath(
  storeDir: string,
  name: string,
  content: string | Uint8Array,
  references: Iterable<string> = [],
): string {
  return makeStorePath(
    storeDir,
    typeWithReferences("text", { others: references, self: false }),
    `sha256:${hashHex("sha256", content)}`,
    name,
  );
}

/** How the content of a fixed-output path is hashed: the file itself, the NAR serialisation, or as a text. */
export type IngestionMethod = "flat" | "nar" | "text";

/**
 * Where a content-addressed object lies: sources added to the store and outputs of fixed-output derivations.
 * @throws FormatError if it has references but its method allows none.
 */
export function makeFixedOutputPath(
  storeDir: string,
  name: string,
  method: IngestionMethod,
  hash: Hash,
  references: StoreReferences = noReferences,
): string {
  const base16 = formatHash(hash, "base16", true);
  if (method === "text") {
    if (hash.algorithm !== "sha256" || references.self)
      throw invalid(`text object '${name}' must be hashed with sha256 and cannot refer to itself`);
    return makeStorePath(storeDir, typeWithReferences("text", references), base16, name);
  }
  if (method === "nar" && hash.algorithm === "sha256")
    return makeStorePath(storeDir, typeWithReferences("source", references), base16, name);
  if (references.self || !isEmpty(references.others))
    throw invalid(`fixed output derivation '${name}' is not allowed to refer to other store paths`);
  const digest = hashHex("sha256", `fixed:out:${method === "nar" ? "r:" : ""}${base16}:`);
  return makeStorePath(storeDir, "output:out", `sha256:${digest}`, name);
}

/** `name` for the output `out`, `name-output` for any other. */
export function outputPathName(derivationName: string, output: string): string {
  return output === "out" ? derivationName : `${derivationName}-${output}`;
}

/** Where an output of an input-addressed derivation lies; `modulo` is the derivation's hash modulo, base 16. */
export function makeOutputPath(storeDir: string, output: string, modulo: string, derivationName: string): string {
  return makeStorePath(storeDir, `output:${output}`, `sha256:${modulo}`, outputPathName(derivationName, output));
}

/** `builtins.placeholder`: stands for an output path that is not known yet. */
export function placeholder(output: string): string {
  return `/${encodeBase32(hashBytes("sha256", `nix-output:${output}`).bytes)}`;
}

function isEmpty(items: Iterable<unknown>): boolean {
  for (const _ of items) return false;
  return true;
}

function invalid(message: string): FormatError {
  return new FormatError("store-path-invalid", message, {
    hint: message.includes("illegal character")
      ? "Names of store objects consist of letters, digits and + - . _ ? =."
      : undefined,
  });
}
