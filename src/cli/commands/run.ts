import type { Command } from "commander";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";
import { environmentOptions, type RawEnvironmentOptions, withEnvironmentOptions } from "../environment-options.ts";

export function addRun(root: Command, invocation: Invocation): void {
  withCommonOptions(
    withEnvironmentOptions(
      root
        .command("run")
        .description(
          "Build an app or package and run it; `d2n run .#default.lock` locks the dependencies of `default`.",
        )
        .argument("[installable]", "what to run; `.` unless given")
        .argument("[args...]", "arguments of the program, after `--` if they look like options")
        .passThroughOptions(),
    ),
  ).action(async (installable: string | undefined, args: string[], options: RawOptions & RawEnvironmentOptions) =>
    invocation.execute(options, async (context) => {
      const { run } = await import("../../app/run.ts");
      return run(context, installable ?? ".", args[0] === "--" ? args.slice(1) : args, environmentOptions(options));
    }),
  );
}
