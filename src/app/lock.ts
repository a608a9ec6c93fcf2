/** Locking in this process: what `bin/refresh` of a package's `.lock` describes. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { addIntent } from "../fetchers/index.ts";
import { parseHash } from "../formats/index.ts";
import {
  type LockResult,
  type LockServices,
  parseLockSpec,
  type Run,
  runLockField,
  runLockFields,
  runOnHost,
} from "../python/index.ts";
import { messageOf, warn } from "../base/index.ts";
import { quoteShell } from "../sandbox/index.ts";
import type { Context } from "./context.ts";
import { D2nLock } from "./d2n-lock.ts";
import { enterStore } from "./enter.ts";
import { fixedOutputHash } from "./fod-hash.ts";
import { cachedFile, contentCache } from "./content-cache.ts";
import { realise } from "./realise.ts";
import { indexResolver } from "./index-resolver.ts";
import { makeScratchFolder } from "./scratch.ts";

export interface LockOptions {
  /** The one field to make anew. */
  readonly only?: string | undefined;
  /** Evaluates a toolchain when it is wanted; without it, those of the spec are there. */
  readonly toolchain?: LockServices["toolchain"];
}

/** @throws D2nError; the old lock file is as it was then */
export async function runLock(context: Context, specText: string, { only, toolchain }: LockOptions): Promise<void> {
  await withServices(context, async (services) => {
    await recordLock(context, await runLockFields(parseLockSpec(specText), { ...services, toolchain }, { only }));
  });
}

async function withServices(context: Context, work: (services: LockServices) => Promise<void>): Promise<void> {
  const prefix = await enterStore(context);
  const temporaryDir = makeScratchFolder(context, "lock");
  const run: Run = (argv, options) => runOnHost([...prefix, ...argv], options);
  const environment = { ...context.environment, PATH: pathWithD2n(context, temporaryDir) };
  try {
    await work({
      run,
      runOnHost,
      physicalPath: (path) => context.toPhysical(path),
      storeDir: context.storeDir,
      environment,
      cwd: context.cwd,
      cacheDir: join(context.directories.cache, "lock"),
      temporaryDir,
      events: context.sink,
      signal: context.signal,
      recordedHashes: D2nLock.read(join(flakeFolder(context.cwd), "d2n.lock")).recordedHashes(),
      describeStorePath: (path) => describeStorePath(context, path),
      ...fileServices(context, temporaryDir),
      realise: async ({ drvPath }) => {
        await realise(context, [{ drvPath, outputs: ["out"] }]);
      },
      keepGitTree: async (folder, url, rev) => {
        const { gitTreeName } = await import("../nixpkgs/index.ts");
        const store = await context.store();
        // Where that is no name for a store path, building will say so.
        await store.addTree({ path: folder }, { name: gitTreeName(url, rev), method: "nar" }).catch(() => undefined);
      },
      fixedOutputHash: (drvPath) => fixedOutputHash(context, drvPath),
      advise: async (output, name) => (await import("../nixpkgs/index.ts")).adviceOnMissing(output, name),
    });
  } finally {
    rmSync(temporaryDir, { recursive: true, force: true });
  }
}

/** Scripts of fields may call d2n, wherever this one lies: it goes to the same store. */
function pathWithD2n(context: Context, temporaryDir: string): string {
  const folder = join(temporaryDir, "programs");
  mkdirSync(folder);
  const words = [process.execPath, fileURLToPath(new URL("../cli/main.cjs", import.meta.url))].map(quoteShell);
  const store = context.chroot ? `D2N_STORE=${quoteShell(context.storeRoot)}\nexport D2N_STORE\n` : "";
  writeFileSync(join(folder, "d2n"), `#!/bin/sh\n${store}exec ${words.join(" ")} "$@"\n`, { mode: 0o755 });
  return `${folder}:${context.environment["PATH"] ?? ""}`;
}

/** What pip fetches lands where builds look for it, and the other way around. */
function fileServices(context: Context, temporaryDir: string): Pick<LockServices, "keepFile" | "fetchFile"> {
  const { sink, signal } = context;
  return {
    keepFile: (file, sha256) => contentCache(context).adopt(file, parseHash(sha256, "sha256")),
    fetchFile: async (url, sha256) => {
      const hash = parseHash(sha256, "sha256");
      try {
        return await cachedFile(context, {
          hash,
          urls: async () => [...(await indexResolver(context)({ url, hash }))],
          destination: () => join(mkdtempSync(join(temporaryDir, "source-")), "file"),
        });
      } catch (error) {
        if (signal.aborted) throw error;
        warn(sink, messageOf(error));
        return undefined;
      }
    },
  };
}

/** Address and hash of a store path that a fixed-output derivation made. */
async function describeStorePath(
  context: Context,
  path: string,
): Promise<{ readonly url: string; readonly sha256: string } | undefined> {
  const store = await context.store();
  for (const drv of await store.queryDerivers(path)) {
    const derivation = await store.readDerivation(drv);
    const output = [...derivation.outputs.values()].find((one) => one.path === path);
    const url = derivation.env.get("url") ?? derivation.env.get("urls")?.split(" ")[0];
    if (output !== undefined && output.hash !== "" && output.hashAlgo.endsWith("sha256") && url !== undefined)
      return { url, sha256: output.hash };
  }
  return undefined;
}

/** Writes into d2n.lock what the lock file has no place for, and lets git know of it. */
async function recordLock(context: Context, { projectRoot, newHashes, buildSystems }: LockResult): Promise<void> {
  const folder = flakeFolder(projectRoot);
  // Read only now: it is another's while pip works.
  const d2nLock = D2nLock.read(join(folder, "d2n.lock"));
  for (const [name, sha256] of newHashes) d2nLock.recordHash(name, sha256);
  for (const [lockFile, systems] of buildSystems) d2nLock.setBuildSystems(relative(folder, lockFile), systems);
  d2nLock.keepBuildSystems((file) => existsSync(join(folder, file)));
  if (!d2nLock.changed) return;
  const isNew = !existsSync(d2nLock.file);
  d2nLock.write();
  if (isNew && insideGit(folder))
    await addIntent(folder, ["d2n.lock"], { environment: context.environment, signal: context.signal });
}

/** Where `d2n.lock` lies: beside `flake.nix`, in this folder or above; here if there is none. */
function flakeFolder(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "flake.nix"))) return folder;
    if (folder === dirname(folder)) return start;
  }
}

function insideGit(start: string): boolean {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, ".git"))) return true;
    if (folder === dirname(folder)) return false;
  }
}

/** `d2n lock-fields FILE`: what `bin/refresh` calls. @param only the one field to make anew */
export async function runLockFile(context: Context, file: string, only: string | undefined): Promise<void> {
  await runLock(context, readFileSync(file, "utf8"), { only });
}

/** `d2n lock-fields --print-field NAME FILE`: the value of a field as JSON; the lock file stays as it is. */
export async function lockFieldText(context: Context, file: string, name: string): Promise<string> {
  let text = "";
  await withServices(context, async (services) => {
    text = await runLockField(parseLockSpec(readFileSync(file, "utf8")), name, services);
  });
  return text;
}
