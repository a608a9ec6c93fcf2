/** The classic programs by name: what they do, and how their errors are shown. */
import type { EvaluatorThread } from "../../app/classic/evaluator-thread.ts";
import { D2nError, unescapeBytes } from "../../base/index.ts";
import type { World } from "../world.ts";
import { Program } from "./program.ts";
import { renderNixError } from "./render-nix-error.ts";

/** @returns the exit status */
export async function runProgram(name: string, world: World, thread: EvaluatorThread | undefined): Promise<number> {
  let program: Program | undefined;
  try {
    program = new Program(name, world, thread);
    return await serve(program);
  } catch (error) {
    const showTrace = program?.common.settings.text("show-trace") === "true";
    const color =
      world.stderr.isTTY === true &&
      (world.environment["TERM"] ?? "dumb") !== "dumb" &&
      world.environment["NO_COLOR"] === undefined;
    world.stderr.write(unescapeBytes(renderNixError(error, { showTrace, color })));
    if (error instanceof D2nError && error.code === "usage")
      world.stderr.write(`Try '${name} --help' for more information.\n`);
    return error instanceof D2nError && error.exitCode !== 2 ? error.exitCode : 1;
  } finally {
    await program?.close();
  }
}

async function serve(program: Program): Promise<number> {
  switch (program.name) {
    case "nix-instantiate":
      return (await import("./nix-instantiate.ts")).nixInstantiate(program);
    case "nix-hash":
      return (await import("./nix-hash.ts")).nixHash(program);
    case "nix-build":
      return (await import("./nix-build.ts")).nixBuild(program);
    case "nix-store":
      return (await import("./nix-store.ts")).nixStore(program);
    case "nix":
      return (await import("./nix.ts")).nix(program);
    default:
      if (program.world.argv[0] === "--version") return program.printVersion();
      throw new D2nError("settings", `d2n does not serve the program '${program.name}'`, {
        hint: insteadOf(program.name),
      });
  }
}

function insteadOf(program: string): string {
  if (program === "nix-shell") return "`d2n develop` enters the development environment of a flake.";
  return "d2n serves nix, nix-build, nix-hash, nix-instantiate and nix-store.";
}
