import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  fsPath,
  hashNar,
  hashNarSync,
  hashTree,
  NarParser,
  narOfTree,
  type NarTree,
  readNar,
  treeOfNar,
  TreeUnpacker,
  writeNarSync,
} from "./index.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "d2n-nar-"));
});
afterEach(() => {
  execFileSync("chmod", ["-R", "u+rwx", root]);
  rmSync(root, { recursive: true, force: true });
});

const name = fc
  .string({
    unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 12,
  })
  .filter((text) => text !== "." && text !== ".." && !text.includes("/"));
const target = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 60,
});
const { tree: anyTree } = fc.letrec<{ tree: NarTree; file: NarTree; link: NarTree; directory: NarTree }>((tie) => ({
  tree: fc.oneof({ maxDepth: 4, depthSize: "small" }, tie("file"), tie("link"), tie("directory")),
  file: fc.record({
    type: fc.constant("regular" as const),
    executable: fc.boolean(),
    contents: fc.uint8Array({ maxLength: 40 }),
  }),
  link: fc.record({ type: fc.constant("symlink" as const), target }),
  directory: fc.record({
    type: fc.constant("directory" as const),
    entries: fc.array(fc.tuple(name, tie("tree")), { maxLength: 5 }).map((entries) => new Map(entries)),
  }),
}));

function bytesOf(tree: NarTree): Buffer {
  return Buffer.concat([...narOfTree(tree)]);
}

/** Equal trees regardless of the order of entries. */
function plain(tree: NarTree): unknown {
  if (tree.type === "regular") return { ...tree, contents: Buffer.from(tree.contents).toString("hex") };
  if (tree.type === "symlink") return tree;
  return [...tree.entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, node]) => [key, plain(node)]);
}

function unpack(bytes: Uint8Array, path: string, pieces = bytes.length, metadata?: "store" | "user"): void {
  using unpacker = new TreeUnpacker(path, { metadata });
  const parser = new NarParser(unpacker);
  for (let at = 0; at < bytes.length; at += pieces) parser.push(bytes.subarray(at, at + pieces));
  parser.finish();
}

describe("NAR", () => {
  it("any tree survives memory, in pieces of any size", () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        expect(plain(treeOfNar(bytesOf(tree)))).toEqual(plain(tree));
      }),
    );
  });

  it("any tree survives the disk, raw names included", () => {
    let count = 0;
    fc.assert(
      fc.property(anyTree, fc.integer({ min: 1, max: 100 }), (tree, pieces) => {
        const path = join(root, String(count++));
        const bytes = bytesOf(tree);
        unpack(bytes, path, pieces);
        const again: Buffer[] = [];
        writeNarSync(path, (piece) => again.push(Buffer.from(piece)));
        expect(Buffer.concat(again).equals(bytes)).toBe(true);
        expect(hashNarSync(path).hash).toEqual(hashTree(tree).hash);
      }),
      { numRuns: 50 },
    );
  });

  it("big files, many names, and the asynchronous forms give the same bytes", async () => {
    const entries = new Map<string, NarTree>();
    for (let i = 0; i < 3000; i++)
      entries.set(`${"n".repeat(i % 200)}${i}`, {
        type: "regular",
        executable: i % 2 === 0,
        contents: new Uint8Array(i % 97).fill(i),
      });
    entries.set("big", { type: "regular", executable: false, contents: new Uint8Array(1_000_003).fill(7) });
    entries.set("link", { type: "symlink", target: "x".repeat(4000) });
    const tree: NarTree = { type: "directory", entries };
    const bytes = bytesOf(tree);
    const path = join(root, "tree");
    unpack(bytes, path, 4099, "store");
    expect(lstatSync(path).mode & 0o7777).toBe(0o555);
    expect(lstatSync(join(path, "big")).mode & 0o7777).toBe(0o444);
    expect(lstatSync(join(path, "0")).mode & 0o7777).toBe(0o555);
    expect(lstatSync(join(path, "0")).mtimeMs).toBe(1000);
    expect(lstatSync(join(path, "link")).mtimeMs).toBe(1000);
    expect(readlinkSync(join(path, "link")).length).toBe(4000);
    const pieces: Uint8Array[] = [];
    for await (const piece of readNar(path)) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    expect((await hashNar(path)).hash).toEqual(hashTree(tree).hash);
  });

  it("a filter sees absolute byte paths and kinds, and keeps out what it refuses", () => {
    mkdirSync(join(root, "t/sub/deep"), { recursive: true });
    writeFileSync(fsPath(`${root}/t/\xe4`), "x");
    writeFileSync(join(root, "t/sub/a"), "a");
    symlinkSync("nowhere", join(root, "t/l"));
    const seen: [string, string][] = [];
    const filtered: Buffer[] = [];
    writeNarSync(join(root, "t"), (bytes) => filtered.push(Buffer.from(bytes)), {
      filter: (path, kind) => {
        seen.push([path.slice(root.length), kind]);
        return !path.endsWith("/sub");
      },
    });
    expect(seen).toEqual([
      ["/t/l", "symlink"],
      ["/t/sub", "directory"],
      ["/t/\xe4", "regular"],
    ]);
    const tree = treeOfNar(Buffer.concat(filtered));
    expect(tree.type === "directory" && [...tree.entries.keys()]).toEqual(["l", "\xe4"]);
  });

  it("a filter is asked about what a folder holds before it is asked about what comes after the folder", () => {
    mkdirSync(join(root, "t/a/b"), { recursive: true });
    for (const name of ["a/b/c", "a/d", "e"]) writeFileSync(join(root, "t", name), "");
    const seen: string[] = [];
    hashNarSync(join(root, "t"), { filter: (path) => seen.push(path.slice(root.length + 3)) > 0 });
    expect(seen).toEqual(["a", "a/b", "a/b/c", "a/d", "e"]);
  });

  it("other kinds of files are refused", async () => {
    const server = createServer().listen(join(root, "socket"));
    await once(server, "listening");
    expect(() => hashNarSync(root)).toThrow(/unsupported type/);
    server.close();
  });

  it("unreadable and missing paths are system errors", () => {
    expect(() => hashNarSync(join(root, "none"))).toThrow(/ENOENT/);
  });
});

describe("hostile NARs", () => {
  const good = bytesOf({
    type: "directory",
    entries: new Map<string, NarTree>([
      ["aa", { type: "regular", executable: true, contents: Buffer.from("hello") }],
      ["bb", { type: "symlink", target: "aa" }],
    ]),
  });
  const replaced = (from: string, to: string) => {
    expect(from.length).toBe(to.length);
    const at = good.indexOf(from, 0, "latin1");
    expect(at).toBeGreaterThan(0);
    const bytes = Buffer.from(good);
    bytes.write(to, at, "latin1");
    return bytes;
  };
  it.each([
    ["a slash in a name", () => replaced("aa", "a/"), /invalid file name/],
    ["the parent directory", () => replaced("aa", ".."), /invalid file name/],
    ["a NUL in a name", () => replaced("aa", "a\0"), /invalid file name/],
    ["wrong order", () => replaced("aa", "cc"), /not sorted/],
    ["a name twice", () => replaced("bb", "aa"), /twice/],
    ["another magic", () => replaced("nix-archive-1", "nix-archive-2"), /expected 'nix-archive-1'/],
    ["an unknown type", () => replaced("regular", "reguläR".slice(0, 7)), /unknown file type/],
    ["padding that is not zero", () => replaced("hello\0", "hello!"), /padding/],
    ["trailing bytes", () => Buffer.concat([good, Buffer.from([0])]), /follow the end/],
    ["nothing", () => Buffer.alloc(0), /ends in the middle/],
    ["a giant string", () => Buffer.from("ffffffffffffff00", "hex"), /beyond all bounds|at most/],
  ] as const)("%s is refused", (_, bytes, message) => {
    const path = join(root, "out");
    expect(() => unpack(bytes(), path, 3)).toThrow(message);
    expect(readdirSync(root).every((entry) => entry === "out")).toBe(true);
  });

  it("every truncation is refused", () => {
    for (let end = 0; end < good.length; end++) expect(() => treeOfNar(good.subarray(0, end))).toThrow(/NAR/);
  });

  it("changed bytes are refused or give a tree, never anything else", () => {
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) => {
        const bytes = Buffer.from(good);
        bytes[at] = value;
        try {
          const tree = treeOfNar(bytes);
          expect(bytesOf(tree).equals(bytes)).toBe(true);
        } catch (error) {
          expect((error as { code?: string }).code).toBe("nar-malformed");
        }
      }),
      { numRuns: 500 },
    );
  });

  it("bounds of size, depth and number hold", () => {
    expect(() => treeOfNar(good, { maxSize: 4 })).toThrow(/more than 4 bytes/);
    expect(() => treeOfNar(good, { maxEntries: 2 })).toThrow(/more than 2 entries/);
    let deep: NarTree = { type: "directory", entries: new Map() };
    for (let i = 0; i < 1200; i++) deep = { type: "directory", entries: new Map([["d", deep]]) };
    const bytes = bytesOf(deep);
    expect(() => treeOfNar(bytes)).toThrow(/deeper than 1000/);
  });

  it("nothing is overwritten and no symlink followed", () => {
    mkdirSync(join(root, "victim"));
    symlinkSync(join(root, "victim"), join(root, "out"));
    expect(() => unpack(good, join(root, "out"))).toThrow(/EEXIST/);
    expect(readdirSync(join(root, "victim"))).toEqual([]);
    chmodSync(root, 0o755);
  });
});
