import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Event, D2nError } from "../base/index.ts";
import {
  BuildTools,
  joinVariables,
  noPackage,
  packageBuiltIn,
  readVariables,
  type ToolchainWish,
} from "./build-tools.ts";

const python = ["/usr/bin/python3", "/usr/local/bin/python3"].find((path) => existsSync(path));
const random = "0".repeat(32);

describe("environments of toolchains", () => {
  it("are what a build wrote down, without what was about that build", () => {
    const text =
      "PATH=/a:/b\0CC=gcc\0out=/nix/store/x\0HOME=/homeless-shelter\0SOURCE_DATE_EPOCH=1\0nativeBuildInputs=/c\0NIX_BUILD_TOP=/build\0NIX_LDFLAGS=-L/a -L/b=c\0BASH_FUNC_x%%=() {\n}\0=x\0";
    expect(readVariables(text)).toEqual({ PATH: "/a:/b", CC: "gcc", NIX_LDFLAGS: "-L/a -L/b=c" });
  });

  it("belong to the package that is built where they are asked for", () => {
    expect(packageBuiltIn(`/tmp/pip-install-x_y/Foo.Bar_${random}/src`)).toBe("foo-bar");
    expect(packageBuiltIn("/tmp/pip-req-build-abc")).toBeUndefined();
    expect(packageBuiltIn(`/tmp/elsewhere/foo_${random}`)).toBeUndefined();
  });
});

describe.skipIf(python === undefined)("programs that stand for others", () => {
  let root: string;
  let made: string[];
  let events: Event[];
  let tools: BuildTools;
  let wishes: ToolchainWish[];

  beforeEach(async () => {
    // Longer than a socket's path may be.
    root = join(mkdtempSync(join(tmpdir(), "d2n-tools-")), "long".repeat(30));
    mkdirSync(root, { recursive: true });
    made = [];
    wishes = [];
    events = [];
    for (const drvPath of ["general", "own"]) {
      mkdirSync(join(root, drvPath, "bin"), { recursive: true });
      writeFileSync(
        join(root, drvPath, "env"),
        `PATH=${join(root, drvPath, "bin")}\0FROM=${drvPath}\0PKG_CONFIG_PATH=/${drvPath}\0`,
      );
      for (const name of ["gcc", "cmake"])
        writeFileSync(
          join(root, drvPath, `bin/${name}`),
          `#!/bin/sh\necho "${name === "gcc" ? "" : "cmake "}$FROM $PKG_CONFIG_PATH $*"\nexit 3\n`,
          {
            mode: 0o755,
          },
        );
      writeFileSync(join(root, drvPath, "bin/cargo"), "#!/bin/sh\nexec rustc\n", { mode: 0o755 });
      writeFileSync(join(root, drvPath, "bin/make"), "#!/bin/sh\nexec ctest all\n", { mode: 0o755 });
    }
    tools = await BuildTools.open(join(root, "tools"), python!, {
      toolchain: async (wish) => {
        wishes.push(wish);
        if (wish.package === "nothing") return undefined;
        const drvPath = wish.package === "own" ? "own" : "general";
        return { drvPath, environment: `/${drvPath}` };
      },
      realise: async ({ drvPath }) => {
        if (made.includes("broken")) throw new D2nError("build-failed", "it does not build");
        made.push(drvPath);
      },
      physicalPath: (path) => join(root, path, "env"),
      events: (event) => events.push(event),
    });
  });
  afterEach(async () => {
    await tools.close();
    rmSync(join(root, ".."), { recursive: true, force: true });
  });

  const start = (folder: string, command: string, env: Record<string, string> = {}) =>
    new Promise<{ status: number | null; text: string }>((done) => {
      mkdirSync(folder, { recursive: true });
      const child = spawn("/bin/sh", ["-c", command], {
        cwd: folder,
        env: { PATH: `${tools.folder}:/usr/bin:/bin`, ...env },
      });
      let text = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (text += part.toString()));
      child.on("close", (status) => done({ status, text }));
    });

  it("run the real one, made when the first of them is started", async () => {
    expect(made).toEqual([]);
    const both = await Promise.all([
      start(join(root, "work"), "gcc -c 'a b'"),
      start(join(root, "work"), "x86_64-linux-gnu-gcc x", { PKG_CONFIG_PATH: "/mine", FROM: "me" }),
    ]);
    expect(both[0]).toEqual({ status: 3, text: "general /general -c a b\n" });
    expect(both[1]).toEqual({ status: 3, text: "me /mine:/general x\n" });
    expect(made).toEqual(["general"]);
    const own = await start(join(root, `pip-install-a/Own_${random}`), "gcc");
    expect(own.text).toBe("own /own \n");
    expect(made).toEqual(["general", "own"]);
  });

  it("say what is not there, and why", async () => {
    expect(await start(root, "ninja")).toEqual({ status: 127, text: "ninja: command not found\n" });
    made.push("broken");
    const failed = await start(join(root, `pip-install-a/own_${random}`), "gcc");
    expect(failed).toEqual({ status: 1, text: "gcc: it does not build\n" });
  });

  it("are looked for when they are asked for, cmake by its own name", async () => {
    expect(wishes).toEqual([]);
    expect((await start(join(root, "work"), "gcc; cmake")).text).toBe("general /general \ncmake general /general \n");
    expect(wishes).toEqual([
      { package: noPackage, tools: undefined },
      { package: noPackage, tools: "cmake" },
    ]);
    // pip asks that of every machine, to tell the index.
    expect(await start(join(root, "work"), "rustc --version")).toEqual({ status: 127, text: "" });
    expect(wishes).toHaveLength(2);
    expect((await start(join(root, "work"), "cargo")).text).toBe("rustc: command not found\n");
    expect(wishes.at(-1)).toEqual({ package: noPackage, tools: "rust" });
    expect(made).toEqual(["general"]);
    // What a real program starts is looked for in the same places.
    expect((await start(join(root, "work"), "make")).text).toBe("ctest: command not found\n");
    expect(await start(join(root, `pip-install-a/nothing_${random}`), "gcc")).toEqual({
      status: 1,
      text: "gcc: there is no compiler for this system\n",
    });
  });

  it("have environments that come together", async () => {
    const both = [];
    for (const name of ["other", "own"]) both.push((await tools.environment({ package: name, tools: undefined }))!);
    expect(both.map(({ drvPath }) => drvPath)).toEqual(["general", "own"]);
    expect(joinVariables(both.map(({ variables }) => variables))).toEqual({
      PATH: `${join(root, "general/bin")}:${join(root, "own/bin")}`,
      FROM: "general",
      PKG_CONFIG_PATH: "/general:/own",
    });
  });
});
