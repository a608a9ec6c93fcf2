/** Nix's classic commands, as other people's scripts call them: through the launchers. */
import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasStack, type Outcome, Rig, shown } from "./rig.ts";

const rig = new Rig();
const shims = join(rig.folder, "shims");
beforeAll(async () => {
  const outcome = await rig.d2n(rig.folder, ["shims", shims]);
  expect(outcome.status, shown(outcome)).toBe(0);
});
afterAll(() => rig.remove());

const dummy = { NIX_REMOTE: "dummy://" };

function call(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = dummy,
): Promise<Outcome> {
  return rig.run(rig.folder, join(shims, program), args, { env });
}

async function evaluated(...args: readonly string[]): Promise<string> {
  const outcome = await call("nix-instantiate", ["--eval", ...args]);
  expect(outcome.status, shown(outcome)).toBe(0);
  return outcome.stdout;
}

async function refused(...args: readonly string[]): Promise<string> {
  const outcome = await call("nix-instantiate", args);
  expect(outcome.status, shown(outcome)).toBe(1);
  expect(outcome.stdout).toBe("");
  expect(hasStack(outcome)).toBe(false);
  return outcome.stderr;
}

describe("launchers", () => {
  it("are executable and say which Nix they stand for", async () => {
    expect(statSync(join(shims, "nix-instantiate")).mode & 0o111).toBe(0o111);
    expect((await call("nix-instantiate", ["--version"])).stdout).toMatch(/^nix-instantiate \(Nix\) 2\.34\.\d+\n$/);
    expect((await call("nix", ["--version"])).stdout).toMatch(/^nix \(Nix\) /);
  });

  it("say what they do not serve", async () => {
    const outcome = await call("nix-env", ["-i", "hello"]);
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain("does not serve the program 'nix-env'");
  });
});

describe("builtins.fetchGit", () => {
  it("finds repositories beside the working folder, and counts what a shallow one has", async () => {
    const git = (...args: string[]): unknown =>
      execFileSync("git", ["-c", "user.name=x", "-c", "user.email=x@y", ...args], { cwd: rig.folder, stdio: "ignore" });
    git("init", "-q", "-b", "main", "origin");
    for (const message of ["one", "two"]) git("-C", "origin", "commit", "-q", "--allow-empty", "-m", message);
    git("clone", "-q", "--depth=1", `file://${rig.folder}/origin`, "shallow");
    const count = (argument: string): Promise<Outcome> =>
      call("nix-instantiate", ["--eval", "-E", `(builtins.fetchGit ${argument}).revCount`], {});
    const beside = await count('"./origin"');
    expect(beside.stdout, shown(beside)).toBe("2\n");
    expect(beside.stderr).toContain("uses a path relative to the current directory");
    expect((await count("./shallow")).stdout).toBe("1\n");
    expect((await count('{ url = ./shallow; ref = "main"; }')).stderr).toContain("is a shallow Git repository");
    expect((await count('"./nothere"')).stderr).toContain("does not exist");
  });
});

describe("nix-store", () => {
  it("verifies what it has", async () => {
    writeFileSync(join(rig.folder, "kept"), "content");
    const path = (await call("nix-store", ["--add", "kept"], {})).stdout.trim();
    expect((await call("nix-store", ["--verify", "--check-contents"], {})).status).toBe(0);
    expect((await call("nix-store", ["--verify-path", path], {})).status).toBe(0);
    const physical = join(rig.store, path);
    chmodSync(physical, 0o644);
    writeFileSync(physical, "changed");
    const outcome = await call("nix-store", ["--verify-path", path], {});
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain(`path '${path}' was modified! expected hash 'sha256:`);
    expect((await call("nix-store", ["--verify", "--check-contents"], {})).status).toBe(1);
    writeFileSync(physical, "content");
  });
});

describe("builtins.getFlake", () => {
  it("is there where flakes are on, and says where it cannot work", async () => {
    const folder = await rig.project({ "flake.nix": "{ outputs = _: { y = 41; }; }" });
    const expression = `(builtins.getFlake "git+file://${folder}").y + 1`;
    const on = { NIX_CONFIG: "experimental-features = flakes" };
    expect((await call("nix-instantiate", ["--eval", "-E", expression], on)).stdout).toBe("42\n");
    expect((await call("nix-instantiate", ["--eval", "-E", expression], {})).stderr).toContain(
      "error: experimental Nix feature 'flakes' is disabled",
    );
    const without = await call("nix-instantiate", ["--eval", "-E", expression], { ...on, ...dummy });
    expect(without.stderr).toContain("cannot fetch a flake: there is no store (dummy://)");
    expect((await call("nix", ["eval", "--expr", expression], {})).stderr).toContain("unlocked flake reference");
  });
});

describe("nix-instantiate --eval", () => {
  it("prints values in each form", async () => {
    const value = '{ b = [ 1 2.5 ]; a = "x${toString 1}"; }';
    expect(await evaluated("--strict", "-E", value)).toBe('{ a = "x1"; b = [ 1 2.5 ]; }\n');
    expect(await evaluated("-E", value)).toBe("{ a = <CODE>; b = <CODE>; }\n");
    expect(await evaluated("--strict", "--json", "-E", value)).toBe('{"a":"x1","b":[1,2.5]}\n');
    expect(await evaluated("--raw", "-E", '"a\\nb"')).toBe("a\nb");
    expect(await evaluated("--strict", "--xml", "--no-location", "-E", "{ a = 1; }")).toBe(
      "<?xml version='1.0' encoding='utf-8'?>\n<expr>\n  <attrs>\n    <attr name=\"a\">\n      <int value=\"1\" />\n    </attr>\n  </attrs>\n</expr>\n",
    );
  });

  it("shows what has not been evaluated exactly where Nix does", async () => {
    const value = 'let x = 1; f = x: x; in { inherit f x; a = x + 1; p = /a; l = [ ]; n = { }; s = "s"; y: y; }';
    expect(await refused("--eval", "-E", value)).toContain("syntax error");
    expect(await evaluated("-E", value.replace("y: y; ", "g = y: y; "))).toBe(
      '{ a = <CODE>; f = <CODE>; g = <CODE>; l = [ ]; n = <CODE>; p = /a; s = "s"; x = 1; }\n',
    );
    expect(await evaluated("-E", "let f = x: x; in [ (f 1) (f f) f ]")).toBe("[ <CODE> <CODE> <CODE> ]\n");
    expect(await evaluated("--xml", "--no-location", "-E", "{ a = 1 + 1; }")).toContain("<unevaluated />");
    expect(await evaluated("--json", "-E", "[ 1 2 ]")).toBe("[1,2]\n");
    expect(await refused("--eval", "--json", "-E", "{ a = 1 + 1; }")).toContain("cannot convert a thunk to JSON");
  });

  it("calls functions with arguments, selects, and takes several expressions", async () => {
    const f = "{ x ? 1, y }: { sum = x + y; list = [ { z = y; } ]; }";
    expect(await evaluated("-E", f, "--arg", "y", "40 + 1", "-A", "sum")).toBe("42\n");
    expect(await evaluated("-E", f, "--argstr", "y", "text", "-A", "list.0.z")).toBe('"text"\n');
    expect(await evaluated("-E", "1", "2")).toBe("1\n2\n");
    expect(await refused("--eval", "-E", f, "-A", "sum")).toContain("has an argument without a value ('y')");
    expect(await refused("--eval", "-E", "1", "--arg", "y", "{")).toContain("syntax error, unexpected end of file");
    expect(await refused("--eval", "-E", f, "--arg", "y", "1", "-A", "sun")).toBe(
      "error: attribute 'sun' in selection path 'sun' not found\n       Did you mean sum?\n",
    );
  });

  it("finds files on the search path", async () => {
    writeFileSync(join(rig.folder, "found.nix"), "1 + 1");
    expect(await evaluated("-I", `here=${rig.folder}`, "-E", "import <here/found.nix>")).toBe("2\n");
    const outcome = await call("nix-instantiate", ["--find-file", "found.nix"], { ...dummy, NIX_PATH: rig.folder });
    expect(outcome.stdout).toBe(`${join(rig.folder, "found.nix")}\n`);
    expect(await refused("--eval", "-E", "<nowhere>")).toContain("file 'nowhere' was not found in the Nix search path");
    expect(await refused("--find-file", "nowhere")).toBe(
      "error: file 'nowhere' was not found in the Nix search path (add it using $NIX_PATH or -I)\n",
    );
    expect(await evaluated("-I", "a=b", "-E", "(builtins.head builtins.nixPath).path")).toBe('"b"\n');
  });

  it("reads settings from files, the environment and the command line", async () => {
    writeFileSync(join(rig.folder, "nix.conf"), "show-trace = true # always\nexperimental-features = pipe-operators\n");
    const configured = { ...dummy, NIX_CONF_DIR: rig.folder };
    expect((await call("nix-instantiate", ["--eval", "-E", "1 |> (x: x + 1)"], configured)).stdout).toBe("2\n");
    expect((await call("nix-instantiate", ["--eval", "-E", "1 |> (x: x + 1)"])).status).toBe(1);
    const pure = { ...dummy, NIX_CONFIG: "pure-eval = true" };
    expect((await call("nix-instantiate", ["--eval", "-E", "builtins ? currentTime"], pure)).stdout).toBe("false\n");
    const restricted = await refused(
      "--eval",
      "--option",
      "restrict-eval",
      "true",
      "-E",
      "builtins.readFile /etc/passwd",
    );
    expect(restricted).toContain("access to absolute path '/etc/passwd' is forbidden in restricted mode");
    expect(await evaluated("--option", "restrict-eval", "true", "-E", "~/x")).toBe(`${rig.home}/x\n`);
    expect((await call("nix-instantiate", ["--eval", "--option", "no-such", "x", "-E", "1"])).stderr).toBe(
      "warning: unknown setting 'no-such'\n",
    );
    expect(await refused("--no-such-flag")).toBe(
      "error: unrecognised flag '--no-such-flag'\nTry 'nix-instantiate --help' for more information.\n",
    );
  });

  it("shows errors as Nix does, with and without the trace", async () => {
    writeFileSync(join(rig.folder, "fails.nix"), 'let\n  f = x: throw "no ${x}";\nin\nf "way"\n');
    const file = join(rig.folder, "fails.nix");
    const call = `       … while calling the 'throw' builtin
         at ${file}:2:10:
            1| let
            2|   f = x: throw "no \${x}";
             |          ^
            3| in

       error: no way
`;
    expect(await refused("--eval", file)).toBe(`error:\n${call}`);
    expect(await refused("--eval", file, "--show-trace")).toBe(`error:
       … from call site
         at ${file}:4:1:
            3| in
            4| f "way"
             | ^
            5|

       … while calling 'f'
         at ${file}:2:7:
            1| let
            2|   f = x: throw "no \${x}";
             |       ^
            3| in

${call}`);
  });

  it("survives what is too deep, too long or without end", async () => {
    expect(await evaluated("-E", "let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 9000")).toBe("9000\n");
    expect(await refused("--eval", "-E", "let f = x: 1 + f x; in f 1")).toContain(
      "stack overflow; max-call-depth exceeded",
    );
    expect(await refused("--eval", "-E", "let x = x + 1; in x")).toContain("infinite recursion encountered");
    expect(await refused("--eval", "-E", "builtins.length (builtins.genList (x: x) 1000000000)")).toContain(
      "out of memory",
    );
    writeFileSync(join(rig.folder, "deep.nix"), "[".repeat(1_000_000));
    expect(await refused("--eval", "deep.nix")).toContain("nested too deeply");
    writeFileSync(join(rig.folder, "bytes.nix"), Buffer.from([0x22, 0xff, 0xfe, 0x00, 0x22]));
    expect(await refused("--eval", "bytes.nix")).toContain("null bytes");
  });
});

describe("nix-instantiate", () => {
  const derivation = `derivation { name = "x"; system = "x86_64-linux"; builder = "/bin/sh"; outputs = [ "out" "dev" ]; }`;

  it("--parse prints the normal form", async () => {
    const outcome = await call("nix-instantiate", ["--parse", "-E", "a: rec { b.c = a.d or 1; inherit a; }"]);
    expect(outcome.stdout).toBe("(a: rec { inherit a; b = { c = (a).d or (1); }; })\n");
    expect(await refused("--parse", "-E", "{ a = ; }")).toContain("syntax error, unexpected ';'");
  });

  it("stores derivations, and without a store computes their paths", async () => {
    const computed = await call("nix-instantiate", ["-E", derivation]);
    const stored = await call("nix-instantiate", ["-E", derivation, "--no-gc-warning"], {});
    expect(stored.status, shown(stored)).toBe(0);
    expect(stored.stdout).toMatch(/^\/nix\/store\/[0-9a-z]{32}-x\.drv\n$/);
    expect(stored.stderr).toBe("");
    expect(computed.stdout).toBe(stored.stdout);
    expect(readFileSync(rig.store + stored.stdout.trim(), "utf8")).toMatch(/^Derive\(\[\("dev"/);
    expect((await call("nix-instantiate", ["-E", `(${derivation}).dev`])).stdout).toBe(`${stored.stdout.trim()}!dev\n`);
    expect((await call("nix-store", ["-q", "--outputs", stored.stdout.trim()], {})).stdout.split("\n")).toHaveLength(3);
  });

  it("--add-root links a derivation", async () => {
    const root = join(rig.folder, "root");
    const outcome = await call("nix-instantiate", ["-E", derivation, "--add-root", root], {});
    expect(outcome.stdout).toBe(`${root}\n`);
    expect(readlinkSync(root)).toMatch(/-x\.drv$/);
  });

  it("says what is no derivation", async () => {
    expect(await refused("-E", "1")).toBe(
      "error: expression does not evaluate to a derivation (or a set or list of those)\n",
    );
  });
});

describe("hashes", () => {
  it("of files and trees, and from one form to another", async () => {
    writeFileSync(join(rig.folder, "hello"), "hello world");
    const hex = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
    const sri = "sha256-uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=";
    const out = async (program: string, ...args: string[]): Promise<string> =>
      (await call(program, args)).stdout.trim();
    expect(await out("nix-hash", "--type", "sha256", "--flat", "hello")).toBe(hex);
    const nix32 = await out("nix-hash", "--to-base32", "--type", "sha256", hex);
    expect(nix32).toMatch(/^[0-9a-z]{52}$/);
    expect(await out("nix", "hash", "to-base16", "--type", "sha256", nix32)).toBe(hex);
    expect(await out("nix", "hash", "file", "hello")).toBe(sri);
    expect(await out("nix", "hash", "convert", "--to", "base16", sri)).toBe(hex);
    expect((await call("nix", ["hash", "convert", "--to", "base16", "nonsense"])).status).toBe(1);
    expect(await out("nix", "hash", "convert", "--from", "sri", sri)).toBe(sri);
    const other = await call("nix", ["hash", "convert", "--from", "sri", "--hash-algo", "sha256", hex]);
    expect(other.stderr).toContain(`input hash '${hex}' has format 'base16', but '--from sri' was specified`);
  });
});

describe("nix eval", () => {
  it("evaluates expressions, purely unless told otherwise", async () => {
    expect((await call("nix", ["eval", "--expr", "{ a = [ 1 ]; }"])).stdout).toBe("{ a = [ 1 ]; }\n");
    expect((await call("nix", ["eval", "--json", "--apply", "x: x + 1", "--expr", "1"])).stdout).toBe("2\n");
    expect((await call("nix", ["eval", "--expr", "builtins.currentSystem"])).status).toBe(1);
    expect((await call("nix", ["eval", "--impure", "--raw", "--expr", "builtins.currentSystem"])).stdout).toMatch(
      /-linux$/,
    );
  });
});
