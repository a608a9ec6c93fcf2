/** A REPL at a terminal or on a pipe: reads lines, hands them over, keeps the history. */
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import type { Repl } from "../../app/repl/repl.ts";
import { escapeBytes } from "../../base/index.ts";
import type { World } from "../world.ts";

const PROMPT = "nix-repl> ";
const CONTINUATION = "        > ";
const HISTORY = 1000;

export interface SessionOptions {
  readonly repl: Repl;
  readonly world: World;
  /** Where typed lines are kept; text. */
  readonly historyFile: string;
  /** On a pipe: shows prompts and what was read, as Nix does. */
  readonly echo: boolean;
}

/** Runs until the input ends or says so. */
export async function runSession(options: SessionOptions): Promise<void> {
  const input = options.world.stdin();
  await (input.isTTY === true && options.world.stdout.isTTY === true ? atTerminal(options) : onPipe(options));
}

async function onPipe({ repl, world, echo }: SessionOptions): Promise<void> {
  const lines = createInterface({
    input: (world.stdin() as NodeJS.ReadStream).setEncoding("latin1"),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  const say = (bytes: string): void => void (echo && world.stdout.write(Buffer.from(bytes, "latin1")));
  let pending = "";
  for await (const line of lines) {
    say(`${pending === "" ? PROMPT : CONTINUATION}${line}\n`);
    pending += pending === "" ? line : `\n${line}`;
    const status = await repl.execute(escapeBytes(pending));
    if (status === "incomplete") continue;
    pending = "";
    if (status === "quit") {
      lines.close();
      return;
    }
    say("\n");
  }
  say(`${pending === "" ? PROMPT : CONTINUATION}\n`);
  // Without prompts nothing else would show that the last input never ended.
  if (pending !== "" && !echo) await repl.execute(`(${escapeBytes(pending)}\n)`);
}

function atTerminal({ repl, world, historyFile }: SessionOptions): Promise<void> {
  const history = readHistory(historyFile);
  const terminal = createInterface({
    input: world.stdin(),
    output: world.stdout as unknown as NodeJS.WritableStream,
    prompt: PROMPT,
    history: [...history].reverse(),
    historySize: HISTORY,
    removeHistoryDuplicates: true,
    completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
      void repl.complete(line).then((found) => {
        // What stays the same is not listed again.
        const start = /^.*[\s(){}[\]]/s.exec(line)?.[0].length ?? 0;
        done(null, [found.map((whole) => whole.slice(start)), line.slice(start)]);
      });
    },
  });
  const input = world.stdin() as NodeJS.ReadStream;
  repl.terminal = {
    leave: () => {
      terminal.pause();
      input.setRawMode(false);
    },
    take: () => {
      input.setRawMode(true);
      terminal.resume();
    },
  };
  return new Promise((resolve) => {
    const waiting: string[] = [];
    let pending = "";
    let busy = false;
    let closed = false;
    const prompt = (): void => {
      terminal.setPrompt(pending === "" ? PROMPT : CONTINUATION);
      // What was typed meanwhile stays, the cursor behind it.
      terminal.prompt(true);
    };
    const work = async (): Promise<void> => {
      busy = true;
      for (let line = waiting.shift(); line !== undefined; line = waiting.shift()) {
        remember(historyFile, line);
        pending += pending === "" ? line : `\n${line}`;
        const status = await repl.execute(pending);
        if (status === "incomplete") continue;
        pending = "";
        if (status === "quit") {
          terminal.close();
          return;
        }
        world.stdout.write("\n");
      }
      busy = false;
      if (closed) resolve();
      else prompt();
    };
    terminal.on("line", (line) => {
      waiting.push(line);
      if (!busy) void work();
    });
    terminal.on("SIGINT", () => {
      waiting.length = 0;
      if (busy) repl.interrupt();
      else {
        // A completion may be evaluating.
        repl.interrupt();
        // As in a shell: what was typed is dropped.
        pending = "";
        world.stdout.write("^C\n");
        terminal.write(null, { ctrl: true, name: "e" });
        terminal.write(null, { ctrl: true, name: "u" });
        prompt();
      }
    });
    terminal.on("close", () => {
      closed = true;
      if (busy) repl.interrupt();
      else world.stdout.write("\n");
      resolve();
    });
    prompt();
  });
}

function readHistory(file: string): string[] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .slice(-HISTORY);
  } catch {
    return [];
  }
}

/** A history that cannot be written is done without. */
function remember(file: string, line: string): void {
  if (line.trim() === "") return;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    appendFileSync(file, `${line}\n`, { mode: 0o600 });
  } catch {
    // Read-only home, say.
  }
}
