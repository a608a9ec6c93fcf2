import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { createEvaluator, type EvalError } from "../../lang/index.ts";
import { MemoryHost } from "../../lang/testing.ts";
import { openPack, writePack } from "./pack.ts";
import { ParsedFiles } from "./parsed-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "d2n-parsed-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (content: Uint8Array | undefined): string | undefined => content && Buffer.from(content).toString();
const packs = (): string[] => readdirSync(folder).sort();

describe("a pack", () => {
  const key = (n: number): string => String.fromCharCode(n).repeat(16);
  const pieces = new Map([1, 200, 255].map((n) => [key(n), bytes(`piece ${n}`)]));
  const path = (): string => join(folder, "p.pack");

  it("gives back what was put in, and nothing else", () => {
    writePack(path(), pieces);
    const pack = openPack(path())!;
    expect([...pack.keys()]).toEqual([...pieces.keys()]);
    expect(text(pack.get(key(200)))).toBe("piece 200");
    expect(pack.get(key(2))).toBeUndefined();
    pack.close();
    expect(packs()).toEqual(["p.pack"]);
  });

  it("may hold more than its index's first part, and nothing", () => {
    const many = new Map(
      Array.from({ length: 5000 }, (_, i) => [String(i).padStart(16, "0"), bytes(`piece ${i}`)] as const),
    );
    writePack(path(), many);
    expect(text(openPack(path())!.get("0000000000004999"))).toBe("piece 4999");
    writePack(path(), new Map());
    expect([...openPack(path())!.keys()]).toEqual([]);
  });

  it.each<[string, () => void]>([
    ["empty", () => truncateSync(path(), 0)],
    ["truncated", () => truncateSync(path(), statSync(path()).size - 1)],
    ["longer than it was", () => writeFileSync(path(), "x", { flag: "a" })],
    ["damaged in its head", () => damage(path(), 1)],
    ["damaged in its index", () => damage(path(), 20)],
    ["writable by others", () => chmodSync(path(), 0o666)],
    ["of something else", () => writeFileSync(path(), "x".repeat(1000))],
  ])("that is %s is none", (_, spoil) => {
    writePack(path(), pieces);
    spoil();
    expect(openPack(path())).toBeUndefined();
  });

  it("does not give a damaged piece, but the others", () => {
    writePack(path(), pieces);
    damage(path(), statSync(path()).size - 1);
    const pack = openPack(path())!;
    expect(pack.get(key(255))).toBeUndefined();
    expect(text(pack.get(key(1)))).toBe("piece 1");
  });

  it("that is not there is none", () => expect(openPack(join(folder, "no.pack"))).toBeUndefined());
});

describe("parsed files", () => {
  const limits = { packs: 3, big: 10_000, total: 100_000 };
  const add = (content: string, tree: string, circumstances = "c"): void => {
    const files = new ParsedFiles(folder, limits);
    files.open(circumstances).remember(bytes(content), bytes(tree));
    files.save();
  };
  const recall = (content: string, circumstances = "c"): string | undefined =>
    text(new ParsedFiles(folder, limits).open(circumstances).recall(bytes(content)));

  it("are found by the next run, under the same circumstances", () => {
    add("one", "tree of one");
    expect(recall("one")).toBe("tree of one");
    expect(recall("two")).toBeUndefined();
    expect(recall("one", "other")).toBeUndefined();
  });

  it("leave nothing behind where nothing was added", () => {
    new ParsedFiles(folder).save();
    const files = new ParsedFiles(folder);
    expect(files.open("c").recall(bytes("x"))).toBeUndefined();
    files.save();
    expect(packs()).toEqual([]);
  });

  it("are joined when there are many packs", () => {
    for (let i = 0; i < 9; i++) add(`file ${i}`, `tree ${i}`);
    expect(packs().length).toBeLessThanOrEqual(limits.packs + 1);
    for (let i = 0; i < 9; i++) expect(recall(`file ${i}`)).toBe(`tree ${i}`);
  });

  it("are not joined with big ones", () => {
    add("big", "x".repeat(20_000));
    const [big] = packs();
    for (let i = 0; i < 9; i++) add(`file ${i}`, `tree ${i}`);
    expect(packs()).toContain(big);
    expect(recall("big")).toHaveLength(20_000);
  });

  it("take no more than they may: what was used last stays", () => {
    for (let i = 0; i < 4; i++) {
      add(`file ${i}`, String(i).repeat(40_000), `kind ${i}`);
      for (const name of packs()) {
        const path = join(folder, name);
        const { mtimeMs } = statSync(path);
        utimesSync(path, mtimeMs / 1000 - 60, mtimeMs / 1000 - 60);
      }
    }
    expect(packs()).toHaveLength(2);
    expect(recall("file 3", "kind 3")).toHaveLength(40_000);
    expect(recall("file 0", "kind 0")).toBeUndefined();
  });

  it("go when nobody has used them for a month", () => {
    add("old", "tree", "long ago");
    const [name] = packs();
    const then = Date.now() / 1000 - 40 * 86_400;
    utimesSync(join(folder, name!), then, then);
    add("new", "tree");
    expect(packs()).not.toContain(name);
    add("newer", "tree");
    const [used] = packs();
    const lately = Date.now() / 1000 - 20 * 86_400;
    utimesSync(join(folder, used!), lately, lately);
    expect(recall("new") ?? recall("newer")).toBe("tree");
    expect(statSync(join(folder, used!)).mtimeMs / 1000).toBeGreaterThan(lately + 1000);
  });

  it("are done without where nothing can be written", () => {
    writeFileSync(join(folder, "file"), "");
    for (const place of [join(folder, "file"), "/proc/d2n"]) {
      const files = new ParsedFiles(place);
      files.open("c").remember(bytes("x"), bytes("tree"));
      files.save();
      expect(files.open("c").recall(bytes("x"))).toBeUndefined();
    }
  });
});

/** What users see must not depend on what is in the cache, or on what became of it. */
test.each<[string, (pack: string) => void]>([
  ["as it was", () => undefined],
  ["gone", (pack) => rmSync(pack)],
  ["truncated", (pack) => truncateSync(pack, statSync(pack).size >> 1)],
  ["damaged at its end", (pack) => damage(pack, statSync(pack).size - 3)],
  ["damaged in its index", (pack) => damage(pack, 30)],
])("errors and values are the same with a cache that is %s", (_, spoil) => {
  const files = {
    "/lib.nix": `{\n  # ${"x".repeat(100)}\n  twice = f: x: f (f x);\n  fails = { needed, ... }: builtins.toString (needed + 1);\n}\n`,
    "/wrong.nix": `# ${"x".repeat(100)}\n{ a = 1;\n  b = nowhere; }\n`,
  };
  const outcome = (expression: string, trees: ParsedFiles | undefined): unknown => {
    try {
      const ev = createEvaluator({ host: new MemoryHost({ files }), trees });
      return ev.evaluate(expression, { basePath: "/" });
    } catch (error) {
      const { message, location, trace, hint } = error as EvalError;
      return { message, location, trace, hint };
    } finally {
      trees?.save();
    }
  };
  for (const expression of [
    "(import /lib.nix).twice (x: x * 3) 5",
    "(import /lib.nix).twice (import /lib.nix).fails { needed = 1; }",
    '(import /lib.nix).fails { needed = "text"; }',
    "(import /lib.nix).fails { other = 1; }",
    "(import /wrong.nix).a",
  ]) {
    const alone = outcome(expression, undefined);
    expect(outcome(expression, new ParsedFiles(folder))).toEqual(alone);
    for (const pack of packs()) spoil(join(folder, pack));
    expect(outcome(expression, new ParsedFiles(folder))).toEqual(alone);
    expect(outcome(expression, new ParsedFiles(folder))).toEqual(alone);
  }
});

function damage(file: string, offset: number): void {
  const content = readFileSync(file);
  content[offset]! ^= 0xff;
  writeFileSync(file, content);
}
