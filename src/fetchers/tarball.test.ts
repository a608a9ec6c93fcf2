import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hashBytes } from "../formats/index.ts";
import { ContentCache, fetchTarballTree, type TarballRequest } from "./index.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "d2n-tarball-"));
  const tree = join(directory, "in/project-1.0");
  mkdirSync(join(tree, "bin"), { recursive: true });
  writeFileSync(join(tree, "README"), "hello");
  writeFileSync(join(tree, "bin/run"), "#!/bin/sh\n");
  chmodSync(join(tree, "bin/run"), 0o755);
  symlinkSync("../README", join(tree, "bin/link"));
  for (const name of ["README", "bin/run", "bin", "."]) utimesSync(join(tree, name), 1_600_000_000, 1_600_000_000);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function pack(name: string, ...args: string[]): string {
  execFileSync("tar", [
    ...args,
    "-cf",
    join(directory, name),
    "-C",
    join(directory, "in"),
    ...readdirSync(join(directory, "in")),
  ]);
  return join(directory, name);
}

function fetch(file: string, more: Partial<TarballRequest> = {}) {
  return fetchTarballTree({
    url: pathToFileURL(file).href,
    destination: join(directory, "out"),
    unpack: true,
    environment: {},
    sink: () => {},
    ...more,
  });
}

describe("fetchTarballTree()", () => {
  it.each([
    ["x.tar", []],
    ["x.tar.gz", ["-z"]],
  ])("unpacks %s and strips the only folder", async (name, args) => {
    const { path, lastModified } = await fetch(pack(name, ...args));
    expect(path).toBe(join(directory, "out"));
    expect(readFileSync(join(path, "README"), "utf8")).toBe("hello");
    expect(lstatSync(join(path, "bin/run")).mode & 0o100).not.toBe(0);
    expect(readlinkSync(join(path, "bin/link"))).toBe("../README");
    expect(lastModified).toBeGreaterThanOrEqual(1_600_000_000);
    expect(readdirSync(directory).filter((entry) => entry.startsWith("out"))).toEqual(["out"]);
  });

  it("strips nothing where there are several things", async () => {
    writeFileSync(join(directory, "in/second"), "");
    await fetch(pack("x.tar"));
    expect(readdirSync(join(directory, "out")).sort()).toEqual(["project-1.0", "second"]);
  });

  it("takes a file as it is", async () => {
    await fetch(join(directory, "in/project-1.0/README"), { unpack: false });
    expect(readFileSync(join(directory, "out"), "utf8")).toBe("hello");
  });

  it("refuses what is no archive, damaged ones, traps, wrong hashes, and leaves nothing", async () => {
    const file = pack("x.tar.gz", "-z");
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, bytes.length - 20));
    await expect(fetch(file)).rejects.toMatchObject({ code: "archive-malformed" });
    await expect(fetch(join(directory, "in/project-1.0/README"))).rejects.toMatchObject({ code: "archive-malformed" });
    writeFileSync(join(directory, "evil"), "");
    execFileSync("tar", ["-Pcf", join(directory, "evil.tar"), "-C", join(directory, "in"), "../evil"], {
      stdio: "ignore",
    });
    await expect(fetch(join(directory, "evil.tar"))).rejects.toMatchObject({ code: "archive-unsafe" });
    await expect(fetch(pack("y.tar"), { expectedHash: hashBytes("sha256", "x") })).rejects.toMatchObject({
      code: "hash-mismatch",
    });
    expect(readdirSync(directory).filter((entry) => entry.startsWith("out"))).toEqual([]);
  });

  it("feeds the content cache and is fed by it", async () => {
    const contentCache = new ContentCache(join(directory, "cache"));
    const file = pack("x.tar");
    const expectedHash = hashBytes("sha256", readFileSync(file));
    await fetch(file, { contentCache });
    rmSync(join(directory, "out"), { recursive: true });
    rmSync(file);
    await fetch(file, { contentCache, expectedHash });
    expect(existsSync(join(directory, "out/README"))).toBe(true);
  });
});
