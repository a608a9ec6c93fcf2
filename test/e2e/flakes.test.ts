/** Flakes without packages: what evaluation, the store and the builder do together. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readlinkSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hasStack, type Outcome, Rig, shown } from "./rig.ts";

const rig = new Rig();
afterAll(() => rig.remove());

const flake = (outputs: string, inputs = ""): string => `{ ${inputs} outputs = { self, ... }@inputs: { ${outputs} }; }`;
const trivial = `packages.x86_64-linux.default = derivation {
  name = "greeting"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo building; echo hello > $out" ];
};`;

describe("d2n build", () => {
  it("builds, links, logs, and has nothing to do the second time", async () => {
    const folder = await rig.project({ "flake.nix": flake(trivial) });
    const first = await rig.d2n(folder, ["build"]);
    expect(first.status, shown(first)).toBe(0);
    expect(readFileSync(join(folder, "result"), "utf8")).toBe("hello\n");
    const log = await rig.d2n(folder, ["log"]);
    expect(log.stdout).toBe("building\n");
    const second = await rig.d2n(folder, ["build"]);
    expect(second.status).toBe(0);
    expect(second.stderr).toBe("");
  });

  it("evaluates again only what has changed", async () => {
    const folder = await rig.project({
      "flake.nix": flake(`x = builtins.trace "evaluating" (import ./x.nix);`),
      "x.nix": "1",
      README: "",
    });
    const evaluates = async (value: string): Promise<boolean> => {
      const outcome = await rig.d2n(folder, ["eval", ".#x"]);
      expect(outcome.stdout, shown(outcome)).toBe(`${value}\n`);
      return outcome.stderr.includes("trace: evaluating");
    };
    expect(await evaluates("1")).toBe(true);
    expect(await evaluates("1")).toBe(false);
    // A file that is no part of the flake, and files that are touched only.
    writeFileSync(join(folder, "untracked"), "");
    expect(await evaluates("1")).toBe(false);
    for (const file of ["x.nix", "README", "flake.nix"]) {
      writeFileSync(join(folder, file), readFileSync(join(folder, file)));
      utimesSync(join(folder, file), 1_000_000_000, 1_000_000_000);
    }
    expect(await evaluates("1")).toBe(false);
    expect(await evaluates("1")).toBe(false);
    writeFileSync(join(folder, "x.nix"), "2");
    expect(await evaluates("2")).toBe(true);
    // Of the same size and time as before.
    writeFileSync(join(folder, "x.nix"), "3");
    utimesSync(join(folder, "x.nix"), 1_000_000_000, 1_000_000_000);
    expect(await evaluates("3")).toBe(true);
    await rig.run(folder, "git", ["rm", "-q", "--cached", "README"]);
    expect(await evaluates("3")).toBe(true);
  });

  it("leaves a failed build's log and nothing else", async () => {
    const folder = await rig.project({
      "flake.nix": flake(trivial.replace("echo hello > $out", "echo half > $out; echo last words; exit 3")),
    });
    const outcome = await rig.d2n(folder, ["build"]);
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain("last words");
    expect(outcome.stderr).toContain("d2n log");
    expect(hasStack(outcome)).toBe(false);
    expect(outcome.stderr).not.toContain("git does not track");
    expect(existsSync(join(folder, "result"))).toBe(false);
    // What the builder may have missed is named.
    writeFileSync(join(folder, "forgotten.c"), "");
    expect((await rig.d2n(folder, ["build"])).stderr).toMatch(/git does not track forgotten\.c: .*git add/);
    const verified = await rig.d2n(folder, ["store", "verify"]);
    expect(verified.status, shown(verified)).toBe(0);
  });

  it("says what there is when an attribute is not there", async () => {
    const folder = await rig.project({ "flake.nix": flake(trivial) });
    const outcome = await rig.d2n(folder, ["build", ".#defualt"]);
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain("Did you mean `default`?");
  });

  it("collects what no link keeps", async () => {
    const folder = await rig.project({ "flake.nix": flake(trivial.replace("hello >", "collected >")) });
    await rig.d2n(folder, ["build"]);
    const path = (await rig.d2n(folder, ["store", "path-info"])).stdout.trim();
    expect((await rig.d2n(folder, ["store", "gc"])).status).toBe(0);
    expect(existsSync(rig.store + path), "a linked result is kept").toBe(true);
    rmSync(join(folder, "result"));
    const outcome = await rig.d2n(folder, ["store", "gc"]);
    expect(outcome.status, shown(outcome)).toBe(0);
    expect(existsSync(rig.store + path)).toBe(false);
  });
});

describe("d2n that is ended", () => {
  const slow = flake(`
    packages.x86_64-linux.default = derivation {
      name = "slow"; system = "x86_64-linux"; builder = "/bin/sh";
      args = [ "-c" "echo started; sleep 1000 & sleep 1000; wait" ];
    };
    apps.x86_64-linux.default = { type = "app"; program = "/bin/sh"; };`);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"] as const;

  it.each(signals)("by %s takes its builders along, and builds the next time", async (signal) => {
    const folder = await rig.project({ "flake.nix": slow });
    const outcome = await rig.d2n(folder, ["build", "-L"], {
      onStart: (child) =>
        child.stderr!.on("data", (text: Buffer) => String(text).includes("started") && child.kill(signal)),
    });
    expect(outcome.status, shown(outcome)).toBe(signal === "SIGKILL" ? 128 : 130);
    // Whoever builds it holds its lock.
    const next = await rig.d2n(folder, ["build", "-L", "--timeout", "1"]);
    expect(next.stderr, shown(next)).toContain("took longer than 1 seconds");
    expect(next.stderr).not.toContain("waiting for another");
  });

  it.each(["SIGTERM", "SIGHUP", "SIGKILL"] as const)("by %s takes the program along that it runs", async (signal) => {
    const folder = await rig.project({ "flake.nix": slow });
    // It is over once nobody holds the program's output.
    const outcome = await rig.d2n(folder, ["run", ".", "--", "-c", "echo started; exec sleep 1000"], {
      onStart: (child) =>
        child.stdout!.on("data", (text: Buffer) => String(text).includes("started") && child.kill(signal)),
    });
    expect(outcome.stdout).toBe("started\n");
    expect(outcome.status).toBe({ SIGTERM: 143, SIGHUP: 129, SIGKILL: 128 }[signal]);
  });
});

describe("flakes", () => {
  it("see what git tracks, and nothing else", async () => {
    const folder = await rig.project({ "flake.nix": flake(`x = import ./other.nix;`) });
    writeFileSync(join(folder, "other.nix"), "42");
    const hidden = await rig.d2n(folder, ["eval", ".#x"]);
    expect(hidden.status).toBe(1);
    expect(hidden.stderr).toMatch(/git .*add other\.nix/);
    await rig.run(folder, "git", ["add", "other.nix"]);
    expect((await rig.d2n(folder, ["eval", ".#x"])).stdout).toBe("42\n");
  });

  it("are found from folders below, and named when they are not there", async () => {
    const folder = await rig.project({ "flake.nix": flake(`x = 1;`), "sub/dir/file": "" });
    expect((await rig.d2n(join(folder, "sub/dir"), ["eval", ".#x"])).stdout).toBe("1\n");
    const outcome = await rig.d2n(rig.folder, ["eval", ".#x"]);
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain("flake.nix");
    expect(hasStack(outcome)).toBe(false);
  });

  it("lock their inputs as Nix does, follow at any depth, and take overrides", async () => {
    const leaf = await rig.project({ "flake.nix": flake(`value = "leaf";`) });
    const other = await rig.project({ "flake.nix": flake(`value = "other";`) });
    const middle = await rig.project({
      "flake.nix": flake(`value = "middle of " + inputs.leaf.value;`, `inputs.leaf.url = "git+file://${leaf}";`),
    });
    const data = await rig.project({ "file.txt": "plain" }, { git: false });
    const top = await rig.project({
      "flake.nix": flake(
        `value = inputs.middle.value + " and " + inputs.again.value + " and " + builtins.readFile "\${inputs.data}/file.txt";`,
        `inputs = {
          middle = { url = "git+file://${middle}"; };
          again.follows = "middle/leaf";
          data = { url = "path:${data}"; flake = false; };
        };`,
      ),
    });
    const read = async (...args: string[]): Promise<string> => {
      const outcome = await rig.d2n(top, ["eval", "--raw", ".#value", ...args]);
      expect(outcome.status, shown(outcome)).toBe(0);
      return outcome.stdout;
    };
    expect(await read()).toBe("middle of leaf and leaf and plain");
    const lock = JSON.parse(readFileSync(join(top, "flake.lock"), "utf8")) as {
      nodes: Record<string, Record<string, unknown>>;
      version: number;
    };
    expect(lock.version).toBe(7);
    expect(Object.keys(lock.nodes)).toEqual(["data", "leaf", "middle", "root"]);
    expect(lock.nodes["root"]!["inputs"]).toEqual({ again: ["middle", "leaf"], data: "data", middle: "middle" });
    expect(lock.nodes["data"]!["flake"]).toBe(false);
    expect(await read("--override-input", "middle/leaf", `git+file://${other}`)).toBe(
      "middle of other and other and plain",
    );
    expect((await rig.run(top, "git", ["status", "--porcelain"])).stdout).toContain("flake.lock");
  });

  it("take an input that is known by name only from where the lock file has it", async () => {
    const there = await rig.project({ "flake.nix": flake(`value = "there";`) });
    const named = await rig.project({
      "flake.nix": flake(`value = inputs.systems.value;`, `inputs.systems.url = "git+file://${there}";`),
    });
    expect((await rig.d2n(named, ["eval", "--raw", ".#value"])).stdout).toBe("there");
    const file = join(named, "flake.lock");
    const lock = JSON.parse(readFileSync(file, "utf8")) as { nodes: Record<string, { original: unknown }> };
    for (const name of ["systems", "unheard-of"]) {
      const nodes = { ...lock.nodes, [name]: { ...lock.nodes["systems"], original: { id: name, type: "indirect" } } };
      writeFileSync(
        file,
        JSON.stringify({ nodes: { ...nodes, root: { inputs: { [name]: name } } }, root: "root", version: 7 }),
      );
      writeFileSync(join(named, "flake.nix"), `{ outputs = { self, ${name} }: { inherit (${name}) value; }; }`);
      const outcome = await rig.d2n(named, ["eval", "--raw", ".#value"]);
      expect(outcome.stdout, shown(outcome)).toBe("there");
    }
    rmSync(file);
    const unknown = await rig.d2n(named, ["eval", "--raw", ".#value"]);
    expect(unknown.stderr).toContain("no flake called `unheard-of`");
  });

  it("are looked at again where no lock says what an input is", async () => {
    const data = await rig.project({ file: "one" }, { git: false });
    const top = await rig.project({
      "flake.nix": flake(
        `value = builtins.readFile "\${inputs.data}/file";`,
        `inputs.data = { url = "path:/nonexistent"; flake = false; };`,
      ),
    });
    for (const value of ["one", "two"]) {
      writeFileSync(join(data, "file"), value);
      const outcome = await rig.d2n(top, ["eval", "--raw", ".#value", "--override-input", "data", `path:${data}`]);
      expect(outcome.stdout, shown(outcome)).toBe(value);
    }
    writeFileSync(
      join(top, "flake.nix"),
      flake(
        `value = builtins.readFile "\${inputs.data}/file";`,
        `inputs.data = { url = "path:${data}"; flake = false; };`,
      ),
    );
    for (const value of ["three", "four"]) {
      writeFileSync(join(data, "file"), value);
      const outcome = await rig.d2n(top, ["eval", "--raw", ".#value", "--no-write-lock-file"]);
      expect(outcome.stdout, shown(outcome)).toBe(value);
    }
  });

  it("hash a clean checkout as its commit, d2n.lock and all, and inputs as they are", async () => {
    const folder = await rig.project({
      "flake.nix": flake(`hash = self.narHash; files = builtins.attrNames (builtins.readDir self);`),
      "d2n.lock": `{ "version": 1 }\n`,
      "sub/.dream2nix/file": "",
    });
    const evaluate = async (installable: string): Promise<string> => {
      const outcome = await rig.d2n(folder, ["eval", "--json", installable]);
      expect(outcome.status, shown(outcome)).toBe(0);
      return outcome.stdout.trim();
    };
    expect(await evaluate(".#files")).toBe(`["flake.nix","sub"]`);
    await commit(folder);
    expect(await evaluate(".#files")).toBe(`["d2n.lock","flake.nix","sub"]`);
    expect(await evaluate(".#hash")).toBe(
      await evaluate(
        `git+file://${folder}?rev=${(await rig.run(folder, "git", ["rev-parse", "HEAD"])).stdout.trim()}#hash`,
      ),
    );
    const top = await rig.project({
      "flake.nix": flake(
        `files = builtins.attrNames (builtins.readDir inputs.data);`,
        `inputs.data = { url = "path:${join(folder, "sub")}"; flake = false; };`,
      ),
    });
    writeFileSync(join(folder, "sub/d2n.lock"), "");
    expect((await rig.d2n(top, ["eval", "--json", ".#files"])).stdout).toBe(`[".dream2nix","d2n.lock"]\n`);
  });

  const commit = async (folder: string): Promise<void> => {
    const outcome = await rig.run(folder, "git", [
      ...["-c", "user.name=n", "-c", "user.email=e@example.org"],
      ...["commit", "-qam", "changed"],
    ]);
    expect(outcome.status, shown(outcome)).toBe(0);
  };

  it("bring their own locks where they take the place of an input", async () => {
    const leaf = await rig.project({ "flake.nix": flake(`value = "leaf";`) });
    await commit(leaf);
    const locked = await rig.project({
      "flake.nix": flake(`value = "with " + inputs.leaf.value;`, `inputs.leaf.url = "git+file://${leaf}";`),
    });
    expect((await rig.d2n(locked, ["eval", "--raw", ".#value"])).stdout).toBe("with leaf");
    const top = await rig.project({
      "flake.nix": flake(`value = inputs.a.value;`, `inputs.a.url = "git+file://${leaf}";`),
    });
    expect((await rig.d2n(top, ["eval", "--raw", ".#value"])).stdout).toBe("leaf");
    // What the lock of the new input names is taken, though its branch has moved on.
    writeFileSync(join(leaf, "flake.nix"), flake(`value = "newer leaf";`));
    await commit(leaf);
    const outcome = await rig.d2n(top, ["eval", "--raw", ".#value", "--override-input", "a", `git+file://${locked}`]);
    expect(outcome.stdout, shown(outcome)).toBe("with leaf");
  });

  it("do not go round in circles", async () => {
    const folder = await rig.project({ "flake.nix": "" });
    writeFileSync(join(folder, "flake.nix"), flake(`value = 1;`, `inputs.me.url = "git+file://${folder}";`));
    const outcome = await rig.d2n(folder, ["eval", ".#value"]);
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain("in a circle");
  });

  it("have inputs within their own tree", async () => {
    const folder = await rig.project({
      "sub/flake.nix": flake(
        `value = import inputs.data; path = "\${inputs.data}/default.nix";`,
        `inputs.data = { url = "path:./data"; flake = false; };`,
      ),
      "sub/data/default.nix": "[ 1 2 ]",
    });
    const outcome = await rig.d2n(folder, ["eval", "--json", "./sub#value"]);
    expect(outcome.status, shown(outcome)).toBe(0);
    expect(outcome.stdout).toBe("[1,2]\n");
    expect((await rig.d2n(folder, ["eval", "--raw", `git+file://${folder}?dir=sub#path`])).stdout).toMatch(
      /-source\/sub\/data\/default\.nix$/,
    );
  });

  it("say with attributes where an input comes from, or with a path", async () => {
    const there = await rig.project({ "x.nix": "1" });
    await rig.run(there, "git", ["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x"]);
    const inputs = `inputs.a = { type = "git"; url = "file://${there}"; submodules = true; flake = false; };
      inputs.b = { url = ./data; flake = false; }; inputs.c = { url = "path:data"; flake = false; };`;
    const folder = await rig.project({
      "flake.nix": flake('value = map (x: import (x + "/x.nix")) [ inputs.a inputs.b inputs.c ];', inputs),
      "data/x.nix": "2",
    });
    const outcome = await rig.d2n(folder, ["eval", ".#value"]);
    expect(outcome.stdout, shown(outcome)).toBe("[ 1 2 2 ]\n");
    const lock = JSON.parse(readFileSync(join(folder, "flake.lock"), "utf8")) as {
      nodes: Record<string, { original: unknown }>;
    };
    expect(lock.nodes["a"]!.original).toEqual({ type: "git", url: `file://${there}`, submodules: true });
    expect(lock.nodes["b"]!.original).toEqual({ type: "path", path: "data" });
  });

  it.each([
    ['inputs.a = { type = "git"; url = 3; };', "`url` must be a string or a path", 2],
    ["inputs.a.rev = -1;", "`rev` must not be negative", 2],
    ["inputs.a = [ ];", "it must be an attribute set", 2],
    ["outputz = 1;", "unsupported attribute `outputz`", 2],
  ])("name the place of a mistake in flake.nix: %s", async (line, message, number) => {
    const folder = await rig.project({ "flake.nix": flake("x = 1;", `\n${line}\n`) });
    const outcome = await rig.d2n(folder, ["eval", ".#x"]);
    expect(outcome.status, shown(outcome)).toBe(1);
    expect(outcome.stderr).toContain(message);
    expect(outcome.stderr).toContain(`${folder}/flake.nix:${number}:`);
    expect(outcome.stderr).toContain(line);
  });

  it("name an input that cannot be fetched", async () => {
    const folder = await rig.project({
      "flake.nix": flake(`x = inputs.gone.x;`, `inputs.gone.url = "path:/nonexistent/place";`),
    });
    const outcome = await rig.d2n(folder, ["eval", ".#x"]);
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain("input `gone`");
    expect(outcome.stderr).toContain("--override-input");
  });

  it("are pure unless told otherwise", async () => {
    const folder = await rig.project({
      "flake.nix": flake(`home = builtins.getEnv "HOME"; file = builtins.readFile /etc/hostname;`),
    });
    expect((await rig.d2n(folder, ["eval", "--raw", ".#home"])).stdout).toBe("");
    expect((await rig.d2n(folder, ["eval", "--raw", "--impure", ".#home"])).stdout).toBe(rig.home);
    const outcome = await rig.d2n(folder, ["eval", ".#file"]);
    expect(outcome.stderr).toContain("pure evaluation mode");
  });
});

describe("a package to run", () => {
  const packageWith = (programs: string) =>
    flake(`packages.x86_64-linux.default = derivation {
      name = "tools-1.0"; system = "x86_64-linux"; builder = "/bin/sh";
      args = [ "-c" "mkdir -p $out/bin; for p in ${programs}; do echo '#!/bin/sh' > $out/bin/$p; echo 'echo ran \\"$0\\"' >> $out/bin/$p; chmod +x $out/bin/$p; done" ];
    };`);

  it("need not be called as its only program is", async () => {
    const folder = await rig.project({ "flake.nix": packageWith(".other-wrapped other") });
    const outcome = await rig.d2n(folder, ["run"]);
    expect(outcome.status, shown(outcome)).toBe(0);
    expect(outcome.stdout).toMatch(/^ran \S+\/bin\/other\n$/);
  });

  it("has to say which of several programs is meant", async () => {
    const folder = await rig.project({ "flake.nix": packageWith("one two") });
    const outcome = await rig.d2n(folder, ["run"]);
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toMatch(/no program `bin\/tools`[\s\S]*It has: one, two/);
  });
});

describe("the command line", () => {
  it("has help for everything", async () => {
    for (const command of [
      [],
      ["build"],
      ["run"],
      ["eval"],
      ["log"],
      ["store"],
      ["store", "gc"],
      ["store", "verify"],
      ["store", "path-info"],
      ["flake", "show"],
      ["config"],
    ]) {
      const outcome = await rig.d2n(rig.folder, [...command, "--help"]);
      expect(outcome.status, command.join(" ")).toBe(0);
      expect(outcome.stdout, command.join(" ")).toMatch(/usage/i);
    }
  });

  it("says which folder cannot be used", async () => {
    const folder = await rig.project({ "flake.nix": flake("x = 1;") });
    const env = { XDG_CACHE_HOME: join(folder, "flake.nix/cache") };
    const outcome = await rig.d2n(folder, ["eval", "nixpkgs#jq.name"], { env });
    expect(outcome.status, shown(outcome)).toBe(1);
    expect(outcome.stderr).toMatch(/^error: .*flake\.nix\/cache.*\[file-access\]/m);
    expect(outcome.stderr).not.toContain("mirror");
    expect(hasStack(outcome)).toBe(false);
  });

  it("suggests the nearest command and refuses nonsense", async () => {
    const outcome = await rig.d2n(rig.folder, ["biuld"]);
    expect(outcome.status).toBe(2);
    expect(outcome.stderr).toContain("build");
    expect((await rig.d2n(rig.folder, ["build", "--max-jobs", "many"])).status).toBe(2);
    expect((await rig.d2n(rig.folder, ["config", "debian-miror"])).stderr).toContain("debian-mirror");
  });

  it("links lead to what is there, in a chroot store too", async () => {
    const folder = await rig.project({ "flake.nix": flake(trivial) });
    await rig.d2n(folder, ["build", "-o", "here"]);
    expect(readlinkSync(join(folder, "here"))).not.toMatch(/^\/nix/);
    expect(readFileSync(join(folder, "here"), "utf8")).toBe("hello\n");
  });
});

describe("d2n flake", () => {
  it("says where a flake comes from, lists it and checks it", async () => {
    const outputs = `description = "a text"; inputs.dep = { url = "path:./dep"; flake = false; };`;
    const folder = await rig.project({
      "dep/file": "content",
      "flake.nix": flake(
        `${trivial} checks.x86_64-linux.good = self.packages.x86_64-linux.default; overlays.default = final: prev: { };
         devShells.aarch64-linux.other = throw "not for this machine"; nonsense = 1;`,
        outputs,
      ),
    });
    const locked = await rig.d2n(folder, ["flake", "lock"]);
    expect(locked.status, shown(locked)).toBe(0);
    expect(locked.stderr).toContain("added input `dep`");
    const metadata = await rig.d2n(folder, ["flake", "metadata"]);
    expect(metadata.stdout).toContain(`Resolved URL:  git+file://${folder}\nDescription:   a text\n`);
    expect(metadata.stdout).toMatch(/Inputs:\n└───dep: path:\.\/dep\n$/);
    const json = JSON.parse((await rig.d2n(folder, ["flake", "metadata", "--json"])).stdout) as Record<string, unknown>;
    expect(json).toMatchObject({
      description: "a text",
      resolved: { type: "git" },
      locks: { version: 7, root: "root" },
    });
    const show = await rig.d2n(folder, ["flake", "show"]);
    expect(show.stdout).toContain("│       └───good: derivation 'greeting'\n");
    expect(show.stdout).toContain("│   └───default: Nixpkgs overlay\n");
    const check = await rig.d2n(folder, ["flake", "check"]);
    expect(check.status, shown(check)).toBe(0);
    expect(check.stderr).toContain("unknown flake output 'nonsense'");
    expect(check.stderr).toContain("running 1 flake checks...");
    expect(check.stderr).toContain("all checks passed!");
    expect(check.stderr).toContain("omitted these incompatible systems: aarch64-linux");
  });

  it("has a fingerprint of what is fixed, as Nix computes it", async () => {
    const folder = await rig.project({ "flake.nix": flake(trivial), "sub/flake.nix": flake(trivial) });
    const git = (...args: string[]): Promise<Outcome> =>
      rig.run(folder, "git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args]);
    await git("commit", "-qm", "first");
    const metadata = async (reference: string): Promise<Record<string, unknown>> =>
      JSON.parse((await rig.d2n(folder, ["flake", "metadata", "--json", reference])).stdout) as Record<string, unknown>;
    const locks = JSON.stringify({ nodes: { root: {} }, root: "root", version: 7 }, undefined, 2);
    const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
    const clean = await metadata(`git+file://${folder}?dir=sub`);
    expect(clean["fingerprint"]).toBe(
      sha256(`${String(clean["revision"])};sub;${locks};revCount=1;lastModified=${String(clean["lastModified"])}`),
    );
    const path = await metadata(`path:${folder}/sub`);
    const { narHash } = path["locked"] as { narHash: string };
    expect(path["fingerprint"]).toBe(sha256(`path:${narHash};;${locks};lastModified=${String(path["lastModified"])}`));
    writeFileSync(join(folder, "flake.nix"), flake(`${trivial} more = 1;`));
    const dirty = await metadata(".");
    expect(dirty["fingerprint"]).toBeUndefined();
    expect(dirty["locked"]).toMatchObject({ __final: true, dirtyRev: `${String(clean["revision"])}-dirty` });
  });

  it("refuses outputs that are not what their names say", async () => {
    const wrong = {
      "packages.x86_64-linux.a = 1;": "flake attribute 'packages.x86_64-linux.a' is not a derivation",
      "overlays.a = 1;": "overlay is not a function",
      "templates.t = { path = ./nowhere; description = ''d''; };": "refers to a non-existent path",
    };
    for (const [outputs, message] of Object.entries(wrong)) {
      const folder = await rig.project({ "flake.nix": flake(outputs) });
      const outcome = await rig.d2n(folder, ["flake", "check"]);
      expect(outcome.status, shown(outcome)).toBe(1);
      expect(outcome.stderr).toContain(message);
      expect(hasStack(outcome)).toBe(false);
    }
  });
});
