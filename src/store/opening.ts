/** Opening a store: its folders, its schema, its database. */
import { existsSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isSystemError, writeFileAtomically } from "../base/index.ts";
import { Database } from "./database.ts";
import { explained, isDatabaseFull, StoreError } from "./errors.ts";
import { makeFolders } from "../base/index.ts";
import { acquireLock, loadLocks } from "./locks.ts";
import { schemaVersion } from "./schema.ts";

export interface LocalStoreOptions {
  /** Holds `nix/store` and `nix/var`; `/` is the machine's own store. */
  readonly rootDir: string;
  /** Logical store directory; `/nix/store` unless given. */
  readonly storeDir?: string | undefined;
  /** Where database and roots lie, if not at their usual place below `rootDir`. */
  readonly stateDir?: string | undefined;
  readonly logDir?: string | undefined;
  /** Files that are added and equal to others become links to them. */
  readonly autoOptimise?: boolean | undefined;
}

/** Nix keeps so many bytes aside, to have room for its database when it collects garbage on a full disk. */
const reservedSize = 8 << 20;

/** Where the parts of a store lie. */
export interface Places {
  readonly storeDir: string;
  readonly rootDir: string;
  readonly physicalStoreDir: string;
  readonly stateDir: string;
  readonly logDir: string;
}

function placesOf({ rootDir, storeDir = "/nix/store", stateDir, logDir }: LocalStoreOptions): Places {
  const root = resolve(rootDir);
  return {
    storeDir,
    rootDir: root,
    physicalStoreDir: root === "/" ? storeDir : join(root, "nix/store"),
    stateDir: stateDir ?? join(root, "nix/var/nix"),
    logDir: logDir ?? join(root, "nix/var/log/nix"),
  };
}

/** For messages. */
export function describeRoot(rootDir: string): string {
  return rootDir === "/" ? "of this machine" : `in '${rootDir}'`;
}

/** Opens or makes what lies on disk. */
export async function openPlaces(
  options: LocalStoreOptions,
): Promise<{ readonly places: Places; readonly db: Database }> {
  const places = placesOf(options);
  return explained(`cannot open the store ${describeRoot(places.rootDir)}`, async () => {
    await loadLocks();
    const database = join(places.stateDir, "db");
    for (const folder of [
      join(places.physicalStoreDir, ".links"),
      join(places.stateDir, "profiles/per-user"),
      join(places.stateDir, "gcroots/per-user"),
      join(places.stateDir, "temproots"),
      database,
    ])
      makeFolders(folder);
    const schemaFile = join(database, "schema");
    const version = readSchema(schemaFile);
    if (version === undefined) return { places, db: await createDatabase(database, schemaFile) };
    if (version !== schemaVersion)
      throw new StoreError(
        "store-database",
        `the store ${describeRoot(places.rootDir)} has schema version ${version}, but d2n knows ${schemaVersion}`,
        { hint: "Upgrade it with a current Nix, or use a store of your own with `--store DIR`." },
      );
    return { places, db: await openDatabase(database, false) };
  });
}

/** One process makes the tables, others wait for it. */
async function createDatabase(folder: string, schemaFile: string): Promise<Database> {
  const lock = await acquireLock(join(folder, "big-lock"));
  try {
    const fresh = readSchema(schemaFile) === undefined;
    const db = await openDatabase(folder, fresh);
    if (fresh) {
      reserveSpace(join(folder, "reserved"));
      writeFileAtomically(schemaFile, String(schemaVersion));
    }
    return db;
  } finally {
    lock.release();
  }
}

/** On a full disk not even a collection could begin: then the reserved space is given up. */
async function openDatabase(folder: string, create: boolean): Promise<Database> {
  const file = join(folder, "db.sqlite");
  try {
    return await Database.open(file, create);
  } catch (error) {
    const reserved = join(folder, "reserved");
    if (!isDatabaseFull(error) || !existsSync(reserved)) throw error;
    unlinkSync(reserved);
    return Database.open(file, create);
  }
}

function readSchema(file: string): number | undefined {
  try {
    const text = readFileSync(file, "utf8").trim();
    if (!/^[0-9]+$/.test(text))
      throw new StoreError("store-database", `'${file}' is damaged: it should hold the number ${schemaVersion}`, {
        hint: `If the store is otherwise whole, write ${schemaVersion} into it.`,
      });
    return Number(text);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

export function reserveSpace(file: string): void {
  try {
    if (existsSync(file) && statSync(file).size === reservedSize) return;
    writeFileSync(file, Buffer.alloc(reservedSize), { mode: 0o600 });
  } catch {
    // It is a comfort, not a need: on a full disk there is nothing to reserve.
  }
}
