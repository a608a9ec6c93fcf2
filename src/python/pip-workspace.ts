/** The folder that locking works in: an environment with the wanted pip, programs, copies of what cannot be written to. */
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * A virtual environment in which the interpreter finds the wanted pip and nothing else, made of links. Returns the program
 * to run with it.
 */
export function makeEnvironment(
  folder: string,
  request: { readonly interpreter: string; readonly pythonVersion: string },
  wheels: readonly { readonly folder: string }[],
): string {
  const [major, minor] = request.pythonVersion.split(".");
  const site = join(folder, "lib", `python${major}.${minor}`, "site-packages");
  mkdirSync(join(folder, "bin"), { recursive: true });
  mkdirSync(site, { recursive: true });
  for (const name of ["python", "python3", `python${major}.${minor}`])
    symlinkSync(request.interpreter, join(folder, "bin", name));
  writeFileSync(
    join(folder, "pyvenv.cfg"),
    `home = ${dirname(request.interpreter)}\ninclude-system-site-packages = false\nversion = ${request.pythonVersion}\n`,
  );
  for (const wheel of wheels)
    for (const name of readdirSync(wheel.folder))
      if (!existsSync(join(site, name))) symlinkSync(join(wheel.folder, name), join(site, name));
  const pip = join(folder, "bin", "pip");
  copyFileSync(scriptFile("start-pip.py"), pip);
  return pip;
}

/** One of the programs in Python that are part of d2n. */
export function scriptFile(name: string): string {
  return fileURLToPath(new URL(`scripts/${name}`, import.meta.url));
}

/** What git is partly written in: `git submodule` is a shell script. */
const gitHelpers = ["basename", "dirname", "expr", "grep", "sed", "uname"];

/** git and ssh of the machine, which the store need not have, without the rest of the machine's programs. */
export function hostPrograms(work: string, path = ""): string {
  const folder = join(work, "bin");
  mkdirSync(folder);
  for (const place of path.split(delimiter)) {
    if (!place.startsWith("/") || !existsSync(place)) continue;
    for (const name of namesIn(place))
      if ((/^(?:git|ssh)(?:-[a-z0-9-]+)?$/.test(name) || gitHelpers.includes(name)) && !existsSync(join(folder, name)))
        symlinkSync(join(place, name), join(folder, name));
  }
  return folder;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** pip writes into folders that it builds from, so one that cannot be written to (a store path) is copied. */
export function writableRequirement(
  text: string,
  work: string,
  copies: Map<string, string>,
  services: {
    readonly cwd: string;
    readonly storeDir: string;
    readonly physicalPath: (logical: string) => string;
  },
): string {
  const physical = text.startsWith(`${services.storeDir}/`) ? services.physicalPath(text) : resolve(services.cwd, text);
  const inStore = text.startsWith(`${services.storeDir}/`);
  if (!existsSync(physical) || !statSync(physical).isDirectory() || (!inStore && isWritable(physical))) return text;
  const copy = join(work, "copies", String(copies.size), basename(text));
  mkdirSync(dirname(copy), { recursive: true });
  cpSync(physical, copy, { recursive: true, verbatimSymlinks: true });
  makeWritable(copy);
  copies.set(copy, inStore ? text : physical);
  return copy;
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function makeWritable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) makeWritable(path);
    else if (entry.isFile()) chmodSync(path, 0o644);
  }
}

export function removeAll(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // A build may have left folders that are not writable.
    makeWritable(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Flags of pip that say where to look, and take a value. */
const placeFlags = new Set([
  "-i",
  "--index-url",
  "--extra-index-url",
  "-f",
  "--find-links",
  "--trusted-host",
  "--cert",
  "--client-cert",
  "--proxy",
  "--retries",
  "--timeout",
  "--keyring-provider",
]);

/** Those of pip's flags that say where to look, for fetching pip itself. */
export function indexFlags(flags: readonly string[]): string[] {
  return chosenFlags(flags, placeFlags, new Set(["--isolated"]));
}

/** Those of pip's flags that say where to look and what to prefer, for build requirements. */
export function searchFlags(flags: readonly string[]): string[] {
  return chosenFlags(
    flags,
    new Set([...placeFlags, "--use-feature", "--use-deprecated"]),
    new Set(["--isolated", "--no-index", "--pre", "--prefer-binary", "--no-cache-dir"]),
  );
}

function chosenFlags(flags: readonly string[], withValue: ReadonlySet<string>, alone: ReadonlySet<string>): string[] {
  const found: string[] = [];
  for (let i = 0; i < flags.length; i++) {
    const flag = flags[i]!;
    if (alone.has(flag) || withValue.has(flag.split("=")[0]!)) found.push(flag);
    if (withValue.has(flag) && i + 1 < flags.length) found.push(flags[++i]!);
  }
  return found;
}

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
