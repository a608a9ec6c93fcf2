/** `d2n run`: build, then run the program, or the lock that a `.lock` attribute stands for, in this very process. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { D2nError, didYouMean } from "../base/index.ts";
import { lockAttribute, lockSpecFile, type Toolchain, type ToolchainWish } from "../python/index.ts";
import type { Context } from "./context.ts";
import { chosenEnvironment, type EnvironmentOptions } from "./environment-options.ts";
import { evaluateInstallable } from "./evaluation/installables.ts";
import { runLock } from "./lock.ts";
import { realiseInstallable } from "./realise-installable.ts";
import { runProgram } from "./run-program.ts";

/** @returns the exit status of the program */
export async function run(
  context: Context,
  installable: string,
  args: readonly string[],
  options: EnvironmentOptions,
): Promise<number> {
  const environment = chosenEnvironment(context.environment, options);
  const evaluated = await evaluateInstallable(context, installable, { lookup: "run", want: "app" });
  const { value } = evaluated.result;
  const { wanted } = await realiseInstallable(context, evaluated);
  if (value.type === "app") return runProgram(context, [value.program, ...args], {}, environment);
  if (value.type === "lock") {
    const only = fieldOf(args);
    await runLock(context, value.spec, {
      only,
      toolchain: (field, wish) => findToolchain(context, installable, field, wish),
    });
    return 0;
  }
  if (value.type !== "derivation") throw new D2nError("installable", `\`${installable}\` cannot be run`);
  const first = wanted[0];
  const out = first !== undefined && "outputs" in first ? [...first.outputs.values()][0] : undefined;
  if (out === undefined) throw new D2nError("installable", `\`${installable}\` has no output to run`);
  const spec = context.toPhysical(join(out, lockSpecFile));
  if (existsSync(spec)) {
    await runLock(context, readFileSync(spec, "utf8"), { only: fieldOf(args) });
    return 0;
  }
  return runProgram(context, [programOf(context, out, value.derivation), ...args], {}, environment);
}

/** Evaluates what a source distribution asks for. What that takes of the archive is pinned in d2n.lock from then on. */
async function findToolchain(
  context: Context,
  installable: string,
  field: string,
  wish: ToolchainWish,
): Promise<Toolchain | undefined> {
  const text = (value: string): string => JSON.stringify(value).replaceAll("${", "\\${");
  const { result } = await evaluateInstallable(context, installable, {
    lookup: "run",
    want: "json",
    apply: `lock: lock.${lockAttribute}.toolchain ${text(field)} ${text(wish.package)} ${text(wish.tools ?? "")}`,
  });
  if (result.value.type !== "text") throw new Error("internal error: JSON was asked for");
  return (JSON.parse(result.value.text) as Toolchain | null) ?? undefined;
}

/** The arguments of a lock: none, or `--field NAME`. */
function fieldOf(args: readonly string[]): string | undefined {
  if (args.length === 0) return undefined;
  if (args.length === 2 && args[0] === "--field") return args[1];
  throw new D2nError(
    "installable",
    `a lock takes no arguments but \`--field NAME\`, and these were given: ${args.join(" ")}`,
  );
}

/** Nix's rule: `meta.mainProgram`, else `pname`, else the name without its version; beyond that, the only program that there is. */
function programOf(
  context: Context,
  out: string,
  derivation: { readonly name: string; readonly pname: string | undefined; readonly mainProgram: string | undefined },
): string {
  const name = derivation.mainProgram ?? derivation.pname ?? derivation.name.replace(/-[0-9].*$/, "");
  const program = join(out, "bin", name);
  if (onDisk(context, program)) return program;
  const folder = context.toPhysical(join(out, "bin"));
  // What a wrapper wraps lies beside it, hidden.
  const programs = existsSync(folder) ? readdirSync(folder).filter((file) => !file.startsWith(".")) : [];
  if (programs.length === 1 && derivation.mainProgram === undefined) return join(out, "bin", programs[0]!);
  throw new D2nError("installable", `the package has no program \`bin/${name}\``, {
    hint:
      programs.length === 0
        ? "It has no programs at all."
        : `It has: ${programs.join(", ")}. ${didYouMean(name, programs) ?? "`meta.mainProgram` says which one to run."}`,
  });
}

function onDisk(context: Context, program: string): boolean {
  const folder = context.toPhysical(join(program, ".."));
  // A link into the store leads nowhere from outside of a chroot store, but it is there.
  return existsSync(folder) && readdirSync(folder).includes(program.slice(program.lastIndexOf("/") + 1));
}
