/** `nix-hash`, `nix hash`: hashes of files and trees, and from one form to another. */
import { lstatSync, readFileSync, statSync } from "node:fs";
import { D2nError } from "../../base/index.ts";
import {
  compressHash,
  formatHash,
  type Hash,
  type HashAlgorithm,
  type HashFormat,
  hashBytes,
  hashFileSync,
  hashNarSync,
  parseHashAlgorithm,
  parseHashWithFormat,
} from "../../formats/index.ts";

export type { HashFormat } from "../../formats/index.ts";

export interface HashPathOptions {
  readonly path: string;
  /** "flat": the file's content; "nar": its serialisation, with folders as a whole. */
  readonly method: "flat" | "nar";
  readonly algorithm: string;
  readonly format: HashFormat;
  /** Shortened to 20 bytes. */
  readonly truncate?: boolean;
}

/** @param options path: absolute. @throws D2nError `file-access` where nothing is */
export function hashPath({ path, method, algorithm, format, truncate }: HashPathOptions): string {
  const named = parseHashAlgorithm(algorithm);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined)
    throw new D2nError("file-access", `path '${path}' does not exist`);
  const { hash } =
    method === "flat"
      ? { hash: isPipe(path) ? hashBytes(named, readFileSync(path)) : hashFileSync(path, named).hash }
      : hashNarSync(path, undefined, named);
  const short: Hash =
    truncate === true && hash.bytes.length > 20 ? { algorithm: named, bytes: compressHash(hash.bytes, 20) } : hash;
  return formatHash(short, format, false);
}

/** `<(…)` of a shell: its size is not known beforehand. */
function isPipe(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() === true;
}

/**
 * @param algorithm where the text does not name one itself
 * @param from the form that the text has to have
 * @throws FormatError for what is no hash; D2nError `hash-malformed` for one in another form
 */
export function convertHash(text: string, algorithm: string | undefined, to: HashFormat, from?: HashFormat): string {
  const expected: HashAlgorithm | undefined = algorithm === undefined ? undefined : parseHashAlgorithm(algorithm);
  const { hash, format } = parseHashWithFormat(text, expected);
  if (from !== undefined && from !== format)
    throw new D2nError(
      "hash-malformed",
      `input hash '${text}' has format '${format}', but '--from ${from}' was specified`,
    );
  return formatHash(hash, to, false);
}
