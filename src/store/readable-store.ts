/** What a store on this machine's disk knows and holds: everything that changes nothing. */
import { readFileSync } from "node:fs";
import { isSystemError } from "../base/index.ts";
import { type Derivation, derivationNameOf, FormatError, parseDerivation, readNar } from "../formats/index.ts";
import { logPathOf, readLogOf } from "./build-logs.ts";
import type { Database } from "./database.ts";
import { explainedSync, missingPath } from "./errors.ts";
import { describeRoot, type Places } from "./opening.ts";
import type { ClosureOptions, PathInfo } from "./types.ts";

export class ReadableStore {
  readonly storeDir: string;
  readonly rootDir: string;
  readonly physicalStoreDir: string;
  readonly stateDir: string;
  readonly logDir: string;
  protected readonly db: Database;

  protected constructor(places: Places, db: Database) {
    this.storeDir = places.storeDir;
    this.rootDir = places.rootDir;
    this.physicalStoreDir = places.physicalStoreDir;
    this.stateDir = places.stateDir;
    this.logDir = places.logDir;
    this.db = db;
  }

  get description(): string {
    return `the store ${describeRoot(this.rootDir)}`;
  }

  toPhysical(path: string): string {
    if (this.physicalStoreDir === this.storeDir) return path;
    if (path !== this.storeDir && !path.startsWith(`${this.storeDir}/`))
      throw new FormatError("store-path-invalid", `path '${path}' is not in the Nix store`);
    return this.physicalStoreDir + path.slice(this.storeDir.length);
  }

  // Queries

  isValidPathSync(path: string): boolean {
    return explainedSync(`cannot query ${this.description}`, () => this.db.isValid(path));
  }

  findPathInfoSync(path: string): PathInfo | undefined {
    return explainedSync(`cannot query ${this.description}`, () => this.db.find(path));
  }

  async isValidPath(path: string): Promise<boolean> {
    return this.isValidPathSync(path);
  }

  async findPathInfo(path: string): Promise<PathInfo | undefined> {
    return this.findPathInfoSync(path);
  }

  async queryPathInfo(path: string): Promise<PathInfo> {
    const info = this.findPathInfoSync(path);
    if (info === undefined) throw missingPath(path, this.description);
    return info;
  }

  async queryValidPaths(paths: Iterable<string>): Promise<Set<string>> {
    return this.#query(() => new Set([...paths].filter((path) => this.db.isValid(path))));
  }

  async queryAllValidPaths(): Promise<Set<string>> {
    return this.#query(() => new Set(this.db.allPaths()));
  }

  async queryReferrers(path: string): Promise<Set<string>> {
    return this.#query(() => new Set(this.db.referrers(path)));
  }

  async queryDerivers(path: string): Promise<Set<string>> {
    return this.#query(() => new Set(this.db.derivers(path)));
  }

  /** The outputs of a valid .drv, by name, valid or not. */
  async queryDerivationOutputs(path: string): Promise<Map<string, string>> {
    return this.#query(() => new Map(this.db.derivationOutputs(path).map((output) => [output.name, output.path])));
  }

  async queryPathFromHashPart(hashPart: string): Promise<string | undefined> {
    return this.#query(() => {
      const prefix = `${this.storeDir}/${hashPart}-`;
      const path = this.db.firstFrom(prefix);
      return path?.startsWith(prefix) === true ? path : undefined;
    });
  }

  async closure(paths: Iterable<string>, options: ClosureOptions = {}): Promise<Set<string>> {
    return this.#query(() => {
      const seen = new Set<string>(paths);
      for (const path of seen) {
        const references = options.reverse === true ? this.db.referrers(path) : this.db.references(path);
        if (references === undefined || (options.reverse === true && !this.db.isValid(path)))
          throw missingPath(path, this.description);
        for (const next of references) seen.add(next);
        if (options.includeOutputs === true && path.endsWith(".drv"))
          for (const output of this.db.derivationOutputs(path)) if (this.db.isValid(output.path)) seen.add(output.path);
        if (options.includeDerivers === true) for (const deriver of this.db.derivers(path)) seen.add(deriver);
      }
      return seen;
    });
  }

  #query<T>(run: () => T): T {
    return explainedSync(`cannot query ${this.description}`, run);
  }

  // Contents

  async readDerivation(path: string): Promise<Derivation> {
    return this.readDerivationSync(path);
  }

  readDerivationSync(path: string): Derivation {
    const name = derivationNameOf(this.storeDir, path);
    return explainedSync(`cannot read '${path}'`, () => {
      try {
        return parseDerivation(readFileSync(this.toPhysical(path), "latin1"), name);
      } catch (error) {
        if (isSystemError(error, "ENOENT")) throw missingPath(path, this.description);
        throw error;
      }
    });
  }

  async *narFromPath(path: string): AsyncGenerator<Uint8Array, void, void> {
    await this.queryPathInfo(path);
    yield* readNar(this.toPhysical(path));
  }

  logPath(derivationPath: string): string {
    return logPathOf(this.logDir, derivationPath);
  }

  readLog(derivationPath: string): Promise<Uint8Array | undefined> {
    return readLogOf(this.logDir, derivationPath);
  }
}
