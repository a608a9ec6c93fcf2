import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { quoteShell } from "./enter-script.ts";
import { writeEnterProgram, writeLauncher } from "./index.ts";

const bubblewrap = process.env.D2N_TEST_BWRAP;
const shell = process.env.D2N_TEST_BUSYBOX;

describe("quoteShell()", () => {
  it("survives a shell", () => {
    for (const word of ["plain/word-1.2", "", "a b", "it's", '$HOME `x` \\ "', "a\nb", "*"])
      expect(execFileSync("/bin/sh", ["-c", `printf %s ${quoteShell(word)}`]).toString()).toBe(word);
  });
});

describe.skipIf(!bubblewrap || !shell)("writeEnterProgram() and writeLauncher()", () => {
  let directory: string;
  let words: string[];
  /** Neither exists on any machine. */
  const target = `/d2n-test-${process.pid}`;
  const program = `${target}/store/abc/bin/busybox`;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "d2n it's "));
    const bin = join(directory, "root/nix/store/abc/bin");
    mkdirSync(bin, { recursive: true });
    copyFileSync(shell!, join(bin, "busybox"));
    symlinkSync(program, join(bin, "ls"));
    words = writeEnterProgram({
      file: join(directory, "enter"),
      tools: { bubblewrap: bubblewrap!.split(" "), shell: shell! },
      source: join(directory, "root/nix"),
      target,
    });
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** The ways in: busybox, and bubblewrap where busybox may not. */
  const ways: readonly (readonly [string, () => void])[] = [
    ["busybox", () => {}],
    [
      "bubblewrap",
      () => {
        const script = readFileSync(words[0]!, "utf8").replaceAll(/unshare (-r )?-m \S+ true/g, "false");
        writeFileSync(words[0]!, script);
      },
    ],
  ];

  describe.each(ways)("through %s", (_, prepare) => {
    beforeEach(prepare);
    const inside = (script: string, options: Parameters<typeof spawnSync>[2] = {}) =>
      spawnSync(words[0]!, [...words.slice(1), program, "sh", "-c", script, "name", "a b", "$c", ""], {
        encoding: "utf8",
        ...options,
      });

    it("sees store and host, keeps user, folder, arguments, environment, exit code", () => {
      const { stdout, stderr, status } = inside(
        'ls -d "$PWD"; [ -e ' +
          words[0]!.replaceAll(/[ ']/g, "?") +
          ' ] && echo host; echo "$1|$2|$3|$#"; id -u; id -g; echo "$X"; echo "$OLDPWD|$SHLVL"; exit 7',
        {
          cwd: directory,
          env: { X: "it's\n2", PATH: process.env.PATH, SHLVL: "3", OLDPWD: "/old" },
        },
      );
      expect(stderr).toBe("");
      // This shell counts itself, the ones on the way do not.
      expect(stdout).toBe(
        `${directory}\nhost\na b|$c||3\n${process.getuid!()}\n${process.getgid!()}\nit's\n2\n/old|4\n`,
      );
      expect(status).toBe(7);
      expect(existsSync(target)).toBe(false);
    });

    it("lets a launcher start its program, outside and inside", () => {
      const launcher = join(directory, "bin/ls");
      mkdirSync(dirname(launcher));
      writeLauncher({
        file: launcher,
        program: `${target}/store/abc/bin/ls`,
        command: words,
        storeDir: `${target}/store`,
      });
      expect(spawnSync(launcher, [target], { encoding: "utf8" })).toMatchObject({ stdout: "store\n", status: 0 });
      expect(spawnSync(words[0]!, [...words.slice(1), launcher, target], { encoding: "utf8" })).toMatchObject({
        stdout: "store\n",
        status: 0,
      });
    });

    it("ends when it is killed", async () => {
      const mark = `${32_000_000 + process.pid}`;
      const child = spawn(words[0]!, [...words.slice(1), program, "sleep", mark]);
      const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));
      await new Promise((resolve) => setTimeout(resolve, 500));
      child.kill("SIGTERM");
      expect(await ended).toBe("SIGTERM");
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(spawnSync("pgrep", ["-f", `sleep ${mark}`]).stdout.toString()).toBe("");
    });
  });

  it("leaves the terminal to the program: Ctrl-C is its own business", async () => {
    const { spawn: spawnInTerminal } = await import("@lydell/node-pty");
    const script = 'trap "echo caught" INT; echo ready; while ! read x; do :; done; echo "got $x"; tty; exit 3';
    const terminal = spawnInTerminal(words[0]!, [...words.slice(1), program, "sh", "-c", script], {
      cols: 90,
      env: { PATH: "/none" },
    });
    let screen = "";
    const until = (text: string) =>
      new Promise<void>((resolve, reject) => {
        const started = Date.now();
        const look = setInterval(() => {
          if (screen.includes(text) || Date.now() - started > 5000) {
            clearInterval(look);
            if (screen.includes(text)) resolve();
            else reject(new Error(`no "${text}" in ${JSON.stringify(screen)}`));
          }
        }, 20);
      });
    terminal.onData((data) => (screen += data));
    const ended = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
    await until("ready");
    terminal.write("\x03");
    await until("caught");
    terminal.write("hi\r");
    await until("got hi");
    expect(await ended).toBe(3);
  });
});
