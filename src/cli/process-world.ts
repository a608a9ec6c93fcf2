/** The process as a world for commands, and its end: what the entries of the programs share. */
import process from "node:process";
import { keepCompiledCode } from "../base/compiled-code.ts";
import type { World } from "./world.ts";

export function processWorld(argv: readonly string[]): World {
  return {
    argv,
    environment: process.env,
    cwd: process.cwd(),
    uid: process.getuid?.() ?? 0,
    stdin: () => process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    onInterrupt: (interrupt, options) => {
      if (options?.goesOn) {
        process.on("SIGINT", interrupt);
        return;
      }
      let times = 0;
      const handle = (): void => {
        // A second Ctrl-C does not wait for anything.
        if (++times > 1) process.exit(130);
        interrupt();
      };
      process.on("SIGINT", handle);
      process.on("SIGTERM", handle);
      process.on("SIGHUP", handle);
    },
  };
}

/** Ends the process once its output is out. What still holds it (idle connections, say) has no more work to do. */
export function endProcess(status: number): void {
  process.stdout.write("", () =>
    process.stderr.write("", () => {
      keepCompiledCode();
      process.exit(status);
    }),
  );
}
