/** Development shells: editable sources, compiled modules, other shells, and what is left behind. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasStack, type Outcome, program, repository, Rig, shown } from "./rig.ts";

const rig = new Rig({ sharedStore: true });
afterAll(() => rig.remove());

const template = (name: string): string => readFileSync(join(repository, "examples/local-project", name), "utf8");

/** Nothing to lock: its only input is a build system of the package set. */
const files = {
  "flake.nix": template("flake.nix").replace(
    /\n {2}\};\n\}\n$/,
    `
    devShells.x86_64-linux.more = nixpkgs.legacyPackages.x86_64-linux.mkShell {
      inputsFrom = [ self.packages.x86_64-linux.default.devShell ];
      packages = [ nixpkgs.legacyPackages.x86_64-linux.gnused ];
      GREETING = "it's \${"$"}HOME";
      shellHook = "export HOOKED=yes";
    };
  };
}
`,
  ),
  "default.nix": `{ config, lib, dream2nix, ... }: {
  imports = [ dream2nix.modules.dream2nix.pip ];
  deps = { nixpkgs, ... }: { python = nixpkgs.python3; };
  name = "my-tool";
  version = "1.2.3";
  mkDerivation.src = ./.;
  mkDerivation.buildInputs = [ config.deps.python.pkgs.setuptools ];
  buildPythonPackage.pyproject = true;
  pip.flattenDependencies = true;
  lock.content = lib.mkForce { fetchPipMetadata = { sources = { }; targets.default = { }; }; };
}
`,
  "pyproject.toml": `[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "my-tool"
version = "1.2.3"

[project.scripts]
my_tool = "mytool:main"

[[tool.setuptools.ext-modules]]
name = "mytool._fast"
sources = ["src/mytool/fast.c"]
`,
  "src/mytool/__init__.py": `from importlib.metadata import version
from mytool import _fast
def main():
    print("my_tool", version("my-tool"), _fast.answer())
`,
  "src/mytool/fast.c": `#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *args) { return PyLong_FromLong(42); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_fast", 0, -1, methods};
PyMODINIT_FUNC PyInit__fast(void) { return PyModule_Create(&module); }
`,
};

let project: string;
const change = (file: string, from: string, to: string): void => {
  const text = readFileSync(join(project, file), "utf8");
  expect(text).toContain(from);
  writeFileSync(join(project, file), text.replace(from, to));
};
const develop = (...args: string[]): Promise<Outcome> => rig.d2n(project, ["develop", ...args]);
async function says(outcome: Promise<Outcome>): Promise<string> {
  const result = await outcome;
  expect(result.status, shown(result)).toBe(0);
  return result.stdout;
}

beforeAll(async () => {
  project = await rig.project(files);
});

describe("a package's development shell", { timeout: 900_000 }, () => {
  it("runs the sources of the working tree, compiled modules included", async () => {
    expect(await says(develop("-c", "my_tool"))).toBe("my_tool 1.2.3 42\n");
    expect(await says(develop("-c", "python", "-c", "import mytool; print(mytool.__file__)"))).toBe(
      `${project}/src/mytool/__init__.py\n`,
    );
  });

  it("sees changes at once", async () => {
    change("src/mytool/__init__.py", '"my_tool"', '"edited"');
    expect(await says(develop("-c", "my_tool"))).toBe("edited 1.2.3 42\n");
  });

  it("knows new programs and versions when it is entered again", async () => {
    change("pyproject.toml", "my_tool =", 'other_tool = "mytool:main"\nmy_tool =');
    change("pyproject.toml", 'version = "1.2.3"', 'dynamic = ["version"]');
    writeFileSync(
      join(project, "pyproject.toml"),
      `${readFileSync(join(project, "pyproject.toml"), "utf8")}\n[tool.setuptools.dynamic]\nversion = {attr = "mytool.VERSION"}\n`,
    );
    change("src/mytool/__init__.py", "def main", 'VERSION = "1.3"\ndef main');
    expect(await says(develop("-c", "other_tool"))).toBe("edited 1.3 42\n");
    change("src/mytool/__init__.py", '"1.3"', '"1.2.3"');
    expect(await says(develop("-c", "my_tool"))).toBe("edited 1.2.3 42\n");
  });

  it("compiles again what has changed, and only then", async () => {
    const state = (): number => statSync(join(project, ".dream2nix/python/my-tool/state.json")).mtimeMs;
    const before = state();
    await says(develop("-c", "true"));
    expect(state()).toBe(before);
    change("src/mytool/fast.c", "42", "43");
    expect(await says(develop("-c", "my_tool"))).toBe("edited 1.2.3 43\n");
    expect(state()).not.toBe(before);
  });

  it("opens although the sources do not compile, and says why", async () => {
    change("src/mytool/fast.c", "43)", "43");
    const broken = await develop("-c", "echo", "open");
    expect(broken.status, shown(broken)).toBe(0);
    expect(broken.stdout).toBe("open\n");
    expect(broken.stderr).toMatch(/my-tool could not be built for editing/);
    expect(broken.stderr).toMatch(/fast\.c:2:\d+: error/);
    change("src/mytool/fast.c", "(43", "(43)");
    expect(await says(develop("-c", "my_tool"))).toBe("edited 1.2.3 43\n");
  });

  it("leaves the project clean", async () => {
    const status = await rig.run(project, "git", ["status", "--porcelain", "--ignored"]);
    expect(status.stdout.split("\n").filter((line) => !/^A[ M] /.test(line) && !line.endsWith(" d2n.lock"))).toEqual([
      "!! .dream2nix/",
      "",
    ]);
    expect(readdirSync(project).sort()).toEqual([
      ".dream2nix",
      ".git",
      "d2n.lock",
      "default.nix",
      "flake.nix",
      "pyproject.toml",
      "src",
    ]);
    expect(readdirSync(join(project, "src/mytool")).sort()).toEqual(["__init__.py", "fast.c"]);
  });

  it("hands on exit statuses and input", async () => {
    expect((await develop("-c", "sh", "-c", "exit 7")).status).toBe(7);
    expect((await develop("-c", "no-such-program")).status).toBe(127);
    expect((await develop("-c")).status).toBe(2);
  });

  it("is a shell to type in: bash with the user's prompt, or zsh", async () => {
    const type = async (
      shell: string,
      ...lines: string[]
    ): Promise<{ readonly shown: string; readonly status: number }> => {
      const { spawn } = await import("@lydell/node-pty");
      const env = { ...rig.environment, SHELL: shell, TERM: "xterm", CI: "1" };
      const terminal = spawn(process.execPath, [program, "develop"], { cwd: project, env, cols: 200, rows: 50 });
      let shown = "";
      return new Promise((done) => {
        terminal.onData((data) => {
          shown += data;
          // At each prompt the next line.
          if (shown.endsWith("me> ")) terminal.write(`${lines.shift() ?? "exit 4"}\r`);
        });
        terminal.onExit(({ exitCode }) => done({ shown, status: exitCode }));
      });
    };
    writeFileSync(join(rig.home, ".bashrc"), "PS1='me> '\nbind 'set enable-bracketed-paste off'\n");
    const bash = await type("/bin/bash", "my_tool");
    expect(bash.shown).toContain("edited 1.2.3 43");
    expect(bash.status).toBe(4);
    const zsh = join(rig.home, "zsh");
    writeFileSync(zsh, "#!/bin/sh\necho this is $0 $1\nmy_tool\nexit 5\n", { mode: 0o755 });
    const other = await type(zsh);
    expect(other.shown).toContain(`this is ${zsh} -i`);
    expect(other.shown).toContain("edited 1.2.3 43");
    expect(other.status).toBe(5);
  });

  it("leaves Ctrl-C to the program, however often", async () => {
    const { spawn } = await import("@lydell/node-pty");
    const script = 'trap "echo caught" INT; echo ready; for i in 1 2 3; do read x; done; echo "and on"; exit 9';
    const env = { ...rig.environment, TERM: "xterm", CI: "1" };
    const terminal = spawn(process.execPath, [program, "develop", "-c", "bash", "-c", script], { cwd: project, env });
    let screen = "";
    let caught = 0;
    const status = await new Promise((done) => {
      terminal.onData((data) => {
        screen += data;
        if (caught === 0 ? screen.includes("ready") : screen.split("caught").length > caught) {
          caught++;
          terminal.write(caught <= 3 ? "\x03" : "\r\r\r");
        }
      });
      terminal.onExit(({ exitCode }) => done(exitCode));
    });
    expect(screen).toContain("and on");
    expect(status).toBe(9);
  });

  it("takes commands from a pipe", async () => {
    const outcome = await rig.run(project, "sh", [
      "-c",
      `echo 'my_tool; echo "$(type -t genericBuild)"; exit 6' | "${process.execPath}" "${program}" develop`,
    ]);
    expect(outcome.stdout).toBe("edited 1.2.3 43\nfunction\n");
    expect(outcome.status).toBe(6);
  });

  it("finds the project from a folder below", async () => {
    expect(await says(rig.d2n(join(project, "src"), ["develop", "..", "-c", "my_tool"]))).toBe("edited 1.2.3 43\n");
    // … and from elsewhere.
    expect(await says(rig.d2n(rig.home, ["develop", project, "-c", "my_tool"]))).toBe("edited 1.2.3 43\n");
  });

  it("is one of several inputs of another shell", async () => {
    const text = await says(develop(".#more", "-c", "sh", "-c", 'my_tool; echo "$GREETING $HOOKED $(command -v sed)"'));
    expect(text).toMatch(/^edited 1\.2\.3 43\nit's \$HOME yes \/nix\/store\/[^/]*-gnused-[^/]*\/bin\/sed\n$/);
  });

  it("is not the build environment, which --build-env enters", async () => {
    expect(await says(develop("--build-env", "-c", "bash", "-c", 'echo "$pname $out"'))).toBe(
      `my-tool ${project}/outputs/out\n`,
    );
  });

  it("runs single phases of the build in the project's folder", async () => {
    const folder = await rig.project({
      "flake.nix": `{
  inputs.nixpkgs.url = "d2n:nixpkgs";
  outputs = { nixpkgs, ... }: {
    packages.x86_64-linux.default = nixpkgs.legacyPackages.x86_64-linux.stdenv.mkDerivation { name = "made-1"; src = ./.; doCheck = true; };
  };
}`,
      Makefile:
        "all:\n\techo made > it\ncheck:\n\tgrep made it\ninstall:\n\tmkdir -p $(out) && cp it $(out)/it && test -d $$TMPDIR\n",
    });
    const phase = (...args: string[]): Promise<Outcome> => rig.d2n(rig.home, ["develop", folder, ...args]);
    expect((await phase("--check")).status).toBe(2);
    for (const option of [["--build"], ["--check", "-i"], ["--phase", "installPhase"], ["--unpack"]]) {
      const outcome = await phase(...option);
      expect(outcome.status, shown(outcome)).toBe(0);
    }
    expect(readFileSync(join(rig.home, "outputs/out/it"), "utf8")).toBe("made\n");
    expect((await phase("--phase", "dist")).stderr).toContain("switched the phase 'dist' off");
    const unknown = await phase("--phase", "instal");
    expect(unknown.status).toBe(1);
    expect(unknown.stderr).toMatch(/no phase 'instal'; there are: .*\binstall\b/);
    expect((await phase("--build", "-c", "true")).status).toBe(2);
    const words = ["run", "-s", "A", "1 2", "-u", "B", "nixpkgs#bash", "-c", 'echo "$A|${B-none}"'];
    expect((await rig.d2n(rig.home, words, { env: { B: "3" } })).stdout).toBe("1 2|none\n");
  });

  it("comes without the user's environment, if that is wanted", async () => {
    const shown = await rig.d2n(
      project,
      ["develop", "-i", "--keep", "KEPT", "-c", "bash", "-c", 'echo "$PATH|$KEPT|$GONE|$HOME"; command -v node'],
      {
        env: { KEPT: "kept", GONE: "gone" },
      },
    );
    expect(shown.stdout).toMatch(/^[^|]*\|kept\|\|[^|]+\n$/);
    expect(
      shown.stdout
        .split("|")[0]!
        .split(":")
        .filter((path) => !/^(\/nix\/store|.*\.dream2nix)\//.test(path)),
    ).toEqual([]);
  });

  it("goes into a shell that runs already", async () => {
    const outcome = await rig.run(project, "bash", [
      "-c",
      `eval "$("${process.execPath}" "${program}" print-dev-env)"; my_tool`,
    ]);
    expect(await says(Promise.resolve(outcome))).toBe("edited 1.2.3 43\n");
  });

  const direnv = (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, "direnv")));
  it.skipIf(!direnv)("comes and goes with the folder, by direnv and the file that the guide shows", async () => {
    const guide = readFileSync(join(repository, "docs/guides/development-environments.md"), "utf8");
    writeFileSync(join(project, ".envrc"), /```bash\n(watch_file[^]*?)```/.exec(guide)![1]!);
    const bin = join(rig.home, "bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "d2n"), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`, { mode: 0o755 });
    const env = { PATH: `${bin}:${process.env["PATH"]!}`, XDG_DATA_HOME: join(rig.home, "data") };
    const inside = (script: string): Promise<Outcome> =>
      rig.run(project, "direnv", ["exec", project, "sh", "-c", script], { env });
    expect((await inside("true")).stderr).toMatch(/is blocked/);
    expect((await rig.run(project, "direnv", ["allow"], { env })).status).toBe(0);
    // The second time from within: what direnv runs is then bash out of the shell.
    expect(await says(inside('my_tool; touch .envrc; eval "$(direnv export bash)"; my_tool'))).toBe(
      "edited 1.2.3 43\nedited 1.2.3 43\n",
    );
    rmSync(join(project, ".envrc"));
  });

  it("names what cannot be editable", async () => {
    const text = files["default.nix"].replace("pip.flatten", 'pip.editables.other = "./nowhere"; pip.flatten');
    const other = await rig.project({ ...files, "default.nix": text });
    const outcome = await rig.d2n(other, ["develop", "-c", "true"]);
    expect(outcome.status, shown(outcome)).toBe(1);
    expect(outcome.stderr).toMatch(/other cannot be editable: there is no folder .*\/nowhere/);
    expect(hasStack(outcome)).toBe(false);
  });
});

describe("d2n shell", { timeout: 300_000 }, () => {
  it("knows the built-in package set by its name", async () => {
    const text = await says(rig.d2n(rig.home, ["shell", "nixpkgs#gnused", "-c", "sh", "-c", "command -v sed"]));
    expect(text).toMatch(/^\/nix\/store\/[^/]*-gnused-[^/]*\/bin\/sed\n$/);
    const unknown = await rig.d2n(rig.home, ["shell", "nope#gnused", "-c", "true"]);
    expect(unknown.stderr).toMatch(/there is no flake called `nope`/);
  });

  it("puts programs on the PATH", async () => {
    const folder = await rig.project({
      "flake.nix": `{
  inputs.dream2nix.url = "github:nix-community/dream2nix";
  inputs.nixpkgs.follows = "dream2nix/nixpkgs";
  outputs = { nixpkgs, ... }: { packages.x86_64-linux = { inherit (nixpkgs.legacyPackages.x86_64-linux) gnused coreutils; }; };
}
`,
    });
    const text = await says(
      rig.d2n(folder, ["shell", ".#gnused", ".#coreutils", "-c", "sh", "-c", "command -v sed; command -v ls"]),
    );
    expect(text).toMatch(
      /^\/nix\/store\/[^/]*-gnused-[^/]*\/bin\/sed\n\/nix\/store\/[^/]*-coreutils-[^/]*\/bin\/ls\n$/,
    );
  });
});

describe("d2n flake init and d2n lock --check", { timeout: 300_000 }, () => {
  it("starts a project, overwrites nothing, and says that it is not locked", async () => {
    const folder = await rig.project({});
    const first = await rig.d2n(folder, ["flake", "init", "-t", "local-project"]);
    expect(first.status, shown(first)).toBe(0);
    expect(first.stdout).toMatch(
      /^wrote default\.nix\n[^]*\nNext:\n {2}d2n run \.#default\.lock\n {2}git add lock\.x86_64-linux\.json\n/,
    );
    expect(readdirSync(folder).sort()).toEqual([
      ".git",
      ".gitignore",
      "default.nix",
      "flake.nix",
      "pyproject.toml",
      "src",
    ]);
    const again = await rig.d2n(folder, ["flake", "init", "-t", "hello"]);
    expect(again.status).toBe(1);
    expect(again.stderr).toContain("flake.nix");
    expect(existsSync(join(folder, "hello.nix"))).toBe(false);
    const unknown = await rig.d2n(folder, ["flake", "init", "-t", "helo"]);
    expect(unknown.stderr).toMatch(/Did you mean `hello`/);
    const check = await rig.d2n(folder, ["lock", "--check"]);
    expect(check.status, shown(check)).toBe(1);
    expect(check.stdout).toMatch(
      /^default: .*lock\.x86_64-linux\.json.* is missing.*\n {2}d2n run \.#default\.lock\n$/,
    );
    // A package that cannot be evaluated does not hide the others.
    const text = readFileSync(join(folder, "flake.nix"), "utf8");
    writeFileSync(
      join(folder, "flake.nix"),
      text.replace(
        /default = dream2nix/,
        "broken = {}.x;\n        tool = self.packages.${system}.default;\n        default = dream2nix",
      ),
    );
    await rig.run(folder, "git", ["add", "."]);
    const among = await rig.d2n(folder, ["lock", "--check"]);
    expect(among.stdout, shown(among)).toMatch(
      /^broken: cannot be evaluated: attribute 'x' missing\ndefault: .* is missing/,
    );
    expect(among.stdout).toMatch(/^tool: .* is missing; run `d2n run \.#tool\.lock` to create it$/m);
    const alone = await rig.d2n(folder, ["lock", "--check", ".#default"]);
    expect(alone.stdout, shown(alone)).toBe(check.stdout);
    rmSync(folder, { recursive: true });
  });
});
