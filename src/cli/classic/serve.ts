/** The classic programs by name: what they do, and how their errors are shown. */
import type { EvaluatorThread } from "../../app/classic/evaluator-thread.ts";
import { NixSettings } from "../../app/classic/settings.ts";
import { D2nError, type ErrorCode } from "../../base/index.ts";
import type { World } from "../world.ts";
import { commonArguments } from "./arguments.ts";
import { Program, shown } from "./program.ts";

/** @returns the exit status */
export async function runProgram(name: string, world: World, thread: EvaluatorThread | undefined): Promise<number> {
  let program: Program | undefined;
  try {
    program = new Program(name, world, thread);
    return await serve(program);
  } catch (error) {
    world.stderr.write(
      shown(error, program ?? { world, common: commonArguments(new NixSettings({ environment: {}, warn: () => {} })) }),
    );
    if (error instanceof D2nError && error.code === "usage")
      world.stderr.write(`Try '${name} --help' for more information.\n`);
    return error instanceof D2nError ? statusOf(error, name) : 1;
  } finally {
    await program?.close();
  }
}

/** Nix's manual, "Build failure exit codes": of the programs that build, but for `nix`. */
const buildStatus: Partial<Record<ErrorCode, number>> = {
  "build-failed": 100,
  "build-timeout": 101,
  "hash-mismatch": 102,
  "not-deterministic": 104,
};

function statusOf({ code, exitCode }: D2nError, name: string): number {
  if (["nix-build", "nix-store", "nix-shell"].includes(name))
    return buildStatus[code] ?? (exitCode === 2 ? 1 : exitCode);
  return exitCode === 2 ? 1 : exitCode;
}

async function serve(program: Program): Promise<number> {
  switch (program.name) {
    case "nix-instantiate":
      return (await import("./nix-instantiate.ts")).nixInstantiate(program);
    case "nix-hash":
      return (await import("./nix-hash.ts")).nixHash(program);
    case "nix-build":
      return (await import("./nix-build.ts")).nixBuild(program);
    case "nix-shell":
      return (await import("./nix-shell.ts")).nixShell(program);
    case "nix-prefetch-url":
      return (await import("./nix-prefetch-url.ts")).nixPrefetchUrl(program);
    case "nix-collect-garbage":
      return (await import("./nix-collect-garbage.ts")).nixCollectGarbage(program);
    case "nix-store":
      return (await import("./nix-store.ts")).nixStore(program);
    case "nix":
      return (await import("./nix.ts")).nix(program);
    default:
      if (program.world.argv[0] === "--version") return program.printVersion();
      if (program.world.argv[0] === "--help") {
        program.print(`d2n does not serve the program '${program.name}'. ${insteadOf(program.name)}\n`);
        return 0;
      }
      throw new D2nError("settings", `d2n does not serve the program '${program.name}'`, {
        hint: insteadOf(program.name),
      });
  }
}

function insteadOf(program: string): string {
  switch (program) {
    case "nix-env":
      return "d2n has no profiles: `d2n shell` puts the programs of a package on the PATH, `nix-shell -p` those of <nixpkgs>.";
    case "nix-channel":
      return "d2n has no channels: name a nixpkgs tree with NIX_PATH, or as an input of a flake.";
    case "nix-copy-closure":
      return "`nix-store --export $(nix-store -qR PATH)` there and `nix-store --import` here carry paths from store to store.";
    case "nix-daemon":
      return "d2n works on its store itself; there is nothing to start.";
    default:
      return "It serves nix, nix-build, nix-collect-garbage, nix-hash, nix-instantiate, nix-prefetch-url, nix-shell and nix-store.";
  }
}
