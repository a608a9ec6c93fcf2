import { expect, test } from "vitest";
import { jsonString } from "./json.ts";
import { escapeString } from "./literals.ts";

const every = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join("");

/** Long enough for slices, which end between any two of these bytes. */
function long(piece: string): string {
  const odd = piece.length % 2 === 0 ? `${piece}x` : piece;
  return odd.repeat(Math.ceil((3 * 2 ** 20) / odd.length));
}

test.each([every, "${", "$${", "$", '\\"', "\n"])("long texts are escaped like short ones: %j", (piece) => {
  const text = long(piece);
  const pieces = text.match(/[^]{1,999}(?:\$+\{?)?/g)!;
  expect(escapeString(text) === pieces.map(escapeString).join("")).toBe(true);
});

test("so is JSON", () => {
  const text = long(every.slice(0, 128));
  const pieces = text.match(/[^]{1,999}/g)!;
  expect(jsonString(text) === `"${pieces.map((piece) => jsonString(piece).slice(1, -1)).join("")}"`).toBe(true);
});

test("a text of which everything is escaped has no end that the engine sets", () => {
  // More matches than a list of the engine holds.
  const text = "\n".repeat(2 ** 26 + 1);
  expect(escapeString(text)).toHaveLength(2 ** 27 + 2);
});
