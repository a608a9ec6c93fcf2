import { describe, expect, it } from "vitest";
import type { D2nError } from "../base/index.ts";
import type { View } from "../modules/index.ts";
import { everyPackage, lockAttribute, noPackage, parseLockSpec, pipField } from "../python/index.ts";
import { MemoryHost } from "../lang/testing.ts";
import { evalModules, playgrounds } from "./testing.ts";

const containing = (text: string): unknown => expect.stringContaining(text);
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

const playground = playgrounds((options) => new MemoryHost(options));

const pillow = `
{ config, lib, dream2nix, ... }: {
  imports = [ dream2nix.modules.dream2nix.pip ];
  deps = {nixpkgs, ...}: {
    python = nixpkgs.python3;
    inherit (nixpkgs) pkg-config zlib libjpeg;
  };
  name = "pillow";
  version = "10.4.0";
  mkDerivation = {
    nativeBuildInputs = [ config.deps.pkg-config ];
    propagatedBuildInputs = [ config.deps.zlib config.deps.libjpeg ];
  };
  buildPythonPackage.pythonImportsCheck = [ "PIL" ];
  pip = {
    requirementsList = ["\${config.name}==\${config.version}"];
    pipFlags = [ "--no-binary" ":all:" ];
  };
}`;
const sha256 = "166c1cd4d24309b30d61f79f4a9114b7b2313d7450912277855ff5dfd7cd4a06";
const hash = "0e7079891a40d9873f5b3f5fdd4d8007c92e4819e8801631a33bbb714fcf6b04";
const lock = JSON.stringify({
  fetchPipMetadata: {
    sources: {
      pillow: {
        is_direct: false,
        sha256,
        type: "url",
        url: "https://example.org/pillow-10.4.0.tar.gz",
        version: "10.4.0",
      },
    },
    targets: { default: { pillow: [] } },
  },
  invalidationHash: hash,
});
const locked = { "default.nix": pillow, "lock.x86_64-linux.json": lock };

describe("the guide's Pillow", () => {
  it("evaluates to a derivation out of the lock", () => {
    const { view, host } = playground({ files: locked });
    const result = view(evalModules("./default.nix"));
    expect(result.at("name").text()).toBe("pillow");
    const drvPath = result.at("drvPath").textWithoutContext();
    const drv = host.derivations.get(drvPath)!;
    expect(drv.env.get("pythonImportsCheck")).toBe("PIL");
    expect(drv.env.get("src")).toMatch(/-pillow-10\.4\.0\.tar\.gz$/);
    expect(drv.env.get("propagatedBuildInputs")).toMatch(/-zlib .*-libjpeg$/);
  });

  it("has the attributes of a Python package", () => {
    const { view } = playground({ files: locked });
    const result = view(evalModules("./default.nix"));
    expect(result.at("pythonModule", "pname").text()).toBe("python3");
    expect(result.at("type").text()).toBe("derivation");
    expect(result.at("config", "lock", "isValid").bool()).toBe(true);
    for (const name of [
      "overridePythonAttrs",
      "overrideAttrs",
      "extendModules",
      "pyEnv",
      "devShell",
      "shellHook",
      "lock",
      "docs",
    ])
      expect(result.has(name), name).toBe(true);
    expect(result.at("pyEnv", "drvPath").textWithoutContext()).toMatch(/-python-env\.drv$/);
    expect(result.at("shellHook").textWithoutContext()).toContain("editables");
    expect(result.at("devShell", "drvPath").textWithoutContext()).toMatch(/-shell\.drv$/);
  });

  it("is in its own environment, for it comes from the index and there is nothing to edit", () => {
    const { view, host } = playground({ files: locked });
    const builtInto = (project: string): boolean => {
      const drvPath = view(project).at("config", "public", "pyEnv", "drvPath").textWithoutContext();
      return [...host.derivations.get(drvPath)!.inputDrvs.keys()].some((path) => /-pillow\.drv$/.test(path));
    };
    const project = evalModules("./default.nix");
    expect(view(project).at("config", "pip", "editables").names()).toEqual([]);
    expect(builtInto(project)).toBe(true);
    const edited = `(${project}).extendModules { modules = [ { pip.editables.pillow = "./src"; } ]; }`;
    expect(builtInto(edited)).toBe(false);
  });

  it("is changed by extendModules, and mkForce replaces a dependency", () => {
    const { view } = playground({ files: locked });
    const result = view(
      `(${evalModules("./default.nix")}).extendModules { modules = [ ({ lib, ... }: { mkDerivation.doCheck = true; deps.zlib = lib.mkForce pkgs.glib; }) ]; }`,
    );
    const args = result.at("config", "package-func", "args");
    expect(args.at("doCheck").bool()).toBe(true);
    expect(args.at("propagatedBuildInputs").list()[0]!.at("pname").text()).toBe("glib");
  });

  it("gives a refresh program that holds all that locking needs", () => {
    const { view, host } = playground({ files: { "default.nix": pillow } });
    const refresh = view(`(${evalModules("./default.nix")}).lock`);
    const drv = host.derivations.get(refresh.at("drvPath").textWithoutContext())!;
    const spec = parseLockSpec(Buffer.from(drv.env.get("spec")!, "latin1").toString());
    expect(spec).toMatchObject({
      name: "pillow",
      projectRootFile: "flake.nix",
      lockFile: "lock.x86_64-linux.json",
      invalidationHash: hash,
      fields: [
        {
          kind: "pip",
          name: "fetchPipMetadata",
          pip: {
            pipVersion: "24.0",
            pythonVersion: "3.13.5",
            pipFlags: ["--no-binary", ":all:"],
            requirementsList: ["pillow==10.4.0"],
            env: {},
          },
        },
      ],
    });
    expect(spec.fields[0]).toMatchObject({
      pip: {
        interpreter: matching(/-python3\/bin\/python$/),
        bootstrapPip: matching(/-pip\/lib\/python3\.13\/site-packages$/),
      },
    });
    // On its own the program can evaluate nothing more.
    const [field] = spec.fields;
    expect(field?.kind === "pip" ? field.pip.toolchains?.map((one) => one.package) : []).toEqual(["", "*", "pillow"]);
    // The interpreter is an input of the program, so that it is there when the program is.
    expect([...drv.inputDrvs.keys()].some((path) => path.endsWith("-python3.drv"))).toBe(true);
  });
});

describe("toolchains", () => {
  it("are evaluated for whom they are asked for, so that nothing else is pinned", () => {
    const project = `{ config, dream2nix, ... }: {
  imports = [ dream2nix.modules.dream2nix.pip ];
  deps = { nixpkgs, ... }: { python = nixpkgs.python3; inherit (nixpkgs) zlib openssl; };
  name = "app"; version = "1";
  pip.flattenDependencies = true;
  pip.requirementsList = [ "one" "two" ];
  pip.overrides.one.mkDerivation.buildInputs = [ config.deps.zlib ];
  pip.overrides.two.mkDerivation.nativeBuildInputs = [ config.deps.openssl ];
}`;
    const { view, host } = playground({ files: { "default.nix": project } });
    const made = (pattern: RegExp): boolean => [...host.derivations.keys()].some((path) => pattern.test(path));
    const lock = view(`(${evalModules("./default.nix")}).lock.${lockAttribute}`);
    expect(JSON.parse(lock.at("spec").textWithoutContext())).toMatchObject({ name: "app" });
    expect(made(/-(?:cmake|pkg-config|zlib|openssl)\.drv$/)).toBe(false);
    const inputs = (name: string, tools: string): string[] => {
      const drvPath = lock.at("toolchain").call(pipField, name, tools).at("drvPath").textWithoutContext();
      return [...host.derivations.get(drvPath)!.inputDrvs.keys()].flatMap(
        (path) => /-(zlib|openssl|cmake|pkg-config)\.drv$/.exec(path)?.[1] ?? [],
      );
    };
    expect(inputs("one", "").sort()).toEqual(["pkg-config", "zlib"]);
    expect(made(/-(?:cmake|openssl)\.drv$/)).toBe(false);
    expect(inputs(noPackage, "cmake").sort()).toEqual(["cmake", "pkg-config"]);
    expect(inputs("three", "")).toEqual(["pkg-config"]);
    expect(inputs(everyPackage, "").sort()).toEqual(["openssl", "pkg-config", "zlib"]);
  });
});

describe("a lock file", () => {
  const failure = (files: Record<string, string>): D2nError => {
    const { view } = playground({ files });
    try {
      view(evalModules("./default.nix")).at("drvPath").get();
    } catch (error) {
      return error as D2nError;
    }
    throw new Error("it did not fail");
  };

  it("that is missing: which one, and the command", () => {
    const error = failure({ "default.nix": pillow });
    expect(error).toMatchObject({
      code: "lock-missing",
      message: matching(/lock\.x86_64-linux\.json of pillow is missing.*run .*\.lock/),
    });
    expect(error.hint).toMatch(/git add lock\.x86_64-linux\.json/);
  });
  it("that is missing while one under the older name is there", () => {
    const error = failure({ "default.nix": pillow, "lock.json": lock });
    expect(error.message).toContain("of pillow is missing (there is lock.json); run `");
    expect(error.hint).toMatch(/There is lock\.json: .*paths\.lockFile = "lock\.json"/s);
  });
  it("that is stale: what it must have been made for", () => {
    const error = failure({ ...locked, "default.nix": pillow.replace("==\${config.version}", "==10.3.0") });
    expect(error).toMatchObject({
      code: "lock-stale",
      message: matching(
        /outdated: pip\.requirementsList had "pillow==10\.4\.0", and has "pillow==10\.3\.0" now; run .*\.lock/,
      ),
    });
    expect(error.details).toContain('pip.requirementsList = ["pillow==10.3.0"]');
  });
  it.each([
    [
      'pipFlags = [ "--no-binary" ":all:" ];',
      'pipFlags = [ "--no-binary" ":all:" "--pre" ];',
      'pip.pipFlags has "--pre" now',
    ],
    ["pip = {", 'pip = { pipVersion = "24.2";', "it was made with pip 24.0, and pip.pipVersion is 24.2"],
    ["pip = {", 'pip = { env.A = "1";', "pip.env has A now"],
    ["nixpkgs.python3;", "nixpkgs.python311;", "it was made for Python 3.13, and this is Python 3.11"],
    ["pip = {", 'pip = { requirementsFiles = [ "r.txt" ];', "pip.requirementsFiles was empty"],
    ["==\${config.version}", " >= 1, < 2", 'pip.requirementsList had "pillow==10.4.0", and has "pillow >= 1, < 2" now'],
    ["pip = {", 'pip = { env.A = "1"; pipVersion = "24.2";', "what it was made for has changed"],
  ])("that is stale: what changed: %s %s", (from, to, reason) => {
    expect(failure({ ...locked, "default.nix": pillow.replace(from, to) })).toMatchObject({
      code: "lock-stale",
      message: containing(reason),
    });
  });
  it("without a hash", () => {
    expect(failure({ ...locked, "lock.x86_64-linux.json": "{}" })).toMatchObject({
      code: "lock-stale",
      message: containing("no invalidationHash"),
    });
  });
  it.each([lock.slice(0, 120), "", "[]", "null", '{"invalidationHash":'])("that is damaged is named: %.20j", (text) => {
    expect(failure({ ...locked, "lock.x86_64-linux.json": text })).toMatchObject({
      code: "lock-malformed",
      message: containing("lock.x86_64-linux.json"),
    });
  });
  it("without a hash of a package", () => {
    expect(failure({ ...locked, "lock.x86_64-linux.json": lock.replace(`"${sha256}"`, "null") })).toMatchObject({
      code: "lock-no-hash",
      message: containing("pillow"),
    });
  });
  it("can be seen by tryEval to be missing", () => {
    expect(
      playground({ files: { "default.nix": pillow } }).evaluate(
        `(builtins.tryEval (${evalModules("./default.nix")}).drvPath).success`,
      ),
    ).toBe(false);
  });
  it("is not read while its content is replaced", () => {
    const { view } = playground({ files: { "default.nix": pillow } });
    const content = `{ fetchPipMetadata = { sources.pillow = { type = "url"; version = "1"; url = "https://example.org/p.zip"; sha256 = "${sha256}"; }; targets.default.pillow = [ ]; }; }`;
    expect(
      view(evalModules(`./default.nix ({ lib, ... }: { lock.content = lib.mkForce ${content}; })`))
        .at("drvPath")
        .textWithoutContext(),
    ).toMatch(/pillow\.drv$/);
  });
});

/** A project with a lock that is made up, judged valid. */
function project(fetched: { sources: object; targets: object }, body: string): Record<string, string> {
  return {
    "default.nix": `{ config, lib, dream2nix, ... }: {
      imports = [ dream2nix.modules.dream2nix.pip ];
      deps = { nixpkgs, ... }: { python = nixpkgs.python3; };
      lock.content = lib.mkForce { fetchPipMetadata = builtins.fromJSON (builtins.readFile ./content.json); };
      version = "1";
      ${body}
    }`,
    "content.json": JSON.stringify(fetched),
  };
}
const source = (name: string, file = `${name}-1.0.tar.gz`) => ({
  [name]: { is_direct: false, version: "1.0", type: "url", url: `https://example.org/${file}`, sha256 },
});

describe("the pip module", () => {
  const app = {
    sources: {
      ...source("app"),
      ...source("a", "a-1.0-py3-none-any.whl"),
      ...source("b"),
      ...source("setuptools"),
      ...source("wheel"),
      ...source("extra"),
    },
    targets: {
      default: { app: ["a", "setuptools", "wheel"], a: ["b"], b: ["a"], setuptools: [], wheel: [] },
      more: { app: ["extra"], extra: [] },
    },
  };
  const names = (list: View): string[] => list.list().map((pkg) => pkg.at("name").text());

  it("propagates what the root needs, all of a cycle at once, and builds the members apart", () => {
    const { view } = playground({ files: project(app, 'name = "app";') });
    const result = view(evalModules("./default.nix"));
    expect(result.at("drvPath").textWithoutContext()).toMatch(/app\.drv$/);
    const args = result.at("config", "package-func", "args");
    expect(names(args.at("propagatedBuildInputs"))).toEqual(expect.arrayContaining(["a", "b", "setuptools"]));
    expect(names(args.at("propagatedBuildInputs"))).not.toContain("wheel");
    const drvs = result.at("config", "pip", "drvs");
    const part = drvs.at("a", "pip-cycle", "asPart");
    expect(names(args.at("propagatedBuildInputs"))).toContain("a");
    expect(
      args
        .at("propagatedBuildInputs")
        .list()
        .map((pkg) => pkg.at("drvPath").textWithoutContext()),
    ).toContain(part.at("drvPath").textWithoutContext());
    expect(part.at("pythonCycle").isNull()).toBe(true);
  });

  it("gives a member of a cycle that is taken alone the others, which are checked with it only", () => {
    const checks =
      'name = "app"; pip.overrides.a = { buildPythonPackage.pythonImportsCheck = [ "a" ]; mkDerivation.doInstallCheck = true; };';
    const { view, host } = playground({ files: project(app, checks) });
    const drvs = view(evalModules("./default.nix")).at("config", "pip", "drvs");
    const alone = drvs.at("a", "public");
    expect(names(drvs.at("a", "package-func", "args", "propagatedBuildInputs"))).toEqual(["b"]);
    expect(names(alone.at("out", "pythonCycle"))).toEqual(["a", "b"]);
    const derivation = (pkg: View) => host.derivations.get(pkg.at("drvPath").textWithoutContext())!;
    const part = drvs.at("a", "pip-cycle", "asPart");
    expect(derivation(alone)).not.toEqual(derivation(part));
    expect(derivation(alone).env.get("pythonImportsCheck")).toBe("a");
    expect(derivation(part).env.get("pythonImportsCheck") ?? "").toBe("");
    expect(derivation(part).env.get("dontCheckRuntimeDeps")).toBe("1");
    expect(derivation(alone).env.get("dontCheckRuntimeDeps") ?? "").toBe("");
  });

  it("knows libraries that some wheels want", () => {
    const content = {
      sources: { ...source("numba", "numba-1.0-cp313-cp313-linux_x86_64.whl"), ...source("pyodbc") },
      targets: { default: { numba: [], pyodbc: [] } },
    };
    const { view } = playground({ files: project(content, 'name = "app"; pip.flattenDependencies = true;') });
    const inputs = (name: string): string[] =>
      view(evalModules("./default.nix"))
        .at("config", "pip", "drvs", name, "mkDerivation", "buildInputs")
        .list()
        .flatMap((input) =>
          Array.isArray(input.get()) ? ["manylinux"] : input.has("name") ? [input.at("name").text()] : [],
        );
    expect(inputs("numba")).toEqual(expect.arrayContaining(["manylinux", "tbb"]));
    // From source it is the project's own business; and this package set has no such library.
    expect(inputs("pyodbc")).not.toContain("unixODBC");
  });

  it("takes wheels as wheels and gives others setuptools", () => {
    const { view } = playground({ files: project(app, 'name = "app";') });
    const drvs = view(evalModules("./default.nix")).at("config", "pip", "drvs");
    expect(drvs.at("a", "buildPythonPackage", "format").text()).toBe("wheel");
    expect(drvs.at("b", "buildPythonPackage", "format").isNull()).toBe(true);
    const inputs = (name: string): string[] =>
      drvs
        .at(name, "mkDerivation", "buildInputs")
        .list()
        .slice(0)
        .map((pkg) => (Array.isArray(pkg.get()) ? "manylinux" : pkg.at("name").text()));
    // It is for any platform, so that it has no libraries to patch.
    expect(inputs("a")).toEqual([]);
    expect(inputs("b").sort()).toEqual(["setuptools"]);
  });

  it("builds with chosen extras, and names those there are for an unknown one", () => {
    const extras = (list: string): View =>
      playground({ files: project(app, `name = "app"; pip.buildExtras = ${list};`) })
        .view(evalModules("./default.nix"))
        .at("config", "package-func", "args", "propagatedBuildInputs");
    expect(names(extras('[ "more" ]'))).toContain("extra");
    expect(() => extras('[ "mroe" ]').get()).toThrow(
      expect.objectContaining({
        message: containing("mroe"),
        hint: containing("There is: more"),
      }),
    );
  });

  it("flattens for a root that is not in the lock, and says when the option does not fit", () => {
    const evaluate = (body: string): View =>
      playground({ files: project(app, body) }).view(evalModules("./default.nix"));
    const flat = evaluate('name = "mine"; pip.flattenDependencies = true; mkDerivation.src = ./.;').at(
      "config",
      "mkDerivation",
    );
    expect(names(flat.at("propagatedBuildInputs")).sort()).toEqual(["a", "app", "b"]);
    // The extra was asked for by a requirement of the root's: `app[more]`.
    const flatApp = evaluate('name = "mine"; pip.flattenDependencies = true; mkDerivation.src = ./.;');
    expect(names(flatApp.at("config", "pip", "drvs", "app", "mkDerivation", "propagatedBuildInputs"))).toContain(
      "extra",
    );
    expect(
      flat
        .at("buildInputs")
        .list()
        .map((pkg) => (Array.isArray(pkg.get()) ? "manylinux" : pkg.at("name").text()))
        .sort(),
    ).toEqual(["setuptools"]);
    // An environment takes no source; building does.
    const sourceless = evaluate('name = "mine"; pip.flattenDependencies = true;');
    expect(sourceless.at("pyEnv", "drvPath").textWithoutContext()).toMatch(/\.drv$/);
    expect(() => sourceless.at("drvPath").get()).toThrow(/holds no source of mine/);
    expect(() => evaluate('name = "mine"; mkDerivation.src = ./.;').at("drvPath").get()).toThrow(
      /mine is not listed in the lockfile/,
    );
    expect(() => evaluate('name = "app"; pip.flattenDependencies = true;').at("drvPath").get()).toThrow(
      /app is listed in the lockfile/,
    );
  });

  it("applies overrides to all and by name, and leaves names alone that are not locked", () => {
    const { view } = playground({
      files: project(
        app,
        'name = "app"; pip.overrideAll.mkDerivation.doCheck = true; pip.overrides.b = { buildPythonPackage.pyproject = true; env.FLAG = "x"; }; pip.overrides.nobody.env.A = "1";',
      ),
    });
    const drvs = view(evalModules("./default.nix")).at("config", "pip", "drvs");
    expect(drvs.at("a", "package-func", "args", "doCheck").bool()).toBe(true);
    expect(drvs.at("a", "package-func", "args", "pyproject").isNull()).toBe(true);
    expect(drvs.at("b", "package-func", "args", "pyproject").bool()).toBe(true);
    expect(drvs.at("b", "package-func", "args", "FLAG").text()).toBe("x");
  });

  it("fetches by type", () => {
    const sources = {
      ...source("app"),
      g: { is_direct: true, version: "1", type: "git", url: "https://example.org/g.git", rev: "abc", sha256 },
      l: { is_direct: true, version: "1", type: "local", path: "libs/l" },
    };
    const { view } = playground({
      files: {
        ...project(
          { sources, targets: { default: { app: ["g", "l"], g: [], l: [] } } },
          'name = "app"; paths.projectRoot = lib.mkForce "/srv/project";',
        ),
      },
    });
    const drvs = view(evalModules("./default.nix")).at("config", "pip", "drvs");
    expect(drvs.at("g", "mkDerivation", "src", "rev").text()).toBe("abc");
    expect(drvs.at("l", "mkDerivation", "src").textWithoutContext()).toBe("/srv/project/libs/l");
  });

  it("hashes the environment flat", () => {
    const { view } = playground({ files: project(app, 'name = "app"; pip.env.PIP_FIND_LINKS = "/x";') });
    const data = view(evalModules("./default.nix")).at("config", "lock", "invalidationData", "pip");
    expect(data.at("PIP_FIND_LINKS").text()).toBe("/x");
    expect(data.at("pythonVersion").texts()).toEqual(["3", "13"]);
  });
});

describe("build systems that d2n.lock has", () => {
  const file = (name: string) => ({ url: `https://example.org/${name}`, sha256 });
  const locked = {
    sources: {
      ...source("app"),
      ...source("old"),
      ...source("plain"),
      ...source("w", "w-1.0-py3-none-any.whl"),
      g: { is_direct: true, version: "1.0", type: "git", url: "https://example.org/g.git", rev: "abc", sha256 },
    },
    targets: { default: { app: ["old", "plain", "w", "g"], old: [], plain: [], w: [], g: [] } },
  };
  const systems = {
    sources: {
      "app==1.0": { backend: "flit_core.buildapi", requires: ["flit_core"], inputs: ["flit-core==3.12.0"] },
      "old==1.0": { backend: "b", requires: ["setuptools<60", "tool"], inputs: ["setuptools==59.0", "tool==2"] },
      "tool==2": { backend: "b", requires: [], inputs: ["flit-core==3.12.0"] },
      "w==1.0": { backend: "never", requires: [], inputs: [] },
      "g==1.0": { submodules: "0".repeat(52), subdirectory: "py" },
    },
    files: {
      "flit-core==3.12.0": file("flit_core-3.12.0-py3-none-any.whl"),
      "setuptools==59.0": file("setuptools-59.0-py3-none-any.whl"),
      "tool==2": file("tool-2.tar.gz"),
    },
  };
  const empty = { sources: {}, files: {} };
  const evaluate = (body = "", buildSystems: object = systems): View =>
    playground({
      files: project(locked, `name = "app"; ${body}`),
      buildSystems: { "/project/lock.x86_64-linux.json": buildSystems as never },
    }).view(evalModules("./default.nix"));
  const argsOf = (result: View, name: string): View => result.at("config", "pip", "drvs", name, "package-func", "args");
  const inputsOf = (args: View): string[] =>
    args
      .at("build-system")
      .list()
      .map((pkg) => `${pkg.at("pname").text()} ${pkg.at("version").text()}`);

  it("are what a package is built with, each by itself, and are no setuptools by default", () => {
    const result = evaluate();
    const old = argsOf(result, "old");
    expect(inputsOf(old)).toEqual(["setuptools 59.0", "tool 2"]);
    expect(old.at("pyproject").bool()).toBe(true);
    expect(old.at("pythonIsolatedBuild").bool()).toBe(true);
    expect(old.at("buildInputs").list()).toEqual([]);
    expect(old.at("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_OLD").text()).toBe("1.0");
    // The root is built the same way, with the very same packages.
    expect(inputsOf(result.at("config", "package-func", "args"))).toEqual(["flit-core 3.12.0"]);
    const [setuptools, tool] = old.at("build-system").list();
    expect(setuptools!.at("arguments", "format").text()).toBe("wheel");
    expect(tool!.at("arguments", "pyproject").bool()).toBe(true);
    expect(inputsOf(tool!.at("arguments"))).toEqual(["flit-core 3.12.0"]);
    expect(result.at("drvPath").textWithoutContext()).toMatch(/app\.drv$/);
  });

  it("do not matter to wheels; what they lack is built with setuptools", () => {
    const result = evaluate();
    expect(argsOf(result, "w").at("format").text()).toBe("wheel");
    expect(argsOf(result, "w").at("build-system").list()).toEqual([]);
    expect(argsOf(result, "w").has("SETUPTOOLS_SCM_PRETEND_VERSION")).toBe(false);
    for (const without of [argsOf(result, "plain"), argsOf(evaluate("", empty), "old")]) {
      expect(without.at("pyproject").isNull()).toBe(true);
      expect(without.has("pythonIsolatedBuild")).toBe(false);
      expect(names(without.at("buildInputs"))).toEqual(["setuptools"]);
    }
  });

  it("are the package's own where it is not locked, unless it names one", () => {
    const own = { ...systems, sources: { ...systems.sources, me: { requires: ["tool"], inputs: ["tool==2"] } } };
    const argsWith = (body: string): View =>
      playground({
        files: project(locked, `name = "Me"; pip.flattenDependencies = true; mkDerivation.src = ./.; ${body}`),
        buildSystems: { "/project/lock.x86_64-linux.json": own },
      })
        .view(evalModules("./default.nix"))
        .at("config", "package-func", "args");
    const me = "buildPythonPackage.pyproject = true;";
    expect(inputsOf(argsWith(me))).toEqual(["tool 2"]);
    expect(inputsOf(argsWith(""))).toEqual([]);
    expect(inputsOf(argsWith(`${me} buildPythonPackage.build-system = [ config.deps.bash ];`))).toEqual(["bash 1"]);
  });

  it("give way to overrides, or join them", () => {
    const result = evaluate(
      `pip.overrides.old = { config, ... }: {
        buildPythonPackage.pyproject = false;
        mkDerivation.nativeBuildInputs = [ pkgs.zlib ];
        env.PBR_VERSION = "mine";
      };
      pip.overrides.tool.buildPythonPackage.pyproject = true;`.replaceAll("pkgs.zlib", "config.deps.bash"),
    );
    const old = argsOf(result, "old");
    expect(old.at("pyproject").bool()).toBe(false);
    expect(old.at("PBR_VERSION").text()).toBe("mine");
    expect(names(old.at("nativeBuildInputs"))).toEqual(expect.arrayContaining(["bash"]));
    const forced = evaluate("pip.overrides.old.buildPythonPackage.build-system = lib.mkForce [ config.deps.bash ];");
    expect(inputsOf(argsOf(forced, "old"))).toEqual(["bash 1"]);
  });

  it("say where in a git source a project lies, and its hash with submodules", () => {
    const args = argsOf(evaluate(), "g");
    expect(args.at("src", "fetchSubmodules").bool()).toBe(true);
    expect(args.at("src", "outputHash").text()).toBe("0".repeat(52));
    expect(args.at("setSourceRoot").text()).toContain("/'py'".slice(1));
    const without = argsOf(evaluate("", empty), "g");
    expect(without.at("src", "fetchSubmodules").bool()).toBe(false);
    expect(without.at("src", "outputHash").text()).toBe(sha256);
  });

  it("are found where the root is a string, as importPackages gives it", () => {
    const result = evaluate('paths.projectRoot = lib.mkForce "/project";');
    expect(inputsOf(argsOf(result, "old"))).toEqual(["setuptools 59.0", "tool 2"]);
  });

  it("that are incomplete are named", () => {
    const result = evaluate("", { ...systems, files: {} });
    expect(() => result.at("drvPath").get()).toThrow(
      expect.objectContaining({ code: "d2n-lock", message: containing("flit-core==3.12.0") }),
    );
  });

  const names = (list: View): string[] => list.list().map((pkg) => pkg.at("name").text());
});
