/** Cryptographic hashes (manual, "convertHash", "hashString"; `hashFile` is with the files). */
import { EvalError } from "../errors.ts";
import {
  formatHash,
  type HashAlgorithm,
  type HashFormat,
  hashHex,
  isHashAlgorithm,
  parseHash,
} from "../../formats/index.ts";
import { forceAttrs, forceStringNoContext, forceText } from "../operations/index.ts";
import type { Lazy } from "../values/thunk.ts";
import { requireAttr } from "./attrsets.ts";
import type { Family } from "./interpreter.ts";

/** @throws EvalError for a name that Nix doesn't know */
export function hashAlgorithm(name: string): HashAlgorithm {
  if (isHashAlgorithm(name)) return name;
  throw new EvalError(
    `unknown hash algorithm '${name}', expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'`,
    name === "blake3" ? { hint: "BLAKE3 is not supported; use 'sha256' or 'sha512'." } : {},
  );
}

function hashFormat(name: string): HashFormat {
  if (name === "base16" || name === "nix32" || name === "base64" || name === "sri") return name;
  if (name === "base32") return "nix32";
  throw new EvalError(`unknown hash format '${name}', expect 'base16', 'base32', 'base64', or 'sri'`);
}

export const hashes: Family = {
  /** The hash of a string, in base 16. */
  hashString(algorithm: Lazy, string: Lazy): string {
    const name = forceStringNoContext(algorithm, "while evaluating the first argument passed to builtins.hashString");
    const known = hashAlgorithm(name);
    return hashHex(known, forceText(string, "while evaluating the second argument passed to builtins.hashString"));
  },

  /** Writes a hash in another format: `{ hash, hashAlgo, toHashFormat }`. */
  convertHash(lazy: Lazy): string {
    const attrs = forceAttrs(lazy, "while evaluating the first argument passed to builtins.convertHash");
    const hash = forceStringNoContext(
      requireAttr(attrs, "hash", "while locating the attribute 'hash'"),
      "while evaluating the attribute 'hash'",
    );
    const given = attrs.get("hashAlgo");
    const algorithm =
      given === undefined
        ? undefined
        : hashAlgorithm(forceStringNoContext(given, "while evaluating the attribute 'hashAlgo'"));
    const format = hashFormat(
      forceStringNoContext(
        requireAttr(attrs, "toHashFormat", "while locating the attribute 'toHashFormat'"),
        "while evaluating the attribute 'toHashFormat'",
      ),
    );
    return formatHash(parseHash(hash, algorithm), format);
  },
};
