/**
 * A host for tests: files from the disk, read only, and some that exist in memory alone; store paths are computed but
 * nothing is stored; derivations are collected.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { isSystemError } from "../base/index.ts";
import {
  fileKind,
  type Derivation,
  fsPath,
  bytePath,
  hashBytes,
  hashFileSync,
  hashNarSync,
  makeFixedOutputPath,
  makeTextPath,
  parseHash,
  equalHashes,
} from "../formats/index.ts";
import { EvalError } from "./errors.ts";
import type {
  AddPathRequest,
  FetchTreeRequest,
  FetchTreeResult,
  FetchUrlRequest,
  FileStatus,
  FileType,
  Host,
} from "./host.ts";

export interface MemoryHostOptions {
  readonly storeDir?: string;
  readonly system?: string;
  readonly pure?: boolean;
  readonly currentTime?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Files that exist in memory only, by absolute path; text is UTF-8. */
  readonly files?: Readonly<Record<string, string>>;
}

export class MemoryHost implements Host {
  readonly storeDir: string;
  readonly system: string;
  readonly currentTime: number;
  readonly pure: boolean;
  /** Every derivation by path. */
  readonly derivations = new Map<string, Derivation>();
  /** Every text that `toFile` stored, by path. */
  readonly texts = new Map<string, string>();
  /** What was copied to the store: store path to original. */
  readonly added = new Map<string, string>();
  readonly messages: string[] = [];
  readonly #environment: Readonly<Record<string, string>>;
  readonly #files = new Map<string, Uint8Array>();

  constructor(options: MemoryHostOptions = {}) {
    this.storeDir = options.storeDir ?? "/nix/store";
    this.system = options.system ?? "x86_64-linux";
    this.currentTime = options.currentTime ?? 0;
    this.pure = options.pure ?? false;
    this.#environment = options.environment ?? {};
    for (const [path, text] of Object.entries(options.files ?? {})) this.addFile(path, text);
  }

  addFile(path: string, content: string | Uint8Array): void {
    this.#files.set(path, typeof content === "string" ? Buffer.from(content) : content);
  }

  readFile(path: string): Uint8Array {
    const physical = this.#physical(path);
    const text = this.texts.get(physical);
    if (text !== undefined) return Buffer.from(text, "latin1");
    const own = this.#files.get(physical);
    if (own !== undefined) return own;
    try {
      return readFileSync(fsPath(physical));
    } catch (error) {
      throw this.#failure(error, path);
    }
  }

  readDirectory(path: string): ReadonlyMap<string, FileType> {
    const physical = this.#physical(path);
    const entries = new Map<string, FileType>();
    const below = physical === "/" ? "/" : `${physical}/`;
    for (const file of this.#files.keys())
      if (file.startsWith(below)) {
        const [name, ...rest] = file.slice(below.length).split("/");
        entries.set(name!, rest.length > 0 ? "directory" : "regular");
      }
    try {
      for (const entry of readdirSync(fsPath(physical), { withFileTypes: true, encoding: "buffer" }))
        entries.set(bytePath(entry.name), fileKind(entry));
    } catch (error) {
      if (entries.size === 0) throw this.#failure(error, path);
    }
    return entries;
  }

  status(path: string): FileStatus | undefined {
    const physical = this.#physical(path);
    const text = this.texts.get(physical);
    if (text !== undefined) return { type: "regular", executable: false, size: text.length };
    const own = this.#files.get(physical);
    if (own !== undefined) return { type: "regular", executable: false, size: own.length };
    const status = lstatSync(fsPath(physical), { throwIfNoEntry: false });
    if (status !== undefined)
      return { type: fileKind(status), executable: (status.mode & 0o100) !== 0, size: status.size };
    for (const file of this.#files.keys())
      if (file.startsWith(`${physical}/`)) return { type: "directory", executable: false, size: 0 };
    return undefined;
  }

  readLink(path: string): string {
    try {
      return bytePath(readlinkSync(fsPath(this.#physical(path)), { encoding: "buffer" }));
    } catch (error) {
      throw this.#failure(error, path);
    }
  }

  addPath({ path, name, method, filter, sha256 }: AddPathRequest): string {
    const physical = this.#physical(path);
    const own = this.#files.get(physical);
    let hash: ReturnType<typeof hashBytes>;
    try {
      if (method === "flat") hash = own === undefined ? hashFileSync(physical).hash : hashBytes("sha256", own);
      else if (own !== undefined)
        throw new EvalError(`the test host cannot serialise '${path}', which is in memory only`);
      else hash = hashNarSync(physical, { filter }).hash;
    } catch (error) {
      throw this.#failure(error, path);
    }
    if (sha256 !== undefined && !equalHashes(parseHash(sha256, "sha256"), hash))
      throw new EvalError(`store path mismatch in (possibly filtered) path added from '${path}'`);
    const storePath = makeFixedOutputPath(this.storeDir, name, method, hash);
    this.added.set(storePath, path);
    return storePath;
  }

  addText(name: string, content: Uint8Array, references: readonly string[]): string {
    const path = makeTextPath(this.storeDir, name, content, references);
    this.texts.set(path, Buffer.from(content).toString("latin1"));
    return path;
  }

  addDerivation(path: string, derivation: Derivation): void {
    this.derivations.set(path, derivation);
  }

  readDerivation(path: string): Derivation {
    const derivation = this.derivations.get(path);
    if (derivation === undefined) throw new EvalError(`the test host has no derivation '${path}'`);
    return derivation;
  }

  isValidPath(path: string): boolean {
    return this.texts.has(path) || this.added.has(path) || this.derivations.has(path);
  }

  realise(context: ReadonlySet<string>): void {
    for (const element of context)
      if (element.startsWith("!")) throw new EvalError(`the test host cannot build '${element}'`);
  }

  fetchUrl({ url }: FetchUrlRequest): string {
    throw new EvalError(`the test host cannot fetch '${url}'`);
  }

  fetchTree(_request: FetchTreeRequest): FetchTreeResult {
    throw new EvalError("the test host cannot fetch trees");
  }

  environment(name: string): string {
    return this.#environment[name] ?? "";
  }

  message(level: "trace" | "warning", text: string): void {
    this.messages.push(`${level}: ${text}`);
  }

  /** What was added to the store is read where it came from. */
  #physical(path: string): string {
    if (!path.startsWith(`${this.storeDir}/`)) return path;
    for (const [storePath, original] of this.added)
      if (path === storePath || path.startsWith(`${storePath}/`)) return original + path.slice(storePath.length);
    return path;
  }

  #failure(error: unknown, path: string): unknown {
    return isSystemError(error) ? new EvalError(`cannot read '${path}': ${error.code}`) : error;
  }
}
