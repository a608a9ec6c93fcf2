import type { Command } from "commander";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";

export function addLog(root: Command, invocation: Invocation): void {
  withCommonOptions(
    root
      .command("log")
      .description("Show the log of a build.")
      .argument(
        "[installable]",
        "a flake's attribute, a store path, a .drv, or a link such as ./result; `.` unless given",
      ),
  ).action(async (installable: string | undefined, options: RawOptions) =>
    invocation.execute(options, async (context) => {
      const { buildLog } = await import("../../app/store-commands.ts");
      invocation.world.stdout.write(await buildLog(context, installable ?? "."));
    }),
  );
}
