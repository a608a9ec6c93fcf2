import { InfiniteRecursionError } from "../lang/index.ts";

/**
 * A native value that is computed when first asked for. Asking for it while it is being computed is an infinite recursion of
 * the configuration; after a failure the next one who asks sees it again.
 */
export function once<T>(compute: () => T): () => T {
  let state: "new" | "running" | "done" = "new";
  let result: T;
  return () => {
    if (state === "done") return result;
    if (state === "running") throw new InfiniteRecursionError();
    state = "running";
    try {
      result = compute();
      state = "done";
      return result;
    } finally {
      if (state === "running") state = "new";
    }
  };
}
