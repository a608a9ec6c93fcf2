import type { Command } from "commander";
import { UsageError } from "../../base/index.ts";
import { collect, type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";

export interface CommandOption {
  /** Words of the command, joined: see `joinCommand`. */
  readonly command?: string;
}

interface DevelopOptions extends RawOptions, CommandOption {
  readonly buildEnv?: boolean;
  readonly ignoreEnv?: boolean;
  readonly keepEnvVar?: readonly string[];
}

const WITH_COMMAND = new Set(["develop", "shell"]);
const SEPARATOR = "\u0000";

/** Everything behind `-c` is the command, options and all: one argument for commander. */
export function joinCommand(argv: readonly string[]): readonly string[] {
  if (!WITH_COMMAND.has(argv[0] ?? "")) return argv;
  const at = argv.findIndex((arg) => arg === "-c" || arg === "--command" || arg === "--");
  if (at < 0 || argv[at] === "--") return argv;
  const words = argv.slice(at + 1);
  if (words.length === 0) throw new UsageError(`\`${argv[at]}\` wants a command`);
  return [...argv.slice(0, at), `--command=${words.join(SEPARATOR)}`];
}

/** The words again. */
export function commandOf({ command }: CommandOption): readonly string[] | undefined {
  return command?.split(SEPARATOR);
}

export function addDevelop(root: Command, invocation: Invocation): void {
  withCommonOptions(
    root
      .command("develop")
      .description("Enter the development shell of a flake or package: editable sources, locked packages.")
      .argument(
        "[installable]",
        "whose shell: `devShells`, else a package's own, else its build environment; `.` unless given",
      )
      .option("-c, --command <command>", "run a command in it, with all words that follow as its arguments")
      .option("--build-env", "the build environment of a package although it has a shell")
      .option("-i, --ignore-env", "without your own environment: PATH holds nothing but what the shell brings")
      .option("--keep-env-var <name>", "with `-i`: a variable to keep (may be repeated)", collect, []),
  ).action(async (installable: string | undefined, options: DevelopOptions) =>
    invocation.execute(options, async (context) => {
      const { develop } = await import("../../app/develop.ts");
      return develop(context, {
        installable: installable ?? ".",
        command: commandOf(options),
        buildEnvironment: options.buildEnv === true,
        onlyKeep: options.ignoreEnv === true ? (options.keepEnvVar ?? []) : undefined,
      });
    }),
  );

  withCommonOptions(
    root
      .command("print-dev-env")
      .description("Print shell code that turns a bash into what `d2n develop` enters: for direnv.")
      .argument("[installable]", "as for `develop`")
      .option("--build-env", "the build environment of a package although it has a shell"),
  ).action(async (installable: string | undefined, options: DevelopOptions) =>
    invocation.execute(options, async (context) => {
      const { printDevEnv } = await import("../../app/develop.ts");
      invocation.world.stdout.write(
        await printDevEnv(context, { installable: installable ?? ".", buildEnvironment: options.buildEnv === true }),
      );
    }),
  );
}
