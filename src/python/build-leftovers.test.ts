import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Leftovers } from "./build-leftovers.ts";

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), "d2n-leftovers-"))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

const make = (...paths: readonly string[]): void => {
  for (const path of paths) {
    mkdirSync(join(root, path), { recursive: true });
    writeFileSync(join(root, path, "file"), "");
  }
};
const folders = (): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.parentPath.slice(root.length + 1))
    .sort();

it("deletes what build systems have left, and nothing that was there or is anything else", () => {
  make("src/pkg", "build", "old.egg-info", "outside");
  const leftovers = new Leftovers([root, join(root, "not there")]);
  make("build/lib", "src/new.egg-info", "src/pkg/__pycache__", ".eggs/x", "app/build", "notes", ".git/build");
  make(".venv/build", "env/build");
  writeFileSync(join(root, "env/pyvenv.cfg"), "");
  symlinkSync(join(root, "outside"), join(root, "src/build"));
  leftovers.remove();
  expect(folders()).toEqual(
    [
      ".git/build",
      ".venv/build",
      "build",
      "build/lib",
      "env",
      "env/build",
      "notes",
      "old.egg-info",
      "outside",
      "src/pkg",
    ].sort(),
  );
});
