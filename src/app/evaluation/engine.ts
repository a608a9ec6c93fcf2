/** How the JavaScript engine of the evaluating workers is set up. */
import { setFlagsFromString } from "node:v8";
import { D2nError } from "../../base/index.ts";

/**
 * An evaluation is a short run through much code that is never met again: V8 shall inline less into one function, and wait
 * twice as long as it does by itself before it optimises one, or both cores are busy with optimising what has hardly begun to
 * pay. Waiting longer still is good for firefox's drvPath, and bad for a NixOS system's: a tenth of the time in either.
 */
const FLAGS = [
  // Node 22 and later have no such flag, and V8 complains aloud of those that it does not know.
  ...(Number(process.versions.node.split(".")[0]) < 22 ? ["--interrupt-budget=250000"] : []),
  "--max-inlined-bytecode-size-cumulative=300",
  // Megabytes. What is still there when it leaves the nursery is needed to the end, as a rule: looking through it all again and
  // again while it grows costs a seventh of the evaluation of a NixOS system, and gives next to nothing back.
  "--initial-old-space-size=768",
  // A regular expression that tries ever more ways to match is handed to an engine that tries all at the same time.
  "--enable-experimental-regexp-engine-on-excessive-backtracks",
];

/** What becomes of a worker's own failure, as its thread reports it to the one that started it. */
export function workerFailure(error: NodeJS.ErrnoException): Error {
  return error.code === "ERR_WORKER_OUT_OF_MEMORY" ? outOfMemory() : error;
}

export function outOfMemory(): D2nError {
  return new D2nError("evaluation", "out of memory", {
    hint: "An expression builds something without end, or something enormous.",
  });
}

let tuned = false;

/** To be called before the worker is started: flags hold for the threads that start later. */
export function tuneEngine(): void {
  if (tuned) return;
  tuned = true;
  for (const flag of FLAGS) setFlagsFromString(flag);
}
