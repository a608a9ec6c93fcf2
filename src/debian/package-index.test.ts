import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIndex, PackageIndex } from "./package-index.ts";

const COUNT = 400;
const name = (i: number): string => `package-${String(i).padStart(4, "0")}`;
/** Of very different lengths, some longer than several pages. */
const description = (i: number): string => "d".repeat(i % 50 === 7 ? 40_000 : (i * 37) % 300);

async function* packages(): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < COUNT; i += 2)
    yield Buffer.from(
      `Package: ${name(i)}\nVersion: 1.${i}\nFilename: pool/${name(i)}.deb\nSize: ${i}\nSHA256: ${"0".repeat(64)}\n` +
        `Provides: virtual-${i % 3} (= ${i}), other\nDescription: ${description(i)}\n\n`,
    );
}

describe("a package index", () => {
  let folder: string;
  let inMemory: PackageIndex;
  let inFile: PackageIndex;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "d2n-index-"));
    const bytes = await buildIndex(packages());
    writeFileSync(join(folder, "whole.index"), bytes);
    inMemory = new PackageIndex(bytes);
    inFile = PackageIndex.open(join(folder, "whole.index"))!;
  });
  afterAll(() => {
    inFile.close();
    rmSync(folder, { recursive: true });
  });

  it("finds every package and nothing else, in memory and in a file", () => {
    for (const index of [inMemory, inFile])
      for (let i = 0; i < COUNT; i++) {
        const found = index.packages(name(i)).map(({ version, description: text }) => [version, text]);
        expect(found).toEqual(i % 2 === 0 ? [[`1.${i}`, description(i)]] : []);
      }
    for (const index of [inMemory, inFile])
      for (const other of ["", "a", "zzz", "package", name(2).slice(0, -1)]) expect(index.packages(other)).toEqual([]);
  });

  it("finds all that provide a name", () => {
    for (const index of [inMemory, inFile]) {
      expect(index.providers("other")).toHaveLength(COUNT / 2);
      expect(index.providers("virtual-1").every(({ name: provider }) => Number(provider.slice(-4)) % 3 === 1)).toBe(
        true,
      );
      expect(index.providers(name(2))).toEqual([]);
    }
  });

  it("is none if the file is damaged, empty or not there", () => {
    const file = join(folder, "damaged.index");
    for (const content of ["", "something else\n", "d2n package index 1\nname"]) {
      writeFileSync(file, content);
      expect(PackageIndex.open(file)).toBeUndefined();
    }
    truncateSync(file, 0);
    expect(PackageIndex.open(file)).toBeUndefined();
    expect(PackageIndex.open(join(folder, "no.index"))).toBeUndefined();
  });

  it("may be empty", async () => {
    const empty = new PackageIndex(await buildIndex((async function* () {})()));
    expect(empty.packages("a")).toEqual([]);
  });
});
