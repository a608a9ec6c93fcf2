/** Source distributions without an override: their build systems are found while locking, and used when building. */
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repository, Rig, shown } from "./rig.ts";

const rig = new Rig({ sharedStore: true });
afterAll(() => rig.remove());

const lockName = "lock.x86_64-linux.json";
let project: string;
/** A repository that something is locked from. */
let versioned: string;

interface Locks {
  readonly sources: Record<string, { readonly type: string; readonly sha256: string; readonly rev?: string }>;
  readonly builds: Record<string, Record<string, unknown>>;
  readonly files: Record<string, { readonly sha256: string }>;
}

function locks(): Locks {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(project, name), "utf8"));
  const lock = read(lockName) as { fetchPipMetadata: Pick<Locks, "sources"> };
  const { python } = read("d2n.lock") as {
    python: Record<string, { sources: Locks["builds"]; files: Locks["files"] }>;
  };
  expect(Object.keys(python)).toEqual([lockName]);
  return { sources: lock.fetchPipMetadata.sources, builds: python[lockName]!.sources, files: python[lockName]!.files };
}

const git = async (folder: string, ...args: string[]): Promise<void> => {
  const identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always"];
  const outcome = await rig.run(folder, "git", [...identity, ...args]);
  expect(outcome.status, shown(outcome)).toBe(0);
};

beforeAll(async () => {
  writeFileSync(join(rig.home, ".gitconfig"), '[protocol "file"]\n\tallow = always\n[safe]\n\tdirectory = *\n');
  // A repository whose project has its version from git, and its data from a submodule.
  const data = await rig.project({ "data.txt": "from a submodule\n" });
  await git(data, "commit", "-qm", "data");
  versioned = await rig.project({
    "py/pyproject.toml": `[build-system]
requires = ["setuptools>=61", "setuptools-scm>=8"]
build-backend = "setuptools.build_meta"
[project]
name = "versioned"
dynamic = ["version"]
[tool.setuptools]
py-modules = ["versioned"]
[tool.setuptools_scm]
root = ".."
`,
    "py/versioned.py": "",
  });
  await git(versioned, "submodule", "--quiet", "add", `file://${data}`, "data");
  await git(versioned, "commit", "-qm", "one");
  await git(versioned, "tag", "v2.5.0");
  // A source distribution that runs its tools, and looks for a library, to tell what it is.
  const native = await rig.project({
    "native-1.0/pyproject.toml":
      '[build-system]\nrequires = ["setuptools>=61"]\nbuild-backend = "setuptools.build_meta"\n',
    "native-1.0/setup.py": `import subprocess, sys
from setuptools import setup
output = lambda *command: subprocess.check_output(command, text=True).split()
if "dist_info" in sys.argv or "egg_info" in sys.argv:
    assert output("cmake", "--version")[0] == "cmake"
    assert output("xslt-config", "--version") == output("pkg-config", "--modversion", "libxslt")
setup(name="native", version="1.0", py_modules=["native"])
`,
    "native-1.0/native.py": "",
  });
  expect((await rig.run(native, "tar", ["-czf", "native.tar.gz", "native-1.0"])).status).toBe(0);
  project = await rig.project({
    "flake.nix": readFileSync(join(repository, "examples/pillow/flake.nix"), "utf8"),
    "default.nix": `{ config, dream2nix, ... }: {
  imports = [ dream2nix.modules.dream2nix.pip ];
  deps = { nixpkgs, ... }: { python = nixpkgs.python3; inherit (nixpkgs) cmake pkg-config libxslt writeScript; };
  name = "app";
  version = "1.0";
  pip.requirementsList = [ "./app" "./vendor/native.tar.gz" ];
  pip.overrides.native = {
    mkDerivation.nativeBuildInputs = [ config.deps.cmake config.deps.pkg-config config.deps.libxslt ];
    mkDerivation.buildInputs = [ config.deps.libxslt ];
    env.dontUseCmakeConfigure = true;
  };
  lock.invalidationData.data = 1;
  lock.fields.data.script = config.lock.lib.computeFODHash (config.deps.fetchurl { url = "file://${native}/native.tar.gz"; hash = ""; });
  lock.fields.nested.script = config.deps.writeScript "nested" "#!/bin/sh\n\${config.lock.fields.data.script}\n";
}
`,
    "app/pyproject.toml": `[build-system]
requires = ["flit_core<4"]
build-backend = "flit_core.buildapi"
[project]
name = "app"
version = "1.0"
description = "An app"
dependencies = ["docopt==0.6.2", "native", "versioned @ git+file://localhost${versioned}@v2.5.0#subdirectory=py"]
[project.scripts]
app = "app:main"
`,
    "app/app.py":
      'from importlib.metadata import version\ndef main():\n    print(*(version(n) for n in ("app", "docopt", "native", "versioned")))\n',
  });
  mkdirSync(join(project, "vendor"));
  copyFileSync(join(native, "native.tar.gz"), join(project, "vendor/native.tar.gz"));
  await git(project, "add", "vendor");
});

describe("build systems", { timeout: 900_000 }, () => {
  it("are found while locking", async () => {
    const outcome = await rig.d2n(project, ["run", ".#default.lock"]);
    expect(outcome.status, shown(outcome)).toBe(0);
    expect(outcome.stderr).toContain("asks for cmake");
    const { data, nested } = JSON.parse(readFileSync(join(project, lockName), "utf8")) as Record<string, unknown>;
    const archive = readFileSync(join(project, "vendor/native.tar.gz"));
    expect([data, nested]).toEqual(Array(2).fill(`sha256-${createHash("sha256").update(archive).digest("base64")}`));
    const { sources, builds, files } = locks();
    expect(Object.keys(builds)).toEqual(["app==1.0", "docopt==0.6.2", "native==1.0", "versioned==2.5.0"]);
    expect(builds["app==1.0"]).toEqual({
      backend: "flit_core.buildapi",
      requires: ["flit_core<4"],
      inputs: [expect.stringMatching(/^flit-core==3\./)],
    });
    expect(builds["docopt==0.6.2"]).toMatchObject({ backend: "setuptools.build_meta:__legacy__" });
    // What upstream's format has no place for.
    expect(builds["versioned==2.5.0"]).toMatchObject({ subdirectory: "py", submodules: expect.any(String) as string });
    expect(builds["versioned==2.5.0"]!["submodules"]).not.toBe(sources["versioned"]!.sha256);
    expect(Object.keys(sources["versioned"]!)).toEqual(["is_direct", "rev", "sha256", "type", "url", "version"]);
    for (const input of Object.values(builds).flatMap((build) => build["inputs"] as string[]))
      expect(files[input]?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect((await rig.run(project, "git", ["ls-files", "d2n.lock"])).stdout).toBe("d2n.lock\n");
    expect((await rig.run(project, "git", ["add", lockName])).status).toBe(0);
  });

  it("build what was locked, without a network for what locking fetched", async () => {
    await rename(versioned, `${versioned}.away`);
    const outcome = await rig.d2n(project, ["run", ".#"]);
    expect(outcome.status, shown(outcome)).toBe(0);
    expect(outcome.stdout).toBe("app 1.0 docopt 0.6.2 native 1.0 versioned 2.5.0\n".replace(/[a-z]+ /g, ""));
    expect(outcome.stderr).not.toMatch(/downloading (?:docopt|flit_core|setuptools)/);
    await rename(`${versioned}.away`, versioned);
  });

  it("are the same from elsewhere", async () => {
    await git(project, "add", ".");
    await git(project, "commit", "-qm", "locked");
    const inputs = async (folder: string, flake: string): Promise<string> => {
      const outcome = await rig.d2n(folder, [
        ...["eval", "--json", "--no-eval-cache", `${flake}#default.config.buildPythonPackage.build-system`],
        ...["--apply", "map (input: input.pname)"],
      ]);
      expect(outcome.status, shown(outcome)).toBe(0);
      return outcome.stdout.trim();
    };
    expect(await inputs(rig.folder, `git+file://${project}`)).toBe('["flit-core"]');
    const user = await rig.project({
      "flake.nix": `{
  inputs.app.url = "git+file://${project}";
  outputs = { app, ... }: { packages.x86_64-linux.default = app.packages.x86_64-linux.default; };
}`,
    });
    // The first time with a new flake.lock, then with that.
    for (const _ of [1, 2]) expect(await inputs(user, ".")).toBe('["flit-core"]');
  });

  it("stay as they are where nothing changes, and changes are told", async () => {
    const before = locks();
    const file = join(project, "app/pyproject.toml");
    writeFileSync(file, readFileSync(file, "utf8").replace('version = "1.0"', 'version = "1.1"'));
    const changed = await rig.d2n(project, ["run", ".#default.lock"]);
    expect(changed.status, shown(changed)).toBe(0);
    expect(changed.stderr).toContain("app: 1.0 → 1.1");
    expect(changed.stderr).not.toMatch(/^(?:docopt|native|versioned): /m);
    const { app, ...others } = locks().sources;
    expect(app).toMatchObject({ version: "1.1" });
    expect(others).toEqual((({ app: _, ...rest }) => rest)(before.sources));
    expect(locks().files).toEqual(before.files);
    expect(Object.keys(locks().builds)).toContain("app==1.1");
    const status = await rig.run(project, "git", ["status", "--porcelain", "--ignored", "--", "app", "vendor"]);
    expect(status.stdout).not.toMatch(/^[?!]/m);
  });
});
