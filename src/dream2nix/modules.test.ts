import { describe, expect, it } from "vitest";
import type { View } from "../modules/index.ts";
import { parseLockSpec } from "../python/index.ts";
import { MemoryHost } from "../lang/testing.ts";
import { NixPath } from "../lang/index.ts";
import type { BuildSystemsLock } from "../python/index.ts";
import { evalModules, playgrounds } from "./testing.ts";

const containing = (text: string): unknown => expect.stringContaining(text);
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

const playground = playgrounds((options) => new MemoryHost(options));

describe("modules", () => {
  const base = 'name = "x"; version = "1"; ';
  const evaluate = (body: string, imports = "mkDerivation"): View =>
    playground().view(
      evalModules(
        `({ config, lib, dream2nix, ... }: { imports = [ dream2nix.modules.dream2nix.${imports} ]; ${base} ${body} })`,
      ),
    );

  it("check assertions and show warnings", () => {
    expect(() => evaluate('assertions = [ { assertion = false; message = "not so"; } ];').at("drvPath").get()).toThrow(
      /not so/,
    );
    const { view, host } = playground();
    view(
      evalModules(
        `({ dream2nix, ... }: { imports = [ dream2nix.modules.dream2nix.mkDerivation ]; ${base} warnings = [ "beware" ]; })`,
      ),
    )
      .at("drvPath")
      .get();
    expect(host.messages.filter((message) => message.includes("beware"))).toHaveLength(1);
  });
  it("refuse variables that are options", () => {
    expect(() => evaluate('env.buildPhase = "x";').at("drvPath").get()).toThrow(
      /env\.buildPhase.*mkDerivation\.buildPhase/,
    );
  });
  it("name mistyped options and suggest", () => {
    expect(() => evaluate("mkDerivation.nativBuildInputs = [ ];").at("drvPath").get()).toThrow(
      expect.objectContaining({ message: containing("nativBuildInputs") }),
    );
  });
  it("have the options of mkDerivation that upstream has, and the right spelling of two", () => {
    const options = playground().view(
      `(${evalModules(`({ dream2nix, ... }: { imports = [ dream2nix.modules.dream2nix.mkDerivation ]; ${base} })`, "raw = true;")}).options.mkDerivation`,
    );
    expect(options.names()).toHaveLength(141);
    expect(options.names()).toEqual(
      expect.arrayContaining(["postInstalCheck", "postInstallCheck", "exportReferencesGraph"]),
    );
  });
  it("come without the prefix in the mixins", () => {
    const args = evaluate("doCheck = true; buildInputs = [ ]; passthru.tests.a = 1;", "buildPythonPackage-mixin").at(
      "config",
      "package-func",
      "args",
    );
    expect(args.at("doCheck").bool()).toBe(true);
    expect(args.at("format").text()).toBe("setuptools");
    expect(args.has("name")).toBe(false);
  });
  it("build by builtins.derivation", () => {
    expect(
      evaluate(
        'builtins-derivation = { builder = "/bin/sh"; system = "x86_64-linux"; args = [ "-c" "true" ]; };',
        "builtins-derivation",
      )
        .at("drvPath")
        .textWithoutContext(),
    ).toMatch(/-x\.drv$/);
  });
  it("offer flags", () => {
    const flags = playground().view(
      `(${evalModules(`({ dream2nix, ... }: { imports = [ dream2nix.modules.dream2nix.flags dream2nix.modules.dream2nix.mkDerivation ]; ${base} flagsOffered.fast = "be fast"; flagsOffered.small = "be small"; flags.fast = true; })`)}).config.flags`,
    );
    expect(flags.at("fast").bool()).toBe(true);
    expect(flags.at("small").bool()).toBe(false);
  });
  it("make packages editable, also without the pip module", () => {
    const result = playground().view(
      evalModules(
        `({ config, dream2nix, ... }: { imports = with dream2nix.modules.dream2nix; [ mkDerivation python-editables ]; ${base} editables.x = "src"; pyEnv = pkgs.python3.withPackages (p: [ ]); })`,
      ),
    );
    const hook = result.at("config", "editablesShellHook").textWithoutContext();
    expect(hook).toContain('"editables":{"x":"src"}');
    expect(hook).toContain('"marker":"flake.nix"');
  });
  it("that are not there yet say so", () => {
    expect(() => evaluate("", "rust-crane").at("drvPath").get()).toThrow(/rust-crane is not part of d2n yet/);
  });
  it("know removed options", () => {
    expect(() => evaluate("lock.repoRoot = ./.;").at("drvPath").get()).toThrow(
      /lock\.repoRoot[^]*Use paths\.projectRoot instead/,
    );
  });
  it("make paths relative to the project", () => {
    const path = (text: string): string =>
      playground()
        .view(
          `(dream2nix.lib.evalModules { packageSets.nixpkgs = pkgs; modules = [ { name = "x"; version = "1"; paths.projectRoot = ./.; paths.package = ${text}; } ]; raw = true; }).config.paths.package`,
        )
        .text();
    expect(path("./.")).toBe(".");
    expect(path("./sub/./x")).toBe("./sub/x");
    expect(path('"a//b"')).toBe("./a/b");
    expect(() => path('"../x"')).toThrow(/leads out of the project/);
  });
  it("lock fields by scripts of one's own", () => {
    const { view, host } = playground();
    const refresh = view(
      `(${evalModules(`({ dream2nix, ... }: { imports = [ dream2nix.modules.dream2nix.mkDerivation ]; ${base} lock.fields.weights = { script = builtins.toFile "weights.sh" ""; default = [ 1 ]; }; lock.extraScripts = [ "/bin/true" ]; })`)})`,
    );
    expect(refresh.at("config", "lock", "content", "weights").list()).toHaveLength(1);
    const spec = parseLockSpec(
      host.derivations.get(refresh.at("lock", "drvPath").textWithoutContext())!.env.get("spec")!,
    );
    expect(spec.fields).toEqual([{ kind: "script", name: "weights", script: matching(/-weights\.sh$/) }]);
    expect(spec.extraScripts).toHaveLength(1);
  });
  it("lock hashes of what is fetched, by programs that may be part of others", () => {
    const { view, host } = playground();
    const result = view(
      evalModules(`({ config, dream2nix, ... }: {
        imports = [ dream2nix.modules.dream2nix.mkDerivation ]; ${base}
        lock.fields.source.script = config.lock.lib.computeFODHash (pkgs.fetchurl { url = "https://example.org/x"; sha256 = "${"0".repeat(64)}"; });
        lock.fields.nested.script = "\${config.lock.fields.source.script}/.";
      })`),
    );
    const { fields } = parseLockSpec(
      host.derivations.get(result.at("lock", "drvPath").textWithoutContext())!.env.get("spec")!,
    );
    expect(fields).toEqual([
      { kind: "script", name: "nested", script: matching(/-update-FOD-hash-x\/\.$/) },
      { kind: "fod", name: "source", drvPath: matching(/-x\.drv$/) },
    ]);
  });
});

describe("WIP-python-pyproject", () => {
  const project = {
    "default.nix": `{ config, dream2nix, ... }: {
  imports = [ dream2nix.modules.dream2nix.WIP-python-pyproject ];
  deps = { nixpkgs, ... }: { python = nixpkgs.python3; };
  mkDerivation.src = "/project";
}`,
    "pyproject.toml": `[build-system]
requires = ["Flit_Core>=3", "pdm-pep517"]
[project]
name = "tool"
version = "1.0"
dependencies = ["idna"]
`,
  };
  it("takes name, version and requirements from pyproject.toml, and the build system from the lock or the package set", () => {
    const result = playground({ files: project }).view(evalModules("./default.nix", "raw = true;")).at("config");
    expect([result.at("name").text(), result.at("version").text()]).toEqual(["tool", "1.0"]);
    expect(result.at("pip", "requirementsList").texts()).toEqual(["idna"]);
    const inputs = (buildSystems: Readonly<Record<string, BuildSystemsLock>>): string[] => {
      const config = playground({ files: project, buildSystems })
        .view(
          evalModules(
            "./default.nix { lock.content = lib.mkForce { fetchPipMetadata = { sources = { }; targets.default = { }; }; }; }",
          ),
        )
        .at("config");
      return [
        ...config
          .at("mkDerivation", "buildInputs")
          .list()
          .filter((input) => input.has("pname")),
        ...config.at("buildPythonPackage", "build-system").list(),
      ].map((input) => `${input.at("pname").text()} ${input.at("version").text()}`);
    };
    expect(inputs({})).toEqual(["flit-core 1"]);
    const locked = { url: "https://example.org/flit_core-3.12-py3-none-any.whl", sha256: "0".repeat(64) };
    const systems = { sources: { tool: { inputs: ["flit-core==3.12"] } }, files: { "flit-core==3.12": locked } };
    expect(inputs({ "/project/lock.x86_64-linux.json": systems })).toEqual(["flit-core 3.12"]);
  });
});

describe("importPackages", () => {
  it("evaluates each folder", () => {
    const pkg = (name: string): string =>
      `{ dream2nix, ... }: { imports = [ dream2nix.modules.dream2nix.mkDerivation ]; name = "${name}"; version = "1"; }`;
    const { view } = playground({ files: { "packages/a/default.nix": pkg("a"), "packages/b/default.nix": pkg("b") } });
    const packages = view(
      'dream2nix.lib.importPackages { projectRoot = ./.; projectRootFile = "flake.nix"; packagesDir = "/packages"; packageSets.nixpkgs = pkgs; }',
    );
    expect(packages.names()).toEqual(["a", "b"]);
    expect(packages.at("b", "name").text()).toBe("b");
    expect(packages.at("b", "config", "paths", "package").text()).toBe("./packages/b");
    // A string would be no input of what is built from the project's files.
    expect(packages.at("b", "config", "paths", "projectRoot").get()).toBeInstanceOf(NixPath);
  });
});
