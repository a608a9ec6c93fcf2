/** `d2n repl` and `nix repl` on a pipe: what is typed comes from a script. */
import { readFileSync, writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasStack, type Outcome, Rig, shown } from "./rig.ts";

const rig = new Rig();
afterAll(() => rig.remove());

async function session(lines: readonly string[], args: readonly string[] = [], cwd = rig.folder): Promise<Outcome> {
  const outcome = await rig.d2n(cwd, ["repl", ...args], { input: `${lines.join("\n")}\n`, timeout: 120_000 });
  expect(outcome.status, shown(outcome)).toBe(0);
  expect(hasStack(outcome), shown(outcome)).toBe(false);
  return outcome;
}

describe("d2n repl", () => {
  it("evaluates, keeps names, and goes on after errors", async () => {
    const { stdout, stderr } = await session([
      "x = 20; y = x: x + 1",
      "y x * 2",
      "x = x + 1",
      "[ x { a = { b = 1; }; } ]",
      ":p { a = { b = 1; }; s = ''a\"b''; }",
      ':p "two\\nlines"',
      ":t y",
      "1 + nope",
      "if true",
      "then [",
      "1 ] else 2",
      "a = ''several",
      "lines''",
      "a",
      "throw ''it''",
      ":nonsense",
      "inherit (builtins) length",
      "length [ 1 2 ]",
    ]);
    expect(stdout).toBe(
      [
        "42",
        "[",
        "  21",
        "  { ... }",
        "]",
        "{",
        "  a = { b = 1; };",
        '  s = "a\\"b";',
        "}",
        "two",
        "lines",
        "a function",
        "[ 1 ]",
        '"several\\nlines"',
        "2",
        "",
      ].join("\n"),
    );
    expect(stderr).toContain("undefined variable 'nope'");
    expect(stderr).toContain("error: it");
    expect(stderr).toContain("unknown command ':nonsense'");
  });

  it("loads files and flakes, again when they have changed", async () => {
    const folder = await rig.project({
      "flake.nix": '{ outputs = _: { greeting = "hello"; lib.f = x: x; }; }',
      "sub.nix": "{ y ? 2 }: { z = y; }",
    });
    const { stdout, stderr } = await session(
      [":lf .", "greeting", ":l ./sub.nix", "z", ":ll", "z = 5", ":r", "z + 0", "lib.f 1"],
      ["--expr", "{ fromExpression = 1; }"],
      folder,
    );
    expect(stdout).toBe('"hello"\n2\nz\n2\n1\n');
    expect(stderr).toContain("Added 1 variables.\nfromExpression\n");
    expect(stderr).toContain('Loading "./sub.nix"...\nAdded 1 variables.\nz\n');
    const attribute = await session(["f 7"], [".#lib"], folder);
    expect(attribute.stdout).toBe("7\n");
    expect((await session(["z"], ["./sub.nix"], folder)).stdout).toBe("2\n");
  });

  it("says what functions are for", async () => {
    const { stdout } = await session([
      ":doc builtins.map",
      "/** Twice the number. */ twice = x: x + x",
      ":doc twice",
      ":doc 1",
    ]);
    expect(stdout).toContain("Synopsis: builtins.map function list");
    expect(stdout).toContain("Function twice\n… defined at «string»:1:34\n\nTwice the number.\n");
  });

  it("shows the whole way to an error when asked to", async () => {
    const { stdout, stderr } = await session([":te", "let f = x: throw x; in f ''a''", ":te false", ":te x"]);
    expect(stdout).toBe("showing error traces\nnot showing error traces\n");
    expect(stderr).toContain("while calling 'f'");
    expect(stderr).toContain("unexpected argument 'x' to :te");
  });

  it("opens shells with what a derivation is built with", async () => {
    mkdirSync(join(rig.folder, "setup"));
    writeFileSync(join(rig.folder, "setup/setup"), 'echo "in the shell of $name: $value"\n');
    const derivation =
      'derivation { name = "x"; system = builtins.currentSystem; builder = "/bin/sh"; stdenv = ./setup; value = 42; }';
    const { status, stdout, stderr } = await rig.d2n(rig.folder, ["repl"], {
      env: { NIX_BUILD_SHELL: "bash" },
      input: `:sh ${derivation}\n1 + 1\n:sh 1\n:u 1\n:i 1\n`,
    });
    expect(status).toBe(0);
    expect(stdout).toBe("in the shell of x: 42\n2\n");
    expect(stderr).toContain("does not evaluate to a derivation");
    expect(stderr).toContain("file 'nixpkgs' was not found");
    expect(stderr).toContain("d2n does not serve ':i'");
  });

  it("ends an evaluation that is interrupted, and keeps what was in scope", async () => {
    const outcome = await rig.d2n(rig.folder, ["repl"], {
      timeout: 120_000,
      onStart: (child) => {
        child.stdin!.write("x = 41\n");
        child.stdin!.write(
          "let f = n: if n < 2 then n else f (n - 1) + f (n - 2); in builtins.trace ''begun'' (f 90)\n",
        );
        let begun = false;
        child.stderr!.on("data", (chunk: Buffer) => {
          if (begun || !chunk.toString().includes("begun")) return;
          begun = true;
          child.kill("SIGINT");
          child.stdin!.end("x + 1\n");
        });
      },
    });
    expect(outcome.status, shown(outcome)).toBe(0);
    expect(outcome.stderr).toContain("interrupted");
    expect(outcome.stdout).toBe("42\n");
  });
});

describe("nix repl", () => {
  const shims = join(rig.folder, "shims");
  beforeAll(async () => {
    await rig.d2n(rig.folder, ["shims", shims]);
  });

  it("prints as Nix's does", async () => {
    writeFileSync(join(rig.folder, "set.nix"), "{ a = 1; }");
    const outcome = await rig.run(rig.folder, join(shims, "nix"), ["repl", "--file", "set.nix"], {
      env: { NIX_REMOTE: "dummy://" },
      input: "a + 1\nthrow ''no''\n",
    });
    expect(outcome.status, shown(outcome)).toBe(0);
    expect(outcome.stdout).toBe("nix-repl> a + 1\n\u001b[36;1m2\u001b[0m\n\nnix-repl> throw ''no''\n\nnix-repl> \n");
    expect(outcome.stderr).toMatch(
      /^Nix 2\.34\.\d+\nType :\? for help\.\nLoading installable ''\.\.\.\nAdded 1 variables\.\na\n/,
    );
    expect(outcome.stderr).toContain("… while calling the 'throw' builtin\n         at «string»:1:1:");
    expect(readFileSync(join(rig.folder, "set.nix"), "utf8")).toBe("{ a = 1; }");
  });
});
