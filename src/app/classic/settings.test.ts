import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { absoluteEntry, isPseudoUrl, parseNixPath } from "./search-path.ts";
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
    expect(() => read({ "nix.conf": "show-trace = perhaps\n" })).toThrow("invalid value 'perhaps'");
    expect(() => read({ "nix.conf": "max-call-depth = many\n" })).toThrow("invalid value 'many'");
    const { settings, warnings } = read({ "nix.conf": "experimental-features = flakes warp\nmax-jobs = auto\n" });
    settings.setOrWarn("pure-eval", "maybe");
    expect(settings.has("pure-eval")).toBe(false);
    expect(warnings).toEqual([
      "unknown experimental feature 'warp'",
      "Boolean setting 'pure-eval' has invalid value 'maybe'",
    ]);
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

  it("is that of NIX_PATH rather than of files, until the command line says more", () => {
    const conf = { "nix.conf": "extra-nix-path = set=/set\n" };
    expect(read(conf).settings.list("nix-path")).toEqual(["set=/set"]);
    const { settings } = read(conf, { NIX_PATH: "a=b c:d" });
    expect(settings.list("nix-path")).toEqual(["a=b c", "d"]);
    settings.set("extra-nix-path", "e");
    expect(settings.list("nix-path")).toEqual(["a=b c", "d", "e"]);
    settings.set("nix-path", "f");
    expect(settings.list("nix-path")).toEqual(["f"]);
  });

  it("can be made independent of the working folder", () => {
    expect(["x=rel", "y", "z=/abs", "flake:f"].map((entry) => absoluteEntry(entry, "/base"))).toEqual([
      "x=/base/rel",
      "/base/y",
      "z=/abs",
      "flake:f",
    ]);
  });
});
