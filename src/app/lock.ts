/** Locking in this process: what `bin/refresh` of a package's `.lock` describes. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseLockSpec, type Run, runLockFields, runOnHost } from "../python/index.ts";
import type { Context } from "./context.ts";
import { D2nLock } from "./d2n-lock.ts";
import { enterStore } from "./enter.ts";

/** @throws D2nError; the old lock file is as it was then */
export async function runLock(context: Context, specText: string): Promise<void> {
  const spec = parseLockSpec(specText);
  const scratchParent = join(context.directories.cache, "tmp");
  mkdirSync(scratchParent, { recursive: true });
  const temporaryDir = mkdtempSync(join(scratchParent, "lock-"));
  const prefix = await enterStore(context);
  const run: Run = (argv, options) => runOnHost([...prefix, ...argv], options);
  const d2nLock = D2nLock.read(join(context.cwd, "d2n.lock"));
  try {
    const store = await context.store();
    const result = await runLockFields(spec, {
      run,
      runOnHost,
      physicalPath: (path) => context.toPhysical(path),
      storeDir: context.storeDir,
      environment: context.environment,
      cwd: context.cwd,
      cacheDir: join(context.directories.cache, "lock"),
      temporaryDir,
      events: context.sink,
      signal: context.signal,
      recordedHashes: d2nLock.recordedHashes(),
      describeStorePath: async (path) => {
        for (const drv of await store.queryDerivers(path)) {
          const derivation = await store.readDerivation(drv);
          const output = [...derivation.outputs.values()].find((one) => one.path === path);
          const url = derivation.env.get("url") ?? derivation.env.get("urls")?.split(" ")[0];
          if (output !== undefined && output.hash !== "" && output.hashAlgo.endsWith("sha256") && url !== undefined) return { url, sha256: output.hash };
        }
        return undefined;
      },
    });
    if (result.newHashes.size > 0) {
      for (const [name, sha256] of result.newHashes) d2nLock.recordHash(name, sha256);
      d2nLock.write();
    }
  } finally {
    rmSync(temporaryDir, { recursive: true, force: true });
  }
}

/** `d2n lock-fields FILE`: what `bin/refresh` calls. */
export async function runLockFile(context: Context, file: string): Promise<void> {
  await runLock(context, readFileSync(file, "utf8"));
}
