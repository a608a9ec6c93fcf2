import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SymlinkResolver } from "./symlinks.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "d2n-links-"));
  mkdirSync(join(root, "a/b"), { recursive: true });
  writeFileSync(join(root, "a/b/file"), "x");
  symlinkSync("b", join(root, "a/inside"));
  symlinkSync("/etc", join(root, "a/outside"));
  symlinkSync("../a/./inside/file", join(root, "a/file"));
  symlinkSync("round", join(root, "round"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Below the folder of the test, where `/` is for the resolver. */
const resolve = (path: string, followLast = true): string =>
  new SymlinkResolver((logical) => join(root, logical)).resolve(path, followLast);

test("paths without symlinks stay what they are", () => {
  expect(resolve("/a/b/file")).toBe("/a/b/file");
  expect(resolve("/")).toBe("/");
  expect(resolve("/a/none/at/all")).toBe("/a/none/at/all");
});

test("symlinks on the way are followed, wherever they lead to", () => {
  expect(resolve("/a/inside/file")).toBe("/a/b/file");
  expect(resolve("/a/outside/hostname", false)).toBe("/etc/hostname");
  expect(resolve("/a/file")).toBe("/a/b/file");
});

test("a symlink at the end is followed if it is to be read", () => {
  expect(resolve("/a/outside")).toBe("/etc");
  expect(resolve("/a/outside", false)).toBe("/a/outside");
});

test("circles are an error", () => {
  expect(() => resolve("/round")).toThrow("infinite symlink recursion in path '/round'");
});
