/** `builder/python/package.py`, run by a Python of the machine's where there is one. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const helper = fileURLToPath(new URL("../builder/python/package.py", import.meta.url));
// pip carries the parser of requirements that the helper falls back on.
const usable =
  spawnSync("python3", ["-c", "import sys, pip._vendor.packaging.requirements; assert sys.version_info >= (3, 9)"])
    .status === 0;

let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), "d2n-python-"));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync("python3", ["-B", helper, ...args], {
    cwd: top,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function file(path: string, content: string | Buffer, mode = 0o644): string {
  const full = join(top, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  chmodSync(full, mode);
  return full;
}

describe.skipIf(!usable)("the helper of Python builds", () => {
  it("names a missing build system and how to add it", () => {
    file(
      "pyproject.toml",
      '[build-system]\nrequires = ["no-such-backend>=2", "no-such-extra"]\nbuild-backend = "no_such_backend.api"\n',
    );
    const { status, stderr } = run("requirements", ".");
    expect(status).toBe(1);
    expect(stderr).toMatch(/not among its inputs: no-such-backend>=2/);
    expect(stderr).toMatch(/python\.pkgs\.no-such-backend/);
    file("pyproject.toml", '[build-system]\nrequires = ["pip", "no-such-extra"]\nbuild-backend = "pip"\n');
    const other = run("requirements", ".");
    expect(other.status).toBe(0);
    expect(other.stderr).toMatch(/warning: the build system wants no-such-extra/);
    file("pyproject.toml", "not toml [");
    expect(run("requirements", ".").stderr).toMatch(/pyproject.toml cannot be read/);
    rmSync(join(top, "pyproject.toml"));
    expect(run("requirements", ".").status).toBe(0);
  });

  it("reads past malformed requirements of old wheels, as the pip that locked them did", () => {
    const lines = ["good>=1", "pytz (>dev)", "x[a] (>dev) ; python_version < '4'", "???", "b (==1.*)"];
    file(
      "make.py",
      `import sys, zipfile
with zipfile.ZipFile("a-1-py3-none-any.whl", "w") as z:
    z.writestr("a-1.dist-info/METADATA", "Name: a\\n" + "".join(f"Requires-Dist: {l}\\n" for l in sys.argv[1:]) + "\\nText\\n")
    z.writestr("a-1.dist-info/RECORD", "a-1.dist-info/METADATA,sha256=x,1\\na-1.dist-info/RECORD,,\\n")
`,
    );
    spawnSync("python3", ["make.py", ...lines], { cwd: top });
    const { status, stdout, stderr } = run("mend", "a-1-py3-none-any.whl");
    expect(status, stderr).toBe(0);
    expect(stdout.split("\n").filter((line) => line !== "")).toEqual([
      "reading the requirement 'pytz (>dev)', which is malformed, as 'pytz'",
      expect.stringMatching(/^reading the requirement 'x\[a\] .*, as 'x\[a\] ; python_version < '4''$/),
      "leaving out the requirement '???', which is malformed",
    ]);
    const read = `import zipfile; z = zipfile.ZipFile("a-1-py3-none-any.whl"); print(z.read("a-1.dist-info/METADATA").decode(), z.read("a-1.dist-info/RECORD").decode())`;
    const content = spawnSync("python3", ["-c", read], { cwd: top, encoding: "utf8" }).stdout;
    expect(content).toContain(
      "Requires-Dist: good>=1\nRequires-Dist: pytz\nRequires-Dist: x[a] ; python_version < '4'\nRequires-Dist: b (==1.*)\n\nText",
    );
    expect(content).toMatch(/METADATA,sha256=[\w-]{43},\d+/);
    expect(run("mend", "a-1-py3-none-any.whl").stdout).toBe("");
  });

  it("relaxes and removes requirements of a wheel, with its RECORD", () => {
    file(
      "make.py",
      `import zipfile
with zipfile.ZipFile("a-1-py3-none-any.whl", "w") as z:
    z.writestr("a-1.dist-info/METADATA", "Name: a\\nRequires-Dist: B.c (<2,>=1) ; python_version > '3'\\nRequires-Dist: d==1\\nRequires-Dist: e\\n\\nRequires-Dist: text\\n")
    z.writestr("a-1.dist-info/RECORD", "a-1.dist-info/METADATA,sha256=x,1\\na-1.dist-info/RECORD,,\\n")
`,
    );
    spawnSync("python3", ["make.py"], { cwd: top });
    expect(run("relax", "a-1-py3-none-any.whl", "--relax", "b-c", "--remove", "d").status).toBe(0);
    const { stdout } = spawnSync("unzip", ["-p", "a-1-py3-none-any.whl"], { cwd: top, encoding: "utf8" });
    if (stdout !== null && stdout !== "") {
      expect(stdout).toMatch(/Requires-Dist: B\.c ?; python_version > "3"\nRequires-Dist: e\n\nRequires-Dist: text/);
      expect(stdout).toMatch(/METADATA,sha256=[\w-]{43},\d+\n/);
    }
    expect(run("runtime-deps", "a-1-py3-none-any.whl").stderr).toMatch(/- B\.c not installed\n {2}- e not installed/);
  });

  it("makes scripts find their modules, behind docstrings and __future__", () => {
    const bin = join(top, "bin");
    const modules = dirname(file("site/found.py", "VALUE = 42\n"));
    file(
      "bin/a",
      '#!/usr/bin/python3\n# -*- coding: utf-8 -*-\n"""A docstring\nin two lines."""\nfrom __future__ import annotations\nimport found, sys\nprint(found.VALUE, __doc__.split()[0], sys.argv[1])\n',
      0o755,
    );
    file("bin/b", "#!/bin/sh\necho b\n", 0o755);
    file("bin/c", "#!/usr/bin/env python3\nimport found; print(found.VALUE)\n", 0o755);
    file("bin/broken", "#!/usr/bin/python3\nprint 'two'\n", 0o755);
    file("bin/data", "#!/usr/bin/python3\nimport found\n");
    const { status, stdout, stderr } = run("wrap", bin, "--path", "/extra/bin", "--modules", modules, "--no-user-site");
    expect(status).toBe(0);
    expect(stdout.split("\0").filter(Boolean)).toEqual([join(bin, "a"), join(bin, "c")]);
    expect(stderr).toMatch(/broken cannot be parsed/);
    const python = (name: string): string =>
      spawnSync("python3", ["-B", join(bin, name), "argument"], { encoding: "utf8" }).stdout;
    expect(python("a")).toBe("42 A argument\n");
    expect(python("c")).toBe("42\n");
    expect(readFileSync(join(bin, "b"), "utf8")).toBe("#!/bin/sh\necho b\n");
    expect(readFileSync(join(bin, "c"), "utf8")).not.toMatch(/env python3/);
  });

  it("finishes an installation: no origin, one kind of byte code, RPATH instead of RUNPATH", () => {
    file("site/a.py", "X = 1\n");
    file("site/__pycache__/a.cpython-00.pyc", "stale");
    file("site/a-1.dist-info/direct_url.json", "{}");
    file("site/a-1.dist-info/RECORD", "a.py,,\na-1.dist-info/direct_url.json,sha256=x,2\n");
    const elf = elfWithRunpath();
    const library = file("site/lib.so", elf, 0o444);
    file("site/not.so", "\x7fELF short");
    const first = run("finish", join(top, "site"));
    expect(first.status, first.stderr).toBe(0);
    expect(existsSync(join(top, "site/a-1.dist-info/direct_url.json"))).toBe(false);
    expect(readFileSync(join(top, "site/a-1.dist-info/RECORD"), "utf8")).toBe("a.py,,\n");
    const compiled = readdirSync(join(top, "site/__pycache__"));
    expect(compiled).toHaveLength(1);
    const code = readFileSync(join(top, "site/__pycache__", compiled[0]!));
    expect(code.readUInt32LE(4)).toBe(1); // hash based, unchecked
    const changed = readFileSync(library);
    expect(changed.readBigUInt64LE(64 + 56 + 16)).toBe(0x0fn);
    changed.writeBigUInt64LE(0x1dn, 64 + 56 + 16);
    expect(changed.equals(elf)).toBe(true);
    run("finish", join(top, "site"));
    expect(readFileSync(join(top, "site/__pycache__", compiled[0]!)).equals(code)).toBe(true);
  });

  it("finds a distribution that is there twice", () => {
    file("one/lib/site/foo_bar-1.0.dist-info/METADATA", "");
    file("two/lib/site/Foo.Bar-2.0.dist-info/METADATA", "");
    file("root/nix-support/propagated-build-inputs", `${top}/one ${top}/two`);
    const { status, stderr } = run("conflicts", join(top, "root"), "lib/site");
    expect(status).toBe(1);
    expect(stderr).toMatch(/duplicated packages in closure for dependency 'foo-bar'/);
    expect(run("conflicts", join(top, "one"), "lib/site").status).toBe(0);
  });

  it("imports modules, and fails with the error of one that cannot be", () => {
    expect(run("imports", "json", "os.path").status).toBe(0);
    expect(run("imports", "no_such_module").stderr).toMatch(/ModuleNotFoundError/);
  });
});

/** The smallest file with a dynamic section that has DT_NEEDED and DT_RUNPATH. */
function elfWithRunpath(): Buffer {
  const data = Buffer.alloc(64 + 56 + 48);
  data.write("\x7fELF\x02\x01\x01", 0, "latin1");
  data.writeBigUInt64LE(64n, 32); // program headers
  data.writeUInt16LE(56, 54);
  data.writeUInt16LE(1, 56);
  data.writeUInt32LE(2, 64); // PT_DYNAMIC
  data.writeBigUInt64LE(120n, 64 + 8);
  data.writeBigUInt64LE(48n, 64 + 32);
  data.writeBigUInt64LE(1n, 120); // DT_NEEDED
  data.writeBigUInt64LE(0x1dn, 136); // DT_RUNPATH
  return data;
}
