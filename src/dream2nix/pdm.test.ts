import { describe, expect, it } from "vitest";
import type { View } from "../modules/index.ts";
import { type BuildSystemsLock, parseLockSpec } from "../python/index.ts";
import { MemoryHost } from "../lang/testing.ts";
import { evalModules, playgrounds } from "./testing.ts";

const playground = playgrounds((options) => new MemoryHost(options));

const hash = (digit: string): string => `sha256:${digit.repeat(64)}`;

const pyproject = `
[project]
name = "my-tool"
version = "1.2"
requires-python = ">=3.11"
dependencies = ["Requests[socks]>=2", "colorama; sys_platform == 'win32'", "native"]
[project.optional-dependencies]
extra = ["left"]
[dependency-groups]
test = ["pytest", {include-group = "lint"}]
lint = ["ruff"]
[build-system]
requires = ["flit_core>=3"]
build-backend = "flit_core.buildapi"
`;

const lock = `
[metadata]
groups = ["default"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:4fbc8b3d4d7d0d3d4ffbc0a0c8df3f4b6d6b7ba5f4cd1a0ac5b64bf6f0e4a6f1"

[[metadata.targets]]
requires_python = ">=3.11"

[[package]]
name = "requests"
version = "2.31.0"
requires_python = ">=3.7"
groups = ["default"]
dependencies = ["certifi>=2017.4.17", "PySocks!=1.5.7,>=1.5.6; extra == 'socks'"]
files = [
  {file = "requests-2.31.0-py3-none-any.whl", hash = "${hash("1")}"},
  {file = "requests-2.31.0.tar.gz", hash = "${hash("2")}"},
]

[[package]]
name = "requests"
version = "2.31.0"
extras = ["socks"]
dependencies = ["PySocks!=1.5.7,>=1.5.6", "requests==2.31.0"]
files = [
  {file = "requests-2.31.0-py3-none-any.whl", hash = "${hash("1")}"},
  {file = "requests-2.31.0.tar.gz", hash = "${hash("2")}"},
]

[[package]]
name = "certifi"
version = "2024.1.1"
files = [{url = "https://example.org/x/certifi-2024.1.1-py3-none-any.whl", hash = "${hash("3")}"}]

[[package]]
name = "pysocks"
version = "1.7.1"
files = [{file = "PySocks-1.7.1.tar.gz", hash = "${hash("4")}"}]

[[package]]
name = "native"
version = "1.0"
marker = "sys_platform == 'linux'"
files = [
  {file = "native-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", hash = "${hash("a")}"},
  {file = "native-1.0-cp313-cp313-macosx_11_0_arm64.whl", hash = "${hash("b")}"},
  {file = "native-1.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", hash = "${hash("c")}"},
  {file = "native-1.0-cp313-cp313-manylinux_2_28_x86_64.whl", hash = "${hash("d")}"},
  {file = "native-1.0-py3-none-any.whl", hash = "${hash("e")}"},
]

[[package]]
name = "native"
version = "1.1"
marker = "sys_platform == 'win32'"
files = [{file = "native-1.1-cp313-cp313-win_amd64.whl", hash = "${hash("f")}"}]

[[package]]
name = "left"
version = "1"
dependencies = ["right"]
files = [{file = "left-1-py3-none-any.whl", hash = "${hash("5")}"}]

[[package]]
name = "right"
version = "1"
dependencies = ["left", "certifi"]
files = [{file = "right-1-py3-none-any.whl", hash = "${hash("6")}"}]

[[package]]
name = "pytest"
version = "8.0"
git = "https://example.org/pytest.git"
ref = "main"
revision = "0123456789012345678901234567890123456789"
subdirectory = "python"

[[package]]
name = "ruff"
version = "0.1"
path = "./libs/ruff"
`;

const project = (more = "", lockText = lock): Record<string, string> => ({
  "pyproject.toml": pyproject,
  "pdm.lock": lockText,
  "libs/ruff/pyproject.toml": "",
  "default.nix": `
    { config, lib, dream2nix, ... }: {
      imports = [ dream2nix.modules.dream2nix.WIP-python-pdm ];
      pdm.lockfile = ./pdm.lock;
      pdm.pyproject = ./pyproject.toml;
      mkDerivation.src = "/project";
      ${more}
    }`,
});

const evaluated = (more = "", lockText = lock, buildSystems: Readonly<Record<string, BuildSystemsLock>> = {}) => {
  const { view, host } = playground({ files: project(more, lockText), buildSystems });
  const result = view(evalModules("./default.nix"));
  const group = (name: string) => result.at("config", "groups", name, "packages");
  const attributes = (drvPath: string) => host.derivations.get(drvPath)!.env;
  return { result, host, group, attributes };
};

describe("a project that pdm has locked", () => {
  it("has its name, version and build system, and everything of its group", () => {
    const { result, attributes } = evaluated();
    expect(result.at("name").text()).toBe("my-tool");
    expect(result.at("version").text()).toBe("1.2");
    const env = attributes(result.at("drvPath").textWithoutContext());
    expect(env.get("buildInputs")).toMatch(/-flit-core/);
    expect(
      env
        .get("propagatedBuildInputs")!
        .split(" ")
        .map((path) => path.slice(path.lastIndexOf("-") + 1))
        .sort(),
    ).toEqual(["certifi", "native", "pysocks", "requests"]);
  });

  it("merges extras, and honours markers of requirements and of packages", () => {
    const { group } = evaluated();
    expect(group("default").names()).toEqual(["certifi", "native", "pysocks", "requests"]);
    expect(group("default").at("native").names()).toEqual(["1.0"]);
    expect(group("test").names()).toEqual(["certifi", "native", "pysocks", "pytest", "requests", "ruff"]);
  });

  it("takes the wheel that fits best, by the index that pip is configured with", () => {
    const { group } = evaluated();
    const src = group("default").at("native", "1.0", "evaluated", "mkDerivation", "src");
    expect(src.at("url").text()).toBe("mirror://pypi/cp313/n/native/native-1.0-cp313-cp313-manylinux_2_28_x86_64.whl");
    expect(src.at("outputHash").text()).toBe("d".repeat(64));
    expect(src.at("meta", "identifiers", "purlParts", "spec").text()).toBe("native@1.0");
    const sdist = group("default").at("pysocks", "1.7.1", "evaluated");
    expect(sdist.at("mkDerivation", "src", "url").text()).toBe("mirror://pypi/source/p/pysocks/PySocks-1.7.1.tar.gz");
    expect(sdist.at("buildPythonPackage", "pyproject").bool()).toBe(true);
    expect(sdist.at("env", "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_PYSOCKS").text()).toBe("1.7.1");
  });

  it("is built, and what it needs from source is, with what d2n.lock says", () => {
    const file = (name: string) => ({ url: `https://example.org/${name}`, sha256: "0".repeat(64) });
    const systems: BuildSystemsLock = {
      sources: {
        "my-tool": { backend: "flit_core.buildapi", requires: ["flit_core>=3"], inputs: ["flit-core==3.12.0"] },
        "pysocks==1.7.1": { backend: "b", requires: ["setuptools<60"], inputs: ["setuptools==59.0"] },
        "native==1.0": { backend: "b", requires: [], inputs: [] },
      },
      files: {
        "flit-core==3.12.0": file("flit_core-3.12.0-py3-none-any.whl"),
        "setuptools==59.0": file("setuptools-59.0-py3-none-any.whl"),
      },
    };
    const { result, group } = evaluated("", lock, { "/project/pdm.lock": systems });
    const versions = (of: { at: (...path: string[]) => { list: () => readonly View[] } }): string[] =>
      of
        .at("buildPythonPackage", "build-system")
        .list()
        .map((pkg) => `${pkg.at("pname").text()} ${pkg.at("version").text()}`);
    expect(versions(result.at("config"))).toEqual(["flit-core 3.12.0"]);
    expect(result.at("config", "mkDerivation", "buildInputs").list()).toEqual([]);
    const sdist = group("default").at("pysocks", "1.7.1", "evaluated");
    expect(versions(sdist)).toEqual(["setuptools 59.0"]);
    expect(sdist.at("env", "pythonIsolatedBuild").bool()).toBe(true);
    expect(sdist.at("mkDerivation", "buildInputs").list()).toEqual([]);
    // A wheel is not built.
    const wheel = group("default").at("native", "1.0", "evaluated");
    expect(versions(wheel)).toEqual([]);
    // Whoever names a build system has that.
    const own = evaluated("buildPythonPackage.build-system = [ config.deps.python.pkgs.poetry-core ];", lock, {
      "/project/pdm.lock": systems,
    });
    expect(versions(own.result.at("config"))).toEqual(["poetry-core 1"]);
    expect(result.at("pyEnv", "drvPath").textWithoutContext()).toMatch(/\.drv$/);
  });

  it("tells locking what it has to know to find build systems", () => {
    const { result, host } = evaluated("pdm.sourceSelector = names: builtins.head names; overrides.pysocks = { };");
    const drv = host.derivations.get(result.at("lock", "drvPath").textWithoutContext())!;
    expect(parseLockSpec(drv.env.get("spec")!).pdm).toMatchObject({
      folder: ".",
      lockFile: "pdm.lock",
      libraryVersion: "2.41",
      musl: false,
      sourceSelector: null,
      overridden: ["pysocks"],
    });
  });

  it("takes addresses that the lock has", () => {
    const { group } = evaluated();
    expect(group("default").at("certifi", "2024.1.1", "evaluated", "mkDerivation", "src", "url").text()).toBe(
      "https://example.org/x/certifi-2024.1.1-py3-none-any.whl",
    );
  });

  it("asks the project's own indexes first", () => {
    const { view } = playground({
      files: {
        ...project(),
        "pyproject.toml": `${pyproject}\n[[tool.pdm.source]]\nname = "pypi"\nurl = "https://\${USER}@example.org/simple"\n`,
      },
    });
    const src = view(evalModules("./default.nix")).at(
      "config",
      "groups",
      "default",
      "packages",
      "pysocks",
      "1.7.1",
      "evaluated",
      "mkDerivation",
      "src",
    );
    expect(src.at("url").text()).toBe(
      "mirror://pypi/source/p/pysocks/PySocks-1.7.1.tar.gz?index=https%3A%2F%2F%24%7BUSER%7D%40example.org%2Fsimple&only=1",
    );
    expect(src.at("name").text()).toBe("PySocks-1.7.1.tar.gz");
  });

  it("lets selectors choose, for all and for one", () => {
    const source = (more: string): string =>
      evaluated(more)
        .group("default")
        .at("requests", "2.31.0", "evaluated", "mkDerivation", "src", "outputHash")
        .text()[0]!;
    expect(source("")).toBe("1");
    expect(source('pdm.sourceSelector = "sdist";')).toBe("2");
    expect(source("pdm.sourceSelector = names: lib.last (lib.naturalSort names);")).toBe("2");
    expect(source('overrides.requests.sourceSelector = "sdist";')).toBe("2");
    expect(() => source('pdm.sourceSelector = names: "other.whl";')).toThrow(/chose other\.whl/);
    expect(() => source('pdm.sourceSelector = "egg";')).toThrow(/sourceSelector/);
  });

  it("builds with another group, and takes sources from paths and repositories", () => {
    const { group, result } = evaluated('pdm.group = "test"; overrides.pytest.mkDerivation.src = ./libs/ruff;');
    expect(result.at("config", "mkDerivation", "propagatedBuildInputs").list()).toHaveLength(6);
    const ruff = group("test").at("ruff", "0.1", "evaluated", "mkDerivation", "src");
    expect(ruff.get()).toMatchObject({ path: "/project/libs/ruff" });
    expect(group("test").at("pytest", "8.0", "evaluated", "mkDerivation", "setSourceRoot").text()).toContain(
      "'python'",
    );
  });

  it("comes to an end where packages need each other", () => {
    const { result, attributes } = evaluated('pdm.group = "extra";');
    const env = attributes(result.at("drvPath").textWithoutContext());
    expect(env.get("propagatedBuildInputs")).toMatch(/-left.*-right|-right.*-left/);
  });

  it("applies overrides of every layer", () => {
    const { group } = evaluated(`
      overrideAll.mkDerivation.doCheck = true;
      overrides.certifi.version = "9";
      groups.default.overrideAll.mkDerivation.dontStrip = false;
      groups.default.overrides.pysocks.mkDerivation.patches = [ ./pdm.lock ];
      pdm.overrides.requests.mkDerivation.patchFlags = "-p0";
    `);
    const module = (name: string, version: string) => group("default").at(name, version, "evaluated");
    expect(module("certifi", "2024.1.1").at("version").text()).toBe("9");
    expect(module("certifi", "2024.1.1").at("mkDerivation", "doCheck").bool()).toBe(true);
    expect(module("certifi", "2024.1.1").at("mkDerivation", "dontStrip").bool()).toBe(false);
    expect(module("pysocks", "1.7.1").at("mkDerivation", "patches").list()).toHaveLength(1);
    expect(module("requests", "2.31.0").at("mkDerivation", "patchFlags").text()).toBe("-p0");
    const { group: other } = evaluated("groups.default.overrideAll.mkDerivation.doCheck = true;");
    expect(other("extra").at("left", "1", "evaluated", "mkDerivation", "doCheck").bool()).toBe(false);
  });

  it("has an environment and a shell", () => {
    const { result } = evaluated();
    expect(result.at("pyEnv", "drvPath").textWithoutContext()).toMatch(/\.drv$/);
    expect(result.has("devShell")).toBe(true);
    expect(result.at("config", "pdm", "editables").names()).toEqual(["my-tool"]);
  });

  it("says when the lock is not the project's, of another interpreter, or lacks something", () => {
    const { result, host } = evaluated();
    result.at("drvPath").get();
    expect(host.messages.join()).toMatch(/pdm\.lock was made for another pyproject\.toml/);
    const other = evaluated("", lock.replace('requires_python = ">=3.11"', 'requires_python = "<3.10"'));
    other.result.at("drvPath").get();
    expect(other.host.messages.join()).toMatch(/was not made for Python 3\.13\.5/);
    expect(() => evaluated("", lock.replaceAll('name = "certifi"', 'name = "other"')).group("default").names()).toThrow(
      /has no `certifi`, which `requests` requires/,
    );
    expect(() => evaluated('pdm.group = "tests";').result.at("drvPath").get()).toThrow(/no group `tests`/);
    expect(() => evaluated("", "[[package]").group("default").names()).toThrow(/pdm\.lock` cannot be used/);
  });

  it("says which files there are when none fits", () => {
    const { group } = evaluated(
      "deps = {nixpkgs, ...}: { python = nixpkgs.python311; };",
      lock.replace(/.*native-1\.0-py3-none.*\n/, ""),
    );
    expect(() => group("default").at("native", "1.0", "evaluated", "mkDerivation", "src", "url").get()).toThrow(
      /No valid filename found in the list of filenames of native for Python 3\.11\.9 on x86_64-linux/,
    );
  });
});

describe("groups", () => {
  const simple = (more: string) => {
    const { view } = playground();
    return view(
      evalModules("", `raw = true;`).replace(
        "modules = [",
        `modules = [ dream2nix.modules.dream2nix.WIP-groups { groups.one.packages.foo."1.0".module = { imports = [ dream2nix.modules.dream2nix.mkDerivation ]; name = "foo"; version = lib.mkDefault "1.0"; }; ${more} }`,
      ),
    ).at("config", "groups", "one", "packages", "foo", "1.0");
  };

  it("evaluate a package with its name, version and overrides", () => {
    expect(simple("").at("public", "drvPath").textWithoutContext()).toMatch(/foo.*\.drv$/);
    expect(simple('overrides.foo.version = "2.0";').at("public", "version").text()).toBe("2.0");
    expect(simple('groups.one.overrides.foo.version = "3.0";').at("public", "version").text()).toBe("3.0");
    expect(simple('overrideAll.version = "4.0";').at("public", "version").text()).toBe("4.0");
  });

  it("refuse contradictions between layers", () => {
    expect(() =>
      simple('overrides.foo.version = lib.mkForce "2"; groups.one.overrides.foo.version = lib.mkForce "3";')
        .at("public", "version")
        .text(),
    ).toThrow(/groups\.one\.packages\.foo\."1\.0"\.evaluated\.version' has conflicting definition values/);
  });
});
