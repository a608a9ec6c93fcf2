/** Entry of the launchers that `d2n shims` writes: the first argument is the name of the program. */
import process from "node:process";
import { startEvaluatorThread } from "../../app/classic/evaluator-thread.ts";
import { tuneEngine } from "../../app/evaluation/engine.ts";
import { endProcess, processWorld } from "../process-world.ts";

const [name = "nix", ...argv] = process.argv.slice(2);
const evaluates =
  ["nix-instantiate", "nix-build", "nix-shell"].includes(name) &&
  !argv.includes("--version") &&
  !argv.includes("--help");
tuneEngine();
// It loads its modules while this thread loads its own.
const thread = evaluates ? startEvaluatorThread() : undefined;
void import("./serve.ts").then(async ({ runProgram }) =>
  endProcess(await runProgram(name, processWorld(argv), thread)),
);
