import type { Command } from "commander";
import { UsageError } from "../../base/index.ts";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";

interface EvalOptions extends RawOptions {
  readonly json?: boolean;
  readonly raw?: boolean;
  readonly apply?: string;
}

export function addEval(root: Command, invocation: Invocation): void {
  withCommonOptions(
    root
      .command("eval")
      .description("Evaluate an attribute of a flake and print its value.")
      .argument("[installable]", "what to evaluate; `.` unless given")
      .option("--json", "print JSON")
      .option("--raw", "print a string as it is")
      .option("--apply <function>", "print what this function makes of the value"),
  ).action(async (installable: string | undefined, options: EvalOptions) =>
    invocation.execute(options, async (context) => {
      if (options.json && options.raw) throw new UsageError("`--json` and `--raw` exclude each other");
      const { evalInstallable } = await import("../../app/eval.ts");
      const text = await evalInstallable(
        context,
        installable ?? ".",
        options.json ? "json" : options.raw ? "raw" : "text",
        options.apply,
      );
      invocation.world.stdout.write(options.raw ? text : `${text}\n`);
    }),
  );
}
