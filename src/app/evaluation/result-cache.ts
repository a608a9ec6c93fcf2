/**
 * Results of evaluation, kept while nothing that they came from has changed: then a second `d2n build` evaluates nothing.
 *
 * What they came from is a project folder: the files that git tracks (or all, outside of git), its commit, its lock files. A
 * result is kept with a look at every one of them (size, times, inode), and recalled only if a second look sees the same. Inputs
 * are what the lock says, so they need no look; but a `d2n.lock` that lies beside one on this machine does.
 * Git's own index tells whether the list of files is still the same, so that no git has to run.
 */
import { createHash } from "node:crypto";
import { type BigIntStats, existsSync, lstatSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { writeFileAtomically } from "../../base/index.ts";
import { isPathLike, parseReference } from "../../flake/syntax.ts";
import type { Context } from "../context.ts";
import { version } from "../version.ts";
import type { Job, JobResult, ProjectMessage } from "./protocol.ts";
import { wantedByContext } from "./wanted.ts";

interface Entry {
  readonly root: string;
  readonly dir: string;
  /** Looks at the files that say which files count and what commit it is. */
  readonly state: readonly (readonly [string, string])[];
  readonly files: readonly (readonly [string, string])[];
  /** Files outside of the project; they are part of `state`, too. */
  readonly watched: readonly string[];
  /** Of the contents themselves: see `recallUnchanged`. */
  readonly fingerprint: string;
  readonly result: JobResult;
}

/** The result of the same job on the same files, if there is one. */
export function recallResult(context: Context, job: Job): JobResult | undefined {
  if (context.options.noEvalCache) return undefined;
  const place = placeOf(context, job);
  if (place === undefined) return undefined;
  const entry = readEntry(place);
  if (entry === undefined) return undefined;
  for (const [file, seen] of entry.state) if (lookThrough(file) !== seen) return undefined;
  for (const [file, seen] of entry.files)
    if (look(join(entry.root, Buffer.from(file, "latin1").toString("utf8"))) !== seen) return undefined;
  if (!existsSync(join(entry.root, ".git"))) {
    const now = filesBelow(entry.root);
    if (now.length !== entry.files.length) return undefined;
  }
  return isThere(context, entry.result) ? entry.result : undefined;
}

/** What is kept at a place; undefined also if it is damaged. */
function readEntry(place: string): Entry | undefined {
  try {
    return JSON.parse(readFileSync(place, "utf8")) as Entry;
  } catch {
    return undefined;
  }
}

/** Whether the store still has the derivations of a kept result. */
function isThere(context: Context, { value }: JobResult): boolean {
  const wanted =
    value.type === "derivation"
      ? [value.derivation.drvPath]
      : "context" in value
        ? wantedByContext(value.context).flatMap((one) => ("drvPath" in one ? [one.drvPath] : []))
        : [];
  return wanted.every((path) => context.onDisk(path));
}

/** Whether there was a result of the same job, so that it may be worth a closer look at what has changed. */
export function hasResult(context: Context, job: Job): boolean {
  if (context.options.noEvalCache) return false;
  const place = placeOf(context, job);
  return place !== undefined && existsSync(place);
}

/**
 * The result of the same job on files that were touched but have the same contents, as after `git stash` and back. Costs a
 * look into every file of the project, which evaluation would have needed as well.
 */
export function recallUnchanged(
  context: Context,
  job: Job,
  project: ProjectMessage,
): Pick<Entry, "result" | "watched"> | undefined {
  const place = placeOf(context, job);
  if (place === undefined) return undefined;
  const entry = readEntry(place);
  if (entry === undefined) return undefined;
  const { fingerprint, watched, result } = entry;
  return fingerprint === fingerprintOf(context, project, watched) && isThere(context, result)
    ? { result, watched }
    : undefined;
}

/** All that evaluation knows of a project: its tree by content, its commit, its lock files, the settings. */
function fingerprintOf(context: Context, project: ProjectMessage, watched: readonly string[]): string {
  const { root, dir } = project;
  const text = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, "latin1") : undefined);
  const facts = [
    project,
    root === undefined ? undefined : text(join(root, dir, "d2n.lock")),
    text(context.directories.configurationFile),
    watched.map((file) => [file, text(file)]),
  ];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}

/** What a session knows of the world that its result came from. */
export interface Provenance {
  readonly project: ProjectMessage | undefined;
  /** Files outside of the project that were read, or looked for. */
  readonly watched: readonly string[];
  /** Whether an input was taken as it is now. */
  readonly unlocked: boolean;
}

/** Keeps a result, unless something changed while it was made, or may change unseen. */
export async function rememberResult(
  context: Context,
  job: Job,
  { project, watched, unlocked }: Provenance,
  result: JobResult,
): Promise<void> {
  const place = placeOf(context, job);
  if (place === undefined || project?.root === undefined || result.impure || result.value.type === "tree") return;
  // What has just been locked is locked from now on, if that was written down.
  if (unlocked && (result.newLockFile === undefined || context.options.noWriteLockFile === true)) return;
  const { root, dir } = project;
  const git = gitFolder(root);
  const { trackedFiles } = await import("../../fetchers/index.ts");
  const files =
    git === undefined
      ? filesBelow(root)
      : await trackedFiles(root, { environment: context.environment, signal: context.signal });
  // A file changed since evaluation began could have been read before or after.
  const started = evaluationStart(context) - CLOCK_STEP;
  for (const file of files) {
    if (/(^|\/)(flake|d2n)\.lock$/.test(file)) continue;
    const path = join(root, Buffer.from(file, "latin1").toString("utf8"));
    if (existsSync(path) && Math.max(lstatSync(path).mtimeMs, lstatSync(path).ctimeMs) > started) return;
  }
  for (const path of watched)
    if (existsSync(path) && Math.max(statSync(path).mtimeMs, statSync(path).ctimeMs) > started) return;
  const state = [
    ...watched,
    join(root, dir, "flake.lock"),
    join(root, dir, "d2n.lock"),
    context.directories.configurationFile,
    ...(git === undefined ? [] : gitState(git)),
  ];
  const entry: Entry = {
    root,
    dir,
    state: state.map((file) => [file, lookThrough(file)] as const),
    files: files.map((file) => [file, look(join(root, Buffer.from(file, "latin1").toString("utf8")))] as const),
    watched,
    fingerprint: fingerprintOf(context, project, watched),
    result: { ...result, newLockFile: undefined, lockChanges: [], newPins: undefined },
  };
  writeFileAtomically(place, JSON.stringify(entry), { lasting: false });
}

/** Adds the paths of the built outputs to a kept result. */
export function rememberOutputs(context: Context, job: Job, outputPaths: readonly (readonly [string, string])[]): void {
  const place = placeOf(context, job);
  const entry = place === undefined ? undefined : readEntry(place);
  if (place === undefined || entry === undefined) return;
  if (JSON.stringify(entry.result.outputPaths) === JSON.stringify(outputPaths)) return;
  writeFileAtomically(place, JSON.stringify({ ...entry, result: { ...entry.result, outputPaths } }), {
    lasting: false,
  });
}

/** Milliseconds by which a file's time may lie behind: kernels take it from a clock that goes in steps. */
const CLOCK_STEP = 20;

const starts = new WeakMap<Context, number>();

/** When this context began to evaluate, in milliseconds since 1970. */
function evaluationStart(context: Context): number {
  return starts.get(context) ?? 0;
}

function placeOf(context: Context, job: Job): string | undefined {
  if (!starts.has(context)) starts.set(context, Date.now());
  if (!isPathLike(job.reference) || !job.settings.pure) return undefined;
  const reference = parseReference(job.reference);
  const folder = resolve(context.cwd, String(reference.attributes.get("path")), reference.dir);
  const { D2N_DEBIAN_MIRROR, D2N_DEBIAN_SECURITY_MIRROR } = context.environment;
  // The files of d2n itself, so that one that was built anew (or another of the same version) starts afresh.
  const key = JSON.stringify([
    version,
    look(fileURLToPath(new URL("./worker.bundle.cjs", import.meta.url))),
    folder,
    { ...job, reference: "" },
    context.storeRoot,
    D2N_DEBIAN_MIRROR,
    D2N_DEBIAN_SECURITY_MIRROR,
  ]);
  return join(context.directories.cache, "evaluation", `${createHash("sha256").update(key).digest("hex")}.json`);
}

/** Identity of a file's content, as far as a look at its inode tells; "" if it is not there. */
function look(path: string): string {
  let stat: BigIntStats;
  try {
    stat = lstatSync(path, { bigint: true });
  } catch {
    return "";
  }
  return `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.mode}`;
}

/** The same for files that are read through links. */
function lookThrough(path: string): string {
  const seen = look(path);
  let target: string;
  try {
    target = realpathSync(path);
  } catch {
    return seen;
  }
  return target === path ? seen : `${seen} ${target} ${look(target)}`;
}

/** The git directory of a checkout; undefined outside of git. */
function gitFolder(root: string): string | undefined {
  const path = join(root, ".git");
  if (!existsSync(path)) return undefined;
  if (statSync(path).isDirectory()) return path;
  const target = /^gitdir: (.*)$/m.exec(readFileSync(path, "utf8"))?.[1];
  return target === undefined ? undefined : resolve(root, target);
}

/** Files that change when the list of tracked files or the commit does. */
function gitState(git: string): string[] {
  const files = [join(git, "index"), join(git, "HEAD"), join(git, "packed-refs")];
  try {
    const ref = /^ref: (.*)$/m.exec(readFileSync(join(git, "HEAD"), "utf8"))?.[1];
    if (ref !== undefined) {
      const common = existsSync(join(git, "commondir"))
        ? resolve(git, readFileSync(join(git, "commondir"), "utf8").trim())
        : git;
      files.push(join(common, ref), join(common, "packed-refs"));
    }
  } catch {
    // A damaged repository will be git's to complain about.
  }
  return files;
}

function filesBelow(root: string): string[] {
  const found: string[] = [];
  const walk = (folder: string, prefix: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      // Written by development shells, and no source.
      if (entry.name === ".dream2nix") continue;
      const name = `${prefix}${entry.name}`;
      found.push(Buffer.from(name, "utf8").toString("latin1"));
      if (entry.isDirectory()) walk(join(folder, entry.name), `${name}/`);
    }
  };
  walk(root, "");
  return found;
}
