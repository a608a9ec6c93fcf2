/**
 * The world as the evaluator sees it inside the worker: files straight from the disk, everything else through services.
 */
import { type Derivation, makeTextPath } from "../../formats/index.ts";
import {
  type AddPathRequest,
  EvalError,
  type FetchTreeRequest,
  type FetchTreeResult,
  type FetchUrlRequest,
  type FileStatus,
  type FileType,
  fromUtf8,
  textsOf,
  type Host,
  type Lazy,
  RestrictedPathError,
  utf8,
} from "../../lang/index.ts";
import { parseReference, referenceToAttributes, showAttributes } from "../../flake/index.ts";
import {
  directoryEntries,
  explainedAccess,
  fileContent,
  fileStatus,
  filteredEntries,
  linkTarget,
} from "./disk-files.ts";
import { MadeObjects } from "./made-objects.ts";
import type { JobSettings, Plain } from "./protocol.ts";
import type { SyncServices } from "./service-client.ts";
import { SymlinkResolver } from "./symlinks.ts";

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
  readonly #made: MadeObjects;
  /** Store paths that evaluation has come by, which pure evaluation may read. */
  readonly #allowed = new Set<string>();
  readonly #folders = new Set<string>();
  readonly #links = new SymlinkResolver((path) => this.physical(path));

  constructor(settings: JobSettings, services: SyncServices) {
    this.#settings = settings;
    this.#services = services;
    this.#made = new MadeObjects(services);
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
    return this.#made.text(path)?.content ?? this.#access(path, fileContent, true);
  }

  readDirectory(path: string): ReadonlyMap<string, FileType> {
    this.#made.settle(path);
    return this.#access(path, directoryEntries, true);
  }

  status(path: string): FileStatus | undefined {
    return this.#made.status(path) ?? this.#access(path, fileStatus);
  }

  readLink(path: string): string {
    this.#made.settle(path);
    return this.#access(path, linkTarget);
  }

  addPath(request: AddPathRequest): string {
    this.#check(request.path);
    this.#made.settle(request.path);
    const path = this.#services.addPath({
      path: request.path,
      name: request.name,
      method: request.method,
      include: request.filter === undefined ? undefined : filteredEntries(this, request.path, request.filter),
      sha256: request.sha256,
    });
    this.#allowed.add(path);
    return path;
  }

  addText(name: string, content: Uint8Array, references: readonly string[]): string {
    const path = makeTextPath(this.storeDir, name, content, references);
    this.#made.addText(path, { name, content, references });
    this.#allowed.add(path);
    return path;
  }

  addDerivation(path: string, derivation: Derivation): void {
    this.#made.addDerivation(path, derivation);
  }

  /** Hands over the objects that were put off. */
  flush(): void {
    this.#made.flush();
  }

  readDerivation(path: string): Derivation {
    this.#made.settle(path);
    return this.#made.derivation(path) ?? this.#services.readDerivation(path);
  }

  isValidPath(path: string): boolean {
    if (this.#made.has(path)) return true;
    return this.#services.isValidPath(path);
  }

  references(path: string): readonly string[] {
    return this.#made.text(path)?.references ?? this.#services.references(path);
  }

  parseFlakeReference(reference: string): ReadonlyMap<string, Plain> {
    return textsOf(referenceToAttributes(parseReference(fromUtf8(reference), { absolute: true })), utf8);
  }

  showFlakeReference(attributes: ReadonlyMap<string, Plain>): string {
    return utf8(showAttributes(textsOf(attributes, fromUtf8)));
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
    const tree = this.#services.fetchTree([...textsOf(request, fromUtf8)]);
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
    throw new RestrictedPathError(`access to absolute path '${fromUtf8(path)}' is forbidden in pure evaluation mode`, {
      hint: "Refer to files of the flake by relative paths (`./file`), or use `--impure`.",
    });
  }

  /** Runs an action on the physical path and turns system errors into ours. */
  #access<T>(path: string, action: (physical: Buffer) => T, through = false): T {
    this.#check(path);
    if (!this.pure && !path.startsWith(`${this.storeDir}/`)) this.impure = true;
    try {
      return action(this.physical(this.#confined(path, through)));
    } catch (error) {
      throw explainedAccess(error, path);
    }
  }

  /** Where the path leads to, which pure evaluation must be allowed to read, too. */
  #confined(path: string, through: boolean): string {
    if (!this.pure) return path;
    return this.#links.confined(path, through, this.storeDir, (target) => this.#check(target));
  }

  /** Where a logical path really lies. */
  physical(path: string): Buffer {
    const inStore = path === this.storeDir || path.startsWith(`${this.storeDir}/`);
    return Buffer.from(inStore ? this.#physicalStoreDir + path.slice(this.storeDir.length) : path, "latin1");
  }
}
