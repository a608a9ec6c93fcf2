/** The garbage collector: keeps what roots need, by Nix's rules, and deletes the rest, referrers first. */
import { readdirSync, unlinkSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { bytePath, isStorePath, storePathHashPart } from "../formats/index.ts";
import type { Database, PathGraph } from "./database.ts";
import { StoreError } from "./errors.ts";
import { Breather, removeTree, sizeOnDisk } from "./files.ts";
import { FileLock } from "./locks.ts";
import { findRoots } from "./roots.ts";
import type { GarbageOptions, GarbageResult } from "./types.ts";

interface CollectedStore {
  readonly storeDir: string;
  readonly physicalStoreDir: string;
  readonly stateDir: string;
  readonly description: string;
  toPhysical(path: string): string;
}

/** The caller holds the collector's lock. */
export async function collectGarbage(
  store: CollectedStore,
  db: Database,
  options: GarbageOptions,
): Promise<GarbageResult> {
  const {
    action,
    keepOutputs = false,
    keepDerivations = true,
    processRoots = true,
    maxFreed = Number.POSITIVE_INFINITY,
  } = options;
  const graph = db.graph();
  const roots = findRoots(store, (path) => graph.ids.has(path), {
    processRoots,
    collecting: action.type.startsWith("delete"),
  });
  const specific = action.type === "delete-paths";
  const live =
    specific && action.ignoreLiveness === true
      ? new Set<number>()
      : reachable(graph, roots.keys(), specific ? {} : { keepOutputs, keepDerivations });

  if (action.type === "list-live") return { paths: [...live].map((id) => graph.paths.get(id)!).sort(), bytesFreed: 0 };

  /** Hash parts of temporary roots: they keep leftovers too, whatever follows the hash. */
  const kept = new Set([...roots.keys()].map(storePathHashPart));
  const dead = specific ? requested(store, graph, action.paths, live, roots) : allDead(graph, live);
  const leftovers = specific ? [] : unregistered(store, graph, kept);

  if (action.type === "list-dead") {
    let bytesFreed = 0;
    const breather = new Breather();
    for (const path of dead) {
      bytesFreed += sizeOnDisk(store.toPhysical(path));
      await breather.pause();
    }
    return { paths: [...dead].sort(), bytesFreed };
  }

  let bytesFreed = 0;
  const deleted: string[] = [];
  const breather = new Breather();
  for (const name of leftovers) {
    if (bytesFreed >= maxFreed) break;
    bytesFreed += deleteLeftover(store, name);
    await breather.pause();
  }
  for (const path of dead) {
    if (bytesFreed >= maxFreed) break;
    // Forgotten first, so that no moment has a valid path that is half deleted.
    if (!forget(db, path)) continue;
    bytesFreed += removeTree(store.toPhysical(path));
    deleted.push(path);
    await breather.pause();
  }
  if (!specific) bytesFreed += deleteUnusedLinks(store);
  return { paths: deleted.sort(), bytesFreed };
}

/** Everything that roots need, with derivers and outputs as Nix's settings say. */
function reachable(
  graph: PathGraph,
  roots: Iterable<string>,
  {
    keepOutputs = false,
    keepDerivations = false,
  }: { readonly keepOutputs?: boolean; readonly keepDerivations?: boolean },
): Set<number> {
  const derivers = new Map<string, number[]>();
  if (keepDerivations)
    for (const [drv, outputs] of graph.outputs)
      for (const output of outputs) {
        const list = derivers.get(output);
        if (list === undefined) derivers.set(output, [drv]);
        else list.push(drv);
      }
  const live = new Set<number>();
  for (const root of roots) {
    const id = graph.ids.get(root);
    if (id !== undefined) live.add(id);
  }
  // A set grows while it is gone through.
  for (const id of live) {
    for (const reference of graph.references.get(id) ?? []) live.add(reference);
    if (keepDerivations) for (const drv of derivers.get(graph.paths.get(id)!) ?? []) live.add(drv);
    if (keepOutputs)
      for (const output of graph.outputs.get(id) ?? []) {
        const valid = graph.ids.get(output);
        if (valid !== undefined) live.add(valid);
      }
  }
  return live;
}

/** All that is not live, referrers before what they refer to. */
function allDead(graph: PathGraph, live: ReadonlySet<number>): string[] {
  return referrersFirst(
    graph,
    [...graph.paths.keys()].filter((id) => !live.has(id)),
  );
}

function referrersFirst(graph: PathGraph, ids: readonly number[]): string[] {
  const wanted = new Set(ids);
  const order: number[] = [];
  const state = new Map<number, "open" | "done">();
  // Depth first without recursion: chains of references can be long.
  for (const start of ids) {
    const stack: number[] = [start];
    while (stack.length > 0) {
      const id = stack.at(-1)!;
      const now = state.get(id);
      if (now === "done") {
        stack.pop();
        continue;
      }
      if (now === "open") {
        state.set(id, "done");
        order.push(id);
        stack.pop();
        continue;
      }
      state.set(id, "open");
      for (const reference of graph.references.get(id) ?? [])
        if (wanted.has(reference) && state.get(reference) === undefined) stack.push(reference);
    }
  }
  return order.reverse().map((id) => graph.paths.get(id)!);
}

/** The paths that the user named, if nothing needs them. */
function requested(
  store: CollectedStore,
  graph: PathGraph,
  paths: readonly string[],
  live: ReadonlySet<number>,
  roots: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  const ids: number[] = [];
  for (const path of new Set(paths)) {
    const id = graph.ids.get(path);
    if (id === undefined)
      throw new StoreError("store-path-missing", `path '${path}' is not valid in ${store.description}`);
    ids.push(id);
  }
  const named = new Set(ids);
  for (const id of ids) {
    const path = graph.paths.get(id)!;
    if (live.has(id)) {
      const keepers = roots.get(path);
      throw new StoreError("path-in-use", `cannot delete path '${path}' since it is still alive`, {
        hint: "Remove the link or end the process that keeps it, then try again.",
        details: keepers === undefined ? undefined : `kept by ${[...keepers].join("\n        ")}`,
      });
    }
    const users = [...graph.references].filter(([referrer, list]) => list.includes(id) && !named.has(referrer));
    if (users.length > 0)
      throw new StoreError("path-in-use", `cannot delete path '${path}' because other valid paths refer to it`, {
        hint: "Delete them with it, or collect all garbage.",
        details: users.map(([referrer]) => graph.paths.get(referrer)!).join("\n"),
      });
  }
  return referrersFirst(graph, ids);
}

/** Names in the store directory that belong to no valid path and to nobody's work. */
function unregistered(store: CollectedStore, graph: PathGraph, kept: ReadonlySet<string>): string[] {
  return readdirSync(store.physicalStoreDir, { encoding: "latin1" }).filter((name) => {
    if (name === ".links" || graph.ids.has(`${store.storeDir}/${name}`)) return false;
    if (kept.has(storePathHashPart(name))) return false;
    return true;
  });
}

/** Removes a leftover unless its lock is held. */
function deleteLeftover(store: CollectedStore, name: string): number {
  const place = `${store.physicalStoreDir}/${name}`;
  if (name.endsWith(".lock") && lstatSync(place, { throwIfNoEntry: false })?.isFile() === true) {
    const lock = FileLock.try(place, { content: true });
    lock?.release({ delete: true });
    return 0;
  }
  if (!isStorePath(store.storeDir, `${store.storeDir}/${name}`))
    return removeTree(Buffer.from(`${bytePath(store.physicalStoreDir)}/${name}`, "latin1"));
  // Whoever makes this path right now holds its lock.
  const lock = FileLock.try(`${place}.lock`);
  if (lock === undefined) return 0;
  try {
    return removeTree(place);
  } finally {
    lock.release({ delete: true });
  }
}

/** Unregisters a path; false if something valid has come to refer to it since. */
function forget(db: Database, path: string): boolean {
  return db.transaction(() => {
    if (!db.isValid(path)) return true;
    if (db.referrers(path).some((referrer) => referrer !== path)) return false;
    db.invalidate(path);
    return true;
  });
}

/** Files that `nix-store --optimise` shared and nobody uses any more. */
function deleteUnusedLinks(store: CollectedStore): number {
  const folder = join(store.physicalStoreDir, ".links");
  let freed = 0;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const status = lstatSync(path);
    if (status.nlink !== 1) continue;
    unlinkSync(path);
    freed += status.blocks * 512;
  }
  return freed;
}
