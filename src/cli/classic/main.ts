/** Entry of the launchers that `d2n shims` writes: the first argument is the name of the program. */
import process from "node:process";
import { startEvaluatorThread } from "../../app/classic/evaluator-thread.ts";
import { tuneEngine } from "../../app/evaluation/engine.ts";
import { keepCompiledCode } from "../../base/compiled-code.ts";

const [name = "nix", ...argv] = process.argv.slice(2);
const evaluates =
  (name === "nix-instantiate" || name === "nix-build") && !argv.includes("--version") && !argv.includes("--help");
tuneEngine();
// It loads its modules while this thread loads its own.
const thread = evaluates ? startEvaluatorThread() : undefined;
const { runProgram } = await import("./serve.ts");
const status = await runProgram(
  name,
  {
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
        if (++times > 1) process.exit(130);
        interrupt();
      };
      process.on("SIGINT", handle);
      process.on("SIGTERM", handle);
      process.on("SIGHUP", handle);
    },
  },
  thread,
);
process.stdout.write("", () =>
  process.stderr.write("", () => {
    keepCompiledCode();
    process.exit(status);
  }),
);
