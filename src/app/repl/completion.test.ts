import { describe, expect, test } from "vitest";
import { EvalError } from "../../lang/index.ts";
import { complete } from "./completion.ts";

const world = {
  names: ["builtins", "lib", "list", "__add"],
  attributes: (expression: string): readonly string[] => {
    if (expression === "lib") return ["mapAttrs", "mapAttrsToList", "or"];
    throw new EvalError(`undefined variable '${expression}'`);
  },
  directory: (path: string): readonly string[] => (path === "." ? ["a.nix", "b", ".hidden"] : []),
};
const completed = (input: string): string[] => complete(input, world);

describe("completion", () => {
  test("names, attributes, files and commands", () => {
    expect(completed("li")).toEqual(["lib", "list"]);
    expect(completed("x: [ lib.map")).toEqual(["x: [ lib.mapAttrs", "x: [ lib.mapAttrsToList"]);
    expect(completed("import ./")).toEqual(["import ./a.nix", "import ./b"]);
    expect(completed(":lo")).toEqual([":load", ":load-flake", ":log"]);
    expect(completed(":l ./a")).toEqual([":l ./a.nix"]);
  });

  test("names for old code only when they are begun", () => {
    expect(completed("")).toEqual(["builtins", "lib", "list"]);
    expect(completed("__")).toEqual(["__add"]);
  });

  test("what cannot be evaluated has none", () => {
    expect(completed("nope.a")).toEqual([]);
    expect(completed("zz")).toEqual([]);
  });
});
