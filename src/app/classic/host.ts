/**
 * The world of the classic commands: impure unless asked otherwise, files straight from the disk, store paths computed here.
 * Only what a real store has to do (fetching, building, looking up, and storing where that is wanted) is asked of services.
 */
import {
  bytePath,
  type Derivation,
  equalHashes,
  fsPath,
  hashFileSync,
  hashNarSync,
  makeFixedOutputPath,
  makeTextPath,
  parseHash,
} from "../../formats/index.ts";
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
import {
  directoryEntries,
  fileContent,
  explainedAccess,
  fileStatus,
  filteredEntries,
  linkTarget,
} from "../evaluation/disk-files.ts";
import { MadeObjects } from "../evaluation/made-objects.ts";
import type { Plain } from "../evaluation/protocol.ts";
import { SymlinkResolver } from "../evaluation/symlinks.ts";
import type { ClassicSettings } from "./protocol.ts";
import type { SyncClassicServices } from "./services.ts";

export class ClassicHost implements Host {
  readonly storeDir: string;
  readonly system: string;
  readonly currentTime: number;
  readonly pure: boolean;
  readonly workingFolder: string;
  readonly #settings: ClassicSettings;
  readonly #services: SyncClassicServices;
  readonly #notify: (level: "trace" | "warning", text: string) => void;
  readonly #made: MadeObjects;
  /** Store paths that were computed only, and what they are copies of. */
  readonly #copies = new Map<string, string>();
  /** What pure or restricted evaluation may read, with everything below. */
  readonly #allowed = new Set<string>();
  readonly #links = new SymlinkResolver((path) => this.#physical(path));

  constructor(
    settings: ClassicSettings,
    services: SyncClassicServices,
    notify: (level: "trace" | "warning", text: string) => void,
  ) {
    this.#settings = settings;
    this.#services = services;
    this.#notify = notify;
    this.#made = new MadeObjects(settings.store === "read-write" ? services : undefined);
    this.storeDir = settings.storeDir;
    this.system = settings.system;
    this.currentTime = Math.floor(Date.now() / 1000);
    this.pure = settings.pure;
    this.workingFolder = utf8(settings.cwd);
  }

  /** Lets pure or restricted evaluation read a file or folder. */
  allow(path: string): void {
    this.#allowed.add(path);
  }

  readFile(path: string): Uint8Array {
    return this.#made.text(path)?.content ?? this.#access(path, fileContent, true);
  }

  readDirectory(path: string): ReadonlyMap<string, FileType> {
    this.#made.settle(path);
    const entries = this.#access(path, directoryEntries, true);
    if (this.#mayRead(path)) return entries;
    // A folder on the way to something allowed shows just the way.
    const below = path === "/" ? "/" : `${path}/`;
    const names = [...this.#allowed]
      .filter((at) => at.startsWith(below))
      .map((at) => at.slice(below.length).split("/")[0]);
    return new Map([...entries].filter(([name]) => names.includes(name)));
  }

  status(path: string): FileStatus | undefined {
    return this.#made.status(path) ?? this.#access(path, fileStatus);
  }

  readLink(path: string): string {
    this.#made.settle(path);
    return this.#access(path, linkTarget);
  }

  addPath(request: AddPathRequest): string {
    const { path, name, method, filter, sha256 } = request;
    this.#check(path);
    this.#made.settle(path);
    if (this.#stores) return this.#storePath(request);
    const hash = this.#access(path, (physical) =>
      method === "flat"
        ? hashFileSync(physical)
        : hashNarSync(physical, { filter: filter && this.#named(path, physical, filter) }),
    ).hash;
    const storePath = makeFixedOutputPath(this.storeDir, name, method, hash);
    if (sha256 !== undefined && !equalHashes(parseHash(sha256, "sha256"), hash))
      throw new EvalError(`store path mismatch in (possibly filtered) path added from '${path}'`);
    this.#copies.set(storePath, path);
    this.#allowed.add(storePath);
    return storePath;
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
    if (this.#made.has(path) || this.#copies.has(path)) return true;
    return this.#settings.store !== "none" && this.#services.isValidPath(path);
  }

  references(path: string): readonly string[] {
    const text = this.#made.text(path);
    if (text !== undefined) return text.references;
    return this.#copies.has(path) || this.#settings.store === "none" ? [] : this.#services.references(path);
  }

  realise(context: ReadonlySet<string>): void {
    const wanted = [...context].filter((element) => element.startsWith("!"));
    const [first] = wanted;
    if (first !== undefined && !this.#settings.importsFromDerivations) {
      const end = first.indexOf("!", 1);
      throw new EvalError(
        `cannot build '${first.slice(end + 1)}^${first.slice(1, end)}' during evaluation because the option 'allow-import-from-derivation' is disabled`,
      );
    }
    if (first !== undefined && !this.#stores) {
      const missing = wanted.find((element) => !this.#isBuilt(element));
      if (missing === undefined) return;
      throw new EvalError(
        `cannot build '${missing.slice(missing.indexOf("!", 1) + 1)}' during evaluation: the store is read only here`,
        { hint: "`--read-write-mode` lets an evaluation write to the store and build what it imports from." },
      );
    }
    if (first === undefined) return;
    this.flush();
    this.#services.realise([...context]);
    for (const element of wanted) {
      const path = this.#outputOf(element);
      if (path !== undefined) this.#allowClosure(path);
    }
  }

  /** What has been built may be read with all that it refers to. */
  #allowClosure(path: string): void {
    if (this.#allowed.has(path)) return;
    this.#allowed.add(path);
    const { pure, restricted } = this.#settings;
    if (pure || restricted) for (const reference of this.references(path)) this.#allowClosure(reference);
  }

  fetchUrl(request: FetchUrlRequest): string {
    this.#checkUri(request.url);
    if (this.pure && request.sha256 === undefined)
      throw new EvalError(
        `in pure evaluation mode, '${request.unpack ? "fetchTarball" : "fetchurl"}' requires a 'sha256' argument`,
      );
    this.needStore(`fetch '${request.url}'`);
    const path = this.#services.fetchUrl(request);
    this.#allowed.add(path);
    return path;
  }

  fetchTree(request: FetchTreeRequest): FetchTreeResult {
    if (this.#settings.restricted) this.#checkUri(this.showFlakeReference(request));
    this.needStore("fetch a source tree");
    const tree = this.#services.fetchTree([...textsOf(request, fromUtf8)]);
    this.#allowed.add(tree.outPath);
    return { outPath: tree.outPath, attributes: new Map(tree.info) };
  }

  /** `builtins.getFlake`; set by whoever knows how flakes are locked and called. */
  getFlake: (reference: string) => Lazy = () => {
    throw new EvalError("flakes cannot be got here");
  };

  /** @throws EvalError where there is no store to fetch to */
  needStore(what: string): void {
    if (this.#settings.store === "none") throw new EvalError(`cannot ${what}: there is no store (dummy://)`);
  }

  parseFlakeReference(reference: string): ReadonlyMap<string, Plain> {
    return textsOf(this.#services.parseFlakeReference(fromUtf8(reference)), utf8);
  }

  showFlakeReference(attributes: ReadonlyMap<string, Plain>): string {
    return utf8(this.#services.showFlakeReference([...textsOf(attributes, fromUtf8)]));
  }

  environment(name: string): string {
    return this.pure || this.#settings.restricted ? "" : (this.#settings.environment[name] ?? "");
  }

  home(): string {
    return this.pure ? "" : (this.#settings.environment["HOME"] ?? "");
  }

  message(level: "trace" | "warning", text: string): void {
    this.#notify(level, text);
  }

  get #stores(): boolean {
    return this.#settings.store === "read-write";
  }

  #isBuilt(element: string): boolean {
    const path = this.#outputOf(element);
    return path !== undefined && this.isValidPath(path);
  }

  /** The path of `!output!/…​.drv`. */
  #outputOf(element: string): string | undefined {
    const end = element.indexOf("!", 1);
    return this.readDerivation(element.slice(end + 1)).outputs.get(element.slice(1, end))?.path;
  }

  #storePath({ path, name, method, filter, sha256 }: AddPathRequest): string {
    const include = filter === undefined ? undefined : filteredEntries(this, path, filter);
    const stored = this.#services.addPath({ path, name, method, include, sha256 });
    this.#allowed.add(stored);
    return stored;
  }

  /** A filter that is asked about physical paths asks about logical ones. */
  #named(
    path: string,
    physical: string | Uint8Array,
    filter: NonNullable<AddPathRequest["filter"]>,
  ): NonNullable<AddPathRequest["filter"]> {
    const root = bytePath(physical);
    return root === path ? filter : (file, type) => filter(path + file.slice(root.length), type);
  }

  /**
   * Runs an action on the physical path and turns system errors into ours.
   * @param through the action follows a symlink at the end of the path
   */
  #access<T>(path: string, action: (physical: string | Buffer) => T, through = false): T {
    this.#check(path);
    try {
      return action(this.#physical(this.#confined(path, through)));
    } catch (error) {
      throw explainedAccess(error, path);
    }
  }

  /** Where the path leads to, which pure or restricted evaluation must be allowed to read, too. */
  #confined(path: string, through: boolean): string {
    const { pure, restricted } = this.#settings;
    if (!pure && !restricted) return path;
    return this.#links.confined(path, through, this.storeDir, (target) => this.#check(target));
  }

  #physical(path: string): string | Buffer {
    if (path !== this.storeDir && !path.startsWith(`${this.storeDir}/`)) return fsPath(path);
    const end = path.indexOf("/", this.storeDir.length + 1);
    const original = this.#copies.get(end < 0 ? path : path.slice(0, end));
    if (original !== undefined) return fsPath(end < 0 ? original : original + path.slice(end));
    return fsPath(Buffer.from(this.#settings.physicalRoot).toString("latin1") + path);
  }

  /** Whether nothing forbids to read what is at the path and all below it. */
  #mayRead(path: string): boolean {
    const { pure, restricted } = this.#settings;
    if (!pure && !restricted) return true;
    for (let at = path; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf("/"))))
      if (this.#allowed.has(at)) return true;
    return false;
  }

  #check(path: string): void {
    if (this.#mayRead(path)) return;
    const { pure } = this.#settings;
    // Folders on the way to something allowed may be looked at.
    for (const allowed of this.#allowed) if (allowed.startsWith(path === "/" ? "/" : `${path}/`)) return;
    const mode = pure ? "pure evaluation" : "restricted";
    const advice = pure ? " (use '--impure' to override)" : "";
    throw new RestrictedPathError(`access to absolute path '${path}' is forbidden in ${mode} mode${advice}`);
  }

  /** @throws EvalError for an address that restricted evaluation may not fetch */
  #checkUri(uri: string): void {
    if (!this.#settings.restricted) return;
    for (const allowed of this.#settings.allowedUris) {
      if (uri === allowed || (uri.startsWith(allowed) && (allowed.endsWith("/") || uri[allowed.length] === "/")))
        return;
      // A bare scheme allows all its addresses.
      if (/^[a-z+]+:$/.test(allowed) && uri.startsWith(allowed)) return;
    }
    if (uri.startsWith("/")) return this.#check(uri);
    if (uri.startsWith("file:///")) return this.#check(uri.slice("file://".length));
    throw new EvalError(`access to URI '${uri}' is forbidden in restricted mode`);
  }
}
