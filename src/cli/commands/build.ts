import type { Command } from "commander";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";

interface BuildOptions extends RawOptions {
  readonly outLink?: string;
  readonly link?: boolean;
  readonly rebuild?: boolean;
  readonly check?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly printOutPaths?: boolean;
}

export function addBuild(root: Command, invocation: Invocation): void {
  withCommonOptions(
    root
      .command("build")
      .description("Build packages and link the results.")
      .argument("[installables...]", "what to build; `.` unless given")
      .option("-o, --out-link <path>", "name of the link (result)")
      .option("--no-link", "make no link")
      .option("--rebuild", "build again what is there, and compare")
      .option("--check", "the same as --rebuild")
      .option("--dry-run", "only say what would be built")
      .option("--json", "describe what was built, as JSON")
      .option("--print-out-paths", "print the store paths of what was built"),
  ).action(async (installables: string[], options: BuildOptions) =>
    invocation.execute(options, async (context) => {
      const { build } = await import("../../app/build.ts");
      const built = await build(context, {
        installables: installables.length === 0 ? ["."] : installables,
        link: options.link === false ? undefined : (options.outLink ?? "result"),
        rebuild: options.rebuild === true || options.check === true,
        dryRun: options.dryRun === true,
      });
      const { stdout } = invocation.world;
      if (options.json)
        stdout.write(
          `${JSON.stringify(built.map(({ drvPath, outputs }) => ({ drvPath, outputs: Object.fromEntries(outputs) })))}\n`,
        );
      else if (options.printOutPaths || options.dryRun)
        for (const { outputs } of built) for (const path of outputs.values()) stdout.write(`${path}\n`);
    }),
  );
}
