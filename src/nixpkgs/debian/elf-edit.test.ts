import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const editor = fileURLToPath(new URL("../builder/debian/elf-edit.pl", import.meta.url));
const program = ["/bin/ls", "/usr/bin/env"].find((path) => existsSync(path));
const perl = spawnSync("perl", ["-e", "1"]).status === 0;

let work: string;
let file: string;
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), "d2n-elf-"));
  file = join(work, "program");
  copyFileSync(program!, file);
  chmodSync(file, 0o755);
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

function edit(...options: string[]): string {
  const { status, stdout, stderr } = spawnSync("perl", [editor, ...options], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}
const runs = () => spawnSync(file, ["--version"]).status === 0;

describe.skipIf(!perl || program === undefined)("elf-edit.pl", () => {
  it("sets run path and interpreter, and the program still runs", () => {
    const interpreter = edit("--print-interpreter", file);
    const needed = edit("--print-needed", file);
    const before = statSync(file).size;
    edit("--set-rpath", `/nix/store/${"x".repeat(300)}/lib:/lib`, file);
    expect(edit("--print-rpath", file)).toBe(`/nix/store/${"x".repeat(300)}/lib:/lib`);
    expect(runs()).toBe(true);
    // A longer name for the same loader.
    edit("--set-interpreter", `/.${"/.".repeat(50)}${interpreter}`, file);
    expect(edit("--print-interpreter", file)).toBe(`/.${"/.".repeat(50)}${interpreter}`);
    expect(runs()).toBe(true);
    expect(edit("--print-needed", file)).toBe(needed);
    expect(statSync(file).size - before).toBeLessThan(40_000);
    expect(statSync(file).mode & 0o777).toBe(0o755);
  });

  it("edits again and again without growing", () => {
    edit("--set-rpath", "/a", file);
    edit("--set-rpath", "/a:/b", "--force-rpath", file);
    const size = statSync(file).size;
    for (let i = 0; i < 5; i++) edit("--set-rpath", i % 2 === 0 ? "/a" : "/a:/b", file);
    expect(statSync(file).size).toBe(size);
    expect(runs()).toBe(true);
    expect(edit("--remove-rpath", file) + edit("--print-rpath", file)).toBe("");
    expect(runs()).toBe(true);
  });

  it("is deterministic", () => {
    const copy = join(work, "copy");
    copyFileSync(file, copy);
    for (const path of [file, copy]) edit("--set-rpath", "/some/where", path);
    expect(readFileSync(file).equals(readFileSync(copy))).toBe(true);
  });

  it("keeps of the run path what has a needed library", () => {
    const library = edit("--print-needed", file).split("\n")[0]!;
    writeFileSync(join(work, library), "");
    edit("--set-rpath", `/nowhere:$ORIGIN/lib:${work}`, file);
    edit("--shrink-rpath", file);
    expect(edit("--print-rpath", file)).toBe(`$ORIGIN/lib:${work}`);
  });

  it("replaces and adds needed libraries", () => {
    const library = edit("--print-needed", file).split("\n").at(-1)!;
    edit("--replace-needed", library, "libother.so.1", file);
    expect(edit("--print-needed", file)).toContain("libother.so.1");
    edit("--replace-needed", "libother.so.1", library, "--add-needed", library, file);
    expect(runs()).toBe(true);
  });

  it("refuses what is no ELF file, and unknown options", () => {
    writeFileSync(file, "#!/bin/sh\n");
    expect(() => edit("--print-rpath", file)).toThrow(/not an ELF file/);
    writeFileSync(file, "");
    expect(() => edit("--print-rpath", file)).toThrow(/not an ELF file/);
    expect(() => edit("--frobnicate", file)).toThrow(/unknown option/);
  });
});
