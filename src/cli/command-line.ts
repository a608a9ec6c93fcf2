/** From the command line to a use case: options, help, reporter, exit status. */
import { Command, CommanderError, Option } from "commander";
import colors from "picocolors";
import { Context } from "../app/context.ts";
import type { CommonOptions } from "../app/settings.ts";
import { version } from "../app/version.ts";
import { D2nError, explainFileError, InterruptedError, UsageError } from "../base/index.ts";
import { addBuild } from "./commands/build.ts";
import { addConfig } from "./commands/config.ts";
import { addDevelop, joinCommand } from "./commands/develop.ts";
import { addEval } from "./commands/eval.ts";
import { addFlake } from "./commands/flake.ts";
import { addLock } from "./commands/lock.ts";
import { addLockFields } from "./commands/lock-fields.ts";
import { addLog } from "./commands/log.ts";
import { addRepl } from "./commands/repl.ts";
import { addRun } from "./commands/run.ts";
import { addShell } from "./commands/shell.ts";
import { addShims } from "./commands/shims.ts";
import { addStore } from "./commands/store.ts";
import { addExamples } from "./help-examples.ts";
import { joinEnvironmentOptions } from "./environment-options.ts";
import { commandFirst } from "./leading-options.ts";
import { renderError } from "./render-error.ts";
import { jsonReporter } from "./reporters/json.ts";
import { plainReporter } from "./reporters/plain.ts";
import type { Reporter } from "./reporters/reporter.ts";
import { exitStatus, type World } from "./world.ts";

/** What a command gets. */
export interface Invocation {
  readonly world: World;
  /** Runs the work of a command with a context; what it returns is the exit status, 0 unless it says. */
  execute(
    options: RawOptions,
    work: (context: Context, tools: Tools) => Promise<number | void>,
    /** Whether an interruption ends only what the command does at the moment: see `Tools.takeInterrupts`. */
    session?: { readonly goesOn: boolean },
  ): Promise<void>;
}

/** For commands that last longer than one piece of work. */
export interface Tools {
  readonly color: boolean;
  /** What an interruption does, and the signal of the work at hand, in place of one for the whole command. */
  takeInterrupts(interrupt: () => void, signal: () => AbortSignal): void;
  /** Shows an error and goes on. */
  showError(error: unknown, showTrace: boolean): void;
}

/** Common options as commander delivers them. */
export interface RawOptions {
  readonly store?: string;
  readonly offline?: boolean;
  readonly impure?: boolean;
  readonly maxJobs?: string;
  readonly cores?: string;
  readonly keepGoing?: boolean;
  readonly keepFailed?: boolean;
  readonly timeout?: string;
  readonly maxSilentTime?: string;
  readonly overrideInput?: readonly string[];
  readonly writeLockFile?: boolean;
  readonly updateLockFile?: boolean;
  readonly commitLockFile?: boolean;
  readonly evalCache?: boolean;
  readonly maxCallDepth?: string;
  readonly showTrace?: boolean;
  readonly debug?: boolean;
  readonly printBuildLogs?: boolean;
  readonly logFormat?: string;
  readonly verbose?: boolean;
  readonly quiet?: boolean;
}

/** Separates the two values of `--override-input` on their way through commander. */
const SEPARATOR = "\u0000";

/** What a program that serves d2n's commands under another name has to say. */
export interface CalledAs {
  /** Where the command line says nothing else. */
  readonly options?: CommonOptions;
  /** The exit status for a command line that was not understood. */
  readonly usageStatus?: number;
}

/** @returns the exit status */
export async function runCommandLine(
  world: World,
  { options: otherwise = {}, usageStatus = exitStatus.usage }: CalledAs = {},
): Promise<number> {
  let status: number = exitStatus.success;
  let shown = { color: false, showTrace: world.argv.includes("--show-trace"), debug: world.argv.includes("--debug") };
  let reporter: Reporter | undefined;
  const wantsColor = colorWanted(world);
  shown = { ...shown, color: wantsColor };

  const invocation: Invocation = {
    world,
    execute: async (raw, work, session = { goesOn: false }) => {
      const interrupter = new AbortController();
      let signal = (): AbortSignal => interrupter.signal;
      let interrupt = (): void => interrupter.abort();
      world.onInterrupt(() => interrupt(), session);
      reporter = await makeReporter(world, raw, wantsColor);
      const context = new Context({
        environment: world.environment,
        cwd: world.cwd,
        uid: world.uid,
        sink: (event) => reporter?.report(event),
        signal: () => signal(),
        options: { ...otherwise, ...given(commonOptions(raw)) },
      });
      try {
        const tools: Tools = {
          color: wantsColor,
          takeInterrupts: (taken, current) => {
            interrupt = taken;
            signal = current;
          },
          showError: (error, showTrace) => reporter?.print(renderError(error, { ...shown, showTrace })),
        };
        status = (await work(context, tools)) ?? exitStatus.success;
      } catch (error) {
        // Whatever broke because the user interrupted is an interruption.
        throw interrupter.signal.aborted && !(error instanceof InterruptedError) ? new InterruptedError() : error;
      } finally {
        await context.close();
      }
    },
  };

  try {
    await program(invocation).parseAsync(joinOverrides(joinEnvironmentOptions(joinCommand(commandFirst(world.argv)))), {
      from: "user",
    });
  } catch (thrown) {
    const error = explainFileError(thrown) ?? thrown;
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.success : usageStatus;
    const text = renderError(error, shown);
    if (reporter === undefined) world.stderr.write(text);
    else reporter.print(text);
    status = !(error instanceof D2nError) ? exitStatus.bug : error.code === "usage" ? usageStatus : error.exitCode;
  } finally {
    reporter?.close();
  }
  return status;
}

/** The whole tree of commands; the reference documentation is generated from it too. */
export function program(invocation: Invocation): Command {
  const { world } = invocation;
  const root = new Command("d2n")
    .description(
      "dream2nix without Nix: lock with pip, build every package in a sandbox, into a content-addressed store.",
    )
    .version(`d2n ${version}`, "--version", "show the version")
    .enablePositionalOptions()
    .showSuggestionAfterError(true)
    .showHelpAfterError("(`d2n COMMAND --help` shows its options and examples)")
    .exitOverride()
    .configureOutput({ writeOut: (text) => world.stdout.write(text), writeErr: (text) => world.stderr.write(text) })
    .addHelpText(
      "after",
      `
An INSTALLABLE is FLAKE#ATTRIBUTE: \`.#default\` is the package \`default\` of the flake in this folder; \`.\` is short for it.

The guide in five commands:
  git init && git add flake.nix default.nix
  d2n run .#default.lock      locks with pip; add the lock file to git
  d2n build .#default         builds; the result is ./result
  d2n develop                 a shell with your sources and the locked packages
  d2n log .#default           shows how it went

Exit status: 0 it worked, 1 it did not, 2 the command line was not understood, 70 a bug of d2n, 130 interrupted;
\`run\`, \`develop -c\` and \`shell -c\` end with the status of the program that they ran.`,
    );
  for (const add of [
    addBuild,
    addRun,
    addDevelop,
    addShell,
    addEval,
    addRepl,
    addLog,
    addStore,
    addFlake,
    addLock,
    addConfig,
    addLockFields,
    addShims,
  ])
    add(root, invocation);
  addExamples(root);
  inherit(root);
  return root;
}

/** Subcommands answer like the root: errors thrown, output through the world. */
function inherit(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent);
    inherit(command);
  }
}

/** Options of every command that evaluates or builds. */
export function withCommonOptions(command: Command): Command {
  return command
    .optionsGroup("Evaluation:")
    .option(
      "--override-input <input> <flake>",
      "take an input of the flake from elsewhere, for this command",
      collect,
      [],
    )
    .option("--impure", "let the environment, the time and any file count")
    .option("--no-write-lock-file", "leave flake.lock and d2n.lock as they are on disk")
    .option("--no-update-lock-file", "fail if flake.lock would have to change")
    .option("--commit-lock-file", "commit flake.lock and d2n.lock where they were written")
    .option("--no-eval-cache", "evaluate although nothing has changed")
    .option("--max-call-depth <n>", "nested calls before evaluation gives up (10000)")
    .option("--show-trace", "show how evaluation got to an error")
    .optionsGroup("Building:")
    .option("-j, --max-jobs <n>", "packages built at once (the number of cores)")
    .option("--cores <n>", "cores that each build may use (all)")
    .option("-k, --keep-going", "build the rest when something fails")
    .option("-K, --keep-failed", "keep the folder of a failed build")
    .option("--timeout <seconds>", "stop a build that takes longer")
    .option("--max-silent-time <seconds>", "stop a build that says nothing for so long")
    .option("--offline", "fetch nothing")
    .option("-L, --print-build-logs", "show build logs as they come")
    .optionsGroup("General:")
    .option("--store <dir>", "use the store in this folder (D2N_STORE)")
    .addOption(
      new Option("--log-format <format>", "how to show progress")
        .choices(["auto", "bar", "raw", "internal-json"])
        .default("auto"),
    )
    .option("-v, --verbose", "say more")
    .option("-q, --quiet", "say nothing but errors")
    .option("--debug", "show where in d2n an error came from");
}

/** For options that may be repeated. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** `--override-input A B` becomes one argument, since commander's options take one value. */
function joinOverrides(argv: readonly string[]): string[] {
  const joined: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === "--") return [...joined, ...argv.slice(i)];
    const [input, flake] = [argv[i + 1], argv[i + 2]];
    if (arg === "--override-input" && input !== undefined && flake !== undefined) {
      joined.push(`--override-input=${input}${SEPARATOR}${flake}`);
      i += 2;
    } else joined.push(arg);
  }
  return joined;
}

function commonOptions(raw: RawOptions): CommonOptions {
  return {
    store: raw.store,
    offline: raw.offline,
    impure: raw.impure,
    maxJobs: count(raw.maxJobs, "--max-jobs"),
    cores: count(raw.cores, "--cores"),
    timeout: count(raw.timeout, "--timeout"),
    maxSilent: count(raw.maxSilentTime, "--max-silent-time"),
    keepGoing: raw.keepGoing,
    keepFailed: raw.keepFailed,
    noWriteLockFile: raw.writeLockFile === false,
    commitLockFile: raw.commitLockFile,
    noUpdateLockFile: raw.updateLockFile === false,
    noEvalCache: raw.evalCache === false,
    maxCallDepth: count(raw.maxCallDepth, "--max-call-depth"),
    overrideInputs: (raw.overrideInput ?? []).map((text): readonly [string, string] => {
      const [input, flake] = text.split(SEPARATOR);
      if (input === undefined || flake === undefined)
        throw new UsageError("`--override-input` wants the name of an input and a flake reference");
      return [input, flake];
    }),
  };
}

function given(options: CommonOptions): CommonOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function count(text: string | undefined, option: string): number | undefined {
  if (text === undefined || text === "auto") return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new UsageError(`\`${option}\` wants a whole number, not \`${text}\``);
  return value;
}

function colorWanted(world: World): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = world.environment;
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "" && FORCE_COLOR !== "0") return true;
  return world.stderr.isTTY === true && TERM !== "dumb" && colors.isColorSupported;
}

async function makeReporter(world: World, raw: RawOptions, color: boolean): Promise<Reporter> {
  const { stderr, environment } = world;
  const options = {
    write: (text: string) => void stderr.write(text),
    color,
    showLogs: raw.printBuildLogs === true,
    verbose: raw.verbose === true,
    now: () => performance.now(),
  };
  if (raw.quiet) return { report: () => {}, print: options.write, close: () => {} };
  if (raw.logFormat === "internal-json") return jsonReporter(options);
  const live =
    raw.logFormat === "bar" ||
    (raw.logFormat !== "raw" && stderr.isTTY === true && environment["TERM"] !== "dumb" && !environment["CI"]);
  if (!live) return plainReporter(options);
  const { terminalReporter } = await import("./reporters/terminal.ts");
  return terminalReporter({
    ...options,
    columns: () => stderr.columns ?? 80,
    tick: (redraw) => {
      const timer = setInterval(redraw, 100);
      timer.unref();
      return () => clearInterval(timer);
    },
  });
}
