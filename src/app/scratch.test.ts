import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { directoriesFrom } from "./settings.ts";
import { makeScratchFolder } from "./scratch.ts";

describe("makeScratchFolder()", () => {
  const home = mkdtempSync(join(tmpdir(), "d2n-scratch-"));
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it("makes empty folders, and removes what a killed d2n left days ago", () => {
    const context = { directories: directoriesFrom({ HOME: home }) };
    const [old, recent] = [makeScratchFolder(context, "old"), makeScratchFolder(context, "recent")];
    writeFileSync(join(old, "file"), "");
    utimesSync(old, 1_000_000_000, 1_000_000_000);
    const made = makeScratchFolder(context, "new");
    expect(readdirSync(made)).toEqual([]);
    expect([old, recent, made].map((folder) => existsSync(folder))).toEqual([false, true, true]);
  });
});
