import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decompress, readAr, readTar, safeArchivePath, unpackTar, unpackZip, ZipArchive } from "./index.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "d2n-archives-"));
});
afterEach(() => {
  execFileSync("chmod", ["-R", "u+rwx", root]);
  rmSync(root, { recursive: true, force: true });
});

interface Fields {
  readonly name: string;
  readonly type?: string;
  readonly mode?: number;
  readonly link?: string;
  readonly content?: string;
  readonly size?: number;
  readonly prefix?: string;
  readonly magic?: string;
}

/** One tar entry: header, contents, padding. Strings are bytes. */
function entry({
  name,
  type = "0",
  mode = 0o644,
  link = "",
  content = "",
  size = content.length,
  prefix = "",
  magic = "ustar\x0000",
}: Fields): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, "latin1");
  header.write(`${mode.toString(8).padStart(7, "0")}\0`, 100, "latin1");
  header.write("0000000\x000000000\0", 108, "latin1");
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  header.write("00000001750\0", 136, "latin1");
  header.write("        ", 148, "latin1");
  header.write(type, 156, "latin1");
  header.write(link, 157, 100, "latin1");
  header.write(magic, 257, "latin1");
  header.write(prefix, 345, 155, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  body.write(content, "latin1");
  return Buffer.concat([header, body]);
}
const end = Buffer.alloc(1024);
const tar = (...entries: (Fields | Buffer)[]) =>
  Buffer.concat([...entries.map((each) => (Buffer.isBuffer(each) ? each : entry(each))), end]);
const pax = (records: Record<string, string>, type = "x") => {
  let content = "";
  for (const [key, value] of Object.entries(records)) {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length + 1;
    while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
    content += length + rest;
  }
  return entry({ name: "pax", type, content });
};
async function* cut(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function collect(source: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces).toString("latin1");
}
const list = async (bytes: Uint8Array, size = 700) => {
  const found: [string, string, string][] = [];
  for await (const each of readTar(cut(bytes, size)))
    found.push([each.path, each.type, each.type === "file" ? await collect(each.data) : each.link]);
  return found;
};

describe("tar", () => {
  const long = "d/".repeat(90) + "n".repeat(50);
  it("reads ustar prefixes, GNU and pax long names, raw bytes, links, V7 folders, global headers", async () => {
    const archive = tar(
      pax({ comment: "abc" }, "g"),
      { name: "dir/", type: "5", mode: 0o755 },
      { name: "dir/\xe4\xff", content: "bytes" },
      { name: "name", prefix: "pre/fix", content: "x".repeat(1000) },
      entry({ name: "././@LongLink", type: "L", content: `${long}\0`, magic: "ustar  \0" }),
      { name: long.slice(0, 100), content: "gnu", magic: "ustar  \0" },
      entry({ name: "././@LongLink", type: "K", content: `${long}\0`, magic: "ustar  \0" }),
      { name: "link", type: "2", link: long.slice(0, 100), magic: "ustar  \0" },
      pax({ path: `${long}\xe4`, mtime: "12.5" }),
      { name: "short", content: "pax" },
      { name: "hard", type: "1", link: "name" },
      { name: "old/", type: "\0", magic: "" },
    );
    for (const size of [1, 511, 512, 100_000])
      expect(await list(archive, size)).toEqual([
        ["dir", "directory", ""],
        ["dir/\xe4\xff", "file", "bytes"],
        ["pre/fix/name", "file", "x".repeat(1000)],
        [long, "file", "gnu"],
        ["link", "symlink", long],
        [`${long}\xe4`, "file", "pax"],
        ["hard", "hardlink", "name"],
        ["old", "directory", ""],
      ]);
  });

  it("skips contents that nobody takes", async () => {
    const names: string[] = [];
    for await (const each of readTar([tar({ name: "a", content: "x".repeat(600) }, { name: "b", content: "y" })]))
      names.push(each.path);
    expect(names).toEqual(["a", "b"]);
  });

  it.each([
    ["a damaged header", () => tar(Buffer.concat([entry({ name: "a" })]).fill("z", 0, 3)), /checksum/],
    ["something else", () => Buffer.alloc(1024, "<html>"), /not an octal|checksum/],
    ["nothing", () => Buffer.alloc(0), /empty/],
    ["a cut header", () => tar({ name: "a" }).subarray(0, 300), /ends in the middle/],
    ["cut contents", () => tar({ name: "a", content: "x".repeat(2000) }).subarray(0, 1500), /ends in the middle/],
    ["a size beyond the end", () => tar({ name: "a", content: "x", size: 10_000 }), /ends in the middle/],
    ["a GNU sparse file", () => tar({ name: "a", type: "S" }), /sparse/],
    ["a pax sparse file", () => tar(pax({ "GNU.sparse.major": "1" }), { name: "a" }), /sparse/],
    ["several volumes", () => tar({ name: "a", type: "M" }), /unknown type 'M'/],
    [
      "a pax header that lies",
      () => tar(entry({ name: "p", type: "x", content: "99 path=x\n" }), { name: "a" }),
      /extended header/,
    ],
    ["a pax header without an entry", () => Buffer.concat([pax({ path: "x" })]), /after an extended header/],
    ["a link without a target", () => tar({ name: "a", type: "2" }), /no target/],
    ["an entry without a name", () => tar({ name: "" }), /impossible name/],
    ["a giant pax header", () => tar(entry({ name: "p", type: "x", size: 1 << 30 })), /extended header has/],
  ])("%s is refused", async (_, archive, message) => {
    await expect(list(archive())).rejects.toThrow(message);
    await expect(list(archive())).rejects.toMatchObject({ code: "archive-malformed" });
  });

  it("unpacks, compressed or not, with canonical modes", async () => {
    const archive = tar(
      { name: "./", type: "5" },
      { name: "./p-1/run", mode: 0o4711, content: "#!" },
      { name: "./p-1/\xe4", mode: 0o600, content: "e" },
      { name: "./p-1/hard", type: "1", link: "./p-1/run" },
      { name: "./p-1/abs", type: "2", link: "/etc/passwd" },
      { name: "./p-1/run", mode: 0o600, content: "later" },
    );
    for (const bytes of [archive, gzipSync(archive)]) {
      const out = join(root, String(bytes.length));
      expect(await unpackTar(cut(bytes, 100), out)).toEqual({ topLevel: ["p-1"], lastModified: 1000 });
      expect(lstatSync(join(out, "p-1/hard")).mode & 0o7777).toBe(0o755);
      expect(lstatSync(join(out, "p-1/run")).mode & 0o7777).toBe(0o644);
      expect(readFileSync(join(out, "p-1/run"), "utf8")).toBe("later");
      expect(readlinkSync(join(out, "p-1/abs"))).toBe("/etc/passwd");
      expect(readdirSync(join(out, "p-1"), { encoding: "latin1" })).toContain("\xe4");
    }
  });

  it.each([
    ["the parent folder", () => tar({ name: "../out", content: "x" }), /'\.\.'/],
    ["the parent folder inside", () => tar({ name: "a/../../out", content: "x" }), /'\.\.'/],
    ["an absolute path", () => tar({ name: "/tmp/d2n-evil", content: "x" }), /absolute/],
    [
      "writing through a symlink",
      () => tar({ name: "l", type: "2", link: ".." }, { name: "l/out", content: "x" }),
      /through the symlink/,
    ],
    [
      "a folder over a symlink",
      () => tar({ name: "l", type: "2", link: ".." }, { name: "l", type: "5" }, { name: "l/../../out" }),
      /'\.\.'/,
    ],
    ["a hard link to outside", () => tar({ name: "h", type: "1", link: "/etc/passwd" }), /absolute/],
    [
      "a hard link to a symlink",
      () => tar({ name: "l", type: "2", link: "/etc/passwd" }, { name: "h", type: "1", link: "l" }),
      /no file before/,
    ],
    ["a device", () => tar({ name: "d", type: "3" }), /device/],
    ["a pipe", () => tar({ name: "d", type: "6" }), /pipe/],
    ["a file over a folder", () => tar({ name: "d", type: "5" }, { name: "d", content: "x" }), /replaces a directory/],
    ["a file below a file", () => tar({ name: "d" }, { name: "d/e" }), /is a file/],
  ])("%s cannot be unpacked", async (_, archive, message) => {
    await expect(unpackTar([archive()], join(root, "in"))).rejects.toThrow(message);
    expect(readdirSync(root)).toEqual(["in"]);
    expect(existsSync("/tmp/d2n-evil")).toBe(false);
  });

  it("a symlink that a folder replaces is not written through", async () => {
    await unpackTar(
      [tar({ name: "l", type: "2", link: ".." }, { name: "l", type: "5" }, { name: "l/in", content: "x" })],
      join(root, "out"),
    );
    expect(readdirSync(join(root, "out/l"))).toEqual(["in"]);
    expect(readdirSync(root)).toEqual(["out"]);
  });

  it("bounds hold and a full target is refused", async () => {
    await expect(unpackTar([tar({ name: "a", content: "xxxx" })], join(root, "a"), { maxSize: 3 })).rejects.toThrow(
      /more than 3 bytes/,
    );
    await expect(unpackTar([tar({ name: "a" }, { name: "b" })], join(root, "b"), { maxEntries: 1 })).rejects.toThrow(
      /more than 1 entries/,
    );
    symlinkSync("x", join(root, "a/link"));
    await expect(unpackTar([tar({ name: "a" })], join(root, "a"))).rejects.toThrow(/not empty/);
  });

  it("safeArchivePath() makes paths relative and canonical", () => {
    expect(safeArchivePath("./a//b/./c/")).toBe("a/b/c");
    expect(safeArchivePath("./")).toBe("");
  });
});

describe("ar", () => {
  const member = (name: string, content: string, size = String(content.length)) =>
    `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}${size.padEnd(10)}\`\n${content}${content.length % 2 ? "\n" : ""}`;
  const read = async (text: string) => {
    const found: [string, string][] = [];
    for await (const each of readAr(cut(Buffer.from(text, "latin1"), 7)))
      found.push([each.name, await collect(each.data)]);
    return found;
  };
  it("reads members, odd sizes included", async () => {
    expect(
      await read(`!<arch>\n${member("debian-binary", "2.0\n")}${member("odd/", "xyz")}${member("last", "")}`),
    ).toEqual([
      ["debian-binary", "2.0\n"],
      ["odd", "xyz"],
      ["last", ""],
    ]);
  });
  it.each([
    ["<html>", /does not begin/],
    [`!<arch>\n${member("a", "xx", "9999")}`, /ends in the middle/],
    [`!<arch>\n${member("a", "xx", "-1")}`, /no number/],
    [`!<arch>\n${member("//", "xx")}`, /long names/],
    [`!<arch>\n${member("a", "xx").replace("`", "'")}`, /header is damaged/],
  ])("%j is refused", async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });
});

describe("decompression", () => {
  const text = "hello hello hello hello\n";
  const compressed: Record<string, string> = {
    xz: "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AAXAAxdADQZSe6N6VYKwSGwAABsFO0bO2i7kQABKBjXg7duH7bzfQEAAAAABFla",
    bzip2: "QlpoOTFBWSZTWW9PEPMAAAXRAAAQQAACRKAAMMACqDRxDa2HDxdyRThQkG9PEPM=",
    zstd: "KLUv/SQYbQAAOGhlbGxvIAoBAJlLEah8Lqg=",
    gzip: gzipSync(text).toString("base64"),
  };
  it.each(Object.keys(compressed))("%s in pieces of any size", async (kind) => {
    const bytes = Buffer.from(compressed[kind]!, "base64");
    for (const size of [1, 7, 1000]) expect(await collect(decompress(cut(bytes, size)))).toBe(text);
  });
  it.each(Object.keys(compressed))("%s cut short or damaged is refused", async (kind) => {
    const bytes = Buffer.from(compressed[kind]!, "base64");
    for (const size of [bytes.length - 1, bytes.length - 9])
      await expect(collect(decompress([bytes.subarray(0, size)]))).rejects.toMatchObject({ code: "archive-malformed" });
    const damaged = Buffer.from(bytes);
    damaged[bytes.length >> 1]! ^= 0xff;
    await expect(collect(decompress([damaged]))).rejects.toMatchObject({ code: "archive-malformed" });
  });
  it("what has no magic is not compressed, and errors of the source pass", async () => {
    expect(await collect(decompress(cut(Buffer.from(text), 1)))).toBe(text);
    expect(await collect(decompress([]))).toBe("");
    for (const kind of Object.keys(compressed)) {
      const failing = (async function* () {
        yield Buffer.from(compressed[kind]!, "base64").subarray(0, 20);
        throw new Error("connection reset");
      })();
      await expect(collect(decompress(failing))).rejects.toThrow("connection reset");
    }
  });
  it("a reader may stop early", async () => {
    let stopped = false;
    const source = (async function* () {
      try {
        for (;;) yield gzipSync(Buffer.alloc(100_000));
      } finally {
        stopped = true;
      }
    })();
    for await (const _ of decompress(source)) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(stopped).toBe(true);
  });
});

interface ZipFields {
  readonly name: string;
  readonly content?: string;
  readonly mode?: number;
  readonly crc?: number;
  readonly size?: number;
  readonly store?: boolean;
}

function zip(...entries: ZipFields[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const {
    name,
    content = "",
    mode = 0o100644,
    crc = crc32(content),
    size = content.length,
    store = false,
  } of entries) {
    const raw = Buffer.from(name, "latin1");
    const data = store ? Buffer.from(content) : deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(store ? 0 : 8, 4);
    common.writeUInt32LE(crc, 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(raw.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, raw, data]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(mode * 0x10000, 6);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x03", "latin1"), common, tail, raw]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const last = Buffer.alloc(22);
  last.write("PK\x05\x06", "latin1");
  last.writeUInt16LE(entries.length, 8);
  last.writeUInt16LE(entries.length, 10);
  last.writeUInt32LE(central.length, 12);
  last.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, last]);
}

describe("zip", () => {
  it("lists, reads and unpacks", async () => {
    const bytes = zip(
      { name: "p/", mode: 0o040755 },
      { name: "p/run", content: "#!", mode: 0o100755 },
      { name: "p/\xc3\xa4", content: "x".repeat(5000), store: true },
      { name: "p/link", content: "run", mode: 0o120777 },
    );
    await using archive = await ZipArchive.open(bytes);
    expect(archive.entries.map(({ path, type, mode, size }) => [path, type, mode, size])).toEqual([
      ["p", "directory", 0o755, 0],
      ["p/run", "file", 0o755, 2],
      ["p/\xc3\xa4", "file", 0o644, 5000],
      ["p/link", "symlink", 0o777, 3],
    ]);
    expect((await archive.readAll(archive.find("p/run")!)).toString()).toBe("#!");
    await expect(archive.readAll(archive.find("p/\xc3\xa4")!, 100)).rejects.toThrow(/more than 100 bytes/);
    expect(await unpackZip(bytes, join(root, "out"))).toEqual(["p"]);
    expect(lstatSync(join(root, "out/p/run")).mode & 0o777).toBe(0o755);
    expect(readlinkSync(join(root, "out/p/link"))).toBe("run");
    expect(readFileSync(join(root, "out/p/ä"), "utf8").length).toBe(5000);
  });

  it.each([
    ["a wrong CRC", zip({ name: "a", content: "x", crc: 1 }), /CRC/],
    ["a size that lies", zip({ name: "a", content: "xxxxxxxxxx", size: 3 }), /bytes|size/],
    ["a name twice", zip({ name: "a" }, { name: "a" }), /twice/],
    ["a folder and a file of one name", zip({ name: "a/" }, { name: "a" }), /twice/],
    ["the parent folder", zip({ name: "../a", content: "x" }), /'\.\.'/],
    ["an absolute path", zip({ name: "/tmp/d2n-evil", content: "x" }), /absolute/],
    ["a backslash", zip({ name: "a\\b" }), /backslash/],
    ["a drive", zip({ name: "C:a" }), /drive/],
    ["a NUL", zip({ name: "a\0b" }), /NUL/],
    ["a path not canonical", zip({ name: "./a" }), /canonically/],
    ["double slashes", zip({ name: "a//b" }), /canonically/],
    [
      "writing through a symlink",
      zip({ name: "l", content: "..", mode: 0o120777 }, { name: "l/out", content: "x" }),
      /through the symlink/,
    ],
    ["a device", zip({ name: "d", mode: 0o060644 }), /device/],
    ["no archive", Buffer.from("hello"), /zip archive/],
    ["a cut archive", zip({ name: "a", content: "x" }).subarray(0, 40), /zip archive/],
  ])("%s is refused", async (_, bytes, message) => {
    await expect(unpackZip(bytes, join(root, "in"))).rejects.toThrow(message);
    await expect(unpackZip(bytes, join(root, "in2"))).rejects.toMatchObject({
      code: expect.stringMatching(/^archive-/) as string,
    });
    expect(readdirSync(root).filter((name) => !name.startsWith("in"))).toEqual([]);
  });
});
