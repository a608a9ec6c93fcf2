import type { Command } from "commander";
import { UsageError } from "../../base/index.ts";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";
import { environmentOptions, type RawEnvironmentOptions, withEnvironmentOptions } from "../environment-options.ts";

export interface CommandOption {
  /** Words of the command, joined: see `joinCommand`. */
  readonly command?: string;
}

interface DevelopOptions extends RawOptions, CommandOption, RawEnvironmentOptions {
  readonly buildEnv?: boolean;
  readonly phase?: string;
  /** The phases that have options of their own. */
  readonly unpack?: boolean;
  readonly configure?: boolean;
  readonly build?: boolean;
  readonly check?: boolean;
  readonly install?: boolean;
  readonly installcheck?: boolean;
}

const PHASES = ["unpack", "configure", "build", "check", "install", "installcheck"] as const;

/** The phase that is asked for. */
function phaseOf(options: DevelopOptions): string | undefined {
  const chosen = options.phase ?? PHASES.find((name) => options[name] === true);
  if (chosen !== undefined && options.command !== undefined)
    throw new UsageError("a phase and `--command` cannot be had at once");
  return chosen === "installcheck" ? "installCheck" : chosen?.replace(/Phase$/, "");
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
  const develop = root
    .command("develop")
    .description("Enter the development shell of a flake or package: editable sources, locked packages.")
    .argument(
      "[installable]",
      "whose shell: `devShells`, else a package's own, else its build environment, or a .drv file; `.` unless given",
    )
    .option("-c, --command <command>", "run a command in it, with all words that follow as its arguments")
    .option("--build-env", "the build environment of a package although it has a shell")
    .option("--phase <name>", "run a phase of the build, in the flake's folder");
  for (const name of PHASES) develop.option(`--${name}`, `run the phase \`${name}\``);
  withCommonOptions(withEnvironmentOptions(develop)).action(
    async (installable: string | undefined, options: DevelopOptions) =>
      invocation.execute(options, async (context) => {
        const { develop } = await import("../../app/develop.ts");
        return develop(context, {
          installable: installable ?? ".",
          command: commandOf(options),
          buildEnvironment: options.buildEnv === true,
          phase: phaseOf(options),
          environment: environmentOptions(options),
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
