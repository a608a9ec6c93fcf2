/** `d2n develop` and `d2n print-dev-env`: the environment of a development shell, or of a package's build. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { D2nError, writeFileAtomically } from "../base/index.ts";
import { isPathLike, parseInstallable, parseReference } from "../flake/syntax.ts";
import type { Context } from "./context.ts";
import { interactiveCode, shellCode } from "./develop/shell-code.ts";
import { evaluateInstallable } from "./evaluation/installables.ts";
import { runProgram } from "./run-program.ts";

export interface DevelopRequest {
  readonly installable: string;
  /** Program and arguments; undefined for a shell to type in. */
  readonly command: readonly string[] | undefined;
  /** The build environment of a package although it has a shell. */
  readonly buildEnvironment: boolean;
}

interface Shell {
  /** Bash, of the store. */
  readonly bash: string;
  readonly code: string;
}

/** Enters the shell or runs a command in it. @returns its exit status */
export async function develop(
  context: Context,
  { installable, command, buildEnvironment }: DevelopRequest,
): Promise<number> {
  const { bash, code } = await shellFor(context, installable, buildEnvironment);
  const plain = keep(context, code);
  const start = (script: string, ...args: readonly string[]): Promise<number> =>
    runProgram(context, [bash, "--noprofile", "--norc", "-c", script, "d2n", plain, ...args]);
  if (command !== undefined) return start('_d2n_command=("${@:2}"); . "$1"; exec "${_d2n_command[@]}"', ...command);
  // Commands may come through a pipe as well: then there is no prompt and no start-up file.
  const other = otherShell(context);
  if (other !== undefined)
    return start(
      '_d2n_command=("${@:2}"); . "$1"; if [ -t 0 ]; then exec "${_d2n_command[@]}"; else . /dev/stdin; fi',
      ...other,
    );
  return start(
    'if [ -t 0 ]; then exec "$3" --rcfile "$2" -i; else . "$1"; . /dev/stdin; fi',
    keep(context, interactiveCode(code)),
    bash,
  );
}

/**
 * Shell code that makes a bash such a shell: `eval "$(d2n print-dev-env)"`. For a store that lies elsewhere it is what the shell
 * exports, its programs by launchers.
 */
export async function printDevEnv(
  context: Context,
  { installable, buildEnvironment }: Omit<DevelopRequest, "command">,
): Promise<string> {
  const { bash, code } = await shellFor(context, installable, buildEnvironment);
  if (!context.chroot) return code;
  const { exportedCode } = await import("./develop/exported.ts");
  return exportedCode(context, bash, keep(context, code));
}

async function shellFor(context: Context, installable: string, buildEnvironmentWanted: boolean): Promise<Shell> {
  const evaluated = await evaluateInstallable(context, installable, {
    lookup: "develop",
    want: buildEnvironmentWanted ? "derivation-path" : "shell",
  });
  const { value, outputPaths } = evaluated.result;
  if (value.type !== "derivation")
    throw new D2nError("installable", `\`${installable}\` is nothing that a shell can be made of`);
  const known = new Map(outputPaths);
  let environment = known.get("environment");
  let bash = known.get("bash");
  let outputs = new Map(
    [...known].filter(([name]) => name.startsWith("!")).map(([name, path]) => [name.slice(1), path]),
  );
  if (environment === undefined || bash === undefined || !context.onDisk(environment)) {
    const { buildEnvironment } = await import("./develop/environment.ts");
    const built = await buildEnvironment(context, value.derivation.drvPath);
    ({ environment, bash, outputs } = built);
    evaluated.remember([
      ["environment", environment],
      ["bash", bash],
      ...[...outputs].map(([name, path]): [string, string] => [`!${name}`, path]),
    ]);
  }
  const code = shellCode({
    environment: readFileSync(context.toPhysical(environment), "utf8"),
    outputs,
    outputsFolder: join(context.cwd, "outputs"),
    projectFolder: projectFolder(context, installable),
  });
  return { bash, code };
}

/** zsh or fish, where the user works in it: they take the variables from bash. */
function otherShell(context: Context): readonly string[] | undefined {
  const shell = context.environment["SHELL"];
  if (shell === undefined || !/^(zsh|fish)$/.test(basename(shell)) || !existsSync(shell)) return undefined;
  return [shell, "-i"];
}

function projectFolder(context: Context, installable: string): string | undefined {
  const { reference } = parseInstallable(installable);
  if (!isPathLike(reference)) return undefined;
  const { attributes, dir } = parseReference(reference);
  return resolve(context.cwd, String(attributes.get("path")), dir);
}

/** A file with this code, which stays: shells that are open may still read it. */
function keep(context: Context, code: string): string {
  const folder = join(context.directories.cache, "develop");
  const file = join(folder, `${createHash("sha256").update(code).digest("hex").slice(0, 32)}.sh`);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    writeFileAtomically(file, code);
  }
  return file;
}
