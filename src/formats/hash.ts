/**
 * Hashes and their representations (Nix manual, "nix hash", and libutil/hash): base 16, Nix's base 32, base 64, SRI.
 */
import { createHash, hash as digest } from "node:crypto";
import { base32Length, decodeBase32, encodeBase32 } from "./base32.ts";
import { FormatError } from "./errors.ts";

export type HashAlgorithm = "md5" | "sha1" | "sha256" | "sha512";

export type HashFormat = "base16" | "nix32" | "base64" | "sri";

export interface Hash {
  readonly algorithm: HashAlgorithm;
  readonly bytes: Uint8Array;
}

/** The size of a digest in bytes. */
export const hashSizes: Readonly<Record<HashAlgorithm, number>> = { md5: 16, sha1: 20, sha256: 32, sha512: 64 };

export function isHashAlgorithm(name: string): name is HashAlgorithm {
  return Object.hasOwn(hashSizes, name);
}

/** @throws FormatError unless it is one of md5, sha1, sha256, sha512. */
export function parseHashAlgorithm(name: string): HashAlgorithm {
  if (isHashAlgorithm(name)) return name;
  throw new FormatError(
    "hash-malformed",
    name === "blake3"
      ? "hash algorithm 'blake3' is experimental in Nix and not supported"
      : `unknown hash algorithm '${name}', expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'`,
  );
}

/** The hash of bytes; a string stands for its latin-1 bytes. */
export function hashBytes(algorithm: HashAlgorithm, data: string | Uint8Array): Hash {
  const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
  return { algorithm, bytes: digest(algorithm, bytes, "buffer") };
}

/** The lower-case hexadecimal hash of bytes; a string stands for its latin-1 bytes. */
export function hashHex(algorithm: HashAlgorithm, data: string | Uint8Array): string {
  return digest(algorithm, typeof data === "string" ? Buffer.from(data, "latin1") : data, "hex");
}

/** Hashes what arrives in pieces and counts it. */
export class Hasher {
  readonly algorithm: HashAlgorithm;
  /** Bytes so far. */
  size = 0;
  #hash: ReturnType<typeof createHash>;

  constructor(algorithm: HashAlgorithm) {
    this.algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  update(data: string | Uint8Array): this {
    if (typeof data === "string") this.#hash.update(data, "latin1");
    else this.#hash.update(data);
    this.size += data.length;
    return this;
  }

  /** Ends the work; nothing can be added afterwards. */
  finish(): Hash {
    return { algorithm: this.algorithm, bytes: this.#hash.digest() };
  }
}

/** A hash as text. `sri` always names the algorithm; the others do with `prefixed`: `sha256:…`. */
export function formatHash(hash: Hash, format: HashFormat, prefixed = false): string {
  if (format === "sri") return `${hash.algorithm}-${toBuffer(hash.bytes).toString("base64")}`;
  const text =
    format === "nix32"
      ? encodeBase32(hash.bytes)
      : toBuffer(hash.bytes).toString(format === "base16" ? "hex" : "base64");
  return prefixed ? `${hash.algorithm}:${text}` : text;
}

export function equalHashes(a: Hash, b: Hash): boolean {
  return a.algorithm === b.algorithm && toBuffer(a.bytes).equals(b.bytes);
}

export interface ParsedHash {
  readonly hash: Hash;
  /** The format it was written in. */
  readonly format: HashFormat;
}

/**
 * Reads a hash in any representation that Nix accepts: `sha256-…` (SRI), `sha256:…` or bare digits in base 16, 32 or 64,
 * told apart by their length. `expected` is the algorithm of bare digits; if both are known they must agree.
 * @throws FormatError
 */
export function parseHash(text: string, expected?: HashAlgorithm): Hash {
  return parseHashWithFormat(text, expected).hash;
}

export function parseHashWithFormat(text: string, expected?: HashAlgorithm): ParsedHash {
  let rest = text;
  let named: HashAlgorithm | undefined;
  let sri = false;
  let separator = text.indexOf(":");
  if (separator < 0) {
    separator = text.indexOf("-");
    sri = separator >= 0;
  }
  if (separator >= 0) {
    named = parseHashAlgorithm(text.slice(0, separator));
    rest = text.slice(separator + 1);
  }
  if (named === undefined && expected === undefined)
    throw new FormatError(
      "hash-malformed",
      `hash '${text}' does not include a type, nor is the type otherwise known from context`,
      { hint: `Write it with its algorithm: \`sha256-…\` or \`sha256:${text}\`.` },
    );
  if (named !== undefined && expected !== undefined && named !== expected)
    throw new FormatError("hash-malformed", `hash '${text}' should have type '${expected}'`);
  const algorithm = (named ?? expected)!;
  const size = hashSizes[algorithm];
  const format = sri ? "sri" : formatOfLength(rest, algorithm);
  const bytes = format === "base16" ? decodeBase16(rest) : format === "nix32" ? decodeBase32(rest) : decodeBase64(rest);
  if (bytes.length !== size)
    throw new FormatError(
      "hash-malformed",
      `invalid ${format === "sri" ? "SRI" : format} hash '${rest}', length ${bytes.length} != expected length ${size}`,
    );
  return { hash: { algorithm, bytes }, format };
}

function formatOfLength(digits: string, algorithm: HashAlgorithm): "base16" | "nix32" | "base64" {
  const size = hashSizes[algorithm];
  if (digits.length === size * 2) return "base16";
  if (digits.length === base32Length(size)) return "nix32";
  if (digits.length === Math.ceil(size / 3) * 4) return "base64";
  throw new FormatError("hash-malformed", `hash '${digits}' has wrong length for hash algorithm '${algorithm}'`);
}

/** @throws FormatError for anything but pairs of hexadecimal digits, of either case. */
export function decodeBase16(text: string): Uint8Array {
  if (text.length % 2 !== 0 || /[^0-9a-fA-F]/.test(text))
    throw new FormatError("hash-malformed", `invalid base-16 string '${text}'`);
  return Buffer.from(text, "hex");
}

/** Base 64 as Nix reads it: line ends are skipped, what follows `=` is ignored, padding may be missing. */
export function decodeBase64(text: string): Uint8Array {
  const end = text.indexOf("=");
  const digits = (end < 0 ? text : text.slice(0, end)).replaceAll("\n", "");
  if (/[^A-Za-z0-9+/]/.test(digits))
    throw new FormatError("hash-malformed", `invalid character in Base64 string '${text}'`);
  return Buffer.from(digits, "base64");
}

/** Folds a hash into fewer bytes by XOR; store paths use 20 bytes of a SHA-256. */
export function compressHash(bytes: Uint8Array, size: number): Uint8Array {
  const folded = new Uint8Array(size);
  for (let i = 0; i < bytes.length; i++) folded[i % size]! ^= bytes[i]!;
  return folded;
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
