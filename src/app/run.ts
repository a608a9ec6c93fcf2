/** `d2n run`: build, then run the program, or the lock that a `.lock` attribute stands for, in this very process. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { D2nError, didYouMean, InterruptedError, isSystemError } from "../base/index.ts";
import { lockSpecFile } from "../python/index.ts";
import { wantedFor } from "./build.ts";
import type { Context } from "./context.ts";
import { enterStore } from "./enter.ts";
import { evaluateInstallable } from "./evaluation/installables.ts";
import { runLock } from "./lock.ts";
import { realise } from "./realise.ts";

/** @returns the exit status of the program */
export async function run(context: Context, installable: string, args: readonly string[]): Promise<number> {
  const evaluated = await evaluateInstallable(context, installable, { lookup: "run", want: "app" });
  const { value } = evaluated.result;
  const { wanted } = await realise(context, wantedFor(evaluated));
  if (value.type === "app") return runProgram(context, [value.program, ...args]);
  if (value.type !== "derivation") throw new D2nError("installable", `\`${installable}\` cannot be run`);
  const first = wanted[0];
  const out = first !== undefined && "outputs" in first ? [...first.outputs.values()][0] : undefined;
  if (out === undefined) throw new D2nError("installable", `\`${installable}\` has no output to run`);
  const spec = context.toPhysical(join(out, lockSpecFile));
  if (existsSync(spec)) {
    await runLock(context, readFileSync(spec, "utf8"));
    return 0;
  }
  return runProgram(context, [programOf(context, out, value.derivation), ...args]);
}

/** Nix's rule: `meta.mainProgram`, else `pname`, else the name without its version. */
function programOf(
  context: Context,
  out: string,
  derivation: { readonly name: string; readonly pname: string | undefined; readonly mainProgram: string | undefined },
): string {
  const name = derivation.mainProgram ?? derivation.pname ?? derivation.name.replace(/-[0-9].*$/, "");
  const program = join(out, "bin", name);
  if (onDisk(context, program)) return program;
  const folder = context.toPhysical(join(out, "bin"));
  const programs = existsSync(folder) ? readdirSync(folder) : [];
  throw new D2nError("installable", `the package has no program \`bin/${name}\``, {
    hint:
      programs.length === 0
        ? "It has no programs at all."
        : `It has: ${programs.join(", ")}. ${didYouMean(name, programs) ?? "`meta.mainProgram` says which one to run."}`,
  });
}

function onDisk(context: Context, program: string): boolean {
  const folder = context.toPhysical(join(program, ".."));
  // A link into the store leads nowhere from outside of a chroot store, but it is there.
  return existsSync(folder) && readdirSync(folder).includes(program.slice(program.lastIndexOf("/") + 1));
}

/** Runs a program of the store in the user's terminal and environment, with these variables on top. */
export async function runProgram(context: Context, argv: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<number> {
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
