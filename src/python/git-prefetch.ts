/** The hash of a git commit's tree, as nix-prefetch-git computes it. */
import { lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
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
}

/**
 * Checks a commit out, with its submodules where it has some (as `fetchgit` will, and pip did), removes every `.git`, and
 * hashes what is left.
 * @throws D2nError `lock-git-failed` with git's own words
 */
export async function prefetchGit(url: string, rev: string, services: GitServices): Promise<string> {
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
    if (readdirSync(tree).includes(".gitmodules"))
      await must("-C", tree, "submodule", "update", "-q", "--init", "--recursive", "--depth=1");
    removeGitFolders(tree);
    const { hash } = await hashNar(tree);
    activity.stop(true);
    return encodeBase32(hash.bytes);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function removeGitFolders(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name === ".git") rmSync(path, { recursive: true, force: true });
    else if (lstatSync(path).isDirectory()) removeGitFolders(path);
  }
}
