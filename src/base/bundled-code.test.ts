import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeCacheFolder, loadBundle } from "./bundled-code.ts";
import { keepCompiledCode } from "./compiled-code.ts";

const body = `
exports.sum = (n) => { let sum = 0; for (let i = 0; i <= n; i++) sum += i; return sum; };
exports.builtin = () => require("node:path").basename(__filename);
exports.later = () => importModule("something");
`;

describe("bundles", () => {
  let folder: string;
  let cache: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "d2n-bundle-"));
    cache = join(folder, "cache/d2n/code");
    writeFileSync(join(folder, "bundle.cjs"), body);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const load = (id = "1", environment: Record<string, string> = { XDG_CACHE_HOME: join(folder, "cache") }) => {
    const exported = loadBundle({
      file: pathToFileURL(join(folder, "bundle.cjs")),
      id,
      environment,
      importModule: async (name) => `imported ${name}`,
    }) as { sum(n: number): number; builtin(): string; later(): Promise<string> };
    expect(exported.sum(10)).toBe(55);
    return exported;
  };
  const kept = (): string[] => readdirSync(cache).sort();
  const only = (): string => join(cache, kept()[0]!);

  it("have what a module has, and packages that are imported late", async () => {
    const exported = load();
    expect(exported.builtin()).toBe("bundle.cjs");
    expect(await exported.later()).toBe("imported something");
  });

  it("keep their code once, readable by others and writable by none", () => {
    load();
    keepCompiledCode();
    expect(kept()).toHaveLength(1);
    expect(statSync(only()).mode & 0o022).toBe(0);
    const { ino } = statSync(only());
    load();
    keepCompiledCode();
    expect(statSync(only()).ino).toBe(ino);
  });

  it.each<[string, (file: string) => void]>([
    ["damaged", (file) => damage(file, 40)],
    ["of a damaged length", (file) => damage(file, 8)],
    ["truncated", (file) => truncateSync(file, statSync(file).size - 10)],
    ["empty", (file) => truncateSync(file, 0)],
    ["of something else", (file) => writeFileSync(file, "not code at all, but long enough to be some")],
    ["writable by others", (file) => chmodSync(file, 0o666)],
  ])("do without code that is %s, and replace it", (_, spoil) => {
    load();
    keepCompiledCode();
    const whole = readFileSync(only());
    spoil(only());
    load();
    keepCompiledCode();
    expect(kept()).toHaveLength(1);
    expect(readFileSync(only())).toHaveLength(whole.length);
    expect(statSync(only()).mode & 0o022).toBe(0);
  });

  it("refuse code of another content under the same name", () => {
    load();
    keepCompiledCode();
    writeFileSync(join(folder, "bundle.cjs"), `${body}exports.more = 1;`);
    expect(load()).toHaveProperty("more", 1);
  });

  it("keep a few other versions, not all", () => {
    for (let id = 0; id < 8; id++) {
      load(String(id));
      keepCompiledCode();
    }
    expect(kept()).toHaveLength(4);
    expect(kept().some((name) => name.startsWith(`${folder.split("/").pop()}-bundle-7-`))).toBe(true);
  });

  it("run without a cache, and where nothing can be written", () => {
    load("1", {});
    keepCompiledCode();
    writeFileSync(join(folder, "file"), "");
    load("1", { XDG_CACHE_HOME: join(folder, "file") });
    keepCompiledCode();
    load("1", { XDG_CACHE_HOME: "/proc" });
    keepCompiledCode();
    expect(readdirSync(folder).sort()).toEqual(["bundle.cjs", "file"]);
  });

  it("find the cache as other programs do", () => {
    expect(codeCacheFolder({ XDG_CACHE_HOME: "/c", HOME: "/h" })).toBe("/c/d2n/code");
    expect(codeCacheFolder({ XDG_CACHE_HOME: "relative", HOME: "/h" })).toBe("/h/.cache/d2n/code");
    expect(codeCacheFolder({})).toBeUndefined();
  });
});

function damage(file: string, offset: number): void {
  const content = readFileSync(file);
  content[offset]! ^= 0xff;
  writeFileSync(file, content);
}
