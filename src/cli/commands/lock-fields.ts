import type { Command } from "commander";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";

/** What `bin/refresh` of a `.lock` package calls; `d2n run` does the same without it. */
export function addLockFields(root: Command, invocation: Invocation): void {
  withCommonOptions(
    root
      .command("lock-fields", { hidden: true })
      .description("Lock what a file describes that a package's `.lock` holds.")
      .argument("<file>", "the description"),
  ).action(async (file: string, options: RawOptions) =>
    invocation.execute(options, async (context) => {
      const { runLockFile } = await import("../../app/lock.ts");
      await runLockFile(context, file);
    }),
  );
}
