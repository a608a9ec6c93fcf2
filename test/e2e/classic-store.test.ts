/** `nix-store`, `nix-shell` and the small programs beside them, through the launchers, on a store of their own. */
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ClassicRig } from "./classic-rig.ts";
import { type Outcome, type RunOptions, shown } from "./rig.ts";

const nixRig = new ClassicRig();
const { rig, root } = nixRig;
beforeAll(() => nixRig.start());
afterAll(() => rig.remove());

function call(program: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return nixRig.call(program, args, options);
}

async function lines(program: string, args: readonly string[], options?: RunOptions): Promise<string[]> {
  const outcome = await call(program, args, options);
  expect(outcome.status, shown(outcome)).toBe(0);
  return outcome.stdout.split("\n").slice(0, -1);
}

const expression = `let
  make = name: script: others: derivation ({ inherit name; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" script ]; } // others);
  low = make "low" "echo low > $out" { };
in {
  inherit low;
  top = make "top" "echo $low > $out; echo said" { inherit low; outputs = [ "out" ]; };
  bad = make "bad" "echo told; exit 3" { };
  shell = { inNixShell ? false }: make "shell" "exit 1" { inherit low; inside = if inNixShell then "yes" else "no"; passAsFile = [ "text" ]; text = "in a file"; };
}`;

describe("nix-store", () => {
  let top: string;
  let low: string;
  beforeAll(async () => {
    writeFileSync(join(rig.folder, "all.nix"), expression);
    [low, top] = (await lines("nix-build", ["all.nix", "-A", "low", "-A", "top", "-o", "kept"])) as [string, string];
  });

  it("keeps store, state and logs where the environment says", async () => {
    expect(top.startsWith(`${root}/store/`)).toBe(true);
    expect(existsSync(join(root, "var/nix/db/db.sqlite"))).toBe(true);
    expect(readFileSync(top, "utf8")).toBe(`${low}\n`);
    expect(await lines("nix-store", ["-l", top])).toEqual(["said"]);
    expect(existsSync(rig.store)).toBe(false);
  });

  it("answers queries", async () => {
    const query = (...args: string[]): Promise<string[]> => lines("nix-store", ["-q", ...args]);
    expect(await query("-R", top)).toEqual([low, top]);
    expect(await query("--referrers", low)).toEqual([top]);
    expect(await query("--referrers-closure", low)).toEqual([low, top]);
    expect(await query("--tree", top)).toEqual([top, `└───${low}`]);
    expect(await query("--resolve", "kept")).toEqual([low]);
    expect(await query("--roots", low)).toContain(`${rig.folder}/kept -> ${low}`);
    expect((await query("--graph", top))[1]).toMatch(/^"[a-z0-9]+-\w+" \[label = "\w+", shape = box, style = filled/);
    expect((await query("--graphml", top)).filter((line) => line.includes("<edge"))).toHaveLength(1);
    const [drv = ""] = await query("--deriver", top);
    expect(await query("--valid-derivers", top)).toEqual([drv]);
    expect(await query("--outputs", drv)).toEqual([top]);
    expect(await query("--binding", "name", drv)).toEqual(["top"]);
    expect(await lines("nix-store", ["--print-env", drv])).toContain(`export low; low='${low}'`);
    const twice = await call("nix-store", ["-q", "--hash", "--size", top]);
    expect(twice.stderr).toContain("query type '--size' conflicts with earlier flag");
    expect((await call("nix-store", ["-q", "/etc"])).stderr).toBe('error: path "/etc" is not in the Nix store\n');
  });

  it("exports and imports, dumps and restores", async () => {
    const file = join(rig.folder, "export");
    const other = { NIX_STATE_DIR: join(rig.folder, "other/var"), NIX_STORE_DIR: join(root, "store") };
    const sh = (script: string, env = {}): Promise<Outcome> =>
      nixRig.script(script, {
        env,
      });
    expect((await sh(`nix-store --export $(nix-store -qR ${top}) > ${file}`)).status).toBe(0);
    expect((await sh(`nix-store --import < ${file}`, other)).stdout).toBe(`${low}\n${top}\n`);
    expect((await sh(`nix-store -q --references ${top}`, other)).stdout).toBe(`${low}\n`);
    writeFileSync(`${file}.cut`, readFileSync(file).subarray(0, -40));
    expect((await sh(`nix-store --import < ${file}.cut`, other)).stderr).toContain("ends in the middle");
    expect((await sh("echo no | nix-store --import", other)).status).toBe(1);
    const tree = join(rig.folder, "tree");
    mkdirSync(tree);
    writeFileSync(join(tree, "a"), "1");
    symlinkSync("a", join(tree, "b"));
    expect(
      (await sh("nix-store --dump tree | nix-store --restore again && nix-hash tree again | uniq | wc -l")).stdout,
    ).toBe("1\n");
    expect((await sh("nix-store --dump tree | nix-store --restore again")).stderr).toContain("again' already exists");
    const registered = await sh(`nix-store --dump-db ${top}`);
    expect(registered.stdout).toMatch(new RegExp(`^${top}\n[0-9a-f]{64}\n\\d+\n.*top\\.drv\n1\n${low}\n$`));
    expect((await sh(`echo '${registered.stdout}' | nix-store --load-db`)).status).toBe(0);
  });

  it("gives builders the paths that placeholders stand for", async () => {
    writeFileSync(
      join(rig.folder, "placeholders.nix"),
      `derivation { name = "placed"; system = builtins.currentSystem; builder = "/bin/sh"; outputs = [ "out" "dev" ];
        args = [ "-c" "echo \${placeholder "out"} $own > $out; read -r line < $textPath; echo $line > $dev" ];
        own = placeholder "dev"; passAsFile = [ "text" ]; text = "in \${placeholder "dev"}"; }`,
    );
    const [out = "", other = ""] = await lines("nix-store", [
      "-r",
      ...(await lines("nix-instantiate", ["placeholders.nix"])),
    ]);
    const [first, dev] = out.endsWith("-dev") ? [other, out] : [out, other];
    expect(readFileSync(first, "utf8")).toBe(`${first} ${dev}\n`);
    expect(readFileSync(dev, "utf8")).toBe(`in ${dev}\n`);
  });

  it("collects garbage, with roots shown before", async () => {
    writeFileSync(join(rig.folder, "trash"), "trash");
    const [trash = ""] = await lines("nix-store", ["--add", "trash"]);
    expect(await lines("nix-store", ["--gc", "--print-dead"])).toContain(trash);
    expect((await lines("nix-store", ["--gc", "--print-roots"])).join("\n")).toContain(
      `"${rig.folder}/kept" -> ${low}`,
    );
    expect((await call("nix-store", ["--delete", low])).stderr).toContain(
      `cannot delete path '${low}' since it is still alive`,
    );
    expect((await lines("nix-store", ["--delete", trash]))[0]).toMatch(/^1 store paths deleted, \d+\.\d KiB freed$/);
    expect((await call("nix-store", ["--gc", "--max-freed", "1", "--print-dead"])).stderr).toContain(
      "cannot be combined",
    );
    expect((await lines("nix-collect-garbage", ["-d"]))[0]).toMatch(/store paths deleted/);
    expect(existsSync(top)).toBe(true);
  });

  it("shares equal files", async () => {
    for (const name of ["one", "two"]) writeFileSync(join(rig.folder, name), "the same");
    const paths = await lines("nix-store", ["--add", "one", "two"]);
    await lines("nix-store", ["--optimise"]);
    const { statSync } = await import("node:fs");
    expect(statSync(paths[0]!).ino).toBe(statSync(paths[1]!).ino);
    writeFileSync(join(rig.folder, "three"), "the same");
    const [third] = await lines("nix-store", ["--add", "three", "--option", "auto-optimise-store", "true"]);
    expect(statSync(third!).ino).toBe(statSync(paths[0]!).ino);
    const same =
      'derivation { name = "same"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "printf %s \'the same\' > $out" ]; }';
    const [built] = await lines("nix-build", ["-E", same, "--no-out-link", "--auto-optimise-store"]);
    expect(statSync(built!).ino).toBe(statSync(paths[0]!).ino);
    expect((await call("nix-store", ["--verify", "--check-contents"])).status).toBe(0);
  });

  it("says what it does not serve, and ends as Nix does when a build fails", async () => {
    expect((await call("nix-store", ["--serve"])).stderr).toContain("d2n does not serve 'nix-store --serve'");
    expect((await call("nix-store", ["--gc", "--add", "x"])).stderr).toContain("only one operation may be specified");
    const bad = await call("nix-build", ["all.nix", "-A", "bad"]);
    expect(bad.status).toBe(100);
    expect(bad.stderr).toMatch(/^building '.*-bad\.drv'\.\.\.\ntold\n/);
    expect((await call("nix-build", ["all.nix", "-A", "bad", "-Q"])).stderr).not.toMatch(/^told$/m);
    expect((await call("nix", ["build", "-f", "all.nix", "bad", "-L"])).stderr).toContain("\nbad> told\n");
    const dry = await call("nix-build", ["all.nix", "-A", "bad", "--dry-run"]);
    expect(dry.stderr).toMatch(/^this derivation will be built:\n {2}.*-bad\.drv\n$/);
    for (const program of ["nix-env", "nix-channel", "nix-copy-closure", "nix-daemon"]) {
      const outcome = await call(program, ["-i", "x"]);
      expect(outcome.status).toBe(1);
      expect(outcome.stderr).toMatch(/does not serve the program .*\n +hint: /);
    }
  });

  it("has help everywhere", async () => {
    for (const program of [
      "nix-build",
      "nix-collect-garbage",
      "nix-env",
      "nix-hash",
      "nix-instantiate",
      "nix-prefetch-url",
      "nix-shell",
      "nix-store",
    ])
      expect((await call(program, ["--help"])).status, program).toBe(0);
  });
});

describe("nix-shell", () => {
  it("has the variables of the derivation, and its inputs", async () => {
    const shell = [
      "all.nix",
      "-A",
      "shell",
      "--run",
      'echo "$inside $IN_NIX_SHELL $MINE"; cat $low; cat $textPath; echo',
    ];
    const env = { MINE: "mine" };
    expect(await lines("nix-shell", shell, { env })).toEqual(["yes impure mine", "low", "in a file"]);
    expect((await lines("nix-shell", ["--pure", ...shell], { env }))[0]).toBe("yes pure ");
    expect((await lines("nix-shell", ["--pure", "--keep", "MINE", ...shell], { env }))[0]).toBe("yes pure mine");
    expect((await call("nix-shell", ["all.nix", "-A", "shell", "--run", "exit 7"])).status).toBe(7);
  });

  it("looks for shell.nix and default.nix, and takes expressions", async () => {
    const empty = await call("nix-shell", ["--run", "true"]);
    expect(empty.stderr).toContain("no argument specified and no 'shell.nix' or 'default.nix' file found");
    mkdirSync(join(rig.folder, "project"));
    writeFileSync(join(rig.folder, "project/shell.nix"), "(import ../all.nix).shell");
    expect(await lines("nix-shell", ["project", "--run", "echo $name"])).toEqual(["shell"]);
    expect(await lines("nix-shell", ["-E", "(import ./all.nix).low", "--run", "echo $name"])).toEqual(["low"]);
    expect((await call("nix-shell", ["all.nix", "-A", "low", "-A", "top", "--run", "x"])).stderr).toContain(
      "nix-shell requires a single derivation",
    );
    expect((await call("nix-shell", ["-p", "hello", "--run", "x"])).stderr).toContain("file 'nixpkgs' was not found");
  });

  it("is an interpreter of scripts", async () => {
    const script = join(rig.folder, "script");
    writeFileSync(
      script,
      `#! ${join(nixRig.shims, "nix-shell")}\n#! nix-shell -i "sh -e"\n#! nix-shell all.nix -A shell\necho "$inside: $*"\n`,
    );
    chmodSync(script, 0o755);
    expect(await lines("nix-shell", [script, "a b", "--c"])).toEqual(["yes: a b --c"]);
  });

  it("takes expressions and arguments of scripts from the script's folder, unless told otherwise", async () => {
    const script = join(rig.folder, "project/expressions");
    const text = (option: string): string =>
      [
        `#! ${join(nixRig.shims, "nix-shell")}`,
        '#! nix-shell --expr "{ all, here }: assert here == ./.; import all"',
        '#! nix-shell --arg all "../all.nix" --arg here ./.',
        `#! nix-shell -A shell -i sh ${option}`,
        'echo "$inside"',
      ].join("\n");
    writeFileSync(script, text(""));
    chmodSync(script, 0o755);
    expect(await lines("nix-shell", [script])).toEqual(["yes"]);
    writeFileSync(script, text("--option nix-shell-shebang-arguments-relative-to-script false"));
    expect((await call("nix-shell", [script])).stderr).toMatch(/all\.nix.* does not exist/);
    writeFileSync(script, `#! ${join(nixRig.shims, "nix-shell")}\n#! nix-shell -i sh\necho $name\n`);
    expect(await lines("nix-shell", [script])).toEqual(["shell"]);
    const old = await call("nix-shell", ["project", "--option", "nix-shell-always-looks-for-shell-nix", "false"]);
    expect(old.stderr).toMatch(/Skipping '.*project\/shell\.nix', because .*neither 'shell\.nix' nor/s);
  });
});

describe("nix-prefetch-url", () => {
  it("brings a file, and what an archive holds, and checks hashes", async () => {
    const file = join(rig.folder, "file-1.0.txt");
    writeFileSync(file, "content\n");
    const sha256 = "0vpp87d7y7fz3ya7a65qigk2cp39zlhqxiifvsxwqz68khwsl7a3";
    const [hash = "", path = ""] = await lines("nix-prefetch-url", ["--print-path", `file://${file}`]);
    expect(hash).toMatch(/^[0-9a-z]{52}$/);
    expect(path).toMatch(/-file-1\.0\.txt$/);
    expect(await lines("nix-prefetch-url", [`file://${file}`, hash])).toEqual([hash]);
    const other = await call("nix-prefetch-url", [`file://${file}`, "--name", "other", sha256]);
    expect(other.status).toBe(102);
    expect(other.stderr).toContain("hash mismatch");
    expect((await lines("nix-prefetch-url", [`file://${file}`, "--type", "md5"]))[0]).toMatch(/^[0-9a-f]{32}$/);
    await rig.run(rig.folder, "tar", ["cf", "a.tar", "tree"]);
    const [unpacked = "", place = ""] = await lines("nix-prefetch-url", [
      "--unpack",
      "--print-path",
      `file://${rig.folder}/a.tar`,
    ]);
    expect(readFileSync(join(place, "a"), "utf8")).toBe("1");
    expect(await lines("nix-hash", ["--type", "sha256", "--base32", place])).toEqual([unpacked]);
    expect((await call("nix-prefetch-url", [])).stderr).toContain("you must specify a URL");
  });
});
