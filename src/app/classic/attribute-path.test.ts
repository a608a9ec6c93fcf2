import { describe, expect, it } from "vitest";
import { parseAttributePath } from "./attribute-path.ts";

describe("parseAttributePath", () => {
  it.each([
    ["", []],
    ["a", ["a"]],
    ["a.b.0", ["a", "b", "0"]],
    ['a."b.c".d', ["a", "b.c", "d"]],
    ["a..b", ["a", "", "b"]],
  ])("%s", (path, names) => {
    expect(parseAttributePath(path)).toEqual(names);
  });

  it("refuses a quote that isn't closed", () => {
    expect(() => parseAttributePath('a."b')).toThrow("missing closing quote in selection path 'a.\"b'");
  });
});
