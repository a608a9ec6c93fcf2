import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { explainFileError, makeFolders, writeFileAtomically } from "./files.ts";

const folder = mkdtempSync(join(tmpdir(), "d2n-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const thrownBy = (work: () => void): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe("writeFileAtomically()", () => {
  it("makes folders, replaces, and leaves nothing else behind", () => {
    const file = join(folder, "a/b/file");
    writeFileAtomically(file, "one");
    writeFileAtomically(file, "two");
    expect(readFileSync(file, "utf8")).toBe("two");
    expect(readdirSync(join(folder, "a/b"))).toEqual(["file"]);
  });
});

describe("explainFileError()", () => {
  it("says which file, and what to look at", () => {
    writeFileSync(join(folder, "plain"), "");
    const error = explainFileError(thrownBy(() => makeFolders(join(folder, "plain/below"))));
    expect(error).toMatchObject({ code: "file-access", message: expect.stringContaining("plain/below") as unknown });
    expect(error!.hint).toContain("XDG_CACHE_HOME");
  });

  it.each([
    ["ENOSPC", "disk-full"],
    ["EDQUOT", "disk-full"],
    ["EROFS", "disk-full"],
    ["EACCES", "file-access"],
    ["EPERM", "file-access"],
  ])("%s is %s", (code, expected) => {
    const error = Object.assign(new Error(code), { code, syscall: "open", path: "/somewhere" });
    expect(explainFileError(error)).toMatchObject({ code: expected, cause: error });
  });

  it("leaves alone what is about no file", () => {
    const refused = Object.assign(new Error("connect EPERM"), { code: "EPERM", syscall: "connect" });
    expect(explainFileError(refused)).toBeUndefined();
    expect(explainFileError(refused, "/destination")).toBeUndefined();
    expect(explainFileError(new Error("other"))).toBeUndefined();
    expect(explainFileError("text")).toBeUndefined();
  });
});
