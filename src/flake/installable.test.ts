import { describe, expect, it } from "vitest";
import { D2nError } from "../base/index.ts";
import { Attrs, type Lazy } from "../lang/index.ts";
import { lookupFor, parseAttributePath, parseInstallable, resolveFragment } from "./index.ts";

const set = (entries: Record<string, Lazy>): Attrs => Attrs.from(Object.entries(entries));

describe("parseInstallable()", () => {
  it("splits reference, fragment and outputs", () => {
    expect(parseInstallable(".#a.b^dev,out")).toEqual({ reference: ".", fragment: "a.b", outputs: ["dev", "out"] });
    expect(parseInstallable("#x^*")).toEqual({ reference: ".", fragment: "x", outputs: "*" });
    expect(parseInstallable("github:a/b")).toEqual({ reference: "github:a/b", fragment: "", outputs: undefined });
    expect(parseInstallable(".#a%20b").fragment).toBe("a b");
    expect(() => parseInstallable(".#%")).toThrow(D2nError);
  });

  it("knows quoted attribute names", () => {
    expect(parseAttributePath('a."b.c".d')).toEqual(["a", "b.c", "d"]);
    expect(() => parseAttributePath('a."b')).toThrow(/never closed/);
  });
});

describe("resolveFragment()", () => {
  const system = "x86_64-linux";
  const outputs = set({
    packages: set({ [system]: set({ default: 1, hello: 2 }) }),
    legacyPackages: set({ [system]: set({ hello: 3, curl: set({ dev: 4 }) }) }),
    lib: set({ x: 5 }),
  });
  const resolve = (fragment: string, kind: "build" | "run" = "build") =>
    resolveFragment(outputs, fragment, lookupFor(kind, system), "git+file:///p");

  it("looks where Nix looks, in its order", () => {
    expect(resolve("").value).toBe(1);
    expect(resolve("hello").value).toBe(2);
    expect(resolve("curl.dev").value).toBe(4);
    expect(resolve("lib.x").value).toBe(5);
    expect(resolve(".lib.x").attributePath).toEqual(["lib", "x"]);
  });

  it("lists what there is when nothing is found", () => {
    try {
      resolve("defualt");
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(D2nError);
      expect((error as D2nError).message).toContain("`packages.x86_64-linux.defualt`");
      expect((error as D2nError).hint).toContain("default, hello");
      expect((error as D2nError).hint).toContain("Did you mean `default`?");
    }
  });
});
