import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Derivation,
  DerivationHashes,
  derivationKind,
  derivationPath,
  hashBytes,
  isStorePath,
  isStorePathName,
  checkStorePathName,
  makeFixedOutputPath,
  makeTextPath,
  parseDerivation,
  parseStorePath,
  placeholder,
  printDerivation,
  splitStorePath,
} from "./index.ts";

const storeDir = "/nix/store";
const bytes = (minLength = 0) =>
  fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), minLength, maxLength: 20 });
const plain = fc.stringMatching(/^[a-z0-9+._-]{1,10}$/);
const path = plain.map((name) => `/nix/store/${"a".repeat(32)}-${name}`);
const unique = <T>(key: fc.Arbitrary<string>, value: fc.Arbitrary<T>) =>
  fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength: 5 }).map((entries) => new Map(entries));
const anyDerivation: fc.Arbitrary<Derivation> = fc.record({
  name: fc.constant("name"),
  outputs: unique(
    plain,
    fc.record({ path: fc.oneof(fc.constant(""), path), hashAlgo: fc.constant(""), hash: fc.constant("") }),
  ).filter((outputs) => outputs.size > 0),
  inputDrvs: unique(path, fc.uniqueArray(plain, { minLength: 1, maxLength: 3 })),
  inputSrcs: fc.uniqueArray(path, { maxLength: 4 }),
  system: plain,
  builder: bytes(),
  args: fc.array(bytes(), { maxLength: 4 }),
  env: unique(bytes(1), bytes()),
});

const byName = <T>(map: ReadonlyMap<string, T>) => new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
const sorted = (drv: Derivation) => ({
  ...drv,
  outputs: new Map([...byName(drv.outputs)].map(([name, output]) => [name, { ...output }])),
  inputDrvs: new Map([...byName(drv.inputDrvs)].map(([key, names]) => [key, [...names].sort()])),
  inputSrcs: [...drv.inputSrcs].sort(),
  env: byName(drv.env),
});
const base: Derivation = {
  name: "x",
  outputs: new Map([["out", { path: "", hashAlgo: "", hash: "" }]]),
  inputDrvs: new Map(),
  inputSrcs: [],
  system: "s",
  builder: "b",
  args: [],
  env: new Map([["out", ""]]),
};

describe("derivation files", () => {
  it("any derivation survives", () => {
    fc.assert(
      fc.property(anyDerivation, (derivation) => {
        const text = printDerivation(derivation);
        const again = parseDerivation(text, "name");
        expect(again).toEqual(sorted(derivation));
        expect(printDerivation(again)).toBe(text);
      }),
    );
  });

  it("escapes what Nix escapes and nothing else", () => {
    const text = printDerivation({ ...base, args: ['"\\\n\r\t\0\x7f\xff$'], env: new Map() });
    expect(text).toBe('Derive([("out","","","")],[],[],"s","b",["\\"\\\\\\n\\r\\t\0\x7f\xff$"],[])');
  });

  it("every truncation and many changes are refused with the place", () => {
    const text = printDerivation({
      ...base,
      args: ["a\nb", '"'],
      inputSrcs: ["/nix/store/x"],
      inputDrvs: new Map([["/d", ["out"]]]),
    });
    for (let end = 0; end < text.length; end++)
      expect(() => parseDerivation(text.slice(0, end), "x")).toThrow(/at byte/);
    expect(() => parseDerivation(`${text}\n`, "x")).toThrow(/after the end/);
    expect(() => parseDerivation(text.replace("/nix/store/x", "nix/store/xx"), "x")).toThrow(/bad path/);
    expect(() => parseDerivation(text.replace('("out",""', '("out","","","" ),("out",""'), "x")).toThrow(/at byte/);
    expect(() => parseDerivation('Derive([],[],[],"","",[],[])', "x")).toThrow(/no outputs/);
    expect(() => parseDerivation("DrvWithVersion(x", "x")).toThrow(/dynamic/);
    fc.assert(
      fc.property(fc.nat(text.length - 1), bytes(1), (at, junk) => {
        try {
          parseDerivation(text.slice(0, at) + junk + text.slice(at + 1), "x");
        } catch (error) {
          expect((error as { code?: string }).code).toBe("derivation-malformed");
        }
      }),
    );
  });
});

describe("output paths", () => {
  const hashes = new DerivationHashes(storeDir, () => {
    throw new Error("nothing to read");
  });

  it("kinds of derivations are told apart and mixtures refused", () => {
    const output = (path: string, hashAlgo: string, hash: string) => ({ path, hashAlgo, hash });
    const withOutputs = (outputs: [string, { path: string; hashAlgo: string; hash: string }][]) =>
      derivationKind({ ...base, outputs: new Map(outputs) });
    expect(withOutputs([["out", output("/x", "", "")]])).toBe("input");
    expect(withOutputs([["out", output("", "", "")]])).toBe("deferred");
    expect(withOutputs([["out", output("", "r:sha256", "")]])).toBe("floating");
    expect(withOutputs([["out", output("", "sha256", "00")]])).toBe("fixed");
    expect(() => withOutputs([["dev", output("", "sha256", "00")]])).toThrow(/named "out"/);
    expect(() =>
      withOutputs([
        ["a", output("", "sha256", "")],
        ["b", output("/x", "", "")],
      ]),
    ).toThrow(/mix/);
    expect(() => withOutputs([])).toThrow(/at least one/);
  });

  it("check() finds a wrong path", () => {
    const right = hashes.withOutputPaths(base);
    hashes.check("/p", right);
    const wrong = {
      ...right,
      outputs: new Map([["out", { path: `/nix/store/${"a".repeat(32)}-x`, hashAlgo: "", hash: "" }]]),
    };
    expect(() => hashes.check("/p", wrong)).toThrow(/should be/);
  });

  it("complete() does all steps in one", () => {
    const written = new Map<string, Derivation>();
    const read = (path: string): Derivation => written.get(path)!;
    const inOne = new DerivationHashes(storeDir, read);
    const drafts: Derivation[] = [
      base,
      { ...base, outputs: new Map([["out", { path: "", hashAlgo: "r:sha256", hash: "0".repeat(64) }]]) },
      { ...base, outputs: new Map([["out", { path: "", hashAlgo: "sha256", hash: "" }]]) },
      {
        ...base,
        name: "two",
        outputs: new Map(["out", "dev"].map((name) => [name, { path: "", hashAlgo: "", hash: "" }])),
        inputSrcs: [`${storeDir}/${"a".repeat(32)}-b`, `${storeDir}/${"a".repeat(32)}-a`],
        env: new Map([
          ["dev", ""],
          ["text", 'a "quoted"\\\n\tline\r'],
          ["out", ""],
        ]),
      },
    ];
    for (const draft of drafts) {
      const inputs = new Map([...written.keys()].map((path) => [path, ["out"]] as const));
      const step = { ...draft, inputDrvs: inputs };
      const steps = new DerivationHashes(storeDir, read).withOutputPaths(step);
      const { path, derivation } = inOne.complete(step);
      expect(derivation).toEqual(steps);
      expect(path).toBe(derivationPath(storeDir, steps));
      written.set(path, derivation);
      expect(inOne.has(path)).toBe(true);
    }
  });

  it("an input that is fixed has one output only", () => {
    const fixed = hashes.withOutputPaths({
      ...base,
      outputs: new Map([["out", { path: "", hashAlgo: "sha256", hash: "0".repeat(64) }]]),
    });
    const fixedPath = derivationPath(storeDir, fixed);
    const known = new DerivationHashes(storeDir, () => fixed);
    expect(() => known.outputPaths({ ...base, inputDrvs: new Map([[fixedPath, ["dev"]]]) })).toThrow(/no output 'dev'/);
    expect(known.outputPaths({ ...base, inputDrvs: new Map([[fixedPath, ["out"]]]) }).size).toBe(1);
  });

  it("placeholders are Nix's", () => {
    expect(placeholder("out")).toBe("/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9");
  });
});

describe("store paths", () => {
  it.each(["a", ".a", "..a", "a+b-c_d?e=f.G", "a".repeat(211)])("%s is a name", (name) => {
    checkStorePathName(name);
    expect(isStorePathName(name)).toBe(true);
  });
  it.each(["", ".", "..", ".-a", "..-a", "a b", "a/b", "ä", "a\0", "a".repeat(212), "a~"])("%j is no name", (name) => {
    expect(() => checkStorePathName(name)).toThrow();
    expect(isStorePathName(name)).toBe(false);
    expect(() => makeTextPath(storeDir, name, "")).toThrow();
  });
  it("are recognised, whole and with what follows", () => {
    const path = makeTextPath(storeDir, "x", "y");
    expect(isStorePath(storeDir, path)).toBe(true);
    expect(parseStorePath(storeDir, path).name).toBe("x");
    expect(splitStorePath(storeDir, `${path}/a/b`)).toEqual({ storePath: path, rest: "/a/b" });
    for (const wrong of [
      `${path}/a`,
      path.slice(1),
      "/nix/store",
      "/nix/store/",
      `/nix/store/${"e".repeat(32)}-x`,
      `/nix/store/${"a".repeat(32)}`,
      `/nix/storE/${"a".repeat(32)}-x`,
    ]) {
      expect(isStorePath(storeDir, wrong)).toBe(false);
      expect(() => parseStorePath(storeDir, wrong)).toThrow();
    }
  });
  it("fixed outputs may not have references unless they are NARs hashed with SHA-256", () => {
    const references = { others: [`/nix/store/${"a".repeat(32)}-x`], self: false };
    expect(() => makeFixedOutputPath(storeDir, "x", "flat", hashBytes("sha256", ""), references)).toThrow(
      /not allowed to refer/,
    );
    expect(makeFixedOutputPath(storeDir, "x", "nar", hashBytes("sha256", ""), references)).not.toBe(
      makeFixedOutputPath(storeDir, "x", "nar", hashBytes("sha256", "")),
    );
  });
});
