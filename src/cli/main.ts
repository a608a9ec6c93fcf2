#!/usr/bin/env node
/** Entry of the command `d2n`. */
import process from "node:process";

if (process.argv.length === 3 && process.argv[2] === "--version") {
  const { version } = await import("../app/version.ts");
  process.stdout.write(`d2n ${version}\n`);
} else {
  // First of all: code compiled under other flags is compiled again.
  (await import("../app/evaluation/engine.ts")).tuneEngine();
  const { runCommandLine } = await import("./command-line.ts");
  const { endProcess, processWorld } = await import("./process-world.ts");
  endProcess(await runCommandLine(processWorld(process.argv.slice(2))));
}
