/**
 * A session of the REPL as the main thread sees it: the thread that evaluates, what it has been told so far, and the commands.
 * An evaluation that is interrupted, or uses up all memory, takes its thread with it; the next input gets a new one that is told the
 * same again, so that all names are still there.
 */
import { once } from "node:events";
import { resolve } from "node:path";
import { MessageChannel, type Worker } from "node:worker_threads";
import { D2nError, InterruptedError, unescapeBytes } from "../../base/index.ts";
import type { Context } from "../context.ts";
import { outOfMemory, workerFailure } from "../evaluation/engine.ts";
import { errorToMessage, messageToError } from "../evaluation/errors.ts";
import type { ServiceReply, ServiceRequest } from "../evaluation/protocol.ts";
import type { OpenServices } from "../classic/services.ts";
import { helpText } from "./help.ts";
import type { ReplCall, ReplMessage, ReplRequest, ReplResult, ReplSettings, ReplSource } from "./protocol.ts";
import { openReplServices } from "./services.ts";
import { startThread, watchMemory } from "../evaluation/threads.ts";
import type { ReplThreadData } from "./worker.ts";

/** Where a session prints. */
export interface ReplOutput {
  /** Results: bytes, or text. */
  write(text: string | Uint8Array): void;
  /** What there is of a result when an error comes, for those who show that. */
  begun?(bytes: Uint8Array): void;
  /** What happens besides: text without line end. */
  say(text: string): void;
  notice(level: "trace" | "warning", text: string): void;
  error(error: unknown, showTrace: boolean): void;
}

export interface ReplOptions {
  readonly settings: ReplSettings;
  /** Its signal is asked for anew for each command. */
  readonly context: () => Promise<Context>;
  readonly output: ReplOutput;
  /** What is in scope from the beginning, with what it is called. */
  readonly sources: readonly { readonly source: ReplSource; readonly what: string }[];
  readonly showTrace: boolean;
  /** Opens an editor and waits until it is closed. */
  readonly edit: (file: string, line: number) => Promise<void>;
}

/** What `:u` opens a shell of. */
const SHELL_WITH = 'drv: (import <nixpkgs> {}).runCommand "shell" { buildInputs = [ drv ]; } ""';

export type ReplStatus = "next" | "incomplete" | "quit";

interface Thread {
  readonly worker: Worker;
  readonly close: () => Promise<void>;
}

/** What a new thread has to be told: everything that changed what is in scope. */
type Step = { readonly kind: "line" | "add"; readonly text: string } | Extract<ReplRequest, { readonly kind: "load" }>;

export class Repl {
  /** What reads from the terminal, if anything does: others may need it for a while. */
  terminal: { leave(): void; take(): void } | undefined;
  readonly #options: ReplOptions;
  #thread: Thread | undefined;
  #steps: Step[] = [];
  /** Files and flakes to load again. */
  #files: string[] = [];
  #flakes: string[] = [];
  #showTrace: boolean;
  #interrupt: (() => void) | undefined;
  #controller = new AbortController();

  constructor(options: ReplOptions) {
    this.#options = options;
    this.#showTrace = options.showTrace;
  }

  /** Ends what a command waits for; renewed with each command. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Brings the first names into scope; what fails is told. */
  async start(): Promise<void> {
    await this.#loadSources();
  }

  /** Ends the evaluation or build that is going on, and leaves the session as it was. */
  interrupt(): void {
    this.#controller.abort();
    this.#interrupt?.();
  }

  async close(): Promise<void> {
    await this.#thread?.close();
    this.#thread = undefined;
  }

  /** Inputs that the given one may be completed to. */
  async complete(input: string): Promise<readonly string[]> {
    if (this.#interrupt !== undefined) return [];
    try {
      const result = await this.#ask({ kind: "complete", text: bytes(input) });
      return result.type === "completions" ? result.completions.map(text) : [];
    } catch {
      return [];
    }
  }

  /** Does what an input says (text, perhaps with escaped bytes); errors are told. "incomplete" asks for more lines to be added to the input. */
  async execute(input: string): Promise<ReplStatus> {
    this.#controller = new AbortController();
    try {
      return await this.#execute(input.trim());
    } catch (error) {
      this.#options.output.error(this.signal.aborted ? new InterruptedError() : error, this.#showTrace);
      return "next";
    }
  }

  async #execute(line: string): Promise<ReplStatus> {
    if (line === "") return "next";
    if (!line.startsWith(":")) return this.#say(await this.#remember({ kind: "line", text: bytes(line) }));
    const [, command = "", given = ""] = /^(:\S*)\s*(.*)$/s.exec(line)!;
    const argument = bytes(given);
    const { output } = this.#options;
    switch (command) {
      case ":?":
      case ":help":
        output.write(helpText);
        return "next";
      case ":q":
      case ":quit":
        return "quit";
      case ":a":
      case ":add":
        return this.#say(await this.#remember({ kind: "add", text: argument }));
      case ":l":
      case ":load":
        return this.#loadFile(given);
      case ":lf":
      case ":load-flake":
        return this.#loadFlake(given);
      case ":ll":
      case ":last-loaded":
        return this.#say(await this.#ask({ kind: "last-loaded" }));
      case ":r":
      case ":reload":
        return this.#reload();
      case ":p":
      case ":print":
        return this.#say(await this.#ask({ kind: "print", text: argument }));
      case ":t":
        return this.#say(await this.#ask({ kind: "type", text: argument }));
      case ":doc":
        return this.#say(await this.#ask({ kind: "document", text: argument }));
      case ":te":
      case ":trace-enable":
        return this.#enableTrace(command, given);
      case ":e":
      case ":edit":
        return this.#edit(argument);
      case ":b":
      case ":bl":
        return this.#withDerivation(argument, (drvPath) => this.#build(drvPath, command === ":bl"));
      case ":log":
        return this.#withDerivation(argument, (drvPath) => this.#log(drvPath));
      case ":sh":
        return this.#withDerivation(argument, (drvPath) => this.#shell(drvPath));
      case ":u":
        return this.#withDerivation(argument, (drvPath) => this.#shell(drvPath), SHELL_WITH);
      case ":i":
        throw new D2nError("usage", `d2n does not serve '${command}'`, {
          hint: "d2n has no profiles; `:u` opens a shell with a package, `d2n shell` puts the programs of one on the PATH.",
        });
      default:
        throw new D2nError("usage", `unknown command '${command}'`);
    }
  }

  #say(result: ReplResult): ReplStatus {
    const { output } = this.#options;
    if (result.type === "incomplete") return "incomplete";
    if (result.type === "text") output.write(Buffer.from(`${result.text}\n`, "latin1"));
    if (result.type === "added") {
      output.say(`Added ${result.count} variables.`);
      output.say(text(result.names.join(", ")));
      if (result.count > result.names.length)
        output.say(`... and ${result.count - result.names.length} more; view with :ll`);
    }
    return "next";
  }

  /** Asks for something that changes what is in scope. */
  async #remember(step: Step): Promise<ReplResult> {
    const result = await this.#ask(step);
    if (result.type === "bound" || result.type === "added") this.#steps.push(step);
    return result;
  }

  async #loadFile(file: string): Promise<ReplStatus> {
    this.#files = [...this.#files.filter((other) => other !== file), file];
    return this.#say(await this.#remember({ kind: "load", source: { kind: "file", file: bytes(file) } }));
  }

  async #loadFlake(reference: string): Promise<ReplStatus> {
    if (reference === "")
      throw new D2nError(
        "usage",
        "cannot use ':load-flake' without a path specified. (Use '.' for the current working directory.)",
      );
    this.#flakes = [...this.#flakes.filter((other) => other !== reference), reference];
    const source: ReplSource = { kind: "flake", reference, fragment: "" };
    return this.#say(await this.#remember({ kind: "load", source }));
  }

  async #reload(): Promise<ReplStatus> {
    await this.#ask({ kind: "reset" });
    this.#steps = [];
    for (const file of this.#files) {
      this.#options.output.say(`Loading "${file}"...`);
      await this.#loadFile(file);
    }
    await this.#loadSources();
    for (const flake of this.#flakes) {
      this.#options.output.say(`Loading flake '${flake}'...`);
      await this.#loadFlake(flake);
    }
    return "next";
  }

  async #loadSources(): Promise<void> {
    const { output, sources } = this.#options;
    for (const { source, what } of sources) {
      output.say(`Loading installable '${what}'...`);
      this.#say(await this.#remember({ kind: "load", source }));
    }
  }

  #enableTrace(command: string, wanted: string): ReplStatus {
    if (wanted !== "" && wanted !== "true" && wanted !== "false")
      throw new D2nError("usage", `unexpected argument '${wanted}' to ${command}`);
    this.#showTrace = wanted === "" ? !this.#showTrace : wanted === "true";
    this.#options.output.write(`${this.#showTrace ? "" : "not "}showing error traces\n`);
    return "next";
  }

  async #edit(expression: string): Promise<ReplStatus> {
    const result = await this.#ask({ kind: "edit", text: expression });
    if (result.type !== "place") return this.#say(result);
    await this.#aside(() => this.#options.edit(text(result.file), result.line));
    return this.#reload();
  }

  async #withDerivation(
    expression: string,
    use: (drvPath: string) => Promise<void>,
    through?: string,
  ): Promise<ReplStatus> {
    const result = await this.#ask({
      kind: "derivation",
      text: expression,
      ...(through === undefined ? {} : { through }),
    });
    if (result.type !== "derivation") return this.#say(result);
    await use(result.drvPath);
    return "next";
  }

  /** A shell with the environment of a derivation, as nix-shell's. */
  async #shell(drvPath: string): Promise<void> {
    const context = await this.#options.context();
    const program = context.environment["NIX_BUILD_SHELL"] ?? undefined;
    const bash = program === undefined ? await this.#bash() : { program };
    const { runShell } = await import("../classic/shell.ts");
    const plain = { pure: false, keep: [], exclude: [], command: undefined, cores: undefined };
    const interactive = this.terminal !== undefined;
    await this.#aside(() => runShell(context, { drvPath, bash, interactive, ...plain }));
  }

  /** The bash of `<nixpkgs>`, else the user's. */
  async #bash(): Promise<{ readonly drvPath: string } | { readonly program: string }> {
    try {
      const found = await this.#ask({ kind: "derivation", text: "(import <nixpkgs> {}).bashInteractive" });
      if (found.type === "derivation") return { drvPath: found.drvPath };
    } catch (error) {
      if (this.signal.aborted) throw error;
    }
    return { program: "bash" };
  }

  /** Lets something else have the terminal. */
  async #aside<T>(work: () => Promise<T>): Promise<T> {
    this.terminal?.leave();
    try {
      return await work();
    } finally {
      this.terminal?.take();
    }
  }

  async #build(drvPath: string, link: boolean): Promise<void> {
    const { output } = this.#options;
    const context = await this.#options.context();
    const { realise } = await import("../realise.ts");
    const { wanted } = await realise(context, [{ drvPath, outputs: "all" }]);
    output.write("\nThis derivation produced the following outputs:\n");
    for (const one of wanted)
      for (const [name, path] of "outputs" in one ? one.outputs : []) {
        if (!link) output.write(`  ${name} -> ${path}\n`);
        else {
          const { linkResult } = await import("../result-links.ts");
          await linkResult(context, resolve(context.cwd, `repl-result-${name}`), path);
          output.write(`  ./repl-result-${name} -> ${path}\n`);
        }
      }
  }

  async #log(drvPath: string): Promise<void> {
    const log = await (await (await this.#options.context()).store()).readLog(drvPath);
    if (log === undefined)
      throw new D2nError("log-missing", `build log of '${drvPath}' is not available`, {
        hint: "It was never built in this store; `:b` builds it.",
      });
    this.#options.output.write(log);
  }

  /** Asks the thread, a new one if the last is gone. */
  async #ask(request: ReplRequest): Promise<ReplResult> {
    if (this.#thread === undefined) {
      this.#thread = await this.#startThread();
      for (const step of this.#steps) {
        try {
          await this.#send(step);
        } catch (error) {
          if (this.signal.aborted) throw error;
          this.#options.output.say("Something that was in scope could not be loaded again:");
          this.#options.output.error(error, this.#showTrace);
        }
      }
    }
    return this.#send(request);
  }

  async #send(request: ReplRequest): Promise<ReplResult> {
    const thread = this.#thread!;
    const { output } = this.#options;
    let full: (error: Error) => void = () => {};
    const lost = (): void => {
      this.#thread = undefined;
      void thread.close();
    };
    using _watch = watchMemory(() => {
      lost();
      full(outOfMemory());
    });
    try {
      return await new Promise<ReplResult>((done, failed) => {
        full = failed;
        this.#interrupt = () => {
          lost();
          failed(new InterruptedError());
        };
        thread.worker.on("message", (message: ReplMessage) => {
          if ("result" in message) done(message.result);
          else if ("failed" in message) failed(messageToError(message.failed));
          else if ("begun" in message) output.begun?.(Buffer.from(message.begun, "latin1"));
          else output.notice(message.notice.level, message.notice.text);
        });
        thread.worker.once("error", (error) => {
          lost();
          failed(workerFailure(error));
        });
        const call: ReplCall = { request, showTrace: this.#showTrace };
        thread.worker.postMessage(call);
      });
    } finally {
      this.#interrupt = undefined;
      thread.worker.removeAllListeners("message");
      thread.worker.removeAllListeners("error");
    }
  }

  async #startThread(): Promise<Thread> {
    const signal = new SharedArrayBuffer(4);
    const answered = new Int32Array(signal);
    const { port1, port2 } = new MessageChannel();
    const workerData: ReplThreadData = { settings: this.#options.settings, signal, port: port2 };
    const worker = startThread(new URL("./worker.cjs", import.meta.url), workerData, [port2]);
    const services = openReplServices(this.#options.context);
    port1.on("message", (request: ServiceRequest) => {
      void answer(services, request).then((reply) => {
        port1.postMessage(reply);
        Atomics.add(answered, 0, 1);
        Atomics.notify(answered, 0);
      });
    });
    await once(worker, "online");
    const close = async (): Promise<void> => {
      port1.close();
      await worker.terminate();
      await services.close();
    };
    return { worker, close };
  }
}

async function answer({ services }: OpenServices, { service, argument }: ServiceRequest): Promise<ServiceReply> {
  try {
    return { value: await (services[service] as (argument: unknown) => Promise<unknown>)(argument) };
  } catch (error) {
    return { error: errorToMessage(error) };
  }
}

function bytes(given: string): string {
  return Buffer.from(unescapeBytes(given)).toString("latin1");
}

function text(byteString: string): string {
  return Buffer.from(byteString, "latin1").toString("utf8");
}
