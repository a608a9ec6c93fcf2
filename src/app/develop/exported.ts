/**
 * A development shell's environment for a shell that runs outside of a chroot store: its variables as they are, and a folder of
 * launchers in place of the folders of programs on PATH.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { D2nError, endWithThisProcess } from "../../base/index.ts";
import { writeLauncher } from "../../sandbox/index.ts";
import type { Context } from "../context.ts";
import { enterCommand } from "../enter.ts";

/** Variables of a shell's own. */
const OWN = new Set(["_", "SHLVL", "PWD", "OLDPWD", "PATH"]);

/** Exports for bash of what the code does to the variables. @param file the code */
export async function exportedCode(context: Context, bash: string, file: string): Promise<string> {
  const command = await enterCommand(context);
  const variables = await variablesAfter(context, [
    ...command,
    bash,
    "--noprofile",
    "--norc",
    "-c",
    '. "$1" >&2; exec env -0',
    "d2n",
    file,
  ]);
  const lines: string[] = [];
  for (const [name, value] of variables)
    if (!OWN.has(name) && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && context.environment[name] !== value)
      lines.push(`export ${name}=${quote(value)}`);
  const users = (context.environment["PATH"] ?? "").split(":");
  // What the shell adds; programs of the user's own need no launcher.
  const added = (variables.get("PATH") ?? "").split(":").filter((folder) => folder !== "" && !users.includes(folder));
  lines.push(`export PATH=${quote(launchers(context, command, bash, added))}"\${PATH:+:$PATH}"`);
  return `${lines.join("\n")}\n`;
}

/** A folder with a launcher for each program in these folders; the first of a name counts. */
function launchers(context: Context, command: readonly string[], bash: string, folders: readonly string[]): string {
  const programs = new Map<string, string>();
  for (const folder of folders) {
    const physical = context.toPhysical(folder);
    if (!existsSync(physical) || !statSync(physical).isDirectory()) continue;
    for (const name of readdirSync(physical)) if (!programs.has(name)) programs.set(name, join(folder, name));
  }
  const id = createHash("sha256")
    .update(JSON.stringify([command, bash, [...programs]]))
    .digest("hex")
    .slice(0, 32);
  const parent = join(context.directories.data, "launchers");
  const place = join(parent, id);
  if (existsSync(place)) return place;
  const temporary = `${place}.${process.pid}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  const { storeDir } = context;
  for (const [name, program] of programs)
    writeLauncher({
      file: join(temporary, name),
      program,
      command,
      storeDir,
      inside: program.startsWith(`${storeDir}/`) ? program : (interpreter(program, storeDir) ?? bash),
    });
  try {
    renameSync(temporary, place);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(place)) throw error;
  }
  return place;
}

/** The program of the store that runs a script of the project: where that is, the script runs. */
function interpreter(script: string, storeDir: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(script, "latin1");
  } catch {
    // A folder, or nothing for this user.
    return undefined;
  }
  const word = /^#!\s*(\S+)/.exec(text)?.[1];
  return word?.startsWith(`${storeDir}/`) === true ? word : undefined;
}

function variablesAfter(context: Context, argv: readonly string[]): Promise<ReadonlyMap<string, string>> {
  return new Promise((done, reject) => {
    const child = spawn(argv[0]!, argv.slice(1), {
      cwd: context.cwd,
      env: context.environment,
      stdio: ["ignore", "pipe", "pipe"],
      signal: context.signal,
    });
    endWithThisProcess(child, { group: false });
    let [output, errors] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code !== 0)
        return reject(
          new D2nError("develop", "the shell's own code (`shellHook`) failed", { details: errors.trimEnd() }),
        );
      for (const line of errors.split("\n"))
        if (line !== "") context.sink({ type: "message", level: "notice", text: line });
      done(
        new Map(
          output
            .split("\0")
            .flatMap((entry): [string, string][] =>
              entry.includes("=") ? [[entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]] : [],
            ),
        ),
      );
    });
  });
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
