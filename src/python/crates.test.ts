import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isBuiltWithCargo } from "./build-systems-lock.ts";
import { wantsCrates } from "./crates.ts";

describe("sources in Rust", () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "d2n-crates-"))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  const locked = '[[package]]\nname = "pyo3"\nversion = "0.23.0"\nsource = "registry+https://example.org/index"\n';

  it("want crates that their lock file names", () => {
    expect(wantsCrates(folder)).toBe(false);
    write("src/rust/Cargo.lock", locked);
    expect(wantsCrates(folder)).toBe(true);
    expect(wantsCrates(join(folder, "missing"))).toBe(false);
  });

  it("want none where they have them, or need none", () => {
    write("Cargo.lock", '[[package]]\nname = "mine"\nversion = "0.1.0"\n');
    expect(wantsCrates(folder)).toBe(false);
    write("rust/Cargo.lock", locked);
    write(
      ".cargo/config.toml",
      '[source.crates-io]\nreplace-with = "vendored-sources"\n[source.vendored-sources]\ndirectory = "vendor"\n',
    );
    expect(wantsCrates(folder)).toBe(false);
  });

  it("are those of maturin, and of setuptools with an extension for it", () => {
    expect(isBuiltWithCargo({ backend: "maturin" })).toBe(true);
    expect(
      isBuiltWithCargo({ backend: "setuptools.build_meta", requires: ["setuptools>=61", "setuptools-rust>=1.4"] }),
    ).toBe(true);
    expect(isBuiltWithCargo({ backend: "setuptools.build_meta", requires: ["setuptools"] })).toBe(false);
    expect(isBuiltWithCargo({})).toBe(false);
  });
});
