/**
 * Git through the user's own `git` program, so that the user's configuration, credentials and `url.….insteadOf` count.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Activity, D2nError, type EventSink, InterruptedError, redactCredentials, makeFolders } from "../base/index.ts";
import type { Environment } from "./types.ts";

export interface GitContext {
  readonly environment: Environment;
  readonly signal?: AbortSignal | undefined;
}

interface GitResult {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs git without prompts and in plain English. @throws D2nError `git-missing`, `interrupted` */
export async function runGit(
  args: readonly string[],
  context: GitContext,
  options: { cwd?: string; input?: string | Uint8Array } = {},
): Promise<GitResult> {
  const env: Record<string, string> = { GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C" };
  for (const [name, value] of Object.entries(context.environment))
    if (value !== undefined && !(name in env)) env[name] = value;
  // A repository named by the environment (a hook's, say) is not the one that is asked about.
  for (const name of ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"]) delete env[name];
  return new Promise((resolve, reject) => {
    const child = spawn("git", args, {
      cwd: options.cwd,
      env,
      stdio: ["pipe", "pipe", "pipe"],
      signal: context.signal,
    });
    const out: Buffer[] = [];
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString("utf8");
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (error.name === "AbortError") reject(new InterruptedError());
      else if (error.code === "ENOENT" && (options.cwd === undefined || existsSync(options.cwd)))
        reject(
          new D2nError("git-missing", "the program `git` was not found", {
            hint: "Install git, or use `path:` flake references, which need none.",
          }),
        );
      else reject(error);
    });
    child.on("close", (status) => resolve({ status: status ?? 1, stdout: Buffer.concat(out), stderr }));
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
  });
}

async function gitOutput(
  args: readonly string[],
  context: GitContext,
  cwd: string,
  input?: Uint8Array,
): Promise<Buffer> {
  const { status, stdout, stderr } = await runGit(args, context, input === undefined ? { cwd } : { cwd, input });
  if (status !== 0) throw gitError(args, stderr);
  return stdout;
}

function gitError(args: readonly string[], stderr: string): D2nError {
  const words = redactCredentials(stderr.trim());
  const ownership = /dubious ownership/.test(words);
  const offline = /Could not resolve host|unable to access|Could not read from remote/i.test(words);
  return new D2nError(
    "git-failed",
    `\`git ${redactCredentials(args.find((arg) => !arg.startsWith("-")) ?? "")}\` failed`,
    {
      details: words,
      hint: ownership
        ? "The repository belongs to another user; git says above how to trust it."
        : offline
          ? "Check the network, the address, and your access to it; d2n asks git without prompting for passwords."
          : undefined,
    },
  );
}

/** The state of a checkout that somebody works in. */
export interface WorkingTree {
  /** The top folder of the checkout. */
  readonly root: string;
  /** Tracked files relative to the root (in the index and on disk), in the order of the index, as byte strings. */
  readonly files: readonly string[];
  /** The commit that is checked out; undefined before the first one. */
  readonly head: string | undefined;
  /** Whether tracked files differ from `head`. */
  readonly dirty: boolean;
}

/** The top of the git checkout that a folder lies in, if it lies in one. */
export async function findCheckout(directory: string, context: GitContext): Promise<string | undefined> {
  const { status, stdout, stderr } = await runGit(["rev-parse", "--show-toplevel"], context, { cwd: directory });
  if (status === 0) return stdout.toString("utf8").replace(/\n$/, "");
  if (/not a git repository/i.test(stderr)) return undefined;
  throw gitError(["rev-parse"], stderr);
}

/** Reads the state of a checkout. Submodules are left out, as Nix leaves them out unless asked. */
export async function readWorkingTree(
  root: string,
  context: GitContext,
  { submodules = false, exportIgnore = false }: { submodules?: boolean; exportIgnore?: boolean } = {},
): Promise<WorkingTree> {
  const [tracked, status] = await Promise.all([
    trackedFiles(root, context, submodules),
    gitOutput(STATUS, context, root),
  ]);
  const ignored = exportIgnore ? await exportIgnored(tracked, root, [], context) : undefined;
  const files =
    ignored === undefined ? tracked : tracked.filter((file) => !pathAndFolders(file).some((path) => ignored.has(path)));
  const lines = status.toString("latin1").split("\0");
  const head = lines.find((line) => line.startsWith(COMMIT))?.slice(COMMIT.length);
  return {
    root,
    files,
    head: head === "(initial)" ? undefined : head,
    dirty: lines.some((line) => line !== "" && !line.startsWith("#")),
  };
}

const STATUS = [
  "status",
  "--porcelain=v2",
  "--branch",
  "--no-ahead-behind",
  "-z",
  "--untracked-files=no",
  "--ignore-submodules",
];
/** The line of such a status that has the commit. */
const COMMIT = "# branch.oid ";

/** The files of a checkout's index, in its order, as byte strings; of submodules, too, if they are asked for and checked out. */
export async function trackedFiles(root: string, context: GitContext, submodules = false): Promise<string[]> {
  const listing = await gitOutput(["ls-files", "-z", "--stage"], context, root);
  const files: string[] = [];
  for (const entry of listing.toString("latin1").split("\0")) {
    const tab = entry.indexOf("\t");
    if (tab <= 0) continue;
    const name = entry.slice(tab + 1);
    // Mode 160000 is a submodule.
    if (entry.startsWith("160000")) {
      const folder = join(root, Buffer.from(name, "latin1").toString("utf8"));
      if (submodules && existsSync(join(folder, ".git")))
        for (const file of await trackedFiles(folder, context, true)) files.push(`${name}/${file}`);
      // A file in conflict has several stages but one name.
    } else if (files.at(-1) !== name) files.push(name);
  }
  return files;
}

/** A path and the folders that it is in. */
function pathAndFolders(path: string): string[] {
  const paths = [path];
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1))
    paths.push(path.slice(0, slash));
  return paths;
}

/** Those of some files, and of the folders that they are in, that `.gitattributes` gives the attribute `export-ignore`. */
async function exportIgnored(
  files: readonly string[],
  root: string,
  repository: readonly string[],
  context: GitContext,
): Promise<ReadonlySet<string>> {
  if (!files.some((file) => /(^|\/)\.gitattributes$/.test(file))) return new Set();
  const paths = new Set(files.flatMap(pathAndFolders));
  const input = Buffer.from([...paths].map((path) => `${path}\0`).join(""), "latin1");
  const args = [...repository, "check-attr", "-z", "--stdin", ...(repository.length > 0 ? ["--cached"] : [])];
  const told = (await gitOutput([...args, "export-ignore"], context, root, input)).toString("latin1").split("\0");
  const ignored = new Set<string>();
  for (let i = 0; i + 2 < told.length; i += 3) if (told[i + 2] === "set") ignored.add(told[i]!);
  return ignored;
}

/** Whether history ends before its beginning there. */
export async function isShallow(root: string, context: GitContext): Promise<boolean> {
  return (await gitOutput(["rev-parse", "--is-shallow-repository"], context, root)).toString("utf8").trim() === "true";
}

/** Commit time in seconds since 1970, and how many commits lead to it, as far as the repository knows. */
export async function describeCommit(
  root: string,
  commit: string,
  context: GitContext,
): Promise<{ lastModified: number; revCount: number }> {
  const [time, count] = await Promise.all([
    gitOutput(["log", "-1", "--format=%ct", "--no-show-signature", commit], context, root),
    gitOutput(["rev-list", "--count", commit], context, root),
  ]);
  return { lastModified: Number(time.toString("utf8")), revCount: Number(count.toString("utf8")) };
}

/** The branch that is checked out, `refs/heads/…`; undefined where a commit is checked out by itself. */
export async function currentBranch(root: string, context: GitContext): Promise<string | undefined> {
  const { status, stdout } = await runGit(["symbolic-ref", "-q", "HEAD"], context, { cwd: root });
  return status === 0 ? stdout.toString("utf8").trim() : undefined;
}

/** Paths below a folder of a checkout that exist on disk but that git does not track and does not ignore. */
export async function untrackedFiles(root: string, context: GitContext): Promise<string[]> {
  const listing = await gitOutput(["ls-files", "-z", "--others", "--exclude-standard"], context, root);
  return listing
    .toString("utf8")
    .split("\0")
    .filter((name) => name !== "");
}

/** Lets git know of new files without adding their content, as Nix does with lock files. */
export async function addIntent(root: string, files: readonly string[], context: GitContext): Promise<void> {
  await gitOutput(["add", "--intent-to-add", "--", ...files], context, root);
}

export interface GitFetchRequest {
  /** As git takes it: `https://…`, `ssh://…`, `file:///…`. */
  readonly url: string;
  readonly ref?: string | undefined;
  readonly rev?: string | undefined;
  readonly submodules?: boolean | undefined;
  readonly shallow?: boolean | undefined;
  readonly allRefs?: boolean | undefined;
  /** Without what `.gitattributes` marks `export-ignore`. */
  readonly exportIgnore?: boolean | undefined;
}

export interface GitFetchResult {
  /** An empty-of-git checkout of the commit; the caller deletes it. */
  readonly directory: string;
  readonly rev: string;
  readonly ref: string | undefined;
  readonly lastModified: number;
  readonly revCount: number;
}

/**
 * Fetches a commit into a bare repository under `cacheDir` (one a URL) and checks it out to `destination`.
 * @throws D2nError `git-failed` with git's words, `git-missing`
 */
export async function fetchGit(
  request: GitFetchRequest,
  options: GitContext & {
    readonly cacheDir: string;
    readonly destination: string;
    readonly sink: EventSink;
    readonly offline?: boolean;
  },
): Promise<GitFetchResult> {
  const { url, submodules = false } = request;
  // A repository that was fetched without its history does not know how long that is.
  const identity = request.shallow === true ? `${url}\0shallow` : url;
  const key = createHash("sha256").update(identity).digest("hex").slice(0, 32);
  const bare = join(options.cacheDir, key);
  if (!existsSync(join(bare, "HEAD"))) {
    makeFolders(bare);
    await gitOutput(["init", "-q", "--bare", "."], options, bare);
  }
  const has = async (rev: string): Promise<boolean> =>
    (await runGit(["cat-file", "-e", `${rev}^{commit}`], options, { cwd: bare })).status === 0;

  let rev = request.rev;
  let ref = request.ref;
  if (rev === undefined || !(await has(rev))) {
    if (options.offline)
      throw new D2nError("offline", `\`${redactCredentials(url)}\` has to be fetched, but d2n runs with --offline`);
    using activity = new Activity(options.sink, "fetch-git", redactCredentials(url));
    ref ??= rev === undefined || request.allRefs ? await defaultBranch(url, options) : undefined;
    const name = ref ?? "HEAD";
    const spec = /^(refs\/|HEAD$)/.test(name) ? name : undefined;
    // A branch or a tag: a bare name may be either.
    const tries =
      rev !== undefined && !request.allRefs
        ? [[rev], ["+refs/*:refs/d2n/*"]]
        : request.allRefs
          ? [["+refs/*:refs/d2n/*"]]
          : spec !== undefined
            ? [[`+${spec}:refs/d2n/fetched`]]
            : [
                [`+refs/heads/${name}:refs/d2n/fetched`],
                [`+refs/tags/${name}:refs/d2n/fetched`],
                [`+${name}:refs/d2n/fetched`],
              ];
    let failure: GitResult | undefined;
    for (const refs of tries) {
      const result = await runGit(
        [
          "fetch",
          "-q",
          "--force",
          "--no-tags",
          "--no-recurse-submodules",
          ...(request.shallow ? ["--depth=1"] : []),
          "--",
          url,
          ...refs,
        ],
        options,
        { cwd: bare },
      );
      failure = result.status === 0 ? undefined : (failure ?? result);
      if (result.status === 0) {
        failure = undefined;
        break;
      }
    }
    if (failure !== undefined) throw gitError(["fetch", url], failure.stderr);
    if (rev === undefined)
      rev = (
        await gitOutput(
          ["rev-parse", "--verify", request.allRefs ? `refs/d2n/heads/${name}^{commit}` : "refs/d2n/fetched^{commit}"],
          options,
          bare,
        )
      )
        .toString("utf8")
        .trim();
    else if (!(await has(rev)))
      throw new D2nError(
        "git-failed",
        `\`${redactCredentials(url)}\` has no commit ${rev}${ref === undefined ? "" : ` on \`${ref}\``}`,
        {
          hint: "The commit may have been removed from the repository, or lie on a branch that was not fetched.",
        },
      );
    activity.stop(true);
  }
  const { lastModified, revCount } = await describeCommit(bare, rev, options);
  makeFolders(options.destination);
  // autocrlf and filters of the user's must not change what a commit looks like.
  const plain = ["-c", "core.autocrlf=false", "-c", "core.symlinks=true"];
  await gitOutput(
    [...plain, `--git-dir=${bare}`, `--work-tree=${options.destination}`, "read-tree", rev],
    options,
    bare,
  );
  await gitOutput(
    [
      ...plain,
      `--git-dir=${bare}`,
      `--work-tree=${options.destination}`,
      "checkout-index",
      "--all",
      "--force",
      "--quiet",
    ],
    options,
    bare,
  );
  if (request.exportIgnore === true) await removeExportIgnored(bare, options);
  if (submodules) await checkOutSubmodules(bare, url, rev, options);
  return { directory: options.destination, rev, ref, lastModified, revCount };
}

async function defaultBranch(url: string, context: GitContext): Promise<string | undefined> {
  const { status, stdout, stderr } = await runGit(["ls-remote", "--symref", "--", url, "HEAD"], context);
  if (status !== 0) throw gitError(["ls-remote", url], stderr);
  return /^ref: refs\/heads\/(\S+)\tHEAD/m.exec(stdout.toString("utf8"))?.[1];
}

async function removeExportIgnored(
  bare: string,
  options: GitContext & { readonly destination: string },
): Promise<void> {
  const { destination } = options;
  const repository = [`--git-dir=${bare}`, `--work-tree=${destination}`];
  const files = (await gitOutput([...repository, "ls-files", "-z"], options, destination))
    .toString("latin1")
    .split("\0")
    .filter((name) => name !== "");
  const { rmSync } = await import("node:fs");
  for (const path of await exportIgnored(files, destination, repository, options))
    rmSync(join(destination, Buffer.from(path, "latin1").toString("utf8")), { recursive: true, force: true });
}

/** A real clone is the only thing that knows how to find submodules; its `.git` files go afterwards. */
async function checkOutSubmodules(
  bare: string,
  url: string,
  rev: string,
  options: GitContext & { readonly destination: string },
): Promise<void> {
  if (!existsSync(join(options.destination, ".gitmodules"))) return;
  const { rmSync, readdirSync } = await import("node:fs");
  rmSync(options.destination, { recursive: true, force: true });
  // What no branch leads to is not cloned.
  await gitOutput(["update-ref", `refs/heads/d2n/${rev}`, rev], options, bare);
  await gitOutput(["clone", "-q", "--no-checkout", "--", bare, options.destination], options, bare);
  // Where a submodule is may be told relative to the repository.
  await gitOutput(["remote", "set-url", "origin", url], options, options.destination);
  await gitOutput(["checkout", "-q", "--detach", rev], options, options.destination);
  await gitOutput(
    ["-c", "protocol.file.allow=always", "submodule", "update", "-q", "--init", "--recursive"],
    options,
    options.destination,
  );
  const strip = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true }))
      if (entry.name === ".git") rmSync(join(directory, entry.name), { recursive: true, force: true });
      else if (entry.isDirectory()) strip(join(directory, entry.name));
  };
  strip(options.destination);
}

/** Commits files as they are on disk, and nothing else. @throws D2nError `git-failed` */
export async function commitFiles(
  root: string,
  files: readonly string[],
  message: string,
  context: GitContext,
): Promise<void> {
  const words = ["commit", "-q", "-F", "-", "--", ...files];
  const { status, stderr } = await runGit(words, context, { cwd: root, input: message });
  if (status !== 0) throw gitError(words, stderr);
}

/**
 * A checkout of its own of a repository, on a branch, tag or commit.
 * @throws D2nError `git-failed` with git's words, `git-missing`
 */
export async function cloneRepository(
  url: string,
  destination: string,
  context: GitContext & { readonly ref: string | undefined; readonly rev: string | undefined },
): Promise<void> {
  const branch = context.ref?.replace(/^refs\/(?:heads|tags)\//, "");
  const words = ["clone", "-q", ...(branch === undefined ? [] : ["--branch", branch]), "--", url, destination];
  const { status, stderr } = await runGit(words, context);
  if (status !== 0) throw gitError(["clone", url], stderr);
  if (context.rev !== undefined) await gitOutput(["checkout", "-q", context.rev], context, destination);
}
