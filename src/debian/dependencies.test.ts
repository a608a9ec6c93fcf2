import { describe, expect, it } from "vitest";
import { parseDependencies, resolveClauses } from "./index.ts";

describe("parseDependencies()", () => {
  it("reads relations, alternatives, qualifiers, and leaves restrictions out", () => {
    expect(
      parseDependencies("libc6 (>= 2.38), python3:any (>= 3.7~) | python3, foo [amd64] <!nocheck>, bar(=1)"),
    ).toEqual([
      [{ name: "libc6", relation: ">=", version: "2.38" }],
      [{ name: "python3", relation: ">=", version: "3.7~" }, { name: "python3" }],
      [{ name: "foo" }],
      [{ name: "bar", relation: "=", version: "1" }],
    ]);
  });
  it("takes < for <=, and skips what is no dependency", () => {
    expect(parseDependencies("a (< 2), , ??, $(x)")).toEqual([[{ name: "a", relation: "<=", version: "2" }]]);
    expect(parseDependencies("")).toEqual([]);
  });
});

describe("resolveClauses()", () => {
  const versions: Record<string, string> = { a: "1.0-1", b: "2.0", libssl3t64: "3.5", p1: "1", p2: "1" };
  const provided: Record<string, { name: string; version: string | undefined }[]> = {
    libssl3: [{ name: "libssl3t64", version: "3.5" }],
    virtual: [
      { name: "p2", version: undefined },
      { name: "p1", version: undefined },
    ],
  };
  const candidates = { version: (name: string) => versions[name], providers: (name: string) => provided[name] ?? [] };
  const resolve = (field: string) => resolveClauses(parseDependencies(field), candidates);

  it("takes the first alternative that exists in a version that fits", () => {
    expect(resolve("missing | b, a (>= 2) | b (>= 2), a (<< 2)")).toEqual(["a", "b"]);
  });
  it("finds providers, the first by name", () => {
    expect(resolve("libssl3 (>= 3.0.0)")).toEqual(["libssl3t64"]);
    expect(resolve("virtual")).toEqual(["p1"]);
  });
  it("takes a provider without version for no constrained dependency", () => {
    expect(resolve("virtual (>= 1)")).toEqual([]);
    expect(resolve("libssl3 (>= 4)")).toEqual([]);
  });
});
