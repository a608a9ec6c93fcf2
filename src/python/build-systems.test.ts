import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { D2nError, type Event } from "../base/index.ts";
import {
  type BuildSystemsLock,
  type BuildSystemServices,
  findBuildSystems,
  type LockedSource,
  lockChanges,
  pdmLockChanges,
  type PipReport,
  splitBuildKey,
  tidyBuildSystems,
  toJson,
  versionVariables,
} from "./index.ts";
import { scriptFile } from "./pip-workspace.ts";

const containing = (text: string): unknown => expect.stringContaining(text);

let root: string;
let events: Event[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "d2n-build-systems-"));
  events = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Source {
  readonly requires?: readonly string[];
  readonly asks?: readonly string[] | "fails";
  readonly problem?: string;
}
interface World {
  /** By key of the source. */
  readonly sources: Readonly<Record<string, Source>>;
  /** Requirements, joined, to keys; those that end with "!" are source distributions. */
  readonly index: Readonly<Record<string, readonly string[]>>;
}

const sha256 = (key: string): string => Buffer.from(key).toString("hex").padEnd(64, "0").slice(0, 64);
const url = (key: string, wheel: boolean): string =>
  `https://example.org/${key.replace("==", "-")}${wheel ? "-py3-none-any.whl" : ".tar.gz"}`;
const report = (keys: readonly string[]): PipReport => ({
  version: "1",
  environment: {},
  install: keys.map((text) => {
    const key = text.replace("!", "");
    const [name, version] = splitBuildKey(key);
    return {
      download_info: { url: url(key, key === text), archive_info: { hashes: { sha256: sha256(key) } } },
      is_direct: false,
      is_yanked: false,
      requested: true,
      requested_extras: [],
      metadata: { name, version, requires_dist: [], provides_extra: [] },
    };
  }),
});
const sdist = (key: string): [string, LockedSource] => {
  const [name, version] = splitBuildKey(key);
  return [name, { type: "url", url: url(key, false), sha256: sha256(key), version, is_direct: false }];
};

/** Finds the build systems of a world in which nothing runs; tells what was resolved, in order. */
async function find(
  { sources, index }: World,
  locked: readonly (readonly [string, LockedSource])[],
  more: Partial<BuildSystemServices> = {},
): Promise<{ readonly lock: BuildSystemsLock; readonly resolved: string[] }> {
  const resolved: string[] = [];
  const lock = await findBuildSystems(new Map(locked), {
    work: root,
    events: (event) => events.push(event),
    resolve: async (requirements, onlyWheels) => {
      const wanted = `${[...requirements].sort().join(" ")}${onlyWheels ? " as wheels" : ""}`;
      resolved.push(wanted);
      const keys = index[wanted];
      if (keys === undefined) throw new D2nError("lock-pip-failed", `pip could not resolve ${wanted}`);
      return report(keys);
    },
    install: async () => {},
    script: async (name, [input, output], { env, onLine }) => {
      const settings: unknown = JSON.parse(readFileSync(input!, "utf8"));
      if (name === "inspect-sources.py") {
        const found = (settings as { key: string }[]).map(({ key }) => {
          const { requires = [], asks, problem } = sources[key]!;
          return {
            key,
            folder: `/${key}`,
            backend: "x",
            backendPath: [],
            requires,
            dynamic: asks !== undefined,
            problem,
          };
        });
        writeFileSync(output!, JSON.stringify(found));
        return 0;
      }
      const { asks } = sources[(settings as { folder: string }).folder.slice(1)]!;
      expect(env).toHaveProperty("PDM_BUILD_SCM_VERSION");
      if (asks === "fails") {
        onLine?.("RuntimeError: no");
        return 1;
      }
      writeFileSync(output!, JSON.stringify(asks));
      return 0;
    },
    file: async (address) => join(root, address.split("/").at(-1)!),
    trees: new Map(),
    ...more,
  });
  return { lock, resolved };
}
const warnings = (): string[] =>
  events.flatMap((event) => (event.type === "message" && event.level === "warning" ? [event.text] : []));

describe("the package itself", () => {
  const world: World = {
    sources: { "my-app": { requires: ["Hatch_ling>=1", "wheel"] } },
    index: { "Hatch_ling>=1 wheel": ["hatch-ling==2", "wheel==1"] },
  };
  const wheel = (name: string): [string, LockedSource] => [
    name,
    { type: "url", url: url(name, true), sha256: "", version: "1", is_direct: false },
  ];

  it("is built with what its project asks for, where that is not locked", async () => {
    writeFileSync(join(root, "pyproject.toml"), "");
    const services = { root: { name: "My.App", folder: root } };
    const { lock } = await find(world, [wheel("wheel")], services);
    expect(lock.sources).toEqual({
      "my-app": { backend: "x", requires: ["Hatch_ling>=1", "wheel"], inputs: ["hatch-ling==2", "wheel==1"] },
    });
    const { lock: complete, resolved } = await find(world, [wheel("wheel"), wheel("hatch-ling")], services);
    expect([complete, resolved]).toEqual([{ sources: {}, files: {} }, []]);
  });

  it("is left out where it is no project", async () => {
    expect((await find(world, [], { root: { name: "My.App", folder: root } })).lock.sources).toEqual({});
  });
});

describe("build systems", () => {
  it("are resolved once for all that want the same, and hold only files that something needs", async () => {
    const { lock, resolved } = await find(
      {
        sources: { "a==1": { requires: ["flit_core<4"] }, "b==2": { requires: ["flit_core<4"] } },
        index: { "flit_core<4": ["flit-core==3.12.0"] },
      },
      [sdist("b==2"), sdist("a==1")],
    );
    expect(resolved).toEqual(["flit_core<4"]);
    expect(JSON.stringify(lock)).toBe(
      JSON.stringify({
        sources: {
          "a==1": { backend: "x", requires: ["flit_core<4"], inputs: ["flit-core==3.12.0"] },
          "b==2": { backend: "x", requires: ["flit_core<4"], inputs: ["flit-core==3.12.0"] },
        },
        files: {
          "flit-core==3.12.0": { url: url("flit-core==3.12.0", true), sha256: sha256("flit-core==3.12.0") },
        },
      }),
    );
  });

  it("hold no cargo by way of the index: there is one where it is built", async () => {
    const { lock, resolved } = await find(
      {
        sources: { "a==1": { requires: ["maturin>=1"], asks: ["puccinialin", "maturin>=1"] } },
        index: { "maturin>=1": ["maturin==1.9"] },
      },
      [sdist("a==1")],
    );
    expect(resolved).toEqual(["maturin>=1"]);
    expect(lock.sources["a==1"]).toMatchObject({ inputs: ["maturin==1.9"] });
  });

  it("hold what the backend asks for; wheels have none", async () => {
    const wheel: [string, LockedSource] = [
      "w",
      { type: "url", url: url("w==1", true), sha256: sha256("w"), version: "1", is_direct: false },
    ];
    const { lock } = await find(
      {
        sources: { "a==1": { requires: ["setuptools<60"], asks: ["wheel", "setuptools<60"] } },
        index: { "setuptools<60": ["setuptools==59"], "setuptools<60 wheel": ["setuptools==59", "wheel==1"] },
      },
      [sdist("a==1"), wheel],
    );
    expect(lock.sources).toEqual({
      "a==1": { backend: "x", requires: ["setuptools<60", "wheel"], inputs: ["setuptools==59", "wheel==1"] },
    });
  });

  it("that cannot be found are warned of, and leave the others alone", async () => {
    const { lock } = await find(
      {
        sources: {
          "a==1": { problem: "it has neither pyproject.toml nor setup.py" },
          "b==1": { requires: ["nowhere"] },
          "c==1": { requires: ["setuptools"], asks: "fails" },
          "d==1": {},
        },
        index: { setuptools: ["setuptools==80"] },
      },
      ["a==1", "b==1", "c==1", "d==1"].map(sdist),
    );
    expect(lock.sources).toEqual({
      "c==1": { backend: "x", requires: ["setuptools"], inputs: ["setuptools==80"] },
      "d==1": { backend: "x", requires: [], inputs: [] },
    });
    expect(warnings()).toEqual([
      containing("a==1 is not known: it has neither"),
      containing("b==1 is not known: pip could not resolve nowhere"),
      containing("c==1 does not say what else it needs: RuntimeError: no"),
    ]);
  });

  it("of build requirements that are no wheels are found, too; what would build itself is taken as a wheel", async () => {
    const { lock } = await find(
      {
        sources: {
          "a==1": { requires: ["hatchling"] },
          "hatchling==1": { requires: ["pathspec"] },
          "pathspec==1": { requires: ["hatchling"] },
        },
        index: {
          hatchling: ["hatchling==1!"],
          pathspec: ["pathspec==1!"],
          "hatchling as wheels": ["hatchling==1"],
        },
      },
      [sdist("a==1")],
    );
    expect(Object.keys(lock.sources)).toEqual(["a==1", "hatchling==1", "pathspec==1"]);
    expect(warnings()).toEqual([
      containing("hatchling==1 is needed to build itself: pathspec==1 is built with wheels"),
    ]);
  });

  it("know where in its source a project lies, and git sources with submodules, even if nothing else is known", async () => {
    const git: LockedSource = {
      type: "git",
      url: "https://example.org/g.git",
      rev: "a".repeat(40),
      sha256: "x",
      version: "1",
      is_direct: true,
      subdirectory: "py",
    };
    const { lock } = await find({ sources: { "g==1": { problem: "odd" } }, index: {} }, [["g", git]], {
      trees: new Map([["g", { folder: root, submodules: "0abc", live: false }]]),
    });
    expect(lock.sources).toEqual({ "g==1": { subdirectory: "py", submodules: "0abc" } });
  });

  it("are left alone where a source cannot be read", async () => {
    const { lock } = await find({ sources: {}, index: {} }, [sdist("a==1")], { file: async () => undefined });
    expect(lock).toEqual({ sources: {}, files: {} });
    expect(warnings()).toEqual([containing("cannot be read")]);
  });

  it("are sorted", () => {
    const file = { url: "u", sha256: "s" };
    const tidy = tidyBuildSystems({
      sources: { b: { inputs: ["y"] }, a: { inputs: ["x"] } },
      files: { y: file, x: file, z: file },
    });
    expect(JSON.stringify(tidy)).toMatch(/"a".*"b".*"x".*"y"/);
    expect(tidy.files).not.toHaveProperty("z");
  });

  it("are told the version, by the names that they know", () => {
    expect(versionVariables("my-pkg.x", "1.2")).toMatchObject({
      SETUPTOOLS_SCM_PRETEND_VERSION_FOR_MY_PKG_X: "1.2",
      PDM_BUILD_SCM_VERSION: "1.2",
    });
  });
});

describe("changes of a lock", () => {
  const value = (sources: object) => toJson({ sources, targets: {} });
  it("are told by name", () => {
    const before = value({
      a: { version: "1", type: "url", sha256: "x" },
      b: { version: "1", type: "git", rev: "1".repeat(40) },
      gone: { version: "3", type: "url", sha256: "z" },
      same: { version: "3", type: "url", sha256: "z" },
      other: { version: "3", type: "url", sha256: "z" },
    });
    const after = value({
      a: { version: "2", type: "url", sha256: "y" },
      b: { version: "1", type: "git", rev: "2".repeat(40) },
      new: { version: "5", type: "url", sha256: "z" },
      same: { version: "3", type: "url", sha256: "z" },
      other: { version: "3", type: "url", sha256: "q" },
    });
    expect(lockChanges(before, after)).toEqual([
      "a: 1 → 2",
      "b: 1, 111111111111 → 222222222222",
      "gone: removed, 3",
      "new: added, 5",
      "other: 3, another file",
    ]);
    expect(lockChanges(undefined, value({}))).toEqual([]);
  });
  it("are told of a lock of pdm's, too", () => {
    const pdm = (...packages: readonly (readonly [string, string, string?])[]): string =>
      `[metadata]\nlock_version = "4.5.0"\n${packages
        .map(
          ([name, version, hash = "0"]) =>
            `[[package]]\nname = "${name}"\nversion = "${version}"\nfiles = [{file = "${name}-${version}-py3-none-any.whl", hash = "sha256:${hash.repeat(64)}"}]\n`,
        )
        .join("")}`;
    const before = pdm(["a", "1"], ["b", "1"], ["c", "1"], ["gone", "2"]);
    expect(pdmLockChanges(before, pdm(["a", "2"], ["b", "1"], ["c", "1", "f"], ["new", "3"]))).toEqual([
      "a: 1 → 2",
      "c: 1, another file",
      "gone: removed, 2",
      "new: added, 3",
    ]);
    expect(pdmLockChanges(before, before)).toEqual([]);
    expect(pdmLockChanges("no lock", before)).toEqual([]);
  });
});

const python = spawnSync("python3", ["-c", "import tomllib"]).status === 0;

describe.skipIf(!python)("the programs in Python", () => {
  const write = (name: string, text: string): void => {
    mkdirSync(join(root, name, ".."), { recursive: true });
    writeFileSync(join(root, name), text);
  };
  const inspect = (folder: string, more: object = {}): Record<string, unknown> => {
    writeFileSync(join(root, "in.json"), JSON.stringify([{ key: "k", folder: join(root, folder), ...more }]));
    execFileSync("python3", [scriptFile("inspect-sources.py"), join(root, "in.json"), join(root, "out.json")]);
    return (JSON.parse(readFileSync(join(root, "out.json"), "utf8")) as Record<string, unknown>[])[0]!;
  };

  it("read pyproject.toml, and know which backends never ask for more", () => {
    write("a/pyproject.toml", '[build-system]\nrequires = ["flit_core <4"]\nbuild-backend = "flit_core.buildapi"\n');
    expect(inspect("a")).toMatchObject({ backend: "flit_core.buildapi", requires: ["flit_core <4"], dynamic: false });
    write("h/pyproject.toml", '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n');
    expect(inspect("h")).toMatchObject({ dynamic: false });
    write(
      "i/pyproject.toml",
      '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n[tool.hatch.build.hooks.x]\ndependencies = ["y"]\n',
    );
    expect(inspect("i")).toMatchObject({ dynamic: true });
  });
  it("take what names no backend for setuptools", () => {
    write("s/setup.py", "");
    expect(inspect("s")).toMatchObject({
      backend: "setuptools.build_meta:__legacy__",
      requires: ["setuptools>=40.8.0"],
      dynamic: true,
    });
    write("c/pyproject.toml", '[build-system]\nrequires = ["cython"]\n');
    expect(inspect("c")).toMatchObject({ requires: ["cython", "setuptools>=40.8.0"] });
  });
  it("say what is wrong with a project", () => {
    mkdirSync(join(root, "empty"));
    expect(inspect("empty")["problem"]).toMatch(/neither pyproject.toml nor setup.py/);
    write("bad/pyproject.toml", "[build-system\n");
    expect(inspect("bad")["problem"]).toMatch(/line 1/);
    write("odd/pyproject.toml", "[build-system]\nrequires = 5\n");
    expect(inspect("odd")["problem"]).toMatch(/list of strings/);
    write("no.tar.gz", "no archive");
    expect(
      inspect("", { folder: "", archive: join(root, "no.tar.gz"), target: join(root, "t") })["problem"],
    ).toBeTruthy();
  });
  it("do not unpack out of the folder", () => {
    execFileSync("python3", [
      "-c",
      "import io, sys, tarfile\nwith tarfile.open(sys.argv[1], 'w:gz') as t:\n i = tarfile.TarInfo('../evil'); i.size = 1; t.addfile(i, io.BytesIO(b'x'))",
      join(root, "evil.tar.gz"),
    ]);
    const found = inspect("", { folder: "", archive: join(root, "evil.tar.gz"), target: join(root, "t/t") });
    expect(found["problem"]).toMatch(/outside/);
    expect(existsSync(join(root, "t/evil"))).toBe(false);
  });
  it("ask a backend, from wheels that are only unpacked, and leave the user's folder as it is", () => {
    write("p/pyproject.toml", "");
    execFileSync("python3", [
      "-c",
      'import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], \'w\') as z:\n z.writestr(\'mybackend.py\', \'import os, sys\\ndef get_requires_for_build_wheel(c): sys.argv[:] = []; open("written", "w"); return ["more", os.environ["PDM_BUILD_SCM_VERSION"]]\')',
      join(root, "mybackend-1-py3-none-any.whl"),
    ]);
    const settings = {
      folder: join(root, "p"),
      backend: "mybackend",
      backendPath: [],
      wheels: [join(root, "mybackend-1-py3-none-any.whl")],
      site: join(root, "site"),
      copy: join(root, "copy"),
    };
    writeFileSync(join(root, "in.json"), JSON.stringify(settings));
    execFileSync("python3", [scriptFile("build-requirements.py"), join(root, "in.json"), join(root, "out.json")], {
      env: { PATH: process.env["PATH"], PDM_BUILD_SCM_VERSION: "7" },
    });
    expect(JSON.parse(readFileSync(join(root, "out.json"), "utf8"))).toEqual(["more", "7"]);
    expect(existsSync(join(root, "copy/written"))).toBe(true);
    expect(existsSync(join(root, "p/written"))).toBe(false);
  });
});
