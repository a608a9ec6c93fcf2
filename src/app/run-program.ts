/** Starting programs of the store for the user. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { D2nError, endWithThisProcess, InterruptedError, isSystemError } from "../base/index.ts";
import type { Context } from "./context.ts";
import { enterStore } from "./enter.ts";

/** Signals that the terminal, or whoever ends a session, sends. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/**
 * Runs a program of the store in the user's terminal and environment, with these variables on top.
 * @param environment in place of the user's
 */
export async function runProgram(
  context: Context,
  argv: readonly string[],
  variables: Readonly<Record<string, string>> = {},
  environment: Readonly<Record<string, string | undefined>> = context.environment,
): Promise<number> {
  if (context.signal.aborted) throw new InterruptedError();
  const command = [...(await enterStore(context)), ...argv];
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) if (value !== undefined) env[name] = value;
  Object.assign(env, variables);
  return new Promise((resolve, reject) => {
    const child = spawn(command[0]!, command.slice(1), { stdio: "inherit", cwd: context.cwd, env });
    endWithThisProcess(child, { group: false });
    const giveBack = handSignalsTo(child);
    child.on("error", (error) => {
      giveBack();
      reject(
        isSystemError(error, "ENOENT") || isSystemError(error, "EACCES")
          ? new D2nError("installable", `\`${argv[0]}\` cannot be run: ${error.message}`)
          : error,
      );
    });
    child.on("close", (code, signal) => {
      giveBack();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/**
 * While the program runs, signals are its own business: Ctrl-C reaches it from the terminal, and a Python prompt, say, goes on
 * after any number of them. What is sent to this process alone is handed on. @returns makes it as it was
 */
function handSignalsTo(child: ChildProcess): () => void {
  const before = SIGNALS.map((signal) => [signal, process.listeners(signal)] as const);
  for (const signal of SIGNALS) {
    process.removeAllListeners(signal);
    // The terminal has sent these two to the program as well.
    const both = signal === "SIGINT" || signal === "SIGQUIT";
    process.on(signal, () => {
      if (!both) child.kill(signal);
    });
  }
  return () => {
    for (const [signal, listeners] of before) {
      process.removeAllListeners(signal);
      for (const listener of listeners) process.on(signal, listener);
    }
  };
}
