/** Starting bubblewrap: its arguments through a pipe, its status, its features. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { D2nError, isSystemError } from "../base/index.ts";
import { SandboxError } from "./errors.ts";
import type { BubblewrapCommand, SandboxTools } from "./types.ts";

/** The environment of bubblewrap itself: nothing of the user's may reach its loader. */
const ownEnvironment = { PATH: "/path-not-set" };

export interface Bubblewrap {
  /** Options as bytes: one code unit a byte. */
  readonly options: readonly string[];
  /** The command in the sandbox. */
  readonly command: readonly string[];
  readonly seccomp?: Buffer | undefined;
  /** File descriptors of standard output and standard error, or "pipe". */
  readonly output: number | "pipe";
}

export interface RunningBubblewrap {
  readonly process: ChildProcess;
  /** Resolves when it has ended: the command's exit status if the command was started at all. */
  readonly ended: Promise<{
    readonly commandStatus: number | undefined;
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
  }>;
}

/** bubblewrap refuses more arguments than this (MAX_ARGS of its source). */
const maxArguments = 9000;

export function startBubblewrap(
  tools: SandboxTools,
  { options, command, seccomp, output }: Bubblewrap,
): RunningBubblewrap {
  const args = ["--json-status-fd", "4", ...(seccomp === undefined ? [] : ["--seccomp", "5"]), ...options];
  if (args.length + command.length >= maxArguments)
    throw new SandboxError(
      `the sandbox would need ${args.length} arguments, but bubblewrap takes at most ${maxArguments}`,
      {
        hint: "The build has too many inputs for one sandbox (about 2900 store paths).",
      },
    );
  const child = spawn(
    tools.shell,
    ["sh", "-c", tidy(), "sh", ...tools.bubblewrap, "--args", "3", ...command.map(toUtf8)],
    {
      cwd: "/",
      env: ownEnvironment,
      // Out of reach of the terminal: Ctrl-C is for d2n, which then ends its builds.
      detached: true,
      stdio: ["ignore", output, output, "pipe", "pipe", ...(seccomp === undefined ? [] : ["pipe" as const])],
    },
  );
  const streams = child.stdio as readonly (Readable | Writable | null | undefined)[];
  send(streams[3] as Writable, Buffer.from(args.map((arg) => `${arg}\0`).join(""), "latin1"));
  if (seccomp !== undefined) send(streams[5] as Writable, seccomp);
  let status = "";
  (streams[4] as Readable)
    .setEncoding("utf8")
    .on("data", (text: string) => (status += text))
    .on("error", () => {});
  const ended = new Promise<Awaited<RunningBubblewrap["ended"]>>((resolve, reject) => {
    child.once("error", (error) => reject(isSystemError(error) ? cannotStart(tools.shell, error) : error));
    child.once("close", (code, signal) => {
      const match = /"exit-code"\s*:\s*(\d+)/.exec(status);
      resolve({ commandStatus: match === null ? undefined : Number(match[1]), code, signal });
    });
  });
  return { process: child, ended };
}

/**
 * What a program in a sandbox would inherit and must not: the user's umask, core dumps, files that were open when d2n itself
 * was started. Node's spawn cannot change any of it, a shell can.
 */
function tidy(): string {
  inherited ??= inheritedFiles();
  return `umask 022; ulimit -S -c 0; ${inherited.map((file) => `exec ${file}>&-; `).join("")}exec "$@"`;
}

let inherited: readonly number[] | undefined;

/** Open files of this process that its children get: Node marks all that it opens itself as "close on exec". */
function inheritedFiles(): number[] {
  const closeOnExec = 0o2000000;
  const found: number[] = [];
  for (const name of readdirSync("/proc/self/fd")) {
    // 3, 4 and 5 are replaced anyway.
    if (Number(name) < 6) continue;
    try {
      const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, "latin1"));
      if (flags !== null && (Number.parseInt(flags[1]!, 8) & closeOnExec) === 0) found.push(Number(name));
    } catch {
      // Closed meanwhile: the one that the folder was read through.
    }
  }
  return found;
}

function send(stream: Writable, bytes: Buffer): void {
  // A process that ends before it has read everything says why by its status.
  stream.on("error", () => {});
  stream.end(bytes);
}

/** Node encodes arguments as UTF-8; bytes that are no UTF-8 must go another way and are refused here. */
function toUtf8(bytes: string): string {
  const text = Buffer.from(bytes, "latin1").toString("utf8");
  if (Buffer.from(text, "utf8").toString("latin1") !== bytes)
    throw new D2nError("system-unsupported", `an argument of a builder is not valid UTF-8: ${JSON.stringify(bytes)}`);
  return text;
}

function cannotStart(program: string, cause: Error): SandboxError {
  return new SandboxError(`bubblewrap cannot be started: ${cause.message}`, {
    hint: `The program '${program}' is missing or not executable. Install bubblewrap, or let d2n fetch it again.`,
    cause,
  });
}

const features = new Map<string, Promise<ReadonlySet<string>>>();

/** The options that a bubblewrap knows; old ones lack some. */
export function bubblewrapFeatures(tool: BubblewrapCommand): Promise<ReadonlySet<string>> {
  const key = tool.join("\0");
  let known = features.get(key);
  if (known === undefined) {
    known = new Promise((resolve, reject) => {
      const [program, ...before] = tool;
      execFile(program!, [...before, "--help"], { env: ownEnvironment, cwd: "/" }, (error, stdout, stderr) => {
        const found = new Set(`${stdout}${stderr}`.match(/--[a-z0-9-]+/g) ?? []);
        if (found.has("--bind")) resolve(found);
        else reject(cannotStart(program!, error ?? new Error("it does not know --bind")));
      });
    });
    features.set(key, known);
    known.catch(() => features.delete(key));
  }
  return known;
}
