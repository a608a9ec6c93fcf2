/**
 * The world as the evaluator sees it inside the worker: files straight from the disk, everything else through services.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { D2nError, isSystemError } from "../../base/index.ts";
import type { Derivation } from "../../formats/index.ts";
import {
  type AddPathRequest,
  EvalError,
  type FetchTreeRequest,
  type FetchTreeResult,
  type FetchUrlRequest,
  type FileStatus,
  type FileType,
  fromUtf8,
  type Host,
  type Lazy,
  utf8,
} from "../../lang/index.ts";
import { formatReference, parseReference, referenceFromAttributes, referenceToAttributes } from "../../flake/index.ts";
import type { JobSettings, Plain } from "./protocol.ts";
import type { SyncServices } from "./service-client.ts";

export class WorkerHost implements Host {
  readonly storeDir: string;
  readonly system: string;
  readonly currentTime: number;
  readonly pure: boolean;
  /** Set when something was used that may change although the flake does not. */
  impure = false;
  readonly #settings: JobSettings;
  readonly #physicalStoreDir: string;
  readonly #services: SyncServices;
  readonly #pending: { path: string; derivation: Derivation }[] = [];
  readonly #added = new Map<string, Derivation>();
  /** Store paths that evaluation has come by, which pure evaluation may read. */
  readonly #allowed = new Set<string>();
  readonly #folders = new Set<string>();

  constructor(settings: JobSettings, services: SyncServices) {
    this.#settings = settings;
    this.#services = services;
    this.storeDir = settings.storeDir;
    this.#physicalStoreDir = Buffer.from(settings.physicalStoreDir, "utf8").toString("latin1");
    this.system = settings.system;
    this.currentTime = Math.floor(Date.now() / 1000);
    this.pure = settings.pure;
  }

  /** Lets pure evaluation read a store path. */
  allow(storePath: string): void {
    this.#allowed.add(storePath);
  }

  /** Lets pure evaluation copy a folder of d2n's own to the store. */
  allowFolder(folder: string): void {
    this.#folders.add(Buffer.from(folder, "utf8").toString("latin1"));
  }

  readFile(path: string): Uint8Array {
    return this.#access(path, (physical) => readFileSync(physical));
  }

  readDirectory(path: string): ReadonlyMap<string, FileType> {
    return this.#access(path, (physical) => {
      const entries = new Map<string, FileType>();
      for (const entry of readdirSync(physical, { withFileTypes: true, encoding: "latin1" }))
        entries.set(
          entry.name,
          entry.isFile()
            ? "regular"
            : entry.isDirectory()
              ? "directory"
              : entry.isSymbolicLink()
                ? "symlink"
                : "unknown",
        );
      return entries;
    });
  }

  status(path: string): FileStatus | undefined {
    try {
      return this.#access(path, (physical) => {
        const stat = lstatSync(physical);
        const type = stat.isFile()
          ? "regular"
          : stat.isDirectory()
            ? "directory"
            : stat.isSymbolicLink()
              ? "symlink"
              : "unknown";
        return { type, executable: (stat.mode & 0o100) !== 0, size: stat.size };
      });
    } catch (error) {
      if (error instanceof D2nError && error.code === "file-missing") return undefined;
      throw error;
    }
  }

  readLink(path: string): string {
    return this.#access(path, (physical) => readlinkSync(physical, { encoding: "latin1" as BufferEncoding }));
  }

  addPath(request: AddPathRequest): string {
    this.#check(request.path);
    const path = this.#services.addPath({
      path: request.path,
      name: request.name,
      method: request.method,
      include: request.filter === undefined ? undefined : this.#filtered(request),
      sha256: request.sha256,
    });
    this.#allowed.add(path);
    return path;
  }

  addText(name: string, content: Uint8Array, references: readonly string[]): string {
    const path = this.#services.addText({ name, content, references });
    this.#allowed.add(path);
    return path;
  }

  addDerivation(path: string, derivation: Derivation): void {
    if (this.#added.has(path)) return;
    this.#added.set(path, derivation);
    this.#pending.push({ path, derivation });
    if (this.#pending.length >= 256) this.flush();
  }

  /** Hands over the derivations that were put off. */
  flush(): void {
    if (this.#pending.length > 0) this.#services.addDerivations(this.#pending.splice(0));
  }

  readDerivation(path: string): Derivation {
    return this.#added.get(path) ?? this.#services.readDerivation(path);
  }

  isValidPath(path: string): boolean {
    if (this.#added.has(path)) return true;
    return this.#services.isValidPath(path);
  }

  references(path: string): readonly string[] {
    return this.#services.references(path);
  }

  parseFlakeReference(reference: string): ReadonlyMap<string, Plain> {
    return referenceToAttributes(parseReference(fromUtf8(reference)));
  }

  showFlakeReference(attributes: ReadonlyMap<string, Plain>): string {
    return utf8(formatReference(referenceFromAttributes(attributes)));
  }

  /** `builtins.getFlake`; set by whoever knows how flakes are locked and called. */
  getFlake: (reference: string) => Lazy = () => {
    throw new EvalError("flakes cannot be got here");
  };

  realise(context: ReadonlySet<string>): void {
    this.flush();
    this.#services.realise([...context]);
    for (const element of context) {
      const output = /^!([^!]*)!(.*)$/.exec(element);
      if (output !== null) {
        const path = this.readDerivation(output[2]!).outputs.get(output[1]!)?.path;
        if (path !== undefined) this.#allowed.add(path);
      } else if (!element.startsWith("=")) this.#allowed.add(element);
    }
  }

  fetchUrl(request: FetchUrlRequest): string {
    if (request.sha256 === undefined)
      this.#refuseImpure(`fetching \`${request.url}\` without a hash`, "Give it a `sha256`");
    const path = this.#services.fetchUrl(request);
    this.#allowed.add(path);
    return path;
  }

  fetchTree(request: FetchTreeRequest): FetchTreeResult {
    const tree = this.#services.fetchTree([...request]);
    this.#allowed.add(tree.outPath);
    return { outPath: tree.outPath, attributes: new Map(tree.info) };
  }

  environment(name: string): string {
    if (this.pure) return "";
    this.impure = true;
    return this.#settings.environment[name] ?? "";
  }

  message(level: "trace" | "warning", text: string): void {
    this.#services.message({ level, text: fromUtf8(text) });
  }

  /** Marks an impure use, or refuses it in pure mode. */
  #refuseImpure(what: string, instead: string): void {
    if (this.pure)
      throw new EvalError(`in pure evaluation mode, ${what} is not allowed`, {
        hint: `${instead}, or use \`--impure\`.`,
      });
    this.impure = true;
  }

  #check(path: string): void {
    if (!this.pure) return;
    const prefix = `${this.storeDir}/`;
    if (path.startsWith(prefix)) {
      const end = path.indexOf("/", prefix.length);
      if (this.#allowed.has(end < 0 ? path : path.slice(0, end))) return;
    }
    for (const folder of this.#folders) if (path === folder || path.startsWith(`${folder}/`)) return;
    throw new EvalError(`access to absolute path '${fromUtf8(path)}' is forbidden in pure evaluation mode`, {
      hint: "Refer to files of the flake by relative paths (`./file`), or use `--impure`.",
    });
  }

  /** Runs an action on the physical path and turns system errors into ours. */
  #access<T>(path: string, action: (physical: Buffer) => T): T {
    this.#check(path);
    if (!this.pure && !path.startsWith(`${this.storeDir}/`)) this.impure = true;
    try {
      return action(this.physical(path));
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const text = fromUtf8(path);
      if (error.code === "ENOENT" || error.code === "ENOTDIR")
        throw new D2nError("file-missing", `path '${text}' does not exist`);
      throw new D2nError("file-access", `cannot read '${text}': ${error.message}`);
    }
  }

  /** Where a logical path really lies. */
  physical(path: string): Buffer {
    const inStore = path === this.storeDir || path.startsWith(`${this.storeDir}/`);
    return Buffer.from(inStore ? this.#physicalStoreDir + path.slice(this.storeDir.length) : path, "latin1");
  }

  /** The entries below a folder that a filter lets in, relative to it. */
  #filtered(request: AddPathRequest): string[] {
    const include: string[] = [];
    const walk = (directory: string, relative: string): void => {
      for (const [name, quick] of [...this.readDirectory(directory)].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const path = `${directory}/${name}`;
        const type = quick === "unknown" ? (this.status(path)?.type ?? "unknown") : quick;
        if (!request.filter!(path, type)) continue;
        const inner = relative === "" ? name : `${relative}/${name}`;
        include.push(inner);
        if (type === "directory") walk(path, inner);
      }
    };
    if (this.status(request.path)?.type === "directory") walk(request.path, "");
    return include;
  }
}
