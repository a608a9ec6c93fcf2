import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type DebPin, prepareBubblewrap, prepareBusybox, unpackDeb } from "./index.ts";

function tar(entries: readonly { path: string; content?: string; link?: string; mode?: number }[]): Buffer {
  const parts: Buffer[] = [];
  for (const { path, content = "", link, mode = 0o755 } of entries) {
    const header = Buffer.alloc(512);
    header.write(path, 0);
    header.write(`${mode.toString(8).padStart(7, "0")}\0`, 100);
    header.write("0000000\0", 108);
    header.write("0000000\0", 116);
    header.write(`${(link === undefined ? content.length : 0).toString(8).padStart(11, "0")}\0`, 124);
    header.write("00000000000\0", 136);
    header.write("        ", 148);
    header.write(link === undefined ? "0" : "2", 156);
    if (link !== undefined) header.write(link, 157);
    header.write("ustar\x0000", 257);
    const sum = header.reduce((a, b) => a + b, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    parts.push(header);
    if (link === undefined) parts.push(Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512));
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

function ar(members: readonly (readonly [string, Buffer])[]): Buffer {
  const parts: Buffer[] = [Buffer.from("!<arch>\n")];
  for (const [name, data] of members)
    parts.push(
      Buffer.from(
        `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}${String(data.length).padEnd(10)}\`\n`,
      ),
      data,
      Buffer.alloc(data.length % 2, "\n"),
    );
  return Buffer.concat(parts);
}

const deb = (data: Buffer) =>
  ar([
    ["debian-binary", Buffer.from("2.0\n")],
    ["control.tar.gz", gzipSync(tar([]))],
    ["data.tar.gz", gzipSync(data)],
  ]);

async function* stream(content: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += 777) yield content.subarray(at, at + 777);
}

function pinOf(name: string, content: Buffer): DebPin {
  return {
    package: name,
    version: "1",
    source: name,
    archive: "main",
    filename: `pool/${name}.deb`,
    sha256: createHash("sha256").update(content).digest("hex"),
    size: content.length,
    depends: [],
  };
}

let work: string;
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), "d2n-deb-"));
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

describe("unpackDeb()", () => {
  it("unpacks the chosen files", async () => {
    const file = deb(
      tar([
        { path: "./usr/bin/x", content: "one" },
        { path: "./usr/share/y", content: "two", mode: 0o644 },
      ]),
    );
    await unpackDeb(stream(file), join(work, "out"), (path) => (path.startsWith("usr/bin/") ? path : undefined));
    expect(readFileSync(join(work, "out/usr/bin/x"), "utf8")).toBe("one");
    expect(existsSync(join(work, "out/usr/share"))).toBe(false);
  });
  it.each([
    ["a path that leaves the folder", deb(tar([{ path: "../evil", content: "x" }]))],
    ["an absolute path", deb(tar([{ path: "/evil", content: "x" }]))],
    [
      "a file through a link",
      deb(
        tar([
          { path: "l", link: "/tmp" },
          { path: "l/evil", content: "x" },
        ]),
      ),
    ],
    ["a truncated file", deb(tar([{ path: "a", content: "x".repeat(5000) }])).subarray(0, 200)],
    ["no data", ar([["debian-binary", Buffer.from("2.0\n")]])],
    ["something else", Buffer.from("<html>not found</html>")],
    ["nothing", Buffer.alloc(0)],
  ])("refuses %s", async (_, file) => {
    await expect(unpackDeb(stream(file), join(work, "out"), (path) => path)).rejects.toMatchObject({
      code: expect.stringMatching(/^archive-/),
    });
    expect(existsSync(join(work, "evil"))).toBe(false);
  });
});

describe("the bootstrap", () => {
  it("has busybox alone in its folder, executable, and makes it once", async () => {
    const file = deb(
      tar([
        { path: "./usr/bin/busybox", content: "#!/bin/sh\n", mode: 0o644 },
        { path: "./usr/share/doc/x", content: "x" },
      ]),
    );
    let opened = 0;
    const options = { pin: pinOf("busybox-static", file), cacheDir: work, open: async () => (opened++, stream(file)) };
    const folder = await prepareBusybox(options);
    expect(readdirSync(folder)).toEqual(["busybox"]);
    expect(statSync(join(folder, "busybox")).mode & 0o777).toBe(0o755);
    expect(await prepareBusybox(options)).toBe(folder);
    expect(opened).toBe(1);
    expect(readdirSync(work)).toHaveLength(1);
  });
  it("leaves nothing behind when the file is not the pinned one, or lacks the program", async () => {
    const file = deb(tar([{ path: "./usr/bin/busybox", content: "x" }]));
    const other = deb(tar([{ path: "./usr/bin/busybox", content: "y" }]));
    await expect(
      prepareBusybox({ pin: pinOf("b", file), cacheDir: work, open: async () => stream(other) }),
    ).rejects.toMatchObject({ code: "hash-mismatch" });
    const empty = deb(tar([{ path: "./usr/bin/x", content: "x" }]));
    await expect(
      prepareBusybox({ pin: pinOf("b", empty), cacheDir: work, open: async () => stream(empty) }),
    ).rejects.toMatchObject({ code: "debian-package" });
    expect(readdirSync(work)).toEqual([]);
  });
  it("starts bubblewrap through the loader beside it", async () => {
    const files = new Map(
      Object.entries({
        bubblewrap: deb(tar([{ path: "./usr/bin/bwrap", content: "b" }])),
        libc6: deb(
          tar([
            { path: "./usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", content: "l" },
            { path: "./usr/lib64/x", content: "" },
          ]),
        ),
      }),
    );
    const words = await prepareBubblewrap({
      pins: [...files].map(([name, file]) => pinOf(name, file)),
      architecture: "amd64",
      cacheDir: work,
      open: async (pin) => stream(files.get(pin.package)!),
    });
    expect(words.map((word) => word.slice(word.lastIndexOf("/") + 1))).toEqual([
      "ld-linux-x86-64.so.2",
      "--library-path",
      words[2]!.slice(words[2]!.lastIndexOf("/") + 1),
      "bwrap",
    ]);
    expect(readdirSync(words[2]!).sort()).toEqual(["bwrap", "ld-linux-x86-64.so.2"]);
  });
});
