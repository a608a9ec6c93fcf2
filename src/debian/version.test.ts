import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareVersions, upstreamVersion, versionFits } from "./index.ts";

/** Ascending. */
const ordered = [
  "0~~",
  "0~",
  "0-0~1",
  "0",
  "0+a",
  "1.0~beta1",
  "1.0~beta1-1",
  "1.0",
  "1.0-1",
  "1.0-1+b1",
  "1.0-1+deb13u1",
  "1.0-1.1",
  "1.0a",
  "1.0+dfsg-1",
  "1.0.1",
  "1.2.3.20240101123456789012345",
  "1.2.3.20240101123456789012346",
  "1.9",
  "1.10",
  "1:0.1",
  "1:1.3.dfsg+really1.3.1-1",
  "1:1.3.dfsg+really1.3.1-1+b1",
  "2:0",
];

describe("compareVersions()", () => {
  it("orders versions as the policy says", () => {
    for (const [i, a] of ordered.entries())
      for (const [j, b] of ordered.entries())
        expect(Math.sign(compareVersions(a, b)), `${a} ${b}`).toBe(Math.sign(i - j));
  });

  it("takes leading zeros, a missing epoch and a missing revision for none", () => {
    expect(compareVersions("1.01", "1.1")).toBe(0);
    expect(compareVersions("0:1.1", "1.1")).toBe(0);
    expect(compareVersions("1.1-0", "1.1")).toBe(0);
    expect(compareVersions("1.000", "1.")).toBe(0);
  });

  const part = fc
    .array(fc.constantFrom(..."019a~z+.-:A".split("")), { minLength: 1, maxLength: 8 })
    .map((x) => x.join(""));
  const version = part.map((x) => `1${x.replaceAll(":", "")}`).filter((x) => !x.endsWith("-"));

  it("is antisymmetric and transitive", () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it.skipIf(spawnSync("dpkg", ["--version"]).error !== undefined)("agrees with dpkg", () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        const order = compareVersions(a, b);
        const relation = order < 0 ? "lt" : order > 0 ? "gt" : "eq";
        expect(spawnSync("dpkg", ["--compare-versions", a, relation, b]).status, `${a} ${relation} ${b}`).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe("versionFits()", () => {
  it("knows the five relations", () => {
    expect(versionFits("1", "<<", "2") && versionFits("2", "<=", "2") && versionFits("2", "=", "2")).toBe(true);
    expect(versionFits("2", ">=", "2") && versionFits("3", ">>", "2")).toBe(true);
    expect(versionFits("2", "<<", "2") || versionFits("2", ">>", "2") || versionFits("1", ">=", "2")).toBe(false);
  });
});

describe("upstreamVersion()", () => {
  it.each([
    ["1:1.3.dfsg+really1.3.1-1+b1", "1.3.1"],
    ["3.13.5-2+deb13u5", "3.13.5"],
    ["2.12.7+dfsg+really2.9.14-2.1+deb13u3", "2.9.14"],
    ["8.2.0+0.really.8.1.8-1", "8.1.8"],
    ["25.1.1+dfsg-1", "25.1.1"],
    ["1:2.1.5-4", "2.1.5"],
    ["20250419+deb13u1", "20250419"],
    ["6.5+20250216-2", "6.5+20250216"],
    ["2.4+20151223.gitfa8646d.1-3", "2.4+20151223.gitfa8646d.1"],
    ["2:6.3.0+dfsg-3", "6.3.0"],
  ])("%s is %s", (debian, upstream) => {
    expect(upstreamVersion(debian)).toBe(upstream);
  });
});
