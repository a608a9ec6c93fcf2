/** What the garbage collector must keep: links in `gcroots` and `profiles`, running processes, temporary roots. */
import { lstatSync, readdirSync, readFileSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { isSystemError } from "../base/index.ts";
import { hashPartLength, isStorePath } from "../formats/index.ts";
import { readTemporaryRoots } from "./temporary-roots.ts";

interface StorePlaces {
  readonly storeDir: string;
  readonly physicalStoreDir: string;
  readonly stateDir: string;
}

export interface FindRootsOptions {
  readonly processRoots: boolean;
  /** The caller holds the collector's lock: stale links and files may be removed. */
  readonly collecting: boolean;
}

/** Store path to the places that keep it. Temporary roots needn't be valid paths. */
export function findRoots(
  store: StorePlaces,
  isValid: (path: string) => boolean,
  options: FindRootsOptions,
): Map<string, Set<string>> {
  const roots = new Map<string, Set<string>>();
  const add = (path: string, by: string) => {
    const keepers = roots.get(path);
    if (keepers === undefined) roots.set(path, new Set([by]));
    else keepers.add(by);
  };
  const search = new LinkSearch(store, options.collecting, (path, by) => {
    if (isValid(path)) add(path, by);
  });
  search.visit(join(store.stateDir, "gcroots"));
  search.visit(join(store.stateDir, "profiles"));
  if (options.processRoots)
    for (const [path, by] of processRoots(store)) {
      if (isValid(path)) add(path, by);
    }
  for (const [path, by] of readTemporaryRoots(join(store.stateDir, "temproots"), options.collecting))
    if (isStorePath(store.storeDir, path)) add(path, by);
  return roots;
}

class LinkSearch {
  #store: StorePlaces;
  #collecting: boolean;
  #found: (path: string, by: string) => void;

  constructor(store: StorePlaces, collecting: boolean, found: (path: string, by: string) => void) {
    this.#store = store;
    this.#collecting = collecting;
    this.#found = found;
  }

  visit(path: string): void {
    try {
      const status = lstatSync(path);
      if (status.isDirectory()) for (const name of readdirSync(path)) this.visit(join(path, name));
      else if (status.isSymbolicLink()) this.#link(path);
      else if (status.isFile()) {
        const base = path.slice(path.lastIndexOf("/") + 1);
        const storePath = `${this.#store.storeDir}/${base}`;
        if (isStorePath(this.#store.storeDir, storePath)) this.#found(storePath, path);
      }
    } catch (error) {
      // What cannot be looked at keeps nothing, as with Nix.
      if (!["ENOENT", "EACCES", "EPERM", "ENOTDIR", "ELOOP"].some((code) => isSystemError(error, code))) throw error;
    }
  }

  #link(path: string): void {
    const target = readlinkSync(path);
    const direct = this.#storePathOf(target);
    if (direct !== undefined) {
      this.#found(direct, path);
      return;
    }
    const place = resolve(dirname(path), target);
    const status = lstatSync(place, { throwIfNoEntry: false });
    if (status === undefined) {
      // Somebody removed a `result`: the link to it goes as well.
      if (this.#collecting && dirname(path) === join(this.#store.stateDir, "gcroots/auto")) unlinkSync(path);
      return;
    }
    if (!status.isSymbolicLink()) return;
    const indirect = this.#storePathOf(resolve(dirname(place), readlinkSync(place)));
    if (indirect !== undefined) this.#found(indirect, place);
  }

  /** The store path that a link's target lies in: logically, physically, or as a view `<anything>/<hash>-<name>` of the state. */
  #storePathOf(target: string): string | undefined {
    const { storeDir, physicalStoreDir, stateDir } = this.#store;
    for (const folder of [storeDir, physicalStoreDir]) {
      if (!target.startsWith(`${folder}/`)) continue;
      const path = `${storeDir}/${target.slice(folder.length + 1).split("/", 1)[0]}`;
      return isStorePath(storeDir, path) ? path : undefined;
    }
    if (target.startsWith(`${stateDir}/`))
      for (const part of target.slice(stateDir.length + 1).split("/"))
        if (isStorePath(storeDir, `${storeDir}/${part}`)) return `${storeDir}/${part}`;
    return undefined;
  }
}

/** Store paths that running processes use: programs, working directories, open and mapped files, environments. */
function* processRoots(store: StorePlaces): Generator<[string, string]> {
  const { storeDir, physicalStoreDir } = store;
  const folders = [...new Set([storeDir, physicalStoreDir])].map((folder) =>
    folder.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"),
  );
  const pattern = new RegExp(
    `(?:${folders.join("|")})/([0-9a-df-np-sv-z]{${hashPartLength}}-[0-9a-zA-Z+\\-._?=]+)`,
    "g",
  );
  let pids: string[];
  try {
    pids = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
  } catch {
    return;
  }
  for (const pid of pids) {
    for (const [text, by] of processTexts(pid))
      for (const match of text.matchAll(pattern)) {
        const path = `${storeDir}/${match[1]}`;
        if (isStorePath(storeDir, path)) yield [path, by];
      }
  }
}

function* processTexts(pid: string): Generator<[string, string]> {
  const folder = `/proc/${pid}`;
  const attempt = (read: () => string): string => {
    try {
      return read();
    } catch {
      // Gone meanwhile, or another user's.
      return "";
    }
  };
  for (const link of ["exe", "cwd"]) yield [attempt(() => readlinkSync(`${folder}/${link}`)), `${folder}/${link}`];
  const open = attempt(() => readdirSync(`${folder}/fd`).join("\n"));
  if (open !== "")
    for (const fd of open.split("\n")) yield [attempt(() => readlinkSync(`${folder}/fd/${fd}`)), `${folder}/fd/${fd}`];
  yield [attempt(() => readFileSync(`${folder}/maps`, "latin1")), `${folder}/maps`];
  yield [attempt(() => readFileSync(`${folder}/environ`, "latin1")), `${folder}/environ`];
}

/** Whether a symlink is there whose target is accepted. */
export function isLinkTo(path: string, accepts: (target: string) => boolean): boolean {
  try {
    return accepts(readlinkSync(path));
  } catch {
    return false;
  }
}

/** Makes or replaces a symlink at once. */
export function replaceSymlink(path: string, target: string): void {
  const temporary = `${path}.tmp-${process.pid}-${Math.random().toString(36).slice(2)}`;
  symlinkSync(target, temporary);
  try {
    renameSync(temporary, path);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  }
}
