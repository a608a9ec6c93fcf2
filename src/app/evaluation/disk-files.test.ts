import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fileContent } from "./disk-files.ts";

const folder = mkdtempSync(join(tmpdir(), "d2n-disk-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a file is read whole", () => {
  const file = join(folder, "text");
  writeFileSync(file, "a\0\xff".repeat(100_000), "latin1");
  expect(Buffer.from(fileContent(file)).toString("latin1")).toBe("a\0\xff".repeat(100_000));
});

test.each(["/dev/zero", "/dev/null", "/proc/self/maps"])("what has no size is empty: %s", (file) => {
  expect(fileContent(file)).toHaveLength(0);
});

test("a folder is an error", () => {
  expect(() => fileContent(folder)).toThrow("EISDIR");
});

test("so is a file larger than memory", () => {
  const file = join(folder, "large");
  writeFileSync(file, "");
  truncateSync(file, 2 ** 40);
  expect(() => fileContent(file)).toThrow("a file of 1099511627776 bytes is too large to be read");
});
