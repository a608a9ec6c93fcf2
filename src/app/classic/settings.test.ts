import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { isPseudoUrl, parseNixPath, searchPath } from "./search-path.ts";
import { NixSettings } from "./settings.ts";

const folder = mkdtempSync(join(tmpdir(), "d2n-settings-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(files: Readonly<Record<string, string>>, environment: Readonly<Record<string, string>> = {}) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const warnings: string[] = [];
  const settings = NixSettings.read({
    environment: { NIX_CONF_DIR: folder, NIX_USER_CONF_FILES: "", ...environment },
    warn: (message) => warnings.push(message),
  });
  return { settings, warnings };
}

describe("NixSettings", () => {
  it("reads files, those that they include, and NIX_CONFIG", () => {
    const { settings, warnings } = read(
      {
        "nix.conf":
          "max-call-depth = 5K # deep\ninclude more.conf\n!include none.conf\nexperimental-features = flakes\n",
        "more.conf": "show-trace = true\nnix-path = a=/b  /c\nnobody-knows = 1\n",
      },
      { NIX_CONFIG: "extra-experimental-features = pipe-operators\nshow-trace = no" },
    );
    expect(settings.number("max-call-depth", 1)).toBe(5120);
    expect(settings.flag("show-trace")).toBe(false);
    expect(settings.list("nix-path")).toEqual(["a=/b", "/c"]);
    expect(settings.list("experimental-features")).toEqual(["flakes", "pipe-operators"]);
    expect(warnings).toEqual(["unknown setting 'nobody-knows'"]);
  });

  it("the user's file counts more than the system's", () => {
    writeFileSync(join(folder, "user.conf"), "cores = 3\n");
    const { settings } = read({ "nix.conf": "cores = 1\n" }, { NIX_USER_CONF_FILES: join(folder, "user.conf") });
    expect(settings.text("cores")).toBe("3");
  });

  it("refuses what is no setting", () => {
    expect(() => read({ "nix.conf": "cores 3\n" })).toThrow(
      /syntax error in configuration line 'cores 3' in .*nix\.conf/,
    );
    expect(() => read({ "nix.conf": "include none.conf\n" })).toThrow("not found");
    const { settings } = read({ "nix.conf": "show-trace = perhaps\nmax-call-depth = many\n" });
    expect(() => settings.flag("show-trace")).toThrow("invalid value 'perhaps'");
    expect(() => settings.number("max-call-depth", 1)).toThrow("invalid value 'many'");
  });
});

describe("the search path", () => {
  it("has URLs in it", () => {
    expect(parseNixPath("a=/b:/c::nixpkgs=https://example.org/x.tar.gz:d=channel:e:flake:f")).toEqual([
      "a=/b",
      "/c",
      "nixpkgs=https://example.org/x.tar.gz",
      "d=channel:e",
      "flake:f",
    ]);
    expect(isPseudoUrl("channel:x")).toBe(true);
    expect(isPseudoUrl("/x")).toBe(false);
  });

  it("is absolute, with -I in front; NIX_PATH counts more than the setting", () => {
    const { settings } = read({ "nix.conf": "nix-path = set=/set\n" });
    const common = { settings, cwd: "/base", pure: false, included: ["x=rel", "y"] };
    expect(searchPath({ ...common, environment: {} })).toEqual(["x=/base/rel", "/base/y", "set=/set"]);
    expect(searchPath({ ...common, environment: { NIX_PATH: "env" } })).toEqual([
      "x=/base/rel",
      "/base/y",
      "/base/env",
    ]);
    expect(searchPath({ ...common, pure: true, environment: { NIX_PATH: "env" } })).toEqual([]);
  });
});
