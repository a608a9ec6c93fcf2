#!/usr/bin/env node
/** Entry of the command `d2n`. */
import process from "node:process";
import { keepCompiledCode } from "../base/compiled-code.ts";

if (process.argv.length === 3 && process.argv[2] === "--version") {
  const { version } = await import("../app/version.ts");
  process.stdout.write(`d2n ${version}\n`);
} else {
  // First of all: code compiled under other flags is compiled again.
  (await import("../app/evaluation/engine.ts")).tuneEngine();
  const { runCommandLine } = await import("./command-line.ts");
  const status = await runCommandLine({
    argv: process.argv.slice(2),
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
  });
  // What still holds the process (idle connections, say) has no more work to do.
  process.stdout.write("", () =>
    process.stderr.write("", () => {
      keepCompiledCode();
      process.exit(status);
    }),
  );
}
