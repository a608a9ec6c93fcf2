/**
 * One evaluation as the main thread sees it: its project, its locks, the archive it takes packages from, and the services that
 * the worker calls.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { D2nError, notice, writeFileAtomically } from "../../base/index.ts";
import { type Archive, emptyPins } from "../../debian/index.ts";
import { addIntent, commitFiles } from "../../fetchers/index.ts";
import { makeFixedOutputPath, parseHash } from "../../formats/index.ts";
import type { BuildSystemsLock } from "../../python/index.ts";
import { derivationText } from "../../store/index.ts";
import type { Context } from "../context.ts";
import { D2nLock } from "../d2n-lock.ts";
import { openDebianArchive } from "../debian-archive.ts";
import { bootstrapBusybox } from "../bootstrap.ts";
import { realise } from "../realise.ts";
import { fetchTree, folderOfTree, openProject } from "../source-trees.ts";
import { fetchUrlToStore } from "../store-downloads.ts";
import type { JobResult, ProjectMessage, Services } from "./protocol.ts";
import { wantedByContext } from "./wanted.ts";

export class Session {
  readonly context: Context;
  #project: ProjectMessage | undefined;
  #opened: { readonly reference: string; readonly project: Promise<ProjectMessage> } | undefined;
  #lock: D2nLock | undefined;
  #archive: Promise<Archive> | undefined;
  readonly #watched = new Set<string>();
  #unlocked = false;
  /** The service calls of evaluation are one after the other; their warnings come once. */
  readonly #said = new Set<string>();

  constructor(context: Context) {
    this.context = context;
  }

  get project(): ProjectMessage | undefined {
    return this.#project;
  }

  /** Files of this machine outside of the project that the result depends on, be they there or not. */
  get watched(): readonly string[] {
    return [...this.#watched];
  }

  /** Whether a tree was taken as it is now, for there was no lock that says which one. */
  get unlocked(): boolean {
    return this.#unlocked;
  }

  /** `d2n.lock` of the project; that of a project which is no working folder is never written. */
  get lock(): D2nLock {
    if (this.#lock === undefined) {
      const { project, context } = this;
      const root = project?.root ?? (project === undefined ? "/nonexistent" : context.toPhysical(project.tree.outPath));
      this.#lock = D2nLock.read(join(root, project?.dir ?? "", "d2n.lock"));
    }
    return this.#lock;
  }

  /** How the source distributions of a lock file are built: as its own tree says, be it the project's or an input's. */
  #buildSystems(lockFile: string): BuildSystemsLock | undefined {
    const { project, context } = this;
    const flake = project === undefined ? undefined : join(project.tree.outPath, project.dir);
    if (flake !== undefined && lockFile.startsWith(`${flake}/`))
      return this.lock.buildSystems[lockFile.slice(flake.length + 1)];
    const { storeDir } = context;
    const top = lockFile
      .split("/")
      .slice(0, storeDir.split("/").length + 1)
      .join("/");
    const live = folderOfTree(context, top);
    for (let folder = dirname(lockFile); folder.startsWith(`${storeDir}/`); folder = dirname(folder)) {
      let file = join(context.toPhysical(folder), "d2n.lock");
      // What a store path holds never changes; what lies in a folder does.
      if (!existsSync(file) && live !== undefined) {
        file = join(live, folder.slice(top.length), "d2n.lock");
        this.#watched.add(file);
      }
      if (existsSync(file)) return D2nLock.read(file).buildSystems[lockFile.slice(folder.length + 1)];
    }
    return undefined;
  }

  archive(): Promise<Archive> {
    this.#archive ??= openDebianArchive(this.context, this.lock.debian.indexes);
    return this.#archive;
  }

  /** Lets go of the archive's state that d2n.lock holds: the next evaluation takes the present one. */
  forgetPins(): void {
    this.lock.debian = emptyPins;
    const old = this.#archive;
    this.#archive = undefined;
    void old?.then((archive) => archive.close()).catch(() => {});
  }

  /** Opens the project before evaluation does, which then takes it as it is. */
  async open(reference: string): Promise<ProjectMessage> {
    this.#opened = undefined;
    this.openAhead(reference);
    return (this.#project = await this.#open(reference));
  }

  /** Begins to open the project that evaluation is going to ask for; what goes wrong is told then. */
  openAhead(reference: string): void {
    if (this.#opened?.reference === reference) return;
    const project = openProject(this.context, reference);
    project.catch(() => {});
    this.#opened = { reference, project };
  }

  #open(reference: string): Promise<ProjectMessage> {
    const opened = this.#opened;
    return opened?.reference === reference ? opened.project : openProject(this.context, reference);
  }

  readonly services: Services = {
    openProject: async (reference) => {
      const project = this.#open(reference);
      this.#opened = undefined;
      return (this.#project = await project);
    },
    fetchTree: (attributes) => {
      this.#unlocked ||= !attributes.some(([name]) => name === "narHash" || name === "rev");
      return fetchTree(this.context, attributes);
    },
    fetchUrl: (request) => fetchUrlToStore(this.context, request),
    addPath: async ({ path, name, method, include, sha256 }) => {
      const store = await this.context.store();
      const expected = sha256 === undefined ? undefined : parseHash(sha256, "sha256");
      if (expected !== undefined) {
        const known = makeFixedOutputPath(store.storeDir, name, method, expected);
        if (await store.isValidPath(known)) return known;
      }
      const physical = Buffer.from(this.context.toPhysical(path), "latin1");
      const allowed = include === undefined ? undefined : new Set(include);
      const prefix = physical.length + 1;
      const info = await store.addTree(
        { path: physical },
        {
          name,
          method,
          ...(allowed === undefined ? {} : { filter: (file: string) => allowed.has(file.slice(prefix)) }),
          ...(expected === undefined ? {} : { expected }),
        },
      );
      return info.path;
    },
    missingPaths: async (paths) => {
      const store = await this.context.store();
      await store.addTempRoots(paths);
      const valid = await store.queryValidPaths(paths);
      return paths.filter((path) => !valid.has(path));
    },
    addObjects: async (objects) => {
      (await this.context.store()).addTextsSync(
        objects.map((object) =>
          "derivation" in object
            ? derivationText(object.derivation)
            : { ...object.text, references: new Set(object.text.references) },
        ),
      );
    },
    readDerivation: async (path) => (await this.context.store()).readDerivation(path),
    isValidPath: async (path) => (await this.context.store()).isValidPath(path),
    references: async (path) => (await (await this.context.store()).findPathInfo(path))?.references ?? [],
    realise: async (elements) => {
      await realise(this.context, wantedByContext(elements));
    },
    pins: async () => this.lock.debian,
    buildSystems: async (lockFile) => this.#buildSystems(lockFile),
    debianPackage: async ({ suite, architecture, name }) => (await this.archive()).lookup(suite, architecture, name),
    debianIndexes: async () => (await this.archive()).indexes(),
    debianMirrors: async () => (await this.archive()).mirrors,
    bootstrapBusybox: (pin) => bootstrapBusybox(this.context, pin),
    message: async ({ level, text }) => {
      if (level === "warning" && this.#said.has(text)) return;
      this.#said.add(text);
      this.context.sink({
        type: "message",
        level: level === "trace" ? "notice" : "warning",
        text: level === "trace" ? `trace: ${text}` : text,
      });
    },
  };

  /**
   * Writes flake.lock and d2n.lock where they changed, and lets git know of new ones, as Nix does with flake.lock.
   */
  async writeLocks({
    newLockFile: flakeLock,
    lockChanges: changes,
    newPins,
  }: Pick<JobResult, "newLockFile" | "lockChanges" | "newPins">): Promise<void> {
    const { context, project } = this;
    if (newPins !== undefined) this.lock.debian = newPins;
    if (project?.root === undefined) return;
    if (flakeLock !== undefined && context.options.noUpdateLockFile)
      throw new D2nError("flake-lock", "`flake.lock` is not up to date, and d2n was told not to update it", {
        details: changes.join("\n"),
      });
    if (context.options.noWriteLockFile) return;
    const written: string[] = [];
    if (flakeLock !== undefined) {
      writeFileAtomically(join(project.root, project.dir, "flake.lock"), flakeLock);
      written.push("flake.lock");
      for (const change of changes) notice(context.sink, `flake.lock: ${change}`);
    }
    if (this.#lock?.changed) {
      try {
        this.#lock.write();
        written.push("d2n.lock");
      } catch (error) {
        context.sink({
          type: "message",
          level: "warning",
          text: `d2n.lock could not be written: ${(error as Error).message}`,
        });
      }
    }
    if (written.length === 0 || !project.display.startsWith("git+file:")) return;
    const files = written.map((file) => join(project.dir, file));
    const git = { environment: context.environment, signal: context.signal };
    await addIntent(project.root, files, git);
    const { commitLockFile, commitLockFileSummary } = context.options;
    if (!commitLockFile) return;
    const done = project.lockFile === undefined ? "Add" : "Update";
    const summary = commitLockFileSummary || `${files.join(", ")}: ${done}`;
    const body =
      changes.length === 0 ? "" : `\n\nFlake lock file updates:\n\n${changes.map((one) => `• ${one}\n`).join("")}`;
    await commitFiles(project.root, files, `${summary}${body}`, git);
  }

  async close(): Promise<void> {
    if (this.#archive !== undefined) (await this.#archive.catch(() => undefined))?.close();
  }
}
