import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compareVersions,
  formatVersion,
  isPreRelease,
  parseSpecifiers,
  parseVersion,
  PythonSyntaxError,
  satisfies,
  tryParseSpecifier,
  tryParseVersion,
} from "./index.ts";

describe("versions", () => {
  it.each([
    ["1.0", "1.0"],
    [" v1.0\n", "1.0"],
    ["1!2.0", "1!2.0"],
    ["1.0ALPHA1", "1.0a1"],
    ["1.0-beta_2", "1.0b2"],
    ["1.0.c3", "1.0rc3"],
    ["1.0preview", "1.0rc0"],
    ["1.0-1", "1.0.post1"],
    ["1.0-r4", "1.0.post4"],
    ["1.0rev", "1.0.post0"],
    ["1.0dev", "1.0.dev0"],
    ["1.0+Ubuntu-1_2", "1.0+ubuntu.1.2"],
    ["0001.002", "1.2"],
    ["20240101120000000001", "20240101120000000001"],
    ["1.0a1.post2.dev3+x", "1.0a1.post2.dev3+x"],
  ])("%j is %s", (text, normal) => expect(formatVersion(parseVersion(text))).toBe(normal));

  it.each(["", "french toast", "1.0+", "1.0++x", "1.0x", "1..0", "1.0 1", "-1", "1.0+a+b", "1".repeat(1001)])(
    "%j is none",
    (text) => {
      expect(tryParseVersion(text)).toBeUndefined();
      expect(() => parseVersion(text)).toThrow(PythonSyntaxError);
    },
  );

  // PEP 440, "Summary of permitted suffixes and relative ordering", and what follows from its rules.
  const ascending = [
    "0.9",
    "1.0.dev1",
    "1.0a1.dev1",
    "1.0a1",
    "1.0a1.post1",
    "1.0b2.post345.dev456",
    "1.0b2",
    "1.0rc1",
    "1.0",
    "1.0+abc.5",
    "1.0+abc.7",
    "1.0+5",
    "1.0.post456.dev34",
    "1.0.post456",
    "1.1.dev1",
    "1.10",
    "20240101120000000001",
    "20240101120000000002",
    "1!0.1",
  ];
  ascending.splice(ascending.indexOf("1.0b2.post345.dev456"), 1);
  it("sort as PEP 440 says", () => {
    for (let i = 0; i < ascending.length; i++)
      for (let j = 0; j < ascending.length; j++)
        expect(
          Math.sign(compareVersions(parseVersion(ascending[i]!), parseVersion(ascending[j]!))),
          `${ascending[i]} ${ascending[j]}`,
        ).toBe(Math.sign(i - j));
    expect(compareVersions(parseVersion("1.0"), parseVersion("1.0.0"))).toBe(0);
  });

  it("survive formatting and parsing", () => {
    const number = fc.nat(20);
    const text = fc
      .tuple(
        fc.array(number, { minLength: 1, maxLength: 4 }),
        fc.option(fc.tuple(fc.constantFrom("a", "b", "rc", "-alpha."), number)),
        fc.option(number),
        fc.option(number),
      )
      .map(
        ([release, pre, post, dev]) =>
          `${release.join(".")}${pre?.join("") ?? ""}${post === null ? "" : `.post${post}`}${dev === null ? "" : `.dev${dev}`}`,
      );
    fc.assert(
      fc.property(text, (version) => {
        const parsed = parseVersion(version);
        expect(parseVersion(formatVersion(parsed))).toEqual(parsed);
      }),
    );
  });

  it("know their pre-releases", () => {
    expect(["1.0", "1.0.post1", "1.0a1", "1.0.dev1"].map((text) => isPreRelease(parseVersion(text)))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });
});

describe("specifiers", () => {
  it.each([
    ["==1.0", "1.0.0", true],
    ["==1.0", "1.0+local", true],
    ["==1.0+local", "1.0", false],
    ["==1.0.*", "1.0.5", true],
    ["==1.0.*", "1.0a1", true],
    ["==1.*", "2.0", false],
    ["==1.2.3.*", "1.2", false],
    ["!=1.0.*", "1.0.5", false],
    ["!=1.1", "1.0", true],
    ["~=2.2", "2.3", true],
    ["~=2.2", "3.0", false],
    ["~=2.2.0", "2.3", false],
    ["~=2.2.post3", "2.2", false],
    ["~=1!2.2", "2.2", false],
    [">1.0", "1.0.post1", false],
    [">1.0.post1", "1.0.post2", true],
    [">1.0", "1.0+local", false],
    ["<1.0", "1.0rc1", false],
    ["<1.0rc2", "1.0rc1", true],
    ["<=1.0", "1.0+local", true],
    [">=1.0,<2", "1.5", true],
    [">=1.0,<2", "2.0", false],
    ["===1.0", "1.0", true],
    ["===1.0", "1.0.0", false],
    ["", "0.1", true],
    ["==3.*", "3.13", true],
  ])("%j holds for %s: %s", (text, version, holds) =>
    expect(satisfies(parseVersion(version), parseSpecifiers(text), { preReleases: true })).toBe(holds),
  );

  it("leave pre-releases out unless one is named", () => {
    const holds = (text: string, version: string): boolean => satisfies(parseVersion(version), parseSpecifiers(text));
    expect(holds(">=1.0", "2.0a1")).toBe(false);
    expect(holds(">=1.0a1", "2.0a1")).toBe(true);
    expect(holds("!=1.0a1", "2.0a1")).toBe(false);
  });

  it.each([">", "1.0", "=1.0", ">=1.0.*", "~=1", "==1.0.*.1", ">=1.0+local", "~=1.0+local", "==1.0a1.*", "><1"])(
    "%j is none",
    (text) => {
      expect(tryParseSpecifier(text)).toBeUndefined();
      expect(() => parseSpecifiers(text)).toThrow(PythonSyntaxError);
    },
  );
});
