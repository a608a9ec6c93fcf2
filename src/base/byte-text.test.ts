import { expect, test } from "vitest";
import { escapeBytes, unescapeBytes } from "./index.ts";

test.each([
  ["", ""],
  ["plain", "plain"],
  ["\xe2\x82", "\udce2\udc82"],
  ["\xf0\x9f\x98\x80\xf0\x9f", "😀\udcf0\udc9f"],
  ["\xed\xb2\x80", "\udced\udcb2\udc80"],
  ["\x80\xc3\xa9", "\udc80é"],
  ["\xc3\xa9", "é"],
  ["a\xff\xfe\x80b", "a\udcff\udcfe\udc80b"],
  ["\xc3", "\udcc3"],
  ["\xc3\xc3\xa9", "\udcc3é"],
  ["\xc0\x80", "\udcc0\udc80"],
  ["\xed\xa0\x80", "\udced\udca0\udc80"],
  ["\xf0\x9f\x98\x80\xff", "😀\udcff"],
  // The second half of this character looks like an escaped byte.
  ["\xf0\x90\x82\x80\x80", "\u{10080}\udc80"],
  ["\xf5\x80\x80\x80", "\udcf5\udc80\udc80\udc80"],
])("%j is text and becomes the same bytes again", (bytes, text) => {
  expect(escapeBytes(bytes)).toBe(text);
  expect(Buffer.from(unescapeBytes(text)).toString("latin1")).toBe(bytes);
});

test("any bytes survive", () => {
  const bytes = Array.from({ length: 4096 }, (_, i) => String.fromCharCode((i * i * 31 + i * 7) & 0xff)).join("");
  expect(Buffer.from(unescapeBytes(escapeBytes(bytes))).toString("latin1")).toBe(bytes);
});
