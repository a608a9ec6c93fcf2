/** The command lines of Nix's classic programs (libutil/args.cc, libmain/shared.cc). */
import { type NixSettings, settingKind } from "../../app/classic/settings.ts";
import type { AutoArgument } from "../../app/classic/protocol.ts";
import { UsageError } from "../../base/index.ts";

/** What all classic programs take. */
export interface CommonArguments {
  readonly settings: NixSettings;
  readonly included: string[];
  readonly autoArguments: Map<string, AutoArgument>;
  store: string | undefined;
  impure: boolean;
  verbosity: number;
  gcWarning: boolean;
  readOnly: boolean;
  /** Whether what builders say is shown; undefined: as it is usual for the program. */
  buildOutput: boolean | undefined;
  /** Undefined: where a terminal shows it. */
  prettyJson: boolean | undefined;
}

/** The rest of a command line, taken from the front. */
export class Words {
  readonly #words: string[];

  constructor(argv: readonly string[]) {
    this.#words = expand(argv);
  }

  next(): string | undefined {
    return this.#words.shift();
  }

  /** The value of an option. @throws UsageError if there is none */
  value(option: string): string {
    const word = this.#words.shift();
    if (word === undefined) throw new UsageError(`'${option}' requires an argument`);
    return word;
  }

  /** The values of an option that takes several. */
  values(option: string, count: number): string[] {
    if (this.#words.length < count)
      throw new UsageError(`flag '${option}' requires ${count} argument(s), but only ${this.#words.length} were given`);
    return this.#words.splice(0, count);
  }
}

/** `-j4` means `-j 4`, `-qv` means `-q -v`; what follows `--` is left alone. */
function expand(argv: readonly string[]): string[] {
  const words: string[] = [];
  argv.forEach((word, i) => {
    if (argv.indexOf("--") >= 0 && i > argv.indexOf("--")) words.push(word);
    else if (/^-[A-Za-z]./.test(word)) {
      words.push(word.slice(0, 2));
      for (let at = 2; at < word.length; at++) {
        if (/[A-Za-z]/.test(word[at]!)) words.push(`-${word[at]}`);
        else {
          words.push(word.slice(at));
          break;
        }
      }
    } else words.push(word);
  });
  return words;
}

export function commonArguments(settings: NixSettings): CommonArguments {
  return {
    settings,
    included: [],
    autoArguments: new Map(),
    store: undefined,
    impure: false,
    verbosity: 0,
    gcWarning: true,
    readOnly: false,
    buildOutput: undefined,
    prettyJson: undefined,
  };
}

/**
 * Takes an option that all programs have. False if it is none of them.
 * @param readFile reads the file of `--arg-from-file`, or standard input for "-", as a byte string
 */
export function takeCommon(
  word: string,
  words: Words,
  common: CommonArguments,
  readFile: (name: string) => string,
): boolean {
  const { settings } = common;
  const argument = (name: string, value: AutoArgument["value"]): void =>
    void common.autoArguments.set(name, { name, value });
  switch (word) {
    case "-I":
    case "--include":
      common.included.push(words.value(word));
      return true;
    case "--arg": {
      const [name, expression] = words.values(word, 2);
      argument(name!, { expression: bytes(expression!) });
      return true;
    }
    case "--argstr": {
      const [name, string] = words.values(word, 2);
      argument(name!, { string: bytes(string!) });
      return true;
    }
    case "--arg-from-file": {
      const [name, file] = words.values(word, 2);
      argument(name!, { string: readFile(file!) });
      return true;
    }
    case "--arg-from-stdin":
      argument(words.value(word), { string: readFile("-") });
      return true;
    case "--impure":
      common.impure = true;
      return true;
    case "--option": {
      const [name, value] = words.values(word, 2);
      settings.setOrWarn(name!, value!);
      return true;
    }
    case "--store":
      common.store = words.value(word);
      return true;
    case "--eval-store":
    case "--log-format":
      words.value(word);
      return true;
    case "-v":
    case "--verbose":
      common.verbosity++;
      return true;
    case "-q":
    case "--quiet":
      common.verbosity--;
      return true;
    case "--debug":
      common.verbosity = 5;
      return true;
    case "-j":
    case "--max-jobs":
      settings.set("max-jobs", words.value(word));
      return true;
    case "-K":
      settings.set("keep-failed", "true");
      return true;
    case "-k":
      settings.set("keep-going", "true");
      return true;
    case "-Q":
    case "--no-build-output":
    case "-L":
    case "--print-build-logs":
      common.buildOutput = word === "-L" || word === "--print-build-logs";
      return true;
    case "--repair":
      return true;
    case "--pretty":
    case "--no-pretty":
      common.prettyJson = word === "--pretty";
      return true;
    case "--readonly-mode":
      common.readOnly = true;
      return true;
    case "--no-gc-warning":
      common.gcWarning = false;
      return true;
  }
  return word.startsWith("--") && takeSetting(word.slice(2), words, settings);
}

/** `--SETTING`, `--no-SETTING`, `--SETTING VALUE`, `--extra-SETTING VALUE`. */
function takeSetting(name: string, words: Words, settings: NixSettings): boolean {
  const kind = settingKind(name);
  if (kind === "switch") return settings.set(name, "true");
  if (kind !== undefined) return settings.set(name, words.value(`--${name}`));
  if (name.startsWith("no-") && settingKind(name.slice(3)) === "switch") return settings.set(name.slice(3), "false");
  // Switches that are values in the settings.
  if (name === "no-sandbox") return settings.set("sandbox", "false");
  return false;
}

/** A word of the command line as a byte string. */
export function bytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** `nix hash` alone. */
export function subcommandMissing(group: string, names: readonly string[]): UsageError {
  const list = names.map((name) => `  · ${name}\n`).join("");
  return new UsageError(`nix ${group} requires a sub-command. Available sub-commands:\n\n${list}`);
}

export function unknownFlag(word: string): UsageError {
  return new UsageError(`unrecognised flag '${word}'`);
}
