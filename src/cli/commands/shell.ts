import type { Command } from "commander";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";
import { environmentOptions, type RawEnvironmentOptions, withEnvironmentOptions } from "../environment-options.ts";
import { type CommandOption, commandOf } from "./develop.ts";

export function addShell(root: Command, invocation: Invocation): void {
  withCommonOptions(
    withEnvironmentOptions(
      root
        .command("shell")
        .description("Start a shell, or a command, with the programs of packages on the PATH.")
        .argument("[installables...]", "the packages; `.` unless given")
        .option("-c, --command <command>", "run a command, with all words that follow as its arguments"),
    ),
  ).action(async (installables: string[], options: RawOptions & CommandOption & RawEnvironmentOptions) =>
    invocation.execute(options, async (context) => {
      const { shell } = await import("../../app/shell.ts");
      return shell(
        context,
        installables.length === 0 ? ["."] : installables,
        commandOf(options),
        environmentOptions(options),
      );
    }),
  );
}
