/** Content addresses as databases and .narinfo files write them: `text:sha256:…`, `fixed:r:sha256:…`, `fixed:sha256:…`. */
import { FormatError } from "./errors.ts";
import { formatHash, type Hash, parseHash } from "./hash.ts";
import { type IngestionMethod, makeFixedOutputPath, storePathName } from "./store-path.ts";

export interface ContentAddress {
  readonly method: IngestionMethod;
  readonly hash: Hash;
}

export function printContentAddress({ method, hash }: ContentAddress): string {
  const prefix = method === "text" ? "text:" : method === "nar" ? "fixed:r:" : "fixed:";
  return prefix + formatHash(hash, "nix32", true);
}

/** @throws FormatError */
export function parseContentAddress(text: string): ContentAddress {
  const match = /^(text:|fixed:r:|fixed:)(.*)$/.exec(text);
  if (match === null) throw new FormatError("hash-malformed", `'${text}' is not a content address`);
  const method = match[1] === "text:" ? "text" : match[1] === "fixed:r:" ? "nar" : "flat";
  return { method, hash: parseHash(match[2]!) };
}

/** Whether a path is the one that its content address and references lead to. */
export function contentAddressFits(
  storeDir: string,
  path: string,
  address: ContentAddress,
  references: Iterable<string>,
): boolean {
  const all = [...references];
  const others = all.filter((reference) => reference !== path);
  try {
    return (
      makeFixedOutputPath(storeDir, storePathName(path), address.method, address.hash, {
        others,
        self: others.length < all.length,
      }) === path
    );
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}
