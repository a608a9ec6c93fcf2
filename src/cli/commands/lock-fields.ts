import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { D2nError } from "../../base/index.ts";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";

interface LockFieldsOptions extends RawOptions {
  readonly field?: string;
  readonly printField?: string;
  readonly fodHash?: string;
}

/** What `bin/refresh` of a `.lock` package calls, and the scripts of d2n's own fields; `d2n run` does the same without it. */
export function addLockFields(root: Command, invocation: Invocation): void {
  withCommonOptions(
    root
      .command("lock-fields", { hidden: true })
      .description("Lock what a file describes that a package's `.lock` holds.")
      .argument("[file]", "the description")
      .option("--field <name>", "make only this field anew")
      .option("--print-field <name>", "write the value of a field to the file $out names, else print it")
      .option("--fod-hash <drv>", "the same with the hash of what a fixed-output derivation fetches"),
  ).action(async (file: string | undefined, { field, printField, fodHash, ...options }: LockFieldsOptions) =>
    invocation.execute(options, async (context) => {
      const { environment, stdout } = invocation.world;
      const give = (text: string): void => {
        if (environment["out"]) writeFileSync(environment["out"], text);
        else stdout.write(`${text}\n`);
      };
      if (fodHash !== undefined) {
        const { fixedOutputHash } = await import("../../app/fod-hash.ts");
        return give(JSON.stringify(await fixedOutputHash(context, fodHash)));
      }
      if (file === undefined) throw new D2nError("usage", "a description of what to lock is needed");
      const { lockFieldText, runLockFile } = await import("../../app/lock.ts");
      if (printField !== undefined) return give(await lockFieldText(context, file, printField));
      await runLockFile(context, file, field);
    }),
  );
}
