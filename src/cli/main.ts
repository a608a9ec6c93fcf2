#!/usr/bin/env node
/** Entry of the command `d2n`. */
import process from "node:process";

void main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<void> {
  if (argv.length === 1 && argv[0] === "--version") {
    const { version } = await import("../app/version.ts");
    process.stdout.write(`d2n ${version}\n`);
    return;
  }
  // First of all: code compiled under other flags is compiled again.
  (await import("../app/evaluation/engine.ts")).tuneEngine();
  const { runCommandLine } = await import("./command-line.ts");
  const { endProcess, processWorld } = await import("./process-world.ts");
  endProcess(await runCommandLine(processWorld(argv)));
}
