/** What all classic programs share: their world, their messages, and a context when one is needed. */
import { readFileSync, readSync } from "node:fs";
import { NixSettings } from "../../app/classic/settings.ts";
import { classicSettings, registryFiles, storeFolder } from "../../app/classic/environment.ts";
import type { EvaluatorThread } from "../../app/classic/evaluator-thread.ts";
import type { ClassicSettings } from "../../app/classic/protocol.ts";
import type { ClassicSink } from "../../app/classic/run.ts";
import type { ModifiedPath } from "../../app/classic/store-queries.ts";
import type { Context } from "../../app/context.ts";
import type { CommonOptions } from "../../app/settings.ts";
import { type Event, isSystemError, unescapeBytes } from "../../base/index.ts";
import { printable } from "../reporters/reporter.ts";
import type { World } from "../world.ts";
import { buildSettings } from "../../app/classic/build-settings.ts";
import { type CommonArguments, commonArguments } from "./arguments.ts";
import { plainText } from "./plain-text.ts";
import { prettyJson } from "./pretty-json.ts";
import { renderNixError } from "./render-nix-error.ts";
import { nixVersion } from "./version.ts";

export class Program {
  readonly name: string;
  readonly world: World;
  readonly common: CommonArguments;
  #context: Context | undefined;
  readonly #interrupter = new AbortController();

  #thread: EvaluatorThread | undefined;
  /** Names of the builds that are going on. */
  readonly #builds = new Map<number, string>();

  constructor(name: string, world: World, thread?: EvaluatorThread) {
    this.#thread = thread;
    this.name = name;
    this.world = world;
    const warn = (message: string): void => void world.stderr.write(`warning: ${message}\n`);
    this.common = commonArguments(NixSettings.read({ environment: world.environment, warn }));
  }

  /** The thread that was started beforehand, for the first evaluation. */
  takeThread(): EvaluatorThread | undefined {
    const thread = this.#thread;
    this.#thread = undefined;
    return thread;
  }

  /** Aborted when the user interrupts. */
  get signal(): AbortSignal {
    return this.#interrupter.signal;
  }

  /** Reads a file, or standard input for "-", as a byte string. */
  readonly read = (name: string): string => (name === "-" ? readInput() : readFileSync(name)).toString("latin1");

  /** The bytes of standard input as they come. */
  input(): AsyncIterable<Uint8Array> {
    return this.world.stdin() as unknown as AsyncIterable<Uint8Array>;
  }

  warn(message: string): void {
    this.world.stderr.write(`warning: ${message}\n`);
  }

  /** Prints to standard output; bytes as they are, text as UTF-8. */
  print(text: string | Uint8Array): void {
    this.world.stdout.write(text);
  }

  /** Prints a value as JSON, or JSON text, and ends the line. */
  printJson(value: { readonly text: string } | { readonly value: unknown }): void {
    const text = "text" in value ? value.text : JSON.stringify(value.value);
    const pretty = this.common.prettyJson ?? this.world.stdout.isTTY === true;
    this.print(`${pretty ? prettyJson(text) : text}\n`);
  }

  /** Prints a byte string. */
  printBytes(text: string): void {
    this.print(Buffer.from(text, "latin1"));
  }

  /** What realising would do, on standard error, in Nix's words. */
  tellMissing({ builds, unknown }: { readonly builds: readonly string[]; readonly unknown: readonly string[] }): void {
    const tell = (head: string, paths: readonly string[]): void => {
      if (paths.length > 0) this.world.stderr.write(`${head}\n${paths.map((path) => `  ${path}\n`).join("")}`);
    };
    const many = builds.length === 1 ? "this derivation" : `these ${builds.length} derivations`;
    tell(`${many} will be built:`, builds);
    tell("don't know how to build these paths:", unknown);
  }

  /** What is not any more what it was when it was registered, on standard error, in Nix's words. */
  tellModified(modified: readonly ModifiedPath[]): void {
    for (const { path, registered, actual } of modified)
      this.world.stderr.write(`path '${path}' was modified! expected hash '${registered}', got '${actual}'\n`);
  }

  /** Said once a run when results are not linked. */
  warnOfCollector(): void {
    if (!this.common.gcWarning) return;
    this.common.gcWarning = false;
    this.warn("you did not specify '--add-root'; the result might be removed by the garbage collector");
  }

  /** What a collection keeps besides roots. */
  collectorSettings(): { readonly keepOutputs: boolean; readonly keepDerivations: boolean } {
    const { settings } = this.common;
    return { keepOutputs: settings.flag("keep-outputs"), keepDerivations: settings.flag("keep-derivations", true) };
  }

  printVersion(): number {
    this.print(`${this.name} (Nix) ${nixVersion}\n`);
    return 0;
  }

  /** For commands that evaluate. */
  async evaluationSettings(options: {
    readonly writes: boolean;
    readonly pureByDefault?: boolean;
    readonly features?: readonly string[];
  }): Promise<ClassicSettings> {
    const { settings, included, impure, store } = this.common;
    const { environment, cwd } = this.world;
    const wanted = store ?? environment["NIX_REMOTE"];
    const physicalRoot = wanted?.startsWith("dummy://") ? "" : await this.#physicalRoot();
    return classicSettings({
      settings,
      environment,
      cwd,
      included,
      pureByDefault: options.pureByDefault ?? false,
      impure,
      store,
      writes: options.writes && !this.common.readOnly,
      features: options.features ?? [],
      physicalRoot: () => physicalRoot,
    });
  }

  async #physicalRoot(): Promise<string> {
    const context = await this.context();
    return context.chroot ? context.storeRoot : "";
  }

  /** The settings, the store and what else use cases need; made when first asked for. */
  async context(signal?: () => AbortSignal): Promise<Context> {
    if (this.#context !== undefined) return this.#context;
    const { Context } = await import("../../app/context.ts");
    const { environment, cwd, uid, onInterrupt } = this.world;
    if (signal === undefined) onInterrupt(() => this.#interrupter.abort());
    this.#context = new Context({
      environment,
      cwd,
      uid,
      sink: (event) => this.#report(event),
      signal: signal ?? this.#interrupter.signal,
      options: { ...this.commonOptions(), impure: true },
    });
    return this.#context;
  }

  /** What Nix's settings and environment mean for d2n. */
  commonOptions(): CommonOptions {
    const { settings, store } = this.common;
    const { environment, cwd } = this.world;
    return {
      store: storeFolder(store ?? environment["NIX_REMOTE"], cwd),
      maxJobs: settings.text("max-jobs") === "auto" ? undefined : settings.number("max-jobs", 0) || undefined,
      cores: settings.number("cores", 0) || undefined,
      keepGoing: settings.flag("keep-going"),
      keepFailed: settings.flag("keep-failed"),
      commitLockFileSummary: settings.text("commit-lock-file-summary") || undefined,
      dirtyTrees: !settings.flag("allow-dirty", true)
        ? "refuse"
        : settings.flag("warn-dirty", true)
          ? "warn"
          : undefined,
      registries: registryFiles({ settings, environment }),
      ...buildSettings(settings),
    };
  }

  /** Builds are announced; the programs of old also show what builders say, `nix` where `-L` asks for it. */
  #report(event: Event): void {
    const { stderr } = this.world;
    const { verbosity, buildOutput = this.name !== "nix" } = this.common;
    if (event.type === "activity-start" && event.kind === "build" && verbosity >= 0) {
      this.#builds.set(event.id, event.name);
      stderr.write(`building '${event.path ?? event.name}'...\n`);
    } else if (event.type === "activity-log" && buildOutput && this.#builds.has(event.id))
      stderr.write(`${this.name === "nix" ? `${this.#builds.get(event.id)!}> ` : ""}${printable(event.line)}\n`);
    else if (event.type === "activity-stop") this.#builds.delete(event.id);
    else if (event.type === "message" && event.level !== "debug") {
      const prefix = event.level === "warning" ? "warning: " : "";
      this.world.stderr.write(`${prefix}${event.text}\n`);
    }
  }

  /** Where the output of an evaluation goes. */
  readonly sink: ClassicSink = {
    write: (text) => this.print(text),
    notice: (level, text) =>
      void this.world.stderr.write(
        `${plainText(`${level === "trace" ? "trace: " : this.#warningPrefix(text)}${text}`)}\n`,
      ),
  };

  /** What the language itself warns of, as against what the user's code does (`builtins.warn`). */
  #warningPrefix(text: string): string {
    const own =
      /^Nix search path entry '.*' (?:does not exist|cannot be downloaded), ignoring$|^at .*: This expression uses `or`|\(lint-[a-z-]+\)\n/.test(
        text,
      );
    return own ? "warning: " : "evaluation warning: ";
  }

  async close(): Promise<void> {
    await this.#context?.close();
  }
}

/** All of standard input, which may be a pipe that somebody made non-blocking. */
function readInput(): Buffer {
  const pieces: Buffer[] = [];
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    const piece = Buffer.allocUnsafe(1 << 16);
    try {
      const size = readSync(0, piece);
      if (size === 0) return Buffer.concat(pieces);
      pieces.push(piece.subarray(0, size));
    } catch (error) {
      if (isSystemError(error, "EOF")) return Buffer.concat(pieces);
      if (!isSystemError(error, "EAGAIN")) throw error;
      Atomics.wait(pause, 0, 0, 10);
    }
  }
}

/** An error as the classic commands show it, bytes that are no text as they are. */
export function shown(error: unknown, { world, common }: Pick<Program, "world" | "common">): Uint8Array {
  const color =
    world.stderr.isTTY === true &&
    (world.environment["TERM"] ?? "dumb") !== "dumb" &&
    world.environment["NO_COLOR"] === undefined;
  return unescapeBytes(renderNixError(error, { showTrace: common.settings.text("show-trace") === "true", color }));
}
