/** Options of the commands that start programs of the user's choice: Nix's, under both of the names that it has had for them. */
import { type Command, Option } from "commander";
import { checkEnvironmentOptions, type EnvironmentOptions } from "../app/environment-options.ts";
import { UsageError } from "../base/index.ts";
import { collect } from "./command-line.ts";
import { optionValues } from "./leading-options.ts";

export interface RawEnvironmentOptions {
  readonly ignoreEnv?: boolean;
  readonly keepEnvVar?: readonly string[];
  readonly unsetEnvVar?: readonly string[];
  readonly setEnvVar?: readonly string[];
}

/** Nix's other names, that commander knows no aliases for. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["--ignore-environment", "--ignore-env"],
  ["--keep", "--keep-env-var"],
  ["--unset", "--unset-env-var"],
]);

const COMMANDS = new Set(["develop", "shell", "run"]);
const SEPARATOR = "\u0000";
const WITH_VALUES: ReadonlyMap<string, number> = new Map([
  ["--keep-env-var", 1],
  ["--unset-env-var", 1],
  ["-u", 1],
]);

/** One name for each option, and one argument for the two values of `--set-env-var`. */
export function joinEnvironmentOptions(argv: readonly string[]): readonly string[] {
  if (!COMMANDS.has(argv[0] ?? "")) return argv;
  const joined = [argv[0]!];
  for (let at = 1; at < argv.length; at++) {
    const word = ALIASES.get(argv[at]!) ?? argv[at]!;
    // What follows the first word that is no option is the program's own business.
    if (word === "--" || (argv[0] === "run" && !word.startsWith("-"))) return [...joined, ...argv.slice(at)];
    if (word === "--set-env-var" || word === "-s") {
      const [name, value] = argv.slice(at + 1, at + 3);
      if (name === undefined || value === undefined)
        throw new UsageError(`\`${word}\` wants the name of a variable and its value`);
      joined.push(`--set-env-var=${name}${SEPARATOR}${value}`);
      at += 2;
      continue;
    }
    joined.push(word);
    const values = WITH_VALUES.get(word) ?? optionValues.get(word) ?? 0;
    joined.push(...argv.slice(at + 1, at + 1 + values));
    at += values;
  }
  return joined;
}

export function withEnvironmentOptions(command: Command): Command {
  return command
    .optionsGroup("Environment:")
    .option("-i, --ignore-env", "without your own environment, but for what a terminal and a home need")
    .option("--keep-env-var <name>", "with `-i`: a variable to keep (may be repeated)", collect, [])
    .option("-u, --unset-env-var <name>", "without this variable (may be repeated)", collect, [])
    .addOption(
      new Option("-s, --set-env-var <name> <value>", "with this variable (may be repeated)")
        .argParser(collect)
        .default([], "none"),
    );
}

/** @throws UsageError for options that contradict each other */
export function environmentOptions(raw: RawEnvironmentOptions): EnvironmentOptions {
  const options: EnvironmentOptions = {
    ignore: raw.ignoreEnv === true,
    keep: raw.keepEnvVar ?? [],
    unset: raw.unsetEnvVar ?? [],
    set: (raw.setEnvVar ?? []).map((text): readonly [string, string] => {
      const [name, value] = text.split(SEPARATOR);
      if (value === undefined) throw new UsageError("`--set-env-var` wants the name of a variable and its value");
      return [name!, value];
    }),
  };
  checkEnvironmentOptions(options);
  return options;
}
