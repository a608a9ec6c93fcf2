import type { Command } from "commander";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";

interface CheckOptions extends RawOptions {
  readonly allSystems?: boolean;
  readonly build?: boolean;
}

export function addFlakeCheck(flake: Command, invocation: Invocation): void {
  withCommonOptions(
    flake
      .command("check")
      .description("Evaluate all outputs of a flake, and build its checks.")
      .argument("[flake]", "the flake; `.` unless given")
      .option("--all-systems", "other systems than this machine's too")
      .option("--no-build", "evaluate the checks only"),
  ).action(async (reference: string | undefined, options: CheckOptions) =>
    invocation.execute(options, async (context) => {
      const { checkFlake } = await import("../../app/eval.ts");
      await checkFlake(context, reference ?? ".", {
        allSystems: options.allSystems === true,
        build: options.build !== false,
      });
    }),
  );
}

export function addFlakeLock(flake: Command, invocation: Invocation): void {
  withCommonOptions(
    flake
      .command("lock")
      .description("Lock the inputs that are not locked yet.")
      .argument("[flake]", "the flake; `.` unless given"),
  ).action(async (reference: string | undefined, options: RawOptions) =>
    invocation.execute(options, async (context) => {
      const { lockFlakeInputs } = await import("../../app/eval.ts");
      await lockFlakeInputs(context, reference ?? ".");
    }),
  );
}
