import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compressHash,
  decodeBase32,
  encodeBase32,
  equalHashes,
  formatHash,
  type HashAlgorithm,
  hashBytes,
  Hasher,
  hashHex,
  hashSizes,
  parseHash,
  parseHashWithFormat,
} from "./index.ts";

const algorithms = Object.keys(hashSizes) as HashAlgorithm[];
const anyHash = fc
  .constantFrom(...algorithms)
  .chain((algorithm) =>
    fc
      .uint8Array({ minLength: hashSizes[algorithm], maxLength: hashSizes[algorithm] })
      .map((bytes) => ({ algorithm, bytes })),
  );

describe("base 32", () => {
  it("any bytes survive", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        expect([...decodeBase32(encodeBase32(bytes))]).toEqual([...bytes]);
      }),
    );
  });
  it("gives the value of Nix's manual", () => {
    expect(formatHash(hashBytes("sha256", ""), "nix32")).toBe("0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73");
  });
  it.each(["e", "0", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "ä0", "00 0"])("%j is refused", (text) => {
    expect(() => decodeBase32(text)).toThrow(/base-32/);
  });
});

describe("hashes", () => {
  it("are read in every form they are written in", () => {
    fc.assert(
      fc.property(
        anyHash,
        fc.constantFrom("base16", "nix32", "base64", "sri"),
        fc.boolean(),
        (hash, format, prefixed) => {
          const parsed = parseHashWithFormat(formatHash(hash, format, prefixed), hash.algorithm);
          expect(equalHashes(parsed.hash, hash)).toBe(true);
          expect(parsed.format).toBe(format);
        },
      ),
    );
  });
  it("name their algorithm or get it from the context, and both agree", () => {
    const hash = hashBytes("sha256", "x");
    expect(equalHashes(parseHash(formatHash(hash, "sri")), hash)).toBe(true);
    expect(equalHashes(parseHash(formatHash(hash, "base16").toUpperCase(), "sha256"), hash)).toBe(true);
    expect(equalHashes(parseHash(formatHash(hash, "sri").replace("=", ""), "sha256"), hash)).toBe(true);
    expect(() => parseHash(formatHash(hash, "base16"))).toThrow(/does not include a type/);
    expect(() => parseHash(formatHash(hash, "sri"), "sha1")).toThrow(/should have type 'sha1'/);
  });
  it.each([
    ["md4:00", /unknown hash algorithm 'md4'/],
    ["sha256:abc", /wrong length/],
    ["sha256-abc", /length 2 != expected length 32/],
    [`sha256:${"g".repeat(64)}`, /base-16/],
    [`sha256-${"*".repeat(44)}`, /invalid character in Base64/],
    ["blake3-AAAA", /experimental/],
    ["", /does not include a type/],
    ["constructor:00", /unknown hash algorithm/],
  ])("%j is refused", (text, message) => {
    expect(() => parseHash(text)).toThrow(message);
  });
  it("a string stands for its latin-1 bytes, in one piece or many", () => {
    expect(hashHex("sha256", "\xe4\xff")).toBe(hashHex("sha256", Uint8Array.of(0xe4, 0xff)));
    const hasher = new Hasher("sha512").update("\xe4").update(Uint8Array.of(0xff));
    expect(hasher.size).toBe(2);
    expect(equalHashes(hasher.finish(), hashBytes("sha512", "\xe4\xff"))).toBe(true);
  });
  it("compressHash() folds by XOR", () => {
    expect([...compressHash(Uint8Array.of(1, 2, 3, 4, 5), 2)]).toEqual([1 ^ 3 ^ 5, 2 ^ 4]);
  });
});
