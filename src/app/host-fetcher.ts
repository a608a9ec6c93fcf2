/**
 * Sources out of git by the user's own git: its configuration (`url.….insteadOf`), credentials and agents count, and nothing has
 * to be built to fetch them.
 */
import { join } from "node:path";
import type { HostFetcher } from "../build/index.ts";
import { fetchGit } from "../fetchers/index.ts";
import type { Context } from "./context.ts";

/** Attributes of `fetchgit` that want more than the tree of a commit, which its builder in the sandbox does. */
const BEYOND_A_TREE = ["leaveDotGit", "deepClone", "sparseCheckout", "rootDir", "postFetch"];

export function gitHostFetcher(context: Context): HostFetcher {
  return {
    handles: ({ env }) =>
      env.get("hostFetcher") === "git" &&
      env.has("url") &&
      env.has("rev") &&
      BEYOND_A_TREE.every((name) => (env.get(name) ?? "") === ""),
    fetch: async ({ env }, destination, signal) => {
      const rev = env.get("rev")!;
      const commit = /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(rev);
      await fetchGit(
        {
          url: Buffer.from(env.get("url")!, "latin1").toString("utf8"),
          ...(commit ? { rev } : { ref: rev }),
          submodules: env.get("fetchSubmodules") === "1",
        },
        {
          environment: context.environment,
          signal,
          sink: context.sink,
          cacheDir: join(context.directories.cache, "git"),
          destination,
          offline: context.options.offline ?? false,
        },
      );
    },
  };
}
