import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hashBytes } from "../formats/index.ts";
import { ContentCache } from "./index.ts";

let directory: string;
let cache: ContentCache;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "d2n-cache-"));
  cache = new ContentCache(join(directory, "cache"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

describe("ContentCache", () => {
  it("gives back what was added, by every algorithm asked for", async () => {
    await cache.add(file("a", "hello"), ["sha1"]);
    for (const algorithm of ["sha256", "sha1"] as const) {
      const path = await cache.lookup(hashBytes(algorithm, "hello"));
      expect(readFileSync(path!, "utf8")).toBe("hello");
    }
    expect(await cache.lookup(hashBytes("md5", "hello"))).toBeUndefined();
    expect(await cache.usage()).toEqual({ files: 1, bytes: 5 });
  });

  it("adopts a file without a copy, and still does not trust it", async () => {
    const hash = hashBytes("sha256", "hello");
    const given = file("a", "hello");
    await cache.adopt(given, hash);
    const path = (await cache.lookup(hash))!;
    expect(statSync(path).ino).toBe(statSync(given).ino);
    rmSync(given);
    expect(readFileSync(path, "utf8")).toBe("hello");
    await cache.adopt(file("b", "anything"), hashBytes("sha256", "something else"));
    expect(await cache.lookup(hashBytes("sha256", "something else"))).toBeUndefined();
  });

  it("deletes what has been damaged instead of giving it out", async () => {
    await cache.add(file("a", "hello"));
    const hash = hashBytes("sha256", "hello");
    const path = (await cache.lookup(hash))!;
    chmodSync(path, 0o644);
    writeFileSync(path, "hullo");
    expect(await cache.lookup(hash)).toBeUndefined();
    expect(() => statSync(path)).toThrow();
    await cache.add(file("a", "hello"));
    expect(await cache.copyTo(hash, join(directory, "copy"))).toBe(true);
    expect(readFileSync(join(directory, "copy"), "utf8")).toBe("hello");
  });

  it("is not there: no error", async () => {
    expect(await cache.lookup(hashBytes("sha256", "x"))).toBeUndefined();
    expect(await cache.copyTo(hashBytes("sha256", "x"), join(directory, "x"))).toBe(false);
    expect(await cache.usage()).toEqual({ files: 0, bytes: 0 });
  });

  it("cannot be written: no error", async () => {
    const blocked = new ContentCache(join(file("plain", "x"), "cache"));
    expect((await blocked.add(file("a", "hello"))).get("sha256")).toEqual(hashBytes("sha256", "hello"));
  });

  it("prunes what was used longest ago", async () => {
    for (const [index, text] of ["one..", "two..", "three"].entries()) {
      await cache.add(file("a", text), ["sha512"]);
      const path = (await cache.lookup(hashBytes("sha256", text)))!;
      utimesSync(path, 1000 + index, 1000 + index);
    }
    expect(await cache.prune(10)).toEqual({ files: 1, bytes: 5 });
    expect(await cache.lookup(hashBytes("sha256", "one.."))).toBeUndefined();
    expect(await cache.lookup(hashBytes("sha512", "one.."))).toBeUndefined();
    expect(await cache.lookup(hashBytes("sha256", "three"))).toBeDefined();
  });
});
