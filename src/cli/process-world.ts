/** The process as a world for commands, and its end: what the entries of the programs share. */
import process from "node:process";
import { unescapeBytes } from "../base/byte-text.ts";
import { keepCompiledCode } from "../base/compiled-code.ts";
import { endThreads } from "../app/evaluation/threads.ts";
import { exitStatus, type World } from "./world.ts";

export function processWorld(argv: readonly string[]): World {
  return {
    argv,
    environment: process.env,
    cwd: process.cwd(),
    uid: process.getuid?.() ?? 0,
    stdin: () => process.stdin,
    stdout: process.stdout,
    stderr: {
      // Messages quote what users have, which may be bytes that are no text.
      write: (text) => process.stderr.write(typeof text === "string" ? textOrBytes(text) : text),
      isTTY: process.stderr.isTTY,
      get columns() {
        return process.stderr.columns;
      },
    },
    onInterrupt: (interrupt, options) => {
      if (options?.goesOn) {
        process.on("SIGINT", interrupt);
        return;
      }
      let times = 0;
      const handle = (): void => {
        // A second Ctrl-C does not wait for anything.
        if (++times > 1) dieOfInterrupt();
        interrupt();
      };
      process.on("SIGINT", handle);
      process.on("SIGTERM", handle);
      process.on("SIGHUP", handle);
    },
  };
}

function textOrBytes(text: string): string | Uint8Array {
  return /[\udc80-\udcff]/.test(text) ? unescapeBytes(text) : text;
}

/** Milliseconds that an interrupted evaluation has to end by itself. */
const PATIENCE = 15;

/** Ends the process once its output is out. What still holds it (idle connections, say) has no more work to do. */
export function endProcess(status: number): void {
  process.stdout.write("", () =>
    process.stderr.write("", () => {
      if (status === exitStatus.interrupted) {
        void endThreads(PATIENCE).then((ended) => (ended ? process.exit(status) : dieOfInterrupt()));
        return;
      }
      keepCompiledCode();
      process.exit(status);
    }),
  );
}

/**
 * Ends the process like one that does nothing about Ctrl-C, which shells tell as status 130. `process.exit` waits until all threads have
 * ended, and one that sorts ten million elements, or collects garbage, cannot be made to end at once.
 */
function dieOfInterrupt(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(signal);
  process.kill(process.pid, "SIGINT");
  process.exit(exitStatus.interrupted);
}
