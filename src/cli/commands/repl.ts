import { join } from "node:path";
import type { Command } from "commander";
import { UsageError } from "../../base/index.ts";
import { version } from "../../app/version.ts";
import { nixVersion } from "../classic/version.ts";
import { collect, type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";

interface ReplOptions extends RawOptions {
  readonly file?: string;
  readonly expr?: string;
  readonly include?: readonly string[];
}

export function addRepl(root: Command, invocation: Invocation): void {
  withCommonOptions(
    root
      .command("repl")
      .description("Evaluate expressions of the Nix language, one after the other; `:?` lists what else it can do.")
      .argument("[installables...]", "flakes or Nix files whose attributes are in scope")
      .option("-f, --file <file>", "bring the attributes of this file into scope")
      .option("--expr <expression>", "bring the attributes of this set into scope")
      .option("-I, --include <path>", "a folder for `<name>`, or `name=path`; in front of NIX_PATH", collect, []),
  ).action(async (installables: string[], options: ReplOptions) =>
    invocation.execute(
      { ...options, impure: true },
      async (context, tools) => {
        if (options.file !== undefined && options.expr !== undefined)
          throw new UsageError("`--file` and `--expr` exclude each other");
        const { world } = invocation;
        const [{ Repl }, { ownReplSettings, replSources }, { runSession }, { openEditor }] = await Promise.all([
          import("../../app/repl/repl.ts"),
          import("../../app/repl/settings.ts"),
          import("../repl/session.ts"),
          import("../repl/editor.ts"),
        ]);
        const repl = new Repl({
          settings: ownReplSettings(context, { included: options.include ?? [], colors: tools.color }),
          context: () => Promise.resolve(context),
          sources: replSources(world.cwd, installables, options),
          showTrace: options.showTrace === true,
          edit: (file, line) => openEditor(world.environment, file, line),
          output: {
            write: (text) => void world.stdout.write(text),
            say: (text) => void world.stderr.write(`${text}\n`),
            notice: (level, text) => void world.stderr.write(`${level}: ${text}\n`),
            error: (error, showTrace) => tools.showError(error, showTrace),
          },
        });
        tools.takeInterrupts(
          () => repl.interrupt(),
          () => repl.signal,
        );
        try {
          if (world.stdin().isTTY === true && options.quiet !== true)
            world.stderr.write(`d2n ${version}, the Nix language of ${nixVersion}. Type :? for help.\n`);
          await repl.start();
          await runSession({ repl, world, historyFile: join(context.directories.state, "repl-history"), echo: false });
        } finally {
          await repl.close();
        }
      },
      { goesOn: true },
    ),
  );
}
