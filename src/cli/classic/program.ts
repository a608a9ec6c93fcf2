/** What all classic programs share: their world, their messages, and a context when one is needed. */
import { readFileSync } from "node:fs";
import { NixSettings } from "../../app/classic/settings.ts";
import { classicSettings, storeFolder } from "../../app/classic/environment.ts";
import type { EvaluatorThread } from "../../app/classic/evaluator-thread.ts";
import type { ClassicSettings } from "../../app/classic/protocol.ts";
import type { ClassicSink } from "../../app/classic/run.ts";
import type { Context } from "../../app/context.ts";
import type { Event } from "../../base/index.ts";
import type { World } from "../world.ts";
import { type CommonArguments, commonArguments } from "./arguments.ts";
import { plainText } from "./plain-text.ts";
import { nixVersion } from "./version.ts";

export class Program {
  readonly name: string;
  readonly world: World;
  readonly common: CommonArguments;
  #context: Context | undefined;
  readonly #interrupter = new AbortController();

  /** Started already for programs that evaluate. */
  readonly thread: EvaluatorThread | undefined;

  constructor(name: string, world: World, thread?: EvaluatorThread) {
    this.thread = thread;
    this.name = name;
    this.world = world;
    const warn = (message: string): void => void world.stderr.write(`warning: ${message}\n`);
    this.common = commonArguments(NixSettings.read({ environment: world.environment, warn }));
  }

  /** Aborted when the user interrupts. */
  get signal(): AbortSignal {
    return this.#interrupter.signal;
  }

  /** Reads a file, or standard input for "-", as a byte string. */
  readonly read = (name: string): string => readFileSync(name === "-" ? 0 : name).toString("latin1");

  warn(message: string): void {
    this.world.stderr.write(`warning: ${message}\n`);
  }

  /** Prints to standard output; bytes as they are, text as UTF-8. */
  print(text: string | Uint8Array): void {
    this.world.stdout.write(text);
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
    const { settings, store } = this.common;
    if (signal === undefined) onInterrupt(() => this.#interrupter.abort());
    this.#context = new Context({
      environment,
      cwd,
      uid,
      sink: (event) => this.#report(event),
      signal: signal ?? this.#interrupter.signal,
      options: {
        store: storeFolder(store ?? environment["NIX_REMOTE"], cwd),
        impure: true,
        maxJobs: settings.text("max-jobs") === "auto" ? undefined : settings.number("max-jobs", 0) || undefined,
        cores: settings.number("cores", 0) || undefined,
        keepGoing: settings.flag("keep-going"),
        keepFailed: settings.flag("keep-failed"),
      },
    });
    return this.#context;
  }

  #report(event: Event): void {
    if (event.type === "message" && event.level !== "debug") {
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
