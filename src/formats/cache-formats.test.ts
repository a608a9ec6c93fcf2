import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  base32Alphabet,
  fingerprint,
  generateSecretKey,
  hashBytes,
  parseContentAddress,
  parseNarInfo,
  parsePublicKey,
  parseSecretKey,
  printContentAddress,
  printNarInfo,
  printPublicKey,
  printSecretKey,
  ReferenceScanner,
  signPath,
  verifyPath,
} from "./index.ts";

const storeDir = "/nix/store";
const path = `/nix/store/${"a".repeat(32)}-x`;
const signed = { path, narHash: hashBytes("sha256", "x"), narSize: 5, references: [path] };

describe("signatures", () => {
  it("keys survive, and what they sign is verified", () => {
    const secret = parseSecretKey(printSecretKey(generateSecretKey("example-1")));
    const key = parsePublicKey(`${printPublicKey(secret.publicKey)}\n`);
    const signature = signPath(signed, secret);
    expect(
      verifyPath(signed, signature, [parsePublicKey(printPublicKey(generateSecretKey("other").publicKey)), key]),
    ).toBe(true);
    expect(verifyPath({ ...signed, narSize: 6 }, signature, [key])).toBe(false);
    expect(verifyPath(signed, `other${signature}`, [key])).toBe(false);
    expect(verifyPath(signed, "example-1:AAAA", [key])).toBe(false);
    expect(verifyPath(signed, "", [key])).toBe(false);
    expect(fingerprint(signed)).toMatch(/^1;\/nix\/store\/a{32}-x;sha256:[0-9a-z]{52};5;\/nix\/store\/a{32}-x$/);
  });
  it.each(["", "name", "name:", ":AAAA", "name:!!!!", "name:AAAA"])("the key %j is refused", (text) => {
    expect(() => parsePublicKey(text)).toThrow(/public key/);
    expect(() => parseSecretKey(text)).toThrow(/secret key/);
  });
});

describe("narinfo", () => {
  const info = {
    path,
    url: "nar/x.nar.xz",
    compression: "xz",
    fileHash: hashBytes("sha256", "file"),
    fileSize: 3,
    narHash: hashBytes("sha256", "nar"),
    narSize: 10,
    references: [path, `/nix/store/${"b".repeat(32)}-y`],
    deriver: `/nix/store/${"c".repeat(32)}-x.drv`,
    signatures: ["a:b", "c:d"],
    ca: undefined,
  };
  it("survives", () => {
    expect(parseNarInfo(storeDir, printNarInfo(info))).toEqual(info);
    const least = {
      ...info,
      fileHash: undefined,
      fileSize: undefined,
      references: [],
      deriver: undefined,
      signatures: [],
    };
    expect(parseNarInfo(storeDir, printNarInfo(least))).toEqual(least);
    expect(parseNarInfo(storeDir, `${printNarInfo(info)}Unknown: field\n`)).toEqual(info);
  });
  it.each([
    ["StorePath: /nix/store/x\n", /too short/],
    ["StorePath", /no field/],
    [printNarInfo(info).replace("NarSize: 10", "NarSize: -1"), /no size/],
    [printNarInfo(info).replace("NarSize: 10", "NarSize: 0"), /NarSize is 0/],
    [printNarInfo(info).replace(/NarHash.*\n/, ""), /lacks the field 'NarHash'/],
    [printNarInfo(info).replace(/NarHash: sha256:/, "NarHash: sha1:"), /wrong length/],
    [`${printNarInfo(info)}NarSize: 10\n`, /twice/],
    [printNarInfo(info).replace("References: ", "References: ../x "), /too short/],
    [`${printNarInfo(info)}CA: nonsense\n`, /content address/],
  ])("%# is refused", (text, message) => {
    expect(() => parseNarInfo(storeDir, text)).toThrow(message);
    expect(() => parseNarInfo(storeDir, text)).toThrow(expect.objectContaining({ code: "narinfo-malformed" }));
  });
});

describe("content addresses", () => {
  it.each(["nar", "flat", "text"] as const)("%s survives", (method) => {
    const address = { method, hash: hashBytes("sha256", "x") };
    expect(parseContentAddress(printContentAddress(address))).toMatchObject({ method });
  });
});

describe("ReferenceScanner", () => {
  const hash = (seed: number) =>
    Array.from({ length: 32 }, (_, i) => base32Alphabet[(seed * 7 + i * (seed + 3)) % 32]).join("");
  const paths = [1, 2, 3].map((seed) => `/nix/store/${hash(seed)}-name${seed}`);

  it("finds hashes wherever pieces are cut", () => {
    const text = Buffer.from(
      `xx${hash(1)}yy${hash(2).slice(0, 20)}E${hash(2)}${hash(2)}0123456789abcdfghijklmnpqrsvwxyz`,
    );
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes) => {
        const scanner = new ReferenceScanner(paths);
        for (let at = 0, i = 0; at < text.length; i++) {
          const size = sizes[i % sizes.length]!;
          scanner.push(text.subarray(at, at + size));
          at += size;
        }
        expect(scanner.found()).toEqual([paths[0]!, paths[1]!].sort());
      }),
    );
  });

  it("agrees with a plain search on random bytes", () => {
    const unit = fc.oneof(
      fc.constantFrom(...paths.map((path) => path.slice(11, 43)), "a", "0", "zz"),
      fc.string({ maxLength: 40 }),
    );
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 30 }), fc.integer({ min: 1, max: 64 }), (units, size) => {
        const bytes = Buffer.from(units.join(""));
        const scanner = new ReferenceScanner(paths);
        for (let at = 0; at < bytes.length; at += size) scanner.push(bytes.subarray(at, at + size));
        expect(scanner.found()).toEqual(paths.filter((path) => bytes.includes(path.slice(11, 43))).sort());
      }),
    );
  });
});
