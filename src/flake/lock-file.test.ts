import { describe, expect, it } from "vitest";
import { D2nError } from "../base/index.ts";
import { describeChanges, emptyLock, findInput, formatLockFile, needsLockFile, parseLockFile } from "./index.ts";

const path = (p: string) => ({ lastModified: 1, narHash: "sha256-AAAA", path: p, type: "path" });
const lock = {
  nodes: {
    a: { inputs: { b: ["b"] }, locked: path("/a"), original: { path: "/a", type: "path" } },
    b: { flake: false, locked: path("/b"), original: { path: "/b", type: "path" } },
    root: { inputs: { a: "a", b: "b", c: ["a", "b"] } },
  },
  root: "root",
  version: 7,
};
const text = `${JSON.stringify(lock, null, 2)}\n`;

describe("flake.lock", () => {
  it("is written as it was read", () => {
    expect(formatLockFile(parseLockFile(text, "flake.lock"))).toBe(text);
  });

  it("resolves follows at any depth, and says when they lead nowhere", () => {
    const root = parseLockFile(text, "flake.lock");
    expect(findInput(root, ["c"])).toBe(findInput(root, ["b"]));
    expect(findInput(root, ["a", "b"])).toBe(findInput(root, ["b"]));
    expect(findInput(root, ["a", "x"])).toBeUndefined();
  });

  it("finds cycles of follows instead of running in them", () => {
    const root = emptyLock();
    root.inputs.set("x", { follows: ["y"] });
    root.inputs.set("y", { follows: ["x"] });
    expect(findInput(root, ["x"])).toBeUndefined();
  });

  it("says what changed", () => {
    const before = parseLockFile(text, "flake.lock");
    const after = parseLockFile(text.replaceAll("/b", "/c"), "flake.lock");
    expect(describeChanges(before, after)).toEqual(["updated input `b`: path:/b → path:/c"]);
    expect(describeChanges(emptyLock(), before)[0]).toBe("added input `a`: path:/a");
  });

  it("is not needed for what is built in", () => {
    const root = emptyLock();
    expect(needsLockFile(root)).toBe(false);
    expect(needsLockFile(parseLockFile(text, "flake.lock"))).toBe(true);
  });

  it.each([
    "",
    "{",
    "[]",
    "{}",
    '{"version": 8, "nodes": {}, "root": "r"}',
    '{"version": 7, "nodes": {}, "root": "r"}',
    '{"version":7,"root":"r","nodes":{"r":{"inputs":{"a":"r2"}}}}',
    '{"version":7,"root":"r","nodes":{"r":{"inputs":{"a":"b"}},"b":{"locked":{"type":"path","x":{}},"original":{"type":"path"}}}}',
  ])("refuses %j with the file's name", (bad) => {
    expect(() => parseLockFile(bad, "dir/flake.lock")).toThrow(D2nError);
    expect(() => parseLockFile(bad, "dir/flake.lock")).toThrow(/dir\/flake\.lock/);
  });
});
