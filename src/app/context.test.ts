import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { userStoreRoot } from "./context.ts";

describe("userStoreRoot()", () => {
  const folder = mkdtempSync(join(tmpdir(), "d2n-context-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const [storeDir, databaseFolder, own] = [join(folder, "store"), join(folder, "db"), join(folder, "own")];
  const root = (): string => userStoreRoot({ storeDir, databaseFolder, own });

  it("is the user's own folder, unless the machine's store is the user's to write", () => {
    expect(root()).toBe(own);
    mkdirSync(storeDir);
    expect(root()).toBe(own);
    mkdirSync(databaseFolder);
    expect(root()).toBe("/");
    mkdirSync(join(own, "nix/var/nix/db"), { recursive: true });
    expect(root()).toBe("/");
  });

  it("stays the user's own where that is mounted in the machine's place", () => {
    rmSync(databaseFolder, { recursive: true });
    symlinkSync(join(own, "nix/var/nix/db"), databaseFolder);
    expect(root()).toBe(own);
  });
});
