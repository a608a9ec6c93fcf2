/** Running programs: what locking needs of the world, injected so that stores of any kind work. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { endWithThisProcess, InterruptedError } from "../base/index.ts";

export interface RunOptions {
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Called for each line of output, without its line end. */
  readonly onLine?: ((line: string, stream: "stdout" | "stderr") => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a program to its end and gives its exit status (128 + n when signal n ended it). Paths in the store are logical ones:
 * for a store that does not lie where it says, the implementation enters it first.
 * @throws InterruptedError when the signal is given; D2nErrors when the program cannot be started
 */
export type Run = (argv: readonly string[], options: RunOptions) => Promise<number>;

/** Runs programs on the machine as it is. They and their children end when the signal is given. */
export const runOnHost: Run = (argv, { env, cwd, onLine, signal }) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new InterruptedError());
    const child = spawn(argv[0]!, argv.slice(1), { env, cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    endWithThisProcess(child, { group: true });
    let timer: NodeJS.Timeout | undefined;
    const kill = (by: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, by);
      } catch {
        // Gone already.
      }
    };
    const onAbort = (): void => {
      kill("SIGTERM");
      timer = setTimeout(() => kill("SIGKILL"), 2000);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    for (const stream of ["stdout", "stderr"] as const)
      createInterface({ input: child[stream] }).on("line", (line) => onLine?.(line, stream));
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    child.on("error", (error) => {
      done();
      reject(error);
    });
    child.on("close", (code, ended) => {
      done();
      if (signal?.aborted) {
        kill("SIGKILL");
        return reject(new InterruptedError());
      }
      resolve(code ?? 128 + (ended === null ? 0 : 15));
    });
  });
