/** `d2n develop` and `d2n print-dev-env`: the environment of a development shell, or of a package's build. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { D2nError, makeFolders, writeFileAtomically } from "../base/index.ts";
import { isPathLike, parseInstallable, parseReference } from "../flake/syntax.ts";
import type { Context } from "./context.ts";
import { otherShell } from "./develop/other-shells.ts";
import { interactiveCode, phaseCode, shellCode } from "./develop/shell-code.ts";
import type { BuiltEnvironment } from "./develop/environment.ts";
import { chosenEnvironment, type EnvironmentOptions } from "./environment-options.ts";
import { evaluateInstallable } from "./evaluation/installables.ts";
import { runProgram } from "./run-program.ts";
import { storePathOf } from "./store-commands.ts";

export interface DevelopRequest {
  readonly installable: string;
  /** Program and arguments; undefined for a shell to type in. */
  readonly command: readonly string[] | undefined;
  /** The build environment of a package although it has a shell. */
  readonly buildEnvironment: boolean;
  /** A phase of the build to run, without `Phase`: of the package's own build, even if it has a shell. */
  readonly phase: string | undefined;
  readonly environment: EnvironmentOptions;
}

interface Shell {
  /** Bash, of the store. */
  readonly bash: string;
  readonly code: string;
}

/** Enters the shell or runs a command in it. @returns its exit status */
export async function develop(
  context: Context,
  { installable, command, buildEnvironment, phase, environment: options }: DevelopRequest,
): Promise<number> {
  const ofBuild = buildEnvironment || phase !== undefined;
  const { bash, code } = await shellFor(context, installable, ofBuild);
  const plain = keep(context, code);
  const environment = chosenEnvironment(context.environment, options);
  const start = (script: string, ...args: readonly string[]): Promise<number> =>
    runProgram(context, [bash, "--noprofile", "--norc", "-c", script, "d2n", plain, ...args], {}, environment);
  if (phase !== undefined) return start(`. "$1"; ${phaseCode(phase)}`);
  if (command !== undefined) return start('_d2n_command=("${@:2}"); . "$1"; exec "${_d2n_command[@]}"', ...command);
  const interactive = keep(context, interactiveCode(code, { usersOwn: !options.ignore }));
  // The phases of a build are functions of bash; and without the user's environment none of their shells is asked for.
  const other =
    ofBuild || options.ignore
      ? undefined
      : otherShell(context.environment["SHELL"], (name, text) => keep(context, text, name));
  // Commands may come through a pipe as well: then there is no prompt and no start-up file.
  if (other !== undefined)
    return start(
      `if [ -t 0 ]; then _d2n_words=("\${@:2}"); . "$1"; ${other.script}\nelse . "$1"; . /dev/stdin; fi`,
      ...other.words,
    );
  return start('if [ -t 0 ]; then exec "$3" --rcfile "$2" -i; else . "$1"; . /dev/stdin; fi', interactive, bash);
}

/**
 * Shell code that makes a bash such a shell: `eval "$(d2n print-dev-env)"`. For a store that lies elsewhere it is what the shell
 * exports, its programs by launchers.
 */
export async function printDevEnv(
  context: Context,
  { installable, buildEnvironment }: Pick<DevelopRequest, "installable" | "buildEnvironment">,
): Promise<string> {
  const { bash, code } = await shellFor(context, installable, buildEnvironment);
  if (!context.chroot) return code;
  const { exportedCode } = await import("./develop/exported.ts");
  return exportedCode(context, bash, keep(context, code));
}

async function shellFor(context: Context, installable: string, buildEnvironmentWanted: boolean): Promise<Shell> {
  const drvPath = installable.endsWith(".drv") ? storePathOf(context, installable) : undefined;
  if (drvPath !== undefined) {
    const { buildEnvironment } = await import("./develop/environment.ts");
    return shellOf(context, installable, await buildEnvironment(context, drvPath));
  }
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
  return shellOf(context, installable, { environment, bash, outputs });
}

function shellOf(context: Context, installable: string, { environment, bash, outputs }: BuiltEnvironment): Shell {
  const code = shellCode({
    environment: readFileSync(context.toPhysical(environment), "utf8"),
    outputs,
    outputsFolder: join(context.cwd, "outputs"),
    projectFolder: projectFolder(context, installable),
  });
  return { bash, code };
}

function projectFolder(context: Context, installable: string): string | undefined {
  const { reference } = parseInstallable(installable);
  if (!isPathLike(reference)) return undefined;
  const { attributes, dir } = parseReference(reference);
  return resolve(context.cwd, String(attributes.get("path")), dir);
}

/**
 * A file with this code, which stays: shells that are open may still read it.
 * @param name of a file in a folder of its own
 */
function keep(context: Context, code: string, name?: string): string {
  const folder = join(context.directories.cache, "develop");
  const hash = createHash("sha256").update(code).digest("hex").slice(0, 32);
  const file = name === undefined ? join(folder, `${hash}.sh`) : join(folder, name);
  if (!existsSync(file) || (name !== undefined && readFileSync(file, "utf8") !== code)) {
    makeFolders(dirname(file));
    writeFileAtomically(file, code);
  }
  return file;
}
