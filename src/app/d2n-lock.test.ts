import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { D2nLock } from "./d2n-lock.ts";

let root: string;
let file: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "d2n-lock-test-"));
  file = join(root, "d2n.lock");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const sha256 = "a".repeat(64);
const systems = {
  sources: {
    "click==8.1.8": { backend: "flit_core.buildapi", requires: ["flit_core<4"], inputs: ["flit-core==3.12.0"] },
  },
  files: { "flit-core==3.12.0": { url: "https://example.org/flit_core-3.12.0-py3-none-any.whl", sha256 } },
};

describe("d2n.lock", () => {
  it("holds how source distributions are built, one package a line, and reads it again", () => {
    const lock = D2nLock.read(file);
    expect(lock.changed).toBe(false);
    lock.setBuildSystems("sub/lock.json", systems);
    lock.setBuildSystems("lock.json", systems);
    lock.recordHash("pip==99.0", sha256);
    expect(lock.changed).toBe(true);
    lock.write();
    const text = readFileSync(file, "utf8");
    expect(text).toContain(
      '\n        "click==8.1.8": {"backend":"flit_core.buildapi","requires":["flit_core<4"],"inputs":["flit-core==3.12.0"]}\n',
    );
    expect(text.indexOf('"lock.json"')).toBeLessThan(text.indexOf('"sub/lock.json"'));
    const again = D2nLock.read(file);
    expect(again.buildSystems).toEqual({ "lock.json": systems, "sub/lock.json": systems });
    expect(again.changed).toBe(false);
    expect(again.format()).toBe(text);
  });

  it("forgets lock files that are gone, and those without source distributions", () => {
    const lock = D2nLock.read(file);
    lock.setBuildSystems("a.json", systems);
    lock.setBuildSystems("b.json", systems);
    lock.keepBuildSystems((name) => name === "b.json");
    expect(Object.keys(lock.buildSystems)).toEqual(["b.json"]);
    lock.setBuildSystems("b.json", { sources: {}, files: {} });
    expect(lock.buildSystems).toEqual({});
    expect(lock.changed).toBe(false);
    expect(existsSync(file)).toBe(false);
  });

  it.each([
    ['{"version": 1, "python": {"lock.json": {"sources": {}}}}', "python.lock.json.files"],
    [
      '{"version": 1, "python": {"lock.json": {"sources": {}, "files": {"a==1": {"url": "x", "sha256": "short"}}}}}',
      "sha256",
    ],
    ["{", "JSON"],
  ])("that is damaged is named: %s", (text, where) => {
    writeFileSync(file, text);
    expect(() => D2nLock.read(file)).toThrow(
      expect.objectContaining({ code: "d2n-lock", message: expect.stringContaining(where) as string }),
    );
  });
});
