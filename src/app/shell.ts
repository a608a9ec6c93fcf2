/** `d2n shell`: programs of packages on the user's PATH. */
import { basename, join } from "node:path";
import { D2nError } from "../base/index.ts";
import type { Context } from "./context.ts";
import { chosenEnvironment, type EnvironmentOptions } from "./environment-options.ts";
import { evaluateInstallable } from "./evaluation/installables.ts";
import { realiseInstallable } from "./realise-installable.ts";
import { runProgram } from "./run-program.ts";

/** @param command program and arguments; undefined for the user's shell. @returns the exit status */
export async function shell(
  context: Context,
  installables: readonly string[],
  command: readonly string[] | undefined,
  options: EnvironmentOptions,
): Promise<number> {
  const folders: string[] = [];
  for (const text of installables) {
    const evaluated = await evaluateInstallable(context, text, { lookup: "build", want: "derivation" });
    const { value } = evaluated.result;
    const { wanted } = await realiseInstallable(context, evaluated);
    const paths =
      value.type === "path"
        ? [value.path]
        : wanted.flatMap((one) => ("outputs" in one ? [...one.outputs.values()] : []));
    if (paths.length === 0) throw new D2nError("installable", `\`${text}\` has no output whose programs could be used`);
    for (const path of paths) folders.push(join(path, "bin"));
  }
  const environment = chosenEnvironment(context.environment, options);
  const PATH = [...folders, ...(environment["PATH"] ? [environment["PATH"]] : [])].join(":");
  const program = command ?? [userShell(context)];
  // The store's programs exist only where `runProgram` goes, so looking for the command is left to a shell in there.
  return runProgram(context, ["/bin/sh", "-c", 'exec "$@"', basename(program[0]!), ...program], { PATH }, environment);
}

function userShell(context: Context): string {
  return context.environment["SHELL"] || "/bin/sh";
}
