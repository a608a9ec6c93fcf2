/** What every use case gets: the user's world, settings, and the parts that are made when first needed. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { EventSink } from "../base/index.ts";
import type { Environment } from "../fetchers/index.ts";
import type { LocalStore } from "../store/index.ts";
import {
  type CommonOptions,
  type Configuration,
  type Directories,
  directoriesFrom,
  readConfiguration,
} from "./settings.ts";

export interface ContextOptions {
  readonly environment: Environment;
  readonly cwd: string;
  readonly sink: EventSink;
  /** What ends the work; a function where one context does several works after each other. */
  readonly signal: AbortSignal | (() => AbortSignal);
  /** Effective user id. */
  readonly uid: number;
  readonly options: CommonOptions;
}

export class Context {
  readonly environment: Environment;
  readonly cwd: string;
  readonly sink: EventSink;
  readonly options: CommonOptions;
  readonly directories: Directories;
  readonly configuration: Configuration;
  /** `x86_64-linux`; d2n builds for the machine it runs on. */
  readonly system: string;
  /** `/nix/store`, or what NIX_STORE_DIR says. */
  readonly storeDir: string;
  /** `/`, or the folder that holds `nix/store`. */
  readonly storeRoot: string;
  #store: Promise<LocalStore> | undefined;
  readonly #uid: number;
  readonly #signal: () => AbortSignal;

  constructor({ environment, cwd, sink, signal, uid, options }: ContextOptions) {
    this.environment = environment;
    this.cwd = cwd;
    this.sink = sink;
    this.#signal = typeof signal === "function" ? signal : () => signal;
    this.options = options;
    this.#uid = uid;
    this.directories = directoriesFrom(environment);
    this.configuration = readConfiguration(this.directories.configurationFile);
    this.system = process.arch === "arm64" ? "aarch64-linux" : "x86_64-linux";
    this.storeDir = environment["NIX_STORE_DIR"] || "/nix/store";
    this.storeRoot = this.#findStoreRoot();
  }

  get signal(): AbortSignal {
    return this.#signal();
  }

  /** Whether store paths lie elsewhere than they say, so that running them needs a mount namespace. */
  get chroot(): boolean {
    return this.storeRoot !== "/";
  }

  /** The store, opened when first asked for. */
  store(): Promise<LocalStore> {
    this.#store ??= this.#openStore();
    return this.#store;
  }

  async close(): Promise<void> {
    if (this.#store !== undefined) await (await this.#store.catch(() => undefined))?.close();
  }

  /** Whether a store path exists on disk; says nothing about its being registered. */
  onDisk(path: string): boolean {
    return existsSync(this.toPhysical(path));
  }

  /** Where store paths lie on disk: in a chroot store under `nix/store`, whatever they are called, as in Nix. */
  get physicalStoreDir(): string {
    return this.chroot ? join(this.storeRoot, "nix/store") : this.storeDir;
  }

  /** Where a path really lies: store paths in the store's folder, others where they say. */
  toPhysical(path: string): string {
    const inStore = path === this.storeDir || path.startsWith(`${this.storeDir}/`);
    return inStore ? this.physicalStoreDir + path.slice(this.storeDir.length) : path;
  }

  async #openStore(): Promise<LocalStore> {
    const { LocalStore } = await import("../store/index.ts");
    // As in Nix, a folder that holds a whole store has its own places for state and logs.
    const places = this.chroot
      ? {}
      : {
          stateDir: this.environment["NIX_STATE_DIR"] || undefined,
          logDir: this.environment["NIX_LOG_DIR"] || undefined,
        };
    const { autoOptimise } = this.options;
    return LocalStore.open({ rootDir: this.storeRoot, storeDir: this.storeDir, autoOptimise, ...places });
  }

  #findStoreRoot(): string {
    const given = this.options.store ?? (this.environment["D2N_STORE"] || undefined) ?? this.configuration.store;
    if (given !== undefined && given !== "local" && given !== "auto") return resolve(this.cwd, given);
    if (this.#uid === 0 || given === "local") return "/";
    const { NIX_STORE_DIR, NIX_STATE_DIR } = this.environment;
    // Whoever names both means these, be they there already or not.
    if (NIX_STORE_DIR && NIX_STATE_DIR) return "/";
    return userStoreRoot({
      storeDir: this.storeDir,
      databaseFolder: join(NIX_STATE_DIR || "/nix/var/nix", "db"),
      own: join(this.directories.data, "store"),
    });
  }
}

/**
 * Where the store of an ordinary user is: the machine's, if it is the user's to write, else a folder of the user's own. In a shell
 * of `d2n develop` that very folder is mounted in the machine's place; what is made in there has to hold outside, too, so it
 * stays the user's own.
 */
export function userStoreRoot({
  storeDir,
  databaseFolder,
  own,
}: {
  readonly storeDir: string;
  /** Of the machine's store. */
  readonly databaseFolder: string;
  /** The user's folder that holds, or will hold, `nix/store`. */
  readonly own: string;
}): string {
  try {
    accessSync(storeDir, constants.W_OK);
    accessSync(databaseFolder, constants.W_OK);
  } catch {
    return own;
  }
  return isSameFolder(databaseFolder, join(own, "nix/var/nix/db")) ? own : "/";
}

function isSameFolder(one: string, other: string): boolean {
  const [first, second] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return first !== undefined && second !== undefined && first.dev === second.dev && first.ino === second.ino;
}
