import type { Command } from "commander";
import { templates } from "../../app/templates.ts";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";

interface InitOptions extends RawOptions {
  readonly template: string;
}

/** `init`, a subcommand of `flake`. */
export function addFlakeInit(flake: Command, invocation: Invocation): void {
  withCommonOptions(
    flake
      .command("init")
      .description("Start a project in this folder from a template: hello, pip, local-project, pdm.")
      .option("-t, --template <name>", "the template", "pip")
      .addHelpText(
        "after",
        () =>
          `\nTemplates:\n${[...templates()].map(([name, { description }]) => `  ${name.padEnd(16)} ${description}`).join("\n")}`,
      ),
  ).action(async (options: InitOptions) =>
    invocation.execute(options, async (context) => {
      const { initializeFlake } = await import("../../app/flake-init.ts");
      const { written, kept, next } = await initializeFlake(context, options.template);
      const { stdout } = invocation.world;
      for (const file of written) stdout.write(`wrote ${file}\n`);
      for (const file of kept) stdout.write(`${file} is there already\n`);
      stdout.write(`\nNext:\n${next.map((command) => `  ${command}\n`).join("")}`);
    }),
  );
}
