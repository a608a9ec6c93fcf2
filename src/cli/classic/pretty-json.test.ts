import { expect, it } from "vitest";
import { prettyJson } from "./pretty-json.ts";

it("writes JSON over several lines, and leaves strings and numbers alone", () => {
  expect(prettyJson("1.0")).toBe("1.0");
  expect(prettyJson("[]")).toBe("[]");
  const value = { a: [1, { b: '{",:\\"}' }], c: {}, d: null, "e:": "x\ny" };
  expect(prettyJson(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
  expect(prettyJson("[9223372036854775807,1e100]")).toBe("[\n  9223372036854775807,\n  1e100\n]");
});
