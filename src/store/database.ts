/**
 * The store's SQLite database. Everything is synchronous and short; several processes use it at once (WAL, busy timeout,
 * write transactions that begin as such).
 */
import { statSync } from "node:fs";
import type Libsql from "libsql";
import { formatHash, type Hash, parseHash } from "../formats/index.ts";
import { StoreError } from "./errors.ts";
import { schema } from "./schema.ts";
import type { NewPathInfo, PathInfo } from "./types.ts";

/** Bytes of the write-ahead log from which on closing takes the time to empty it. */
const LONG_LOG = 1 << 20;

/** How long to wait for another process's transaction, in milliseconds. */
const busyTimeout = 60_000;

interface Statement {
  all(...parameters: unknown[]): unknown[];
  run(...parameters: unknown[]): unknown;
}

export interface DerivationOutputRow {
  readonly name: string;
  readonly path: string;
}

/** The whole graph, for the garbage collector. */
export interface PathGraph {
  readonly paths: ReadonlyMap<number, string>;
  readonly ids: ReadonlyMap<string, number>;
  /** By referrer. */
  readonly references: ReadonlyMap<number, readonly number[]>;
  /** Registered output paths by .drv. */
  readonly outputs: ReadonlyMap<number, readonly string[]>;
}

export class Database {
  readonly #file: string;
  readonly #db: Libsql.Database;
  readonly #statements = new Map<string, Statement>();

  private constructor(file: string, db: Libsql.Database) {
    this.#file = file;
    this.#db = db;
  }

  /** Opens the file; `create` makes the tables. */
  static async open(file: string, create: boolean): Promise<Database> {
    const module = (await import("libsql")) as unknown as {
      default: new (path: string, options: object) => Libsql.Database;
    };
    const db = new module.default(file, { timeout: busyTimeout });
    try {
      db.exec("pragma foreign_keys = on");
      db.exec("pragma synchronous = normal");
      const mode = db.prepare("pragma main.journal_mode").raw().all() as string[][];
      if (mode[0]?.[0] !== "wal") db.prepare("pragma main.journal_mode = wal").raw().all();
      // As Nix: one sync for thousands of small transactions.
      db.prepare("pragma wal_autocheckpoint = 40000").raw().all();
      if (create) db.exec(`begin immediate; ${schema} commit;`);
    } catch (error) {
      db.close();
      throw error;
    }
    return new Database(file, db);
  }

  /**
   * What was written is moved from the write-ahead log to the file once it is much: prepared statements keep the connection
   * open until they are collected, so that SQLite does not do it by itself, and whoever comes next would read the whole log.
   */
  close(): void {
    this.#statements.clear();
    if (logSize(this.#file) > LONG_LOG) {
      // If others are at work, one of them will do it.
      this.#db.exec("pragma busy_timeout = 0");
      this.#db.prepare("pragma wal_checkpoint(truncate)").raw().all();
    }
    this.#db.close();
  }

  #rows(sql: string, ...parameters: unknown[]): unknown[][] {
    return this.#statement(sql).all(...parameters) as unknown[][];
  }

  #run(sql: string, ...parameters: unknown[]): void {
    this.#statement(sql).run(...parameters);
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      const prepared = this.#db.prepare(sql);
      statement = /^select/.test(sql) ? prepared.raw() : prepared;
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Runs something as one write transaction. */
  transaction<T>(run: () => T): T {
    this.#db.exec("begin immediate");
    try {
      const result = run();
      this.#db.exec("commit");
      return result;
    } catch (error) {
      // A failed commit (disk full) has rolled back on its own.
      if (this.#db.inTransaction) this.#db.exec("rollback");
      throw error;
    }
  }

  isValid(path: string): boolean {
    return this.#id(path) !== undefined;
  }

  #id(path: string): number | undefined {
    return this.#rows("select id from ValidPaths where path = ?", path)[0]?.[0] as number | undefined;
  }

  find(path: string): PathInfo | undefined {
    const row = this.#rows(
      "select id, hash, registrationTime, deriver, narSize, ultimate, sigs, ca from ValidPaths where path = ?",
      path,
    )[0];
    if (row === undefined) return undefined;
    const [id, hash, registrationTime, deriver, narSize, ultimate, sigs, ca] = row;
    let narHash: Hash;
    try {
      narHash = parseHash(String(hash));
    } catch (error) {
      throw new StoreError(
        "store-corrupt",
        `the hash of '${path}' in the store's database is damaged: '${String(hash)}'`,
        {
          cause: error,
        },
      );
    }
    const references = this.#rows("select path from Refs join ValidPaths on reference = id where referrer = ?", id);
    return {
      path,
      narHash,
      narSize: Number(narSize ?? 0),
      references: references.map(([reference]) => reference as string).sort(),
      deriver: deriver === null || deriver === "" ? undefined : (deriver as string),
      registrationTime: Number(registrationTime),
      ultimate: ultimate === 1,
      signatures: typeof sigs === "string" && sigs !== "" ? sigs.split(" ") : [],
      ca: ca === null || ca === "" ? undefined : (ca as string),
    };
  }

  allPaths(): string[] {
    return this.#rows("select path from ValidPaths").map(([path]) => path as string);
  }

  references(path: string): string[] | undefined {
    const id = this.#id(path);
    if (id === undefined) return undefined;
    return this.#rows("select path from Refs join ValidPaths on reference = id where referrer = ?", id).map(
      ([reference]) => reference as string,
    );
  }

  referrers(path: string): string[] {
    return this.#rows(
      "select path from Refs join ValidPaths on referrer = id where reference = (select id from ValidPaths where path = ?)",
      path,
    ).map(([referrer]) => referrer as string);
  }

  derivers(path: string): string[] {
    return this.#rows(
      "select v.path from DerivationOutputs d join ValidPaths v on d.drv = v.id where d.path = ?",
      path,
    ).map(([deriver]) => deriver as string);
  }

  derivationOutputs(path: string): DerivationOutputRow[] {
    return this.#rows(
      "select d.id, d.path from DerivationOutputs d join ValidPaths v on d.drv = v.id where v.path = ?",
      path,
    ).map(([name, output]) => ({ name: name as string, path: output as string }));
  }

  /** The first path not before `prefix`, or undefined. */
  firstFrom(prefix: string): string | undefined {
    return this.#rows("select path from ValidPaths where path >= ? limit 1", prefix)[0]?.[0] as string | undefined;
  }

  /**
   * Registers paths that may refer to each other. `outputsOf` gives the outputs of a .drv. What is registered already is
   * updated. Must run in a transaction.
   */
  register(
    infos: readonly NewPathInfo[],
    time: number,
    outputsOf: (path: string) => readonly DerivationOutputRow[],
  ): void {
    for (const info of infos) {
      const hash = formatHash(info.narHash, "base16", true);
      const ultimate = info.ultimate === true ? 1 : null;
      const sigs = info.signatures === undefined || info.signatures.length === 0 ? null : info.signatures.join(" ");
      const ca = info.ca ?? null;
      if (this.isValid(info.path)) {
        this.#run(
          "update ValidPaths set narSize = ?, hash = ?, ultimate = ?, sigs = ?, ca = ? where path = ?",
          info.narSize,
          hash,
          ultimate,
          sigs,
          ca,
          info.path,
        );
        continue;
      }
      this.#run(
        "insert into ValidPaths (path, hash, registrationTime, deriver, narSize, ultimate, sigs, ca) values (?, ?, ?, ?, ?, ?, ?, ?)",
        info.path,
        hash,
        info.registrationTime ?? time,
        info.deriver ?? null,
        info.narSize,
        ultimate,
        sigs,
        ca,
      );
      if (info.path.endsWith(".drv")) {
        const id = this.#id(info.path);
        for (const { name, path } of outputsOf(info.path))
          this.#run("insert or replace into DerivationOutputs (drv, id, path) values (?, ?, ?)", id, name, path);
      }
    }
    for (const info of infos) {
      const referrer = this.#id(info.path);
      for (const reference of info.references) {
        const id = this.#id(reference);
        if (id === undefined)
          throw new StoreError(
            "store-path-missing",
            `path '${info.path}' cannot be registered: it refers to '${reference}', which is not valid`,
            { hint: "Add what a path refers to before the path itself." },
          );
        this.#run("insert or replace into Refs (referrer, reference) values (?, ?)", referrer, id);
      }
    }
  }

  /** Forgets a path; it must have no referrers but itself. Must run in a transaction. */
  invalidate(path: string): void {
    this.#run("delete from ValidPaths where path = ?", path);
  }

  graph(): PathGraph {
    const paths = new Map<number, string>();
    const ids = new Map<string, number>();
    for (const [id, path] of this.#rows("select id, path from ValidPaths") as [number, string][]) {
      paths.set(id, path);
      ids.set(path, id);
    }
    const references = new Map<number, number[]>();
    for (const [referrer, reference] of this.#rows("select referrer, reference from Refs") as [number, number][]) {
      const list = references.get(referrer);
      if (list === undefined) references.set(referrer, [reference]);
      else list.push(reference);
    }
    const outputs = new Map<number, string[]>();
    for (const [drv, path] of this.#rows("select drv, path from DerivationOutputs") as [number, string][]) {
      const list = outputs.get(drv);
      if (list === undefined) outputs.set(drv, [path]);
      else list.push(path);
    }
    return { paths, ids, references, outputs };
  }

  /** Problems that SQLite itself finds, at most a few. */
  integrityProblems(): string[] {
    const rows = this.#db.prepare("pragma integrity_check(10)").raw().all() as string[][];
    return rows.map(([text]) => text!).filter((text) => text !== "ok");
  }
}

function logSize(file: string): number {
  return statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}
