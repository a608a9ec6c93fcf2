/**
 * Signatures of store paths: ed25519 with keys in Nix's form, `name:base64` (64 bytes of a secret key, 32 of a public one).
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { FormatError } from "./errors.ts";
import { formatHash, type Hash } from "./hash.ts";

/** The fixed DER around the 32 bytes of a key, as PKCS #8 and SPKI have it. */
const privatePrefix = Buffer.from("302e020100300506032b657004220420", "hex");
const publicPrefix = Buffer.from("302a300506032b6570032100", "hex");

export interface SecretKey {
  readonly name: string;
  readonly key: KeyObject;
  /** What others check its signatures with. */
  readonly publicKey: PublicKey;
}

export interface PublicKey {
  readonly name: string;
  readonly key: KeyObject;
}

function split(text: string, size: number, what: string): { readonly name: string; readonly bytes: Buffer } {
  const trimmed = text.trim();
  const colon = trimmed.indexOf(":");
  const digits = trimmed.slice(colon + 1);
  const bytes = Buffer.from(digits, "base64");
  if (colon <= 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(digits) || bytes.length !== size)
    throw new FormatError(
      "signature-malformed",
      `this is no ${what}: it should be a name, a colon, and ${size} bytes in base 64`,
    );
  return { name: trimmed.slice(0, colon), bytes };
}

/** @throws FormatError `signature-malformed`; the message never shows the key */
export function parseSecretKey(text: string): SecretKey {
  const { name, bytes } = split(text, 64, "secret key");
  const key = createPrivateKey({
    key: Buffer.concat([privatePrefix, bytes.subarray(0, 32)]),
    format: "der",
    type: "pkcs8",
  });
  return { name, key, publicKey: { name, key: createPublicKey(key) } };
}

/** @throws FormatError `signature-malformed` */
export function parsePublicKey(text: string): PublicKey {
  const { name, bytes } = split(text, 32, "public key");
  return { name, key: createPublicKey({ key: Buffer.concat([publicPrefix, bytes]), format: "der", type: "spki" }) };
}

export function printPublicKey({ name, key }: PublicKey): string {
  return `${name}:${rawPublic(key).toString("base64")}`;
}

export function printSecretKey({ name, key, publicKey }: SecretKey): string {
  const seed = key.export({ format: "der", type: "pkcs8" }).subarray(-32);
  return `${name}:${Buffer.concat([seed, rawPublic(publicKey.key)]).toString("base64")}`;
}

function rawPublic(key: KeyObject): Buffer {
  return key.export({ format: "der", type: "spki" }).subarray(-32);
}

/** A new key. The name should say whose it is and which: `cache.example.org-1`. */
export function generateSecretKey(name: string): SecretKey {
  if (name === "" || name.includes(":")) throw new FormatError("signature-malformed", `'${name}' cannot name a key`);
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { name, key: privateKey, publicKey: { name, key: publicKey } };
}

/** What is signed of a store path: path, NAR hash, size, references. */
export interface SignedPath {
  readonly path: string;
  readonly narHash: Hash;
  readonly narSize: number;
  readonly references: readonly string[];
}

/** The text that signatures sign. */
export function fingerprint({ path, narHash, narSize, references }: SignedPath): string {
  return `1;${path};${formatHash(narHash, "nix32", true)};${narSize};${[...references].sort().join(",")}`;
}

/** `name:base64` */
export function signPath(path: SignedPath, secret: SecretKey): string {
  const signature = sign(null, Buffer.from(fingerprint(path), "latin1"), secret.key);
  return `${secret.name}:${signature.toString("base64")}`;
}

/** Whether a signature is of one of these keys and right. Anything malformed is simply not right. */
export function verifyPath(path: SignedPath, signature: string, keys: Iterable<PublicKey>): boolean {
  const colon = signature.indexOf(":");
  const bytes = Buffer.from(signature.slice(colon + 1), "base64");
  if (colon <= 0 || bytes.length !== 64) return false;
  const name = signature.slice(0, colon);
  for (const key of keys)
    if (key.name === name && verify(null, Buffer.from(fingerprint(path), "latin1"), key.key, bytes)) return true;
  return false;
}
