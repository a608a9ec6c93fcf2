import { expect, test } from "vitest";
import { escapeBytes, unescapeBytes } from "./index.ts";

test("bytes that are no UTF-8 survive the way through text", () => {
  for (const bytes of [
    "",
    "abc",
    "\xff",
    "a\xffb",
    "\xc3\xa9",
    "\xc3",
    "\xe2\x82",
    "\xf0\x9f\x98\x80\xf0\x9f",
    "\xed\xb2\x80",
    "\x80\xc3\xa9",
  ])
    expect(Buffer.from(unescapeBytes(escapeBytes(bytes))).toString("latin1")).toBe(bytes);
});

test("what is UTF-8 is what it says", () => {
  expect(escapeBytes("\xc3\xa9\xff")).toBe("é\udcff");
  expect(Buffer.from(unescapeBytes("é😀")).toString("utf8")).toBe("é😀");
});
