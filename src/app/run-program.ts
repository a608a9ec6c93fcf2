/** Starting programs of the store for the user. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { D2nError, InterruptedError, isSystemError } from "../base/index.ts";
import type { Context } from "./context.ts";
import { enterStore } from "./enter.ts";

/** Runs a program of the store in the user's terminal and environment, with these variables on top. */
export async function runProgram(
  context: Context,
  argv: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<number> {
  if (context.signal.aborted) throw new InterruptedError();
  const command = [...(await enterStore(context)), ...argv];
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(context.environment)) if (value !== undefined) env[name] = value;
  Object.assign(env, variables);
  return new Promise((resolve, reject) => {
    const child = spawn(command[0]!, command.slice(1), { stdio: "inherit", cwd: context.cwd, env });
    // The terminal sends its signals to the program as well: it decides what they mean.
    const forward = (): void => void child.kill("SIGTERM");
    const ignore = (): void => {};
    process.on("SIGINT", ignore);
    process.on("SIGTERM", forward);
    const done = (): void => {
      process.off("SIGINT", ignore);
      process.off("SIGTERM", forward);
    };
    child.on("error", (error) => {
      done();
      reject(
        isSystemError(error, "ENOENT") || isSystemError(error, "EACCES")
          ? new D2nError("installable", `\`${argv[0]}\` cannot be run: ${error.message}`)
          : error,
      );
    });
    child.on("close", (code, signal) => {
      done();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
