import { resolve } from "node:path";
import { Option, type Command } from "commander";
import { templates } from "../../app/templates.ts";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";

interface InitOptions extends RawOptions {
  readonly template: string;
}

/** `init` and `new`, subcommands of `flake`. */
export function addFlakeInit(flake: Command, invocation: Invocation): void {
  withTemplate(
    flake
      .command("init")
      .description(
        "Start a project in this folder from a template: hello, pip, local-project, pdm, or one of a flake.",
      ),
  ).action(async (options: InitOptions) => start(invocation, options, "."));
  withTemplate(
    flake
      .command("new")
      .description("Start a project in a new folder from a template.")
      .argument("<folder>", "the folder"),
  ).action(async (folder: string, options: InitOptions) => start(invocation, options, folder));
}

function withTemplate(command: Command): Command {
  return withCommonOptions(
    command
      .addOption(new Option("-t, --template <name>", "the template: a name, or `FLAKE#NAME`").default("pip"))
      .addHelpText(
        "after",
        () =>
          `\nTemplates:\n${[...templates()].map(([name, { description }]) => `  ${name.padEnd(16)} ${description}`).join("\n")}`,
      ),
  );
}

async function start(invocation: Invocation, options: InitOptions, folder: string): Promise<void> {
  await invocation.execute(options, async (context) => {
    const { initializeFlake } = await import("../../app/flake-init.ts");
    const place = resolve(context.cwd, folder);
    const { written, kept, next, welcome } = await initializeFlake(context, options.template, place);
    const { stdout } = invocation.world;
    for (const file of written) stdout.write(`wrote ${file}\n`);
    for (const file of kept) stdout.write(`${file} is there already\n`);
    if (welcome !== "") stdout.write(`\n${welcome.trim()}\n`);
    const enter = folder === "." || next.length === 0 ? [] : [`cd ${folder}`];
    if (next.length > 0) stdout.write(`\nNext:\n${[...enter, ...next].map((command) => `  ${command}\n`).join("")}`);
  });
}
