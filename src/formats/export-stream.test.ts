import { describe, expect, it } from "vitest";
import { exportMark, exportTrailer, narOfTree, type NarTree, readExport, type ReadExport } from "./index.ts";

/** Names and contents that read like words of the format. */
const tree: NarTree = {
  type: "directory",
  entries: new Map<string, NarTree>([
    ["(", { type: "regular", executable: false, contents: Buffer.from(")") }],
    [")", { type: "symlink", target: "contents" }],
    ["contents", { type: "regular", executable: true, contents: Buffer.alloc(0) }],
  ]),
};
const first = { path: "/nix/store/a-first", references: [], deriver: undefined };
const second = { path: "/nix/store/b-second", references: ["/nix/store/a-first"], deriver: "/nix/store/c.drv" };

function stream(): Buffer {
  const nar = Buffer.concat([...narOfTree(tree)]);
  return Buffer.concat([
    ...[exportMark(true), nar, exportTrailer(first)],
    ...[exportMark(true), nar, exportTrailer(second), exportMark(false)],
  ]);
}

async function read(bytes: Buffer, size = bytes.length): Promise<ReadExport[]> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  const all: ReadExport[] = [];
  for await (const one of readExport(pieces)) all.push(one);
  return all;
}

describe("the stream of exports", () => {
  it("gives back what was written, however it is cut", async () => {
    const nar = Buffer.concat([...narOfTree(tree)]);
    for (const size of [1, 7, 8, 4096]) {
      const all = await read(stream(), size);
      expect(all.map(({ nar: _, ...rest }) => rest)).toEqual([first, second]);
      for (const one of all) expect(Buffer.concat(one.nar).equals(nar)).toBe(true);
    }
  });

  it("refuses what is none", async () => {
    await expect(read(stream().subarray(0, -1))).rejects.toThrow("ends in the middle");
    await expect(read(stream().subarray(0, 100))).rejects.toThrow("ends in the middle");
    await expect(read(Buffer.from("hello world, this is no export"))).rejects.toThrow(
      /number in an export is too large/,
    );
    const wrong = stream();
    wrong.writeUInt8(2, 0);
    await expect(read(wrong)).rejects.toThrow("doesn't look like something created by 'nix-store --export'");
    const magic = stream();
    magic.writeUInt8(0, magic.indexOf("NIXE"));
    await expect(read(magic)).rejects.toThrow("wrong format");
    const long = stream();
    long.writeUInt32LE(1 << 30, long.indexOf("/nix/store/a-first") - 8);
    await expect(read(long)).rejects.toThrow("too long");
  });
});
