/** Compares the database with the disk. */
import { readdirSync } from "node:fs";
import { messageOf } from "../base/index.ts";
import { equalHashes, FormatError, formatHash, hashNar, isStorePath } from "../formats/index.ts";
import type { Database } from "./database.ts";
import { exists } from "./files.ts";
import type { PathInfo, VerifyOptions, VerifyProblem, VerifyResult } from "./types.ts";

interface VerifiedStore {
  readonly storeDir: string;
  readonly physicalStoreDir: string;
  toPhysical(path: string): string;
}

export async function verifyStore(store: VerifiedStore, db: Database, options: VerifyOptions): Promise<VerifyResult> {
  const problems: VerifyProblem[] = [];
  for (const text of db.integrityProblems())
    problems.push({ path: "", problem: "malformed", message: `database: ${text}` });
  const valid = new Set(db.allPaths());
  const missing = new Set<string>();
  for (const path of valid) {
    if (!isStorePath(store.storeDir, path)) {
      problems.push({ path, problem: "malformed", message: `'${path}' is registered, but is no path of this store` });
      continue;
    }
    if (!exists(store.toPhysical(path))) {
      missing.add(path);
      continue;
    }
    let info: PathInfo | undefined;
    try {
      info = db.find(path);
    } catch (error) {
      problems.push({ path, problem: "malformed", message: messageOf(error) });
    }
    if (info === undefined) continue;
    for (const reference of info.references)
      if (!valid.has(reference))
        problems.push({
          path,
          problem: "dangling-reference",
          message: `'${path}' refers to '${reference}', which is not valid`,
        });
    if (options.contents === true) {
      const problem = await checkContents(store, info);
      if (problem !== undefined) problems.push(problem);
    }
  }
  reportMissing(db, missing, options.repairDatabase === true, problems);
  for (const name of readdirSync(store.physicalStoreDir, { encoding: "latin1" })) {
    const path = `${store.storeDir}/${name}`;
    if (name === ".links" || name.endsWith(".lock") || valid.has(path)) continue;
    problems.push({
      path,
      problem: "unregistered",
      message: `'${path}' is on disk, but not registered: left by an interrupted build; the next collection removes it`,
    });
  }
  return { checked: valid.size, problems };
}

async function checkContents(store: VerifiedStore, info: PathInfo): Promise<VerifyProblem | undefined> {
  const { path } = info;
  try {
    const { hash, size } = await hashNar(store.toPhysical(path), undefined, info.narHash.algorithm);
    if (equalHashes(hash, info.narHash) && (info.narSize === 0 || size === info.narSize)) return undefined;
    return {
      path,
      problem: "modified",
      message: `path '${path}' was modified! expected hash '${formatHash(info.narHash, "nix32", true)}', got '${formatHash(hash, "nix32", true)}'`,
    };
  } catch (error) {
    if (!(error instanceof FormatError) && !(error instanceof Error && "syscall" in error)) throw error;
    return { path, problem: "unreadable", message: `'${path}' cannot be read: ${messageOf(error)}` };
  }
}

/** Paths that vanished from disk; those that nothing valid and present refers to can be forgotten. */
function reportMissing(db: Database, missing: Set<string>, repair: boolean, problems: VerifyProblem[]): void {
  const kept = new Set(missing);
  if (repair)
    for (let changed = true; changed;) {
      changed = false;
      for (const path of kept) {
        if (db.referrers(path).some((referrer) => referrer !== path)) continue;
        db.transaction(() => db.invalidate(path));
        kept.delete(path);
        changed = true;
      }
    }
  for (const path of missing)
    problems.push({
      path,
      problem: "missing",
      message: kept.has(path)
        ? `path '${path}' disappeared, but is registered as valid${repair ? " and other paths refer to it" : ""}`
        : `path '${path}' disappeared; removed from the database`,
    });
}
