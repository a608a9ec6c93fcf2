import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  DerivationHashes,
  derivationNameOf,
  derivationPath,
  formatHash,
  hashBytes,
  parseDerivation,
  parseNarInfo,
  parseSecretKey,
  printDerivation,
  printNarInfo,
  printPublicKey,
  printSecretKey,
  signPath,
  verifyPath,
} from "../../src/formats/index.ts";

const oracle = process.env["NIX_ORACLE"];
const storeDir = "/nix/store";

describe.skipIf(oracle === undefined)("formats against real Nix", () => {
  let root: string;
  const nix = (tool: string, ...args: string[]) =>
    execFileSync(oracle!, [tool, ...args], { encoding: "latin1" }).trim();

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "d2n-formats-"));
  });
  afterAll(() => {
    if (root !== undefined) {
      execFileSync("chmod", ["-R", "u+w", root]);
      rmSync(root, { recursive: true, force: true });
    }
  });

  it("derivations print, hash and lie where Nix has them", () => {
    const expression = join(root, "graph.nix");
    writeFileSync(
      expression,
      `let
        drv = attrs: derivation ({ system = "x86_64-linux"; builder = "/bin/sh"; } // attrs);
        fixed = drv { name = "fixed"; outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; outputHashMode = "flat"; outputHashAlgo = "sha256"; };
        fixed1 = drv { name = "fixed"; outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; url = "other"; outputHashMode = "flat"; };
        tree = drv { name = "tree"; outputHash = "da39a3ee5e6b4b0d3255bfef95601890afd80709"; outputHashMode = "recursive"; outputHashAlgo = "sha1"; };
        multi = drv { name = "multi"; outputs = [ "out" "dev" "a" ]; args = [ "-c" "echo \\"a\\\\\\t\\r\\n\${tree} ä 'b'" ]; empty = ""; };
        structured = drv { name = "structured"; __structuredAttrs = true; outputs = [ "out" "lib" ]; deps = [ multi multi.dev ]; n = 1.5; "é" = null; };
        src = builtins.toFile "src.txt" "hello \${builtins.toFile "a" "b"}";
      in drv { name = "top"; inherit multi structured src; both = [ fixed fixed1 multi.dev multi.a structured.lib ]; x = builtins.toFile "t" "x"; }`,
    );
    const top = nix("nix-instantiate", "--store", root, expression).split("\n").at(-1)!;
    const files = readdirSync(join(root, storeDir)).filter((name) => name.endsWith(".drv"));
    expect(files.length).toBe(6);
    const read = (path: string) =>
      parseDerivation(readFileSync(join(root, path), "latin1"), derivationNameOf(storeDir, path));
    const hashes = new DerivationHashes(storeDir, read);
    for (const file of files) {
      const path = `${storeDir}/${file}`;
      const text = readFileSync(join(root, path), "latin1");
      const derivation = read(path);
      expect(printDerivation(derivation)).toBe(text);
      expect(derivationPath(storeDir, derivation)).toBe(path);
      hashes.check(path, derivation);
      const blank = {
        ...derivation,
        outputs: new Map([...derivation.outputs].map(([name, output]) => [name, { ...output, path: "" }])),
      };
      expect(printDerivation(hashes.withOutputPaths(blank))).toBe(text);
    }
    expect(files).toContain(top.slice(storeDir.length + 1));
  });

  it("hashes are written and read alike", () => {
    for (const algorithm of ["md5", "sha1", "sha256", "sha512"] as const) {
      const hash = hashBytes(algorithm, "some text");
      for (const format of ["base16", "nix32", "base64", "sri"] as const)
        expect(
          nix("nix", "hash", "convert", "--hash-algo", algorithm, "--to", format, formatHash(hash, "base16")),
        ).toBe(formatHash(hash, format));
    }
  });

  it("keys, signatures and .narinfo files are read and written as Nix does", () => {
    const keyFile = join(root, "key");
    writeFileSync(keyFile, nix("nix", "key", "generate-secret", "--key-name", "test-1"));
    const secret = parseSecretKey(readFileSync(keyFile, "utf8"));
    expect(printSecretKey(secret)).toBe(readFileSync(keyFile, "utf8").trim());
    expect(printPublicKey(secret.publicKey)).toBe(
      execFileSync(oracle!, ["nix", "key", "convert-secret-to-public"], {
        input: readFileSync(keyFile),
        encoding: "utf8",
      }).trim(),
    );
    const dependency = join(root, "dependency");
    writeFileSync(dependency, "x");
    const path = nix("nix-store", "--store", root, "--add", dependency);
    const cache = join(root, "cache");
    nix("nix", "copy", "--store", root, "--to", `file://${cache}?secret-key=${keyFile}&compression=xz`, path);
    const file = readdirSync(cache).find((name) => name.endsWith(".narinfo"))!;
    const text = readFileSync(join(cache, file), "latin1");
    const info = parseNarInfo(storeDir, text);
    expect(printNarInfo(info)).toBe(text);
    expect(info.signatures.map((signature) => verifyPath(info, signature, [secret.publicKey]))).toEqual([true]);
    expect(signPath(info, secret)).toBe(info.signatures[0]);
  });
});
