/** The hash of a git commit's tree, as nix-prefetch-git computes it. */
import { lstatSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Activity, D2nError, type EventSink, isSystemError, redactCredentials } from "../base/index.ts";
import { encodeBase32, hashNar } from "../formats/index.ts";
import type { Run } from "./run.ts";

export interface GitServices {
  /** Runs git on the machine itself. */
  readonly run: Run;
  readonly environment: Readonly<Record<string, string>>;
  readonly temporaryDir: string;
  readonly events: EventSink;
  readonly signal?: AbortSignal | undefined;
  /** A folder that does not exist yet, in which the tree stays, with its submodules. */
  readonly keepIn?: string | undefined;
}

export interface GitTree {
  /** Nix' base 32, of the tree without its submodules: as nix-prefetch-git does unless told otherwise. */
  readonly sha256: string;
  /** The same of the tree with them; undefined if there are none. */
  readonly submodules: string | undefined;
}

/**
 * Checks a commit out, removes every `.git`, and hashes what is left: without submodules, whose folders are empty then, and
 * with them where there are some, since pip had them.
 * @throws D2nError `lock-git-failed` with git's own words
 */
export async function prefetchGit(url: string, rev: string, services: GitServices): Promise<GitTree> {
  const { events } = services;
  using activity = new Activity(events, "fetch-git", redactCredentials(url));
  const work = mkdtempSync(join(services.temporaryDir, "d2n-git-"));
  const tree = join(work, "tree");
  const lines: string[] = [];
  const git = async (...args: string[]): Promise<number> => {
    try {
      return await runGit(args);
    } catch (error) {
      if (!isSystemError(error, "ENOENT")) throw error;
      throw new D2nError("lock-git-failed", "git is not installed, or not on PATH", {
        hint: `It is needed to lock ${redactCredentials(url)}.`,
      });
    }
  };
  const runGit = (args: readonly string[]): Promise<number> =>
    services.run(["git", "-c", "core.autocrlf=false", "-c", "advice.detachedHead=false", ...args], {
      env: { ...services.environment, GIT_TERMINAL_PROMPT: "0", GIT_LFS_SKIP_SMUDGE: "1" },
      cwd: work,
      onLine: (line) => {
        lines.push(redactCredentials(line));
        activity.log(redactCredentials(line));
      },
      signal: services.signal,
    });
  const must = async (...args: string[]): Promise<void> => {
    if ((await git(...args)) === 0) return;
    throw new D2nError("lock-git-failed", `git could not fetch ${rev} of ${redactCredentials(url)}`, {
      details: lines.slice(-15).join("\n"),
      hint: "Try the same with git itself: is the address right, and may you read the repository?",
    });
  };
  try {
    await must("init", "-q", tree);
    await must("-C", tree, "remote", "add", "origin", url);
    // Few servers refuse to hand out a single commit; those give everything.
    if ((await git("-C", tree, "fetch", "-q", "--depth=1", "origin", rev)) !== 0) {
      lines.length = 0;
      await must("-C", tree, "fetch", "-q", "--tags", "origin", "+refs/*:refs/remotes/origin/*");
    }
    await must("-C", tree, "checkout", "-q", "--detach", rev);
    const plain = await hashWithoutGit(tree);
    let submodules: string | undefined;
    if (readdirSync(tree).includes(".gitmodules")) {
      await must("-C", tree, "submodule", "update", "-q", "--init", "--recursive", "--depth=1");
      const whole = await hashWithoutGit(tree);
      if (whole !== plain) submodules = whole;
    }
    activity.stop(true);
    if (services.keepIn !== undefined) {
      removeGitFolders(tree);
      renameSync(tree, services.keepIn);
    }
    return { sha256: plain, submodules };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** NAR hash of the tree, but for everything called `.git`. */
async function hashWithoutGit(tree: string): Promise<string> {
  const { hash } = await hashNar(tree, { filter: (path) => !/(?:^|\/)\.git$/.test(path) });
  return encodeBase32(hash.bytes);
}

function removeGitFolders(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name === ".git") rmSync(path, { recursive: true, force: true });
    else if (lstatSync(path).isDirectory()) removeGitFolders(path);
  }
}
