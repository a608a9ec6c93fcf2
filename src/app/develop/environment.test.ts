import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { type Derivation, DerivationHashes } from "../../formats/index.ts";
import { environmentDerivation } from "./environment.ts";

const program = "/nix/store/00000000000000000000000000000000-dump-environment.sh";
const hashes = (): DerivationHashes =>
  new DerivationHashes("/nix/store", () => {
    throw new Error("there are no inputs");
  });
const derivation = (changes: Partial<Derivation> = {}): Derivation => ({
  name: "a",
  outputs: new Map([["out", { path: "/nix/store/11111111111111111111111111111111-a", hashAlgo: "", hash: "" }]]),
  inputDrvs: new Map(),
  inputSrcs: ["/nix/store/22222222222222222222222222222222-s"],
  system: "x86_64-linux",
  builder: "/nix/store/33333333333333333333333333333333-bash/bin/bash",
  args: ["-e", "builder.sh"],
  env: new Map([
    ["name", "a"],
    ["out", "/nix/store/11111111111111111111111111111111-a"],
    ["x", "1"],
  ]),
  ...changes,
});

describe("environmentDerivation()", () => {
  it("has the inputs and variables of the derivation, another program and outputs of its own", () => {
    const made = environmentDerivation(derivation(), program, hashes());
    expect(made.name).toBe("a-env");
    expect(made.args).toEqual([program, "out"]);
    expect(made.inputSrcs).toEqual([program, "/nix/store/22222222222222222222222222222222-s"]);
    expect(made.env.get("x")).toBe("1");
    expect(made.env.get("name")).toBe("a-env");
    expect(made.outputs.get("out")!.path).toMatch(/^\/nix\/store\/[0-9a-z]{32}-a-env$/);
    expect(made.env.get("out")).toBe(made.outputs.get("out")!.path);
    expect(hashes().check("/nix/store/44444444444444444444444444444444-a-env.drv", made)).toBeUndefined();
  });

  it("drops what holds for the result alone", () => {
    const fixed = derivation({
      outputs: new Map([
        ["out", { path: "/nix/store/11111111111111111111111111111111-a", hashAlgo: "sha256", hash: "00".repeat(32) }],
      ]),
      env: new Map([
        ["outputHash", "x"],
        ["outputHashAlgo", "sha256"],
        ["outputHashMode", "flat"],
        ["allowedReferences", ""],
        ["exportReferencesGraph", "g /p"],
      ]),
    });
    const made = environmentDerivation(fixed, program, hashes());
    expect([...made.env.keys()]).toEqual(["out"]);
    expect(made.outputs.get("out")).toMatchObject({ hashAlgo: "", hash: "" });
  });

  it("refuses what bash does not build", () => {
    expect(() => environmentDerivation(derivation({ builder: "builtin:fetchurl" }), program, hashes())).toThrow(
      /builtin:fetchurl/,
    );
  });
});

describe("dump-environment.sh", () => {
  const folder = mkdtempSync(join(tmpdir(), "d2n-dump-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const script = fileURLToPath(new URL("./dump-environment.sh", import.meta.url));

  const dump = (setup: string, env: Record<string, string>, outputs = ["out"]): string => {
    writeFileSync(join(folder, "setup"), setup);
    const paths = Object.fromEntries(outputs.map((name) => [name, join(folder, name)]));
    const { status, stderr } = spawnSync("bash", ["--noprofile", "--norc", script, ...outputs], {
      cwd: folder,
      encoding: "utf8",
      env: { PATH: process.env["PATH"]!, stdenv: folder, ...paths, ...env },
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    return readFileSync(join(folder, outputs[0]!), "utf8");
  };
  const after = (environment: string, code: string): string =>
    spawnSync("bash", ["--noprofile", "--norc", "-c", `${environment}\n${code}`], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"]! },
    }).stdout;

  it("keeps every kind of variable, whatever is in it, and functions", () => {
    const text = 'it\'s\n$HOME `x` \\ "q" \u0001ü';
    const environment = dump(
      `set -euo pipefail\ntrap 'exit 9' EXIT\nlist=(a "b c" "d'e"); declare -A map=(["k 'x"]="v"); hidden=1; greet() { echo "hello $1"; }; empty=; unset never; declare unset_one`,
      { TEXT: text },
    );
    expect(after(environment, 'printf "%s" "$TEXT"')).toBe(text);
    expect(
      after(
        environment,
        'printf "%s|" "${list[@]}" "${map["k \'x"]}" "$hidden" "${empty-unset}" "${unset_one-unset}"; greet you',
      ),
    ).toBe("a|b c|d'e|v|1||unset|hello you\n");
    expect(after(environment, "bash -c 'echo \"${TEXT:+exported} ${hidden-not}\"'")).toBe("exported not\n");
  });

  it("leaves out what belongs to the user or the sandbox", () => {
    const environment = dump("", {
      HOME: "/homeless-shelter",
      TMPDIR: "/build",
      NIX_BUILD_TOP: "/build",
      SHELL: "/x",
      TZ: "UTC",
      GCONV_PATH: "/g",
      LOCPATH: "/l",
    });
    for (const name of [
      "HOME",
      "TMPDIR",
      "NIX_BUILD_TOP",
      "SHELL",
      "TZ",
      "PWD",
      "GCONV_PATH",
      "LOCPATH",
      "BASH_VERSION",
      "_d2nFile",
    ])
      expect(environment).not.toMatch(new RegExp(`^(export )?${name}=`, "m"));
    expect(environment).toMatch(/^export IN_NIX_SHELL='impure'$/m);
  });

  it("makes every output, the first with the environment", () => {
    expect(dump("", {}, ["bin", "dev"])).toContain("IN_NIX_SHELL");
    expect(readFileSync(join(folder, "dev"), "utf8")).toBe("");
  });

  it("needs no standard environment and no programs", () => {
    expect(dump("", { stdenv: "", x: "1" })).toMatch(/^export x='1'$/m);
    expect(dump("export PATH=/path-not-set", {})).not.toMatch(/^export PATH=/m);
  });
});
