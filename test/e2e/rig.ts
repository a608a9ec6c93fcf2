/** Runs the built program as a user would, in a world of its own: home, store, project. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const repository = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
/** The program under test; another build of it by D2N_E2E_PROGRAM. */
export const program = process.env["D2N_E2E_PROGRAM"] ?? join(repository, "dist/cli/main.cjs");

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeout?: number;
  /** What it reads from standard input; nothing unless given. */
  readonly input?: string;
  /** For a conversation with the program. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** A place to work in: `new Rig()` … `rig.remove()`. */
export class Rig {
  readonly folder = mkdtempSync(join(tmpdir(), "d2n-e2e-"));
  readonly home = join(this.folder, "home");
  readonly store: string;
  /** What every command of this rig gets besides the usual variables. */
  readonly environment: Record<string, string>;

  /**
   * @param sharedStore use the store that `npm test` gives all such rigs, so that what one has built the next need not. Tests
   * that collect garbage or count what is there want their own.
   */
  constructor({ sharedStore = false }: { readonly sharedStore?: boolean } = {}) {
    const shared = process.env["D2N_TEST_SHARED"];
    this.store = sharedStore && shared !== undefined ? join(shared, "store") : join(this.folder, "store");
    mkdirSync(this.home, { recursive: true });
    this.environment = { HOME: this.home, D2N_STORE: this.store, TERM: "dumb", LANG: "C.UTF-8" };
    // Downloads are the same whoever makes them.
    if (shared !== undefined) this.environment["XDG_CACHE_HOME"] = join(shared, "cache");
    for (const [name, value] of Object.entries(process.env))
      if (
        value !== undefined &&
        /^(PATH$|PIP_|NODE_EXTRA_CA_CERTS$|SSL_CERT|REQUESTS_CA_BUNDLE$|CURL_CA_BUNDLE$|[a-zA-Z]*_proxy$|[A-Z]*_PROXY$|D2N_DEBIAN)/.test(
          name,
        )
      )
        this.environment[name] = value;
  }

  /** A folder with these files, in git with all of them added unless `git` is false. */
  async project(files: Readonly<Record<string, string>>, { git = true } = {}): Promise<string> {
    const folder = mkdtempSync(join(this.folder, "project-"));
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    if (git) {
      await this.run(folder, "git", ["init", "-q"]);
      await this.run(folder, "git", ["add", "."]);
    }
    return folder;
  }

  d2n(cwd: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return this.run(cwd, process.execPath, [program, ...args], options);
  }

  run(
    cwd: string,
    command: string,
    args: readonly string[],
    { env = {}, timeout = 600_000, input, onStart }: RunOptions = {},
  ): Promise<Outcome> {
    return new Promise((done, reject) => {
      const child = spawn(command, args, {
        cwd,
        env: { ...this.environment, ...env },
        stdio: [input === undefined && onStart === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      });
      if (input !== undefined) child.stdin!.end(input);
      onStart?.(child);
      let stdout = "";
      let stderr = "";
      child.stdout!.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
      child.stderr!.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
      const timer = setTimeout(() => child.kill("SIGKILL"), timeout);
      child.on("error", reject);
      child.on("close", (code) => {
        clearTimeout(timer);
        done({ status: code ?? 128, stdout, stderr });
      });
    });
  }

  remove(): void {
    makeWritable(this.folder);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Stores are read-only, also for whoever wants to delete them. */
function makeWritable(path: string): void {
  if (!existsSync(path) || !lstatSync(path).isDirectory()) return;
  chmodSync(path, 0o755);
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) makeWritable(join(path, entry.name));
}

/** The first lines of a failure, for messages of failed assertions. */
export function shown(outcome: Outcome): string {
  return `exit status ${outcome.status}\n${outcome.stderr.slice(-4000)}\n${outcome.stdout.slice(-2000)}`;
}

/** No part of what users see may be a JavaScript stack. */
export function hasStack(outcome: Outcome): boolean {
  return /^ +at .*(\.js|\.ts|node:)\S*:\d+/m.test(outcome.stderr + outcome.stdout);
}
