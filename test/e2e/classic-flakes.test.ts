/** Flakes through the launcher `nix`, on a store of their own. */
import { existsSync, mkdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ClassicRig } from "./classic-rig.ts";
import { type Outcome, shown } from "./rig.ts";

const nixRig = new ClassicRig();
const { folder, root, said, refused } = nixRig;
const dep = join(folder, "dep");
const top = join(folder, "top");

function write(place: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(place, name)), { recursive: true });
    writeFileSync(join(place, name), text, name.endsWith(".sh") ? { mode: 0o755 } : {});
  }
}

async function commit(place: string): Promise<void> {
  const script = "git init -q -b main && git add . && git -c user.name=a -c user.email=a@b commit -qm all";
  const outcome = await nixRig.script(script, { in: place });
  expect(outcome.status, shown(outcome)).toBe(0);
}

function nix(args: readonly string[], where = folder): Promise<Outcome> {
  return nixRig.call("nix", args, { in: where });
}

beforeAll(async () => {
  await nixRig.start();
  write(dep, {
    "flake.nix": `{ outputs = _: { x = 5; templates = {
      default = { path = ./one; description = "One"; welcomeText = "Have fun."; };
      two = { path = ./two; description = "Two"; };
    }; }; }`,
    "one/a": "a\n",
    "one/bin/run.sh": "#!/bin/sh\n",
    "two/b": "b\n",
  });
  await commit(dep);
  write(top, {
    "flake.nix": `{ inputs.dep.url = "git+file://${dep}"; outputs = { self, dep }: {
      y = dep.x + 1;
      packages.x86_64-linux.default = derivation { name = "made-1.0"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "test -e ${dep} && echo seen > $out" ]; };
      packages.aarch64-linux.far = throw "not looked at";
      hydraJobs.deep.down = self.packages.x86_64-linux.default;
      legacyPackages.x86_64-linux.old = self.packages.x86_64-linux.default;
    }; }`,
  });
  expect((await nix(["flake", "lock"], top)).status).toBe(0);
  await commit(top);
});
afterAll(() => nixRig.rig.remove());

describe("nix flake", () => {
  it("shows what there is, as JSON", async () => {
    const made = { description: "", name: "made-1.0", type: "derivation" };
    expect(await said("flake", "show", "--json", "./top")).toBe(
      `${JSON.stringify({
        hydraJobs: { deep: { down: made } },
        legacyPackages: { "x86_64-linux": {} },
        packages: { "aarch64-linux": { far: {} }, "x86_64-linux": { default: made } },
        y: { type: "unknown" },
      })}\n`,
    );
    write(join(folder, "empty"), {
      "flake.nix": "{ outputs = _: { packages.s = { }; overlays = { }; apps.s.a = throw 1; lib = { }; }; }",
    });
    expect(JSON.parse(await said("flake", "show", "--json", "--all-systems", "./empty"))).toMatchObject({
      apps: { s: {} },
      lib: { type: "unknown" },
    });
    expect(await said("flake", "show", "--json", "./empty")).not.toMatch(/packages|overlays/);
    const text = await said("flake", "show", "--legacy", "./top");
    expect(text).toMatch(new RegExp(`^git\\+file://${top}\\?ref=refs/heads/main&rev=[0-9a-f]{40}\n`));
    expect(text).toContain("far omitted (use '--all-systems' to show)\n");
    expect(text).toContain("old: package 'made-1.0'\n");
  });

  it("builds with the settings of nix.conf", async () => {
    // Without a sandbox builders see the machine's files.
    const path = (await said("build", "./top", "--no-link", "--print-out-paths")).trim();
    expect(readFileSync(path, "utf8")).toBe("seen\n");
  });

  it("fetches sources, with and without what they need", async () => {
    const fetched = JSON.parse(await said("flake", "prefetch", "--json", `git+file://${dep}`, "-o", "dep-link")) as {
      readonly storePath: string;
      readonly locked: object;
    };
    expect(readlinkSync(join(folder, "dep-link"))).toBe(fetched.storePath);
    expect(fetched.locked).toMatchObject({
      type: "git",
      revCount: 1,
      rev: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
    });
    expect((await nix(["flake", "prefetch", "./dep/one"])).stderr).toMatch(/^Downloaded 'git\+file:.*' to '.*-source'/);
    const archived = JSON.parse(await said("flake", "archive", "--json", "./top")) as object;
    expect(archived).toEqual({
      inputs: { dep: { inputs: {}, path: fetched.storePath } },
      path: expect.stringMatching(/-source$/) as string,
    });
    expect(JSON.parse(await said("flake", "archive", "--json", "--dry-run", "./top"))).toEqual(archived);
  });

  it("makes checkouts and copies", async () => {
    expect((await nix(["flake", "clone", `git+file://${dep}?ref=main`, "--dest", "clone"])).status).toBe(0);
    expect(existsSync(join(folder, "clone/.git"))).toBe(true);
    await said("flake", "clone", `path:${dep}`, "-f", "copy");
    expect(statSync(join(folder, "copy/one/bin/run.sh")).mode & 0o311).toBe(0o311);
    expect(await refused("flake", "clone", `path:${dep}`, "-f", "copy")).toContain("already exists");
    expect(await refused("flake", "clone", "./dep")).toContain("missing flag '--dest'");
  });

  it("starts projects from templates of flakes", async () => {
    expect(await said("flake", "new", "-t", "./dep", "started")).toBe("wrote a\nwrote bin/run.sh\n\nHave fun.\n");
    expect(statSync(join(folder, "started/bin/run.sh")).mode & 0o111).toBe(0o111);
    const started = join(folder, "started");
    expect((await nix(["flake", "init", "-t", `git+file://${dep}#two`], started)).stdout).toBe("wrote b\n");
    writeFileSync(join(started, "a"), "mine\n");
    expect((await nix(["flake", "init", "-t", "../dep"], started)).stderr).toContain(
      "would overwrite `a`; nothing was written",
    );
    expect(await refused("flake", "new", "x", "-t", "./dep#three")).toContain("`templates.three` or `three`");
  });

  it("locks what overrides say, and warns of what it does not know", async () => {
    write(join(folder, "other"), { "flake.nix": "{ outputs = _: { x = 41; }; }" });
    const before = readFileSync(join(top, "flake.lock"), "utf8");
    expect((await nix(["eval", "--override-input", "dep", "path:../other", ".#y"], top)).stdout).toBe("42\n");
    expect(readFileSync(join(top, "flake.lock"), "utf8")).toBe(before);
    expect((await nix(["flake", "lock", "--override-input", "dep", "path:../other"], top)).status).toBe(0);
    const dirty = await nix(["eval", ".#y"], top);
    expect(dirty.stdout).toBe("42\n");
    expect(dirty.stderr).toContain(`warning: Git tree '${top}' is dirty\n`);
    expect((await nix(["eval", ".#y", "--no-allow-dirty"], top)).status).toBe(1);
    expect((await nix(["flake", "update", "nope"], top)).stderr).toContain(
      "'nope' does not match any input of this flake",
    );
    writeFileSync(join(top, "flake.lock"), before);
  });
});

describe("flakes of this machine", () => {
  it("are found behind symlinks, and above themselves", async () => {
    symlinkSync(dep, join(folder, "link"));
    expect(await said("eval", "./link#x")).toBe("5\n");
    const above = join(folder, "above");
    write(above, {
      "flake.nix": "{ outputs = _: { x = 2; }; }",
      "sub/flake.nix": '{ inputs.up.url = "../"; outputs = { up, self }: { y = up.x * 3; }; }',
    });
    expect(await said("eval", "./above?dir=sub#y")).toBe("6\n");
    write(above, {
      "more/flake.nix": '{ inputs.sub.url = "../sub"; outputs = { sub, self }: { z = sub.y + 1; }; }',
    });
    expect(await said("eval", "./above?dir=more#z")).toBe("7\n");
  });

  it("take single files where no flake is wanted", async () => {
    write(join(folder, "data"), {
      numbers: "1 2\n",
      "flake.nix": `{ inputs.numbers = { url = "file://${folder}/data/numbers"; flake = false; };
        outputs = { numbers, self }: { text = builtins.readFile numbers; }; }`,
    });
    expect(await said("eval", "--raw", "path:./data#text")).toBe("1 2\n");
    expect(readFileSync(join(folder, "data/flake.lock"), "utf8")).toContain('"type": "file"');
  });

  it("are updated to what their inputs have locked", async () => {
    const chain = join(folder, "chain");
    write(chain, {
      "a/flake.nix": "{ outputs = _: { x = 1; }; }",
      "b/flake.nix": "{ outputs = _: { x = 2; }; }",
      "middle/flake.nix": `{ inputs.dep.url = "path:${chain}/a"; outputs = { dep, self }: { inherit (dep) x; }; }`,
      "flake.nix": `{ inputs.middle.url = "path:${chain}/middle"; outputs = { middle, self }: { inherit (middle) x; }; }`,
    });
    expect((await nix(["flake", "lock", "--override-input", "dep", "path:../b"], join(chain, "middle"))).status).toBe(
      0,
    );
    await said("flake", "lock", "path:./chain");
    expect(await said("eval", "path:./chain#x")).toBe("2\n");
    await said("flake", "update", "--flake", "path:./chain", "middle");
    expect(await said("eval", "path:./chain#x")).toBe("2\n");
    await said("flake", "update", "--flake", "path:./chain", "middle/dep");
    expect(await said("eval", "path:./chain#x")).toBe("1\n");
  });

  it("have their locks committed where that is wanted", async () => {
    const place = join(folder, "committed");
    write(place, { "flake.nix": `{ inputs.dep.url = "git+file://${dep}"; outputs = { self, dep }: { }; }` });
    await commit(place);
    const words = ["flake", "lock", "--commit-lock-file", "--commit-lock-file-summary", "lock it"];
    const identity = {
      GIT_AUTHOR_NAME: "a",
      GIT_AUTHOR_EMAIL: "a@b",
      GIT_COMMITTER_NAME: "a",
      GIT_COMMITTER_EMAIL: "a@b",
    };
    const outcome = await nixRig.call("nix", words, { in: place, env: identity });
    expect(outcome.status, shown(outcome)).toBe(0);
    const log = await nixRig.script("git log -1 --format=%B --name-only && git status --short", { in: place });
    expect(log.stdout).toMatch(/^lock it\n\nFlake lock file updates:\n\n• added input `dep`: .*\n\n+flake.lock\n$/);
  });
});

describe("nix search, edit, fmt", () => {
  beforeAll(() =>
    write(join(folder, "many"), {
      "flake.nix": `{ outputs = { self }: let
        make = name: meta: derivation { inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo" ]; } // { inherit meta; };
      in {
        packages.x86_64-linux.one = make "first-1.5" { description = "An Editor\n  of texts"; position = "\${self}/flake.nix:3"; };
        legacyPackages.x86_64-linux = { two = make "second" { }; broken = throw "no"; set.three = make "third" { };
          shown = { recurseForDerivations = true; four = make "fourth" { }; }; };
        formatter.x86_64-linux = derivation { name = "format"; system = "x86_64-linux"; builder = "/bin/sh";
          PATH = builtins.getEnv "PATH"; args = [ "-c" "mkdir -p $out/bin; printf '#!/bin/sh\\necho formats $*\\n' > $out/bin/format; chmod +x $out/bin/format" ]; };
      }; }`,
      "plain.nix":
        '{ it = { meta.position = "/etc/hostname:1"; }; sh = derivation { name = "sh"; system = builtins.currentSystem; builder = "/bin/bash"; word = "said"; }; }',
    }),
  );

  it("find packages", async () => {
    expect(await said("search", "./many", "editor", "FIRST")).toBe(
      "* packages.x86_64-linux.one (1.5)\n  An Editor   of texts\n",
    );
    const all = JSON.parse(await said("search", "./many", "^", "--json", "-e", "second")) as object;
    expect(Object.keys(all)).toEqual(["legacyPackages.x86_64-linux.shown.four", "packages.x86_64-linux.one"]);
    expect(await said("search", "./many#legacyPackages.x86_64-linux.set", "^")).toBe(
      "* legacyPackages.x86_64-linux.set.three\n",
    );
    expect(await refused("search", "./many", "nothing such")).toBe("error: no results for the given search term(s)!\n");
    expect(await refused("search", "./many", "(")).toContain("is no regular expression");
    expect(await refused("search", "./many")).toContain("Must provide at least one regex!");
  });

  it("open and run what packages name", async () => {
    const editor = { env: { EDITOR: "head -n 1" } };
    expect((await nixRig.call("nix", ["edit", "./many#one"], editor)).stdout).toMatch(/^\{ outputs = /);
    expect((await nixRig.call("nix", ["edit", "-f", "many/plain.nix", "it"], { env: { EDITOR: "echo" } })).stdout).toBe(
      "/etc/hostname\n",
    );
    expect(await refused("edit", "./many#legacyPackages.x86_64-linux.two")).toContain(
      "cannot find position information",
    );
    const formatted = await nix(["fmt", "--impure", "--", "a", "--check"], join(folder, "many"));
    expect(formatted.stdout, shown(formatted)).toBe("formats a --check\n");
  });

  it("enter what files and expressions describe", async () => {
    expect(await said("develop", "-f", "many/plain.nix", "sh", "-c", "bash", "-c", "echo $word")).toBe("said\n");
    expect(await said("print-dev-env", "-f", "many/plain.nix", "sh")).toContain("word='said'");
    expect(await refused("develop", "-f", "many/plain.nix", "none", "-c", "true")).toContain("attribute 'none'");
  });
});

describe("nix eval", () => {
  it("builds what it imports from, unless it only reads", async () => {
    const expression =
      'import (derivation { name = "made.nix"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo 6 > $out" ]; })';
    expect(await refused("eval", "--expr", expression, "--read-only")).toContain("read only");
    expect(await refused("eval", "--expr", expression, "--no-allow-import-from-derivation")).toContain("is disabled");
    expect(await said("env", "shell", "./top", "-c", "echo", "in")).toBe("in\n");
    expect(await said("eval", "--expr", expression)).toBe("6\n");
    const file = await nixRig.call("nix", ["eval", "--file", "-"], { input: "builtins.currentSystem" });
    expect(file.stdout).toBe('"x86_64-linux"\n');
    expect(await refused("eval", "--pure-eval", "--file", "x.nix")).toContain("'--file' is not compatible with");
  });
});

describe("nix registry", () => {
  it("gives flakes names", async () => {
    await said("registry", "add", "mine", "./dep");
    await said("registry", "add", "also/main", "mine");
    expect(await said("registry", "list")).toBe(`user   flake:mine path:${dep}\nuser   flake:also/main flake:mine\n`);
    expect(await said("eval", "mine#x")).toBe("5\n");
    expect(await said("eval", "--impure", "--expr", '(builtins.getFlake "also/main").x')).toBe("5\n");
    expect(await said("registry", "resolve", "also/main")).toBe(`path:${dep}\n`);
    expect(await refused("registry", "resolve", "nobody")).toContain(
      "cannot find flake 'flake:nobody' in the flake registries",
    );
    await said("registry", "pin", "mine", `git+file://${dep}`);
    expect(await said("registry", "list")).toMatch(/\nuser {3}flake:mine git\+file:.*rev=[0-9a-f]{40}\n$/);
    await said("registry", "remove", "mine");
    expect(await refused("eval", "mine#x")).toContain("mine");
    expect(await refused("eval", "--no-use-registries", "also/main#x")).toContain("also");
  });

  it("names inputs of flakes by the file that a setting names only", async () => {
    const file = join(root, "global.json");
    mkdirSync(root, { recursive: true });
    await said("registry", "add", "--registry", file, "named", `git+file://${dep}`);
    write(join(folder, "by-name"), { "flake.nix": "{ outputs = { self, named }: { z = named.x; }; }" });
    expect(await said("eval", "--flake-registry", file, "./by-name#z")).toBe("5\n");
  });
});
