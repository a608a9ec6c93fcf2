import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Event } from "../base/index.ts";
import { encodeBase32, hashNar } from "../formats/index.ts";
import {
  certificateVariables,
  cleanEnvironment,
  findProjectRoot,
  formatJson,
  type GitTree,
  knownWheels,
  type LockServices,
  type LockSpec,
  parseJson,
  parseLockSpec,
  type PipSettings,
  prefetchGit,
  type Run,
  runLockField,
  runLockFields,
  runOnHost,
} from "./index.ts";

const containing = (text: string): unknown => expect.stringContaining(text);
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

let root: string;
let project: string;
let events: Event[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "d2n-python-test-"));
  project = join(root, "project");
  mkdirSync(join(project, "sub"), { recursive: true });
  mkdirSync(join(root, "cache"));
  writeFileSync(join(project, "flake.nix"), "");
  events = [];
});
afterEach(() => {
  execFileSync("chmod", ["-R", "u+w", root]);
  rmSync(root, { recursive: true, force: true });
});

const sha256 = "a".repeat(64);
const settings: PipSettings = {
  interpreter: "/nix/store/abc-python3/bin/python",
  pythonVersion: "3.13.5",
  bootstrapPip: "/nix/store/abc-pip/lib/python3.13/site-packages",
  pipVersion: "24.0",
  pipFlags: ["--no-binary", ":all:"],
  requirementsList: ["pillow==10.4.0", ""],
  requirementsFiles: ["r.txt", ""],
  env: { EXTRA: "1" },
  path: ["/nix/store/abc-tool/bin"],
};
function specOf(...fields: LockSpec["fields"]): LockSpec {
  return {
    version: 1,
    name: "pillow",
    projectRootFile: "flake.nix",
    lockFile: "sub/lock.json",
    fields,
    invalidationHash: "b".repeat(64),
    extraScripts: [],
    shell: "/bin/sh",
  };
}
const pipField = (more: Partial<PipSettings> = {}): LockSpec["fields"][number] => ({
  kind: "pip",
  name: "fetchPipMetadata",
  pip: { ...settings, ...more },
});
const script = (name: string, text: string): LockSpec["fields"][number] => ({ kind: "script", name, script: text });

interface Call {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** Stands in for the interpreter: writes the report that pip would write. Other programs run. */
function interpreter(
  calls: Call[],
  { report, output = [], status = 0 }: { report?: object; output?: readonly string[]; status?: number },
): Run {
  return async (argv, options) => {
    if (!argv[0]!.endsWith("/python")) return runOnHost(argv, options);
    calls.push({ argv, env: options.env, cwd: options.cwd });
    for (const line of output) options.onLine?.(line, "stdout");
    const at = argv.indexOf("--report");
    if (report !== undefined && at > 0) writeFileSync(argv[at + 1]!, JSON.stringify(report));
    return status;
  };
}
function services(run: Run, environment: Record<string, string> = {}): LockServices {
  return {
    run,
    physicalPath: (path) => join(root, path),
    storeDir: "/nix/store",
    environment: { HOME: root, PATH: process.env["PATH"] ?? "", ...environment },
    cwd: join(project, "sub"),
    cacheDir: join(root, "cache"),
    temporaryDir: root,
    events: (event) => events.push(event),
  };
}
function reportOf(name = "pillow") {
  return {
    version: "1",
    environment: {},
    install: [
      {
        requested: true,
        is_direct: false,
        metadata: { name, version: "10.4.0" },
        download_info: { url: `https://example.org/${name}.tar.gz`, archive_info: { hashes: { sha256 } } },
      },
    ],
  };
}
/** As if pip had been fetched earlier. */
function pipIsThere(): void {
  const folder = join(root, "cache", `pip-24.0-${knownWheels["pip"]!["24.0"]!.slice(0, 16)}-py3.13`);
  mkdirSync(join(folder, "pip"), { recursive: true });
}
const lockFile = (): string => join(project, "sub", "lock.json");
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail("it did not fail"),
    (error: unknown) => error,
  );

describe("locking with pip", () => {
  it("calls pip as upstream does, where the user is, and writes the file", async () => {
    pipIsThere();
    const calls: Call[] = [];
    const result = await runLockFields(
      specOf(pipField()),
      services(
        interpreter(calls, {
          report: reportOf(),
          output: ["Collecting pillow==10.4.0", "  Downloading pillow-10.4.0.tar.gz (46.6 MB)", "Would install x"],
        }),
      ),
    );
    const [call] = calls;
    const report = call!.argv[call!.argv.indexOf("--report") + 1]!;
    expect(call!.argv.slice(2)).toEqual([
      "install",
      "--dry-run",
      "--ignore-installed",
      "--no-binary",
      ":all:",
      "--progress-bar",
      "off",
      "--report",
      report,
      "pillow==10.4.0",
      "-r",
      "r.txt",
    ]);
    expect(call!.cwd).toBe(join(project, "sub"));
    expect(call!.env).toMatchObject({ EXTRA: "1", PATH: matching(/^\/nix\/store\/abc-tool\/bin:/) });
    expect(result).toMatchObject({ lockFile: lockFile(), changed: true, deleted: false });
    expect(readFileSync(lockFile(), "utf8")).toMatch(
      /^\{\n {2}"fetchPipMetadata": \{\n {4}"sources": [^]*\n {2}"invalidationHash": "b{64}"\n\}$/,
    );
    expect(events).toContainEqual({
      type: "message",
      level: "notice",
      text: containing("git add lock.json"),
    });
    expect(events).toContainEqual(
      expect.objectContaining({
        type: "activity-start",
        kind: "download",
        name: "pillow-10.4.0.tar.gz",
        total: 46_600_000,
      }),
    );
    expect(events).toContainEqual(expect.objectContaining({ type: "activity-phase", phase: "pillow 10.4.0" }));
    // Nothing but the cache stays behind.
    expect(
      execFileSync("ls", [root])
        .toString()
        .split("\n")
        .filter((name) => name.startsWith("d2n-")),
    ).toEqual([]);
  });

  it("shows pip's words when it fails, and leaves the old file alone", async () => {
    pipIsThere();
    writeFileSync(lockFile(), "old");
    const output = [
      "Collecting nope",
      "ERROR: Could not find a version that satisfies the requirement nope (from versions: none)",
      "ERROR: No matching distribution found for nope",
    ];
    const error = await rejection(
      runLockFields(specOf(pipField({ requirementsList: ["nope"] })), services(interpreter([], { output, status: 1 }))),
    );
    expect(error).toMatchObject({
      code: "lock-pip-failed",
      message: containing("No matching distribution found for nope"),
      details: containing("from versions: none"),
    });
    expect(readFileSync(lockFile(), "utf8")).toBe("old");
  });

  it("leaves the old file alone when a later field fails, and when a report is no report", async () => {
    pipIsThere();
    writeFileSync(lockFile(), "old");
    expect(
      await rejection(
        runLockFields(specOf(pipField(), script("x", "exit 3")), services(interpreter([], { report: reportOf() }))),
      ),
    ).toMatchObject({ code: "lock-script-failed" });
    expect(
      await rejection(runLockFields(specOf(pipField()), services(interpreter([], { report: { install: 1 } })))),
    ).toMatchObject({ code: "lock-report-malformed" });
    expect(await rejection(runLockFields(specOf(pipField()), services(interpreter([], {}))))).toMatchObject({
      code: "lock-report-malformed",
    });
    expect(readFileSync(lockFile(), "utf8")).toBe("old");
  });

  it("brings a compiler when a source distribution fails for want of one, and only then", async () => {
    pipIsThere();
    mkdirSync(join(root, "nix/store"), { recursive: true });
    writeFileSync(join(root, "nix/store/x-env"), "PATH=/nix/store/x-cc/bin\0HOME=/homeless\0PKG_CONFIG_PATH=/a\0");
    const toolchains = [{ package: "", drvPath: "/nix/store/x-env.drv", environment: "/nix/store/x-env" }];
    const attempt = async (failure: readonly string[]) => {
      const calls: Call[] = [];
      const made: string[] = [];
      const run: Run = (argv, options) =>
        made.length === 0
          ? interpreter(calls, { output: failure, status: 1 })(argv, options)
          : interpreter(calls, { report: reportOf() })(argv, options);
      const result = await runLockFields(specOf(pipField({ toolchains })), {
        ...services(run),
        realise: async ({ drvPath }) => void made.push(drvPath),
      }).catch((error: unknown) => error);
      return { calls, made, result };
    };
    const compiled = await attempt([
      "Collecting x==1",
      "error: command 'cc' failed: No such file",
      "error: metadata-generation-failed",
    ]);
    expect(compiled.made).toEqual(["/nix/store/x-env.drv"]);
    expect(compiled.result).toMatchObject({ changed: true });
    expect(compiled.calls[0]!.env["PATH"]).not.toContain("x-cc");
    expect(compiled.calls[1]!.env).toMatchObject({ PATH: containing("/nix/store/x-cc/bin:"), PKG_CONFIG_PATH: "/a" });
    expect(compiled.calls[1]!.env["HOME"]).toBe(root);
    const missing = await attempt([
      "error: subprocess-exited-with-error",
      "ERROR: No matching distribution found for y",
    ]);
    expect(missing.made).toEqual([]);
    expect(missing.result).toMatchObject({ code: "lock-pip-failed" });
  });

  it("copies store paths, which pip could not write to, and maps them back", async () => {
    pipIsThere();
    const source = join(root, "nix/store/xyz-source");
    mkdirSync(source, { recursive: true });
    writeFileSync(join(source, "setup.py"), "");
    chmodSync(join(source, "setup.py"), 0o444);
    chmodSync(source, 0o555);
    const calls: Call[] = [];
    const run: Run = async (argv, options) => {
      if (argv[2] !== "install") return 1;
      const copy = argv.at(-1)!;
      expect(existsSync(join(copy, "setup.py"))).toBe(true);
      writeFileSync(join(copy, "written"), "");
      const report = {
        ...reportOf("x"),
        install: [
          {
            requested: true,
            is_direct: true,
            metadata: { name: "x", version: "1" },
            download_info: { url: `file://${copy}`, dir_info: {} },
          },
        ],
      };
      return interpreter(calls, { report })(argv, options);
    };
    const more = {
      ...services(run),
      describeStorePath: async (path: string) => ({ url: `https://example.org/${path.split("/").at(-1)}`, sha256 }),
    };
    await runLockFields(specOf(pipField({ requirementsList: ["/nix/store/xyz-source"], requirementsFiles: [] })), more);
    expect(readFileSync(lockFile(), "utf8")).toContain('"url": "https://example.org/xyz-source"');
    expect(existsSync(join(source, "written"))).toBe(false);
  });

  it("fetches the wanted pip with the pip at hand, and does not take another for it", async () => {
    const calls: Call[] = [];
    const run: Run = async (argv, options) => {
      calls.push({ argv, env: options.env, cwd: options.cwd });
      const dest = argv[argv.indexOf("--dest") + 1]!;
      mkdirSync(dest);
      writeFileSync(join(dest, "pip-24.0-py3-none-any.whl"), "not the released file");
      return 0;
    };
    const error = await rejection(
      runLockFields(
        specOf(pipField()),
        services(run, { PIP_INDEX_URL: "https://example.org/simple", PIP_CONSTRAINT: "c.txt" }),
      ),
    );
    expect(error).toMatchObject({
      code: "lock-pip-version",
      message: containing("hash mismatch"),
      details: containing(knownWheels["pip"]!["24.0"]!),
    });
    expect(calls[0]!.argv).toEqual(
      expect.arrayContaining(["download", "--no-deps", "--only-binary", ":all:", "pip==24.0"]),
    );
    expect(calls[0]!.env).toMatchObject({
      PYTHONPATH: settings.bootstrapPip,
      PIP_INDEX_URL: "https://example.org/simple",
    });
    expect(calls[0]!.env).not.toHaveProperty("PIP_CONSTRAINT");
  });

  it("says why the wanted pip cannot be had", async () => {
    const output = ["ERROR: Could not find a version that satisfies the requirement pip==24.0"];
    expect(
      await rejection(runLockFields(specOf(pipField()), services(interpreter([], { output, status: 1 })))),
    ).toMatchObject({ code: "lock-pip-version", message: containing("Could not find a version") });
    expect(
      await rejection(runLockFields(specOf(pipField({ pipVersion: "newest" })), services(interpreter([], {})))),
    ).toMatchObject({ code: "lock-pip-version", message: containing('"newest"') });
  });
});

describe("fields", () => {
  const run = (...fields: LockSpec["fields"]) => runLockFields(specOf(...fields), services(runOnHost));

  it("come from scripts, numbers and order as they were", async () => {
    await run(
      script("weights", `echo '{"b": 1.0, "10": 2, "9": []}' > $out`),
      script("a", "printf 1 > $out.new; mv $out.new $out"),
    );
    expect(readFileSync(lockFile(), "utf8")).toBe(
      `{\n  "weights": {\n    "b": 1.0,\n    "10": 2,\n    "9": []\n  },\n  "a": 1,\n  "invalidationHash": "${"b".repeat(64)}"\n}`,
    );
  });
  it("can be had one by one", async () => {
    const spec = specOf(script("a", "echo [1.0] > $out"), script("b", "exit 1"));
    expect(await runLockField(spec, "a", services(runOnHost))).toBe("[\n  1.0\n]");
    expect(await rejection(runLockField(spec, "c", services(runOnHost)))).toMatchObject({ hint: "There is: a, b." });
    expect(existsSync(lockFile())).toBe(false);
  });
  it("can be made anew one by one, while the others are current", async () => {
    const once = (spec: LockSpec, only: string) => runLockFields(spec, services(runOnHost), { only });
    const spec = specOf(script("a", "echo 1 > $out"), script("b", "echo 2 > $out"));
    expect(await rejection(once(spec, "a"))).toMatchObject({ code: "lock-missing" });
    await run(...spec.fields);
    const changed = { ...spec, fields: [script("a", "echo 3 > $out"), script("b", "exit 1"), script("c", "exit 1")] };
    const result = await once(changed, "a");
    expect(result).toMatchObject({ changed: true, buildSystems: new Map() });
    const locked = (): unknown => JSON.parse(readFileSync(lockFile(), "utf8"));
    expect(locked()).toEqual({ a: 3, b: 2, invalidationHash: spec.invalidationHash });
    expect(await rejection(once({ ...changed, invalidationHash: "c".repeat(64) }, "a"))).toMatchObject({
      code: "lock-stale",
    });
    expect(await rejection(once(changed, "x"))).toMatchObject({ hint: "There is: a, b, c." });
    writeFileSync(lockFile(), "{");
    expect(await rejection(once(changed, "a"))).toMatchObject({ code: "lock-malformed" });
    expect(readFileSync(lockFile(), "utf8")).toBe("{");
  });
  it("may be hashes of what derivations fetch", async () => {
    const spec = specOf({ kind: "fod", name: "source", drvPath: "/nix/store/x.drv" });
    const fixedOutputHash = async (drvPath: string): Promise<string> => `sha256-of-${drvPath}`;
    await runLockFields(spec, { ...services(runOnHost), fixedOutputHash });
    expect(readFileSync(lockFile(), "utf8")).toContain('"source": "sha256-of-/nix/store/x.drv"');
  });
  it("that are not JSON are shown", async () => {
    expect(await rejection(run(script("x", "echo oops > $out")))).toMatchObject({
      code: "lock-script-failed",
      details: "oops\n",
    });
    expect(await rejection(run(script("x", "true")))).toMatchObject({ code: "lock-script-failed" });
    expect(await rejection(run(script("invalidationHash", "true")))).toMatchObject({ code: "lock-script-failed" });
    expect(existsSync(lockFile())).toBe(false);
  });
  it("say nothing has changed where it has not", async () => {
    expect((await run(script("x", "echo 1 > $out"))).changed).toBe(true);
    expect((await run(script("x", "echo 1 > $out"))).changed).toBe(false);
  });
  it("that are none delete the file", async () => {
    writeFileSync(lockFile(), "old");
    expect(await run()).toMatchObject({ deleted: true });
    expect(existsSync(lockFile())).toBe(false);
    expect(await run()).toMatchObject({ deleted: false });
  });
  it("are followed by the extra scripts, where the user is", async () => {
    await runLockFields(
      { ...specOf(script("x", "echo 1 > $out")), extraScripts: ["cp lock.json copy.json"] },
      services(runOnHost),
    );
    expect(readFileSync(join(project, "sub/copy.json"), "utf8")).toContain('"x": 1');
  });
  it("end with the signal, and nothing is written", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const error = await rejection(
      runLockFields(specOf(script("x", "sleep 30")), { ...services(runOnHost), signal: controller.signal }),
    );
    expect(error).toMatchObject({ code: "interrupted" });
    expect(existsSync(lockFile())).toBe(false);
  });
  it("need the project's root", () => {
    expect(findProjectRoot(join(project, "sub"), "flake.nix")).toBe(project);
    expect(() => findProjectRoot(root, "no-such-marker")).toThrow(
      expect.objectContaining({ code: "lock-project-root" }),
    );
  });
  it.each(["", "{}", "[]", '{"version": 2}'])("are not read from a damaged description: %j", (text) =>
    expect(() => parseLockSpec(text)).toThrow(expect.objectContaining({ code: "lock-spec-malformed" })),
  );
});

describe("the environment", () => {
  const user = {
    HOME: "/h",
    PATH: "/bin",
    PIP_INDEX_URL: "x",
    PIP_TARGET: "t",
    HTTPS_PROXY: "p",
    no_proxy: "n",
    SSH_AUTH_SOCK: "s",
    GIT_SSH_COMMAND: "g",
    GIT_DIR: "d",
    PYTHONPATH: "y",
    SECRET: "z",
    MINE: "m",
    SSL_CERT_FILE: "c",
  };
  it("keeps what says how to reach indexes and repositories", () => {
    expect(cleanEnvironment(user)).toEqual({
      HOME: "/h",
      PIP_INDEX_URL: "x",
      HTTPS_PROXY: "p",
      no_proxy: "n",
      SSH_AUTH_SOCK: "s",
      GIT_SSH_COMMAND: "g",
      SSL_CERT_FILE: "c",
    });
    expect(cleanEnvironment({ ...user, KEEP_VARS: "MINE OTHER" })).toMatchObject({ MINE: "m" });
    expect(cleanEnvironment({ ...user, IMPURE: "1" })).toMatchObject({ SECRET: "z" });
  });
  it("names certificates only where nobody else does", () => {
    const files = (content: Record<string, string>) => (path: string) => content[path];
    const system = { "/etc/ssl/certs/ca-certificates.crt": "-----BEGIN CERTIFICATE-----" };
    expect(certificateVariables({}, files(system))).toEqual({ PIP_CERT: "/etc/ssl/certs/ca-certificates.crt" });
    expect(certificateVariables({ SSL_CERT_FILE: "/mine" }, files(system))).toEqual({ PIP_CERT: "/mine" });
    expect(certificateVariables({ REQUESTS_CA_BUNDLE: "/mine" }, files(system))).toEqual({});
    expect(
      certificateVariables({ HOME: "/h" }, files({ ...system, "/h/.config/pip/pip.conf": "[global]\ncert = /x\n" })),
    ).toEqual({});
    expect(certificateVariables({}, files({}), "/own")).toEqual({ PIP_CERT: "/own" });
    expect(certificateVariables({}, files({}))).toEqual({});
  });
});

describe("git", () => {
  const git = (...args: string[]): string =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], {
      cwd: join(root, "repo"),
      env: { PATH: process.env["PATH"], HOME: root },
    })
      .toString()
      .trim();
  beforeEach(() => {
    mkdirSync(join(root, "repo/folder"), { recursive: true });
    git("init", "-q");
    writeFileSync(join(root, "repo/folder/file"), "one");
    git("add", ".");
    git("commit", "-qm", "one");
  });
  const prefetch = (url: string, rev: string, keepIn?: string): Promise<GitTree> =>
    prefetchGit(url, rev, {
      run: runOnHost,
      environment: { PATH: process.env["PATH"] ?? "", HOME: root },
      temporaryDir: root,
      events: (event) => events.push(event),
      keepIn,
    });
  const hashOf = async (folder: string): Promise<string> =>
    encodeBase32((await hashNar(join(root, folder))).hash.bytes);

  it("gives the hash of the tree, of any commit", async () => {
    const first = git("rev-parse", "HEAD");
    writeFileSync(join(root, "repo/folder/file"), "two");
    git("commit", "-qam", "two");
    mkdirSync(join(root, "tree/folder"), { recursive: true });
    writeFileSync(join(root, "tree/folder/file"), "one");
    expect(await prefetch(`file://${root}/repo`, first)).toEqual({
      sha256: await hashOf("tree"),
      submodules: undefined,
    });
  });
  it("gives the hash without submodules, as upstream does, and the one with them beside it", async () => {
    execFileSync("git", ["init", "-q", join(root, "inner")]);
    writeFileSync(join(root, "inner/file"), "inner");
    const inInner = (...args: string[]) =>
      execFileSync("git", ["-C", join(root, "inner"), "-c", "user.name=a", "-c", "user.email=a@example.org", ...args]);
    inInner("add", ".");
    inInner("commit", "-qm", "inner");
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", `file://${root}/inner`, "sub");
    git("commit", "-qm", "with a submodule");
    writeFileSync(join(root, ".gitconfig"), '[protocol "file"]\n\tallow = always\n');
    const found = await prefetch(`file://${root}/repo`, git("rev-parse", "HEAD"), join(root, "kept"));
    expect(readFileSync(join(root, "kept/sub/file"), "utf8")).toBe("inner");
    expect(existsSync(join(root, "kept/sub/.git"))).toBe(false);
    expect(found.submodules).toBe(await hashOf("kept"));
    rmSync(join(root, "kept/sub/file"));
    expect(found.sha256).toBe(await hashOf("kept"));
  });
  it("says what git said", async () => {
    expect(await rejection(prefetch(`file://${root}/nothing`, "a".repeat(40)))).toMatchObject({
      code: "lock-git-failed",
      details: containing("nothing"),
    });
  });
});

describe("JSON of scripts", () => {
  it("is written as it was read", () => expect(formatJson(parseJson('{"x":[1.0,1]}'))).toBe('{"x": [1.0, 1]}'));
});
