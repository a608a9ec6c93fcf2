import { describe, expect, it } from "vitest";
import { markerEnvironment } from "./marker-environment.ts";
import { pdmSourceDistributions } from "./pdm-build-systems.ts";
import { closePdmGroup, parsePdmLock, pdmTargetFits } from "./pdm-lock.ts";
import { parsePdmProject, parsePdmRequirement } from "./pdm-project.ts";

const linux = markerEnvironment({ version: "3.13.5", system: "x86_64-linux" });

const project = (text: string) => parsePdmProject(text, "pyproject.toml");
const lock = (text: string) => parsePdmLock(text, "pdm.lock");
const names = (
  text: string,
  requirements: readonly string[],
  environment = linux,
): Record<string, string | undefined> =>
  Object.fromEntries(
    [...closePdmGroup(lock(text), requirements.map(parsePdmRequirement), environment).values()].map(
      ({ name, version, extras }) => [extras.length === 0 ? name : `${name}[${extras.join(",")}]`, version],
    ),
  );

describe("pyproject.toml", () => {
  it("has groups of every kind", () => {
    const { groups, buildRequires } = project(`
      [project]
      name = "Me"
      dependencies = ["a"]
      [project.optional-dependencies]
      cli = ["b"]
      all = ["me[cli,web]"]
      web = ["c", "me[all]"]
      [dependency-groups]
      Dev-Tools = ["d", {include-group = "lint"}]
      lint = ["e"]
      [tool.pdm.dev-dependencies]
      lint = ["f"]
      local = ["-e file:///\${PROJECT_ROOT}/g#egg=g", "h @ git+https://example.org/h@v1"]
      [build-system]
      requires = ["Flit_Core>=3", "x; python_version < '3'"]
    `);
    expect(
      Object.fromEntries([...groups].map(([group, list]) => [group, list.map(({ name }) => name).join(" ")])),
    ).toEqual({
      default: "a",
      cli: "b",
      all: "b c",
      web: "c b",
      lint: "f e",
      local: "g h",
      "Dev-Tools": "d e",
    });
    expect(buildRequires).toEqual(["flit-core", "x"]);
  });

  it("hashes what pdm hashes", () => {
    // Computed with Python: hashlib.sha256(json.dumps({...}, sort_keys=True).encode()).hexdigest()
    const { contentHashes } = project(`
      [project]
      name = "me"
      dependencies = ["requests>=2", "x; platform_version == 'é'"]
      requires-python = ">=3.9"
      [tool.pdm.resolution]
      respect-source-order = true
    `);
    expect(contentHashes).toHaveLength(2);
    expect(contentHashes).toContain("5b70ea8970a172cbd693b6b6e744abd333c4d3310222b7819fe4212341104840");
  });

  it.each([
    ["[project", /cannot be used/],
    ["[tool]", /project/],
    ['[project]\nname = "a"\ndependencies = ["="]', /group default/],
    [
      '[project]\nname = "a"\n[dependency-groups]\na = [{include-group = "b"}]\nb = [{include-group = "a"}]',
      /include each other/,
    ],
    ['[project]\nname = "a"\n[dependency-groups]\ntest = [{include-group = "tets"}]', /did you mean `test`/],
  ])("is refused when it is %j", (text, message) => {
    expect(() => project(text)).toThrow(message);
  });
});

describe("pdm.lock", () => {
  const variants = `
    [[package]]
    name = "numpy"
    version = "1.0"
    requires_python = "<3.10"
    files = []
    [[package]]
    name = "numpy"
    version = "2.0"
    requires_python = ">=3.10"
    files = []
    [[package]]
    name = "only-windows"
    version = "1"
    marker = "os_name == 'nt'"
    files = []
  `;

  it("may have several versions for several interpreters", () => {
    expect(names(variants, ["numpy"])).toEqual({ numpy: "2.0" });
    const old = markerEnvironment({ version: "3.9.2", system: "x86_64-linux" });
    expect(names(variants, ["numpy", "only-windows"], old)).toEqual({ numpy: "1.0" });
    expect(names(variants, ["numpy==1.*"])).toEqual({ numpy: "2.0" });
  });

  it("joins extras that different packages ask for", () => {
    const text = `
      [[package]]
      name = "a"
      version = "1"
      dependencies = ["c[x]"]
      [[package]]
      name = "b"
      version = "1"
      dependencies = ["C[Y_z]", "a"]
      [[package]]
      name = "c"
      version = "1"
      [[package]]
      name = "c"
      version = "1"
      extras = ["x"]
      dependencies = ["c==1", "dx"]
      [[package]]
      name = "c"
      version = "1"
      extras = ["y-z"]
      dependencies = ["c==1", "dy", "b"]
      [[package]]
      name = "dx"
      version = "1"
      [[package]]
      name = "dy"
      version = "1"
    `;
    expect(names(text, ["a", "b"])).toEqual({ a: "1", b: "1", "c[x,y-z]": "1", dx: "1", dy: "1" });
    const packages = closePdmGroup(lock(text), ["a", "b"].map(parsePdmRequirement), linux);
    expect(packages.get("c")!.needs).toEqual(["dx", "dy", "b"]);
    expect(names(text, ["a"])).toEqual({ a: "1", "c[x]": "1", dx: "1" });
  });

  it("is walked once, however the paths multiply", () => {
    const layers = 40;
    const text = Array.from({ length: layers * 3 }, (_, index) => {
      const layer = Math.floor(index / 3);
      const below = layer + 1 < layers ? [0, 1, 2].map((at) => `"p${(layer + 1) * 3 + at}"`) : ['"p0"'];
      return `[[package]]\nname = "p${index}"\nversion = "1"\ndependencies = [${below.join(", ")}]\n`;
    }).join("");
    expect(Object.keys(names(text, ["p0"]))).toHaveLength(layers * 3 - 2);
  });

  it("has sources of every kind", () => {
    const commit = "0123456789abcdef0123456789abcdef01234567";
    const { entries } = lock(`
      [metadata.files]
      "old 1" = [{file = "old-1.tar.gz", hash = "sha256:00"}]
      [[package]]
      name = "old"
      version = "1"
      [[package]]
      name = "g"
      version = "1"
      git = "https://example.org/g"
      revision = "${commit}"
      subdirectory = "sub"
      [[package]]
      name = "branch"
      version = "1"
      git = "https://example.org/g"
      ref = "main"
      [[package]]
      name = "u"
      version = "1"
      url = "https://example.org/u.zip"
      files = [{file = "u.zip", hash = "sha256:01"}]
      [[package]]
      name = "p"
      version = "1"
      editable = true
      path = "./p"
      [[package]]
      name = "r"
      version = "1"
      url = "file:///\${PROJECT_ROOT}/r#egg=r"
      [[package]]
      name = "s"
      version = "1"
      files = [{url = "https://example.org/s-1%2Bcpu-py3-none-any.whl#x", hash = "sha256:02"}]
      [[package]]
      name = "m"
      version = "1"
      hg = "https://example.org/m"
    `);
    expect(entries.map(({ origin }) => origin)).toEqual([
      { kind: "index", files: [{ name: "old-1.tar.gz", url: undefined, hash: "sha256:00" }] },
      { kind: "git", url: "https://example.org/g", revision: commit, subdirectory: "sub" },
      { kind: "unsupported", what: "it comes from git, but its commit is not in the lock" },
      { kind: "url", url: "https://example.org/u.zip", hash: "sha256:01", subdirectory: undefined },
      { kind: "path", path: "./p", subdirectory: undefined },
      { kind: "path", path: "r", subdirectory: undefined },
      {
        kind: "index",
        files: [
          {
            name: "s-1+cpu-py3-none-any.whl",
            url: "https://example.org/s-1%2Bcpu-py3-none-any.whl#x",
            hash: "sha256:02",
          },
        ],
      },
      { kind: "unsupported", what: "it comes from hg" },
    ]);
  });

  it.each([
    ["linux", true],
    ["manylinux_2_17_x86_64", true],
    ["manylinux_2_17_aarch64", false],
    ["musllinux_1_1_x86_64", true],
    ["macos_14_0_arm64", false],
    ["macos", false],
    ["windows_amd64", false],
  ])("for %s fits linux: %s", (platform, fits) => {
    const text = `[[metadata.targets]]\nrequires_python = ">=3.9"\nplatform = "${platform}"\n`;
    expect(pdmTargetFits(lock(text), { version: "3.13.5", system: "x86_64-linux" })).toBe(fits);
    expect(pdmTargetFits(lock(text), { version: "3.8.1", system: "x86_64-linux" })).toBe(false);
  });

  it.each([
    ["[[package]", /pdm\.lock` cannot be used/],
    ["package = 1", /package/],
    ['[[package]]\nversion = "1"', /name/],
    ['[[package]]\nname = "a"\nmarker = "x y"', /a: the environment marker/],
    ['[[package]]\nname = "a"\ndependencies = ["="]', /a: .*not a requirement/],
  ])("is refused when it is %j", (text, message) => {
    expect(() => lock(text)).toThrow(message);
  });

  it("may lack the place of a local package that the requirement has", () => {
    const text = '[[package]]\nname = "a"\nversion = "1"\n';
    const requirement = parsePdmRequirement("a @ file:///${PROJECT_ROOT}/libs/a");
    expect(closePdmGroup(lock(text), [requirement], linux).get("a")!.origin).toEqual({
      kind: "path",
      path: "libs/a",
      subdirectory: undefined,
    });
  });

  it("must have what is required", () => {
    expect(() => names(variants, ["scipy"])).toThrow(/has no `scipy`, which pyproject\.toml requires/);
  });
});

describe("source distributions of a lock", () => {
  const text = `
    [[package]]
    name = "both"
    version = "1.0"
    files = [{file = "both-1.0-py3-none-any.whl", hash = "sha256:1"}, {file = "both-1.0.tar.gz", hash = "sha256:2"}]
    [[package]]
    name = "windows"
    version = "1.0"
    files = [{file = "windows-1.0-cp313-cp313-win_amd64.whl", hash = "sha256:1"}, {file = "windows-1.0.zip", hash = "sha256:2"}]
    [[package]]
    name = "only"
    version = "2.0"
    files = [{file = "only-2.0.tar.gz", hash = "sha256:3"}]
    [[package]]
    name = "away"
    version = "1.0"
    git = "https://example.org/away.git"
    revision = "0123456789012345678901234567890123456789"
    [[package]]
    name = "elsewhere"
    version = "1.0"
    marker = "sys_platform == 'win32'"
    files = [{file = "elsewhere-1.0.tar.gz", hash = "sha256:4"}]
  `;
  const groups = '[project]\nname = "me"\ndependencies = ["both", "windows", "elsewhere"]\n[dependency-groups]\n';
  const found = (more: object = {}, dev = 'dev = ["only", "away"]'): string[] => [
    ...pdmSourceDistributions(project(groups + dev), lock(text), {
      pythonVersion: "3.13.5",
      system: "x86_64-linux",
      libraryVersion: "2.41",
      musl: false,
      sourceSelector: "wheel",
      overridden: [],
      ...more,
    }).keys(),
  ];

  it("are those that there is no wheel of, in any group", () => {
    expect(found()).toEqual(["windows", "only", "away"]);
  });

  it("are all where they are preferred, and where somebody else chooses", () => {
    expect(found({ sourceSelector: "sdist" })).toEqual(["both", "windows", "only", "away"]);
    expect(found({ sourceSelector: null })).toEqual(["both", "windows", "only", "away"]);
    expect(found({ overridden: ["both"] })).toEqual(["both", "windows", "only", "away"]);
  });

  it("are found although a group is not in the lock", () => {
    expect(found({}, 'dev = ["only"]\nother = ["unknown"]')).toEqual(["windows", "only"]);
  });
});
