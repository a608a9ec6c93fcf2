/**
 * One pip, of the wanted version, in an environment of its own, for everything that one locking asks of it: resolving, and
 * finding out what source distributions are built with.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import { type Activity, D2nError, type EventSink } from "../base/index.ts";
import type { BuildSystemServices } from "./build-systems.ts";
import type { BuildTools, Toolchain, ToolchainWish, Variables } from "./build-tools.ts";
import { pathOfFileUrl } from "./lock-sources.ts";
import { certificateVariables, cleanEnvironment, type Environment } from "./pip-environment.ts";
import { type FetchedWheel, obtainWheel } from "./pip-install.ts";
import { PipProgress } from "./pip-output.ts";
import { parsePipReport, type PipReport } from "./pip-report.ts";
import { knownWheels, lockingWheelVersion } from "./pip-versions.ts";
import { hostPrograms, indexFlags, makeEnvironment, readText, scriptFile, searchFlags } from "./pip-workspace.ts";
import type { Run } from "./run.ts";
import { compareVersions, parseVersion, tryParseVersion } from "./version.ts";

export interface PipLockServices {
  /** Runs with the store in sight. */
  readonly run: Run;
  /** Runs programs of the machine itself: git. The same as `run` unless set. */
  readonly runOnHost?: Run | undefined;
  /** Where a logical path really lies. */
  readonly physicalPath: (logical: string) => string;
  readonly storeDir: string;
  readonly environment: Environment;
  readonly cwd: string;
  readonly projectRoot: string;
  readonly cacheDir: string;
  readonly temporaryDir: string;
  readonly events: EventSink;
  readonly signal?: AbortSignal | undefined;
  /** Certificates to trust where neither the user nor the system names any. */
  readonly caBundle?: string | undefined;
  /** `pip==24.0` to SHA-256, of versions that d2n does not know by itself. */
  readonly recordedHashes?: ReadonlyMap<string, string> | undefined;
  /** Address and hash of a store path that a fixed-output derivation made; undefined for others. */
  readonly describeStorePath?: (path: string) => Promise<{ readonly url: string; readonly sha256: string } | undefined>;
  /** Keeps a file that pip fetched where builds look for files of that SHA-256 (hexadecimal); it need not be true. */
  readonly keepFile?: (file: string, sha256: string) => Promise<void>;
  /** Keeps the tree of a commit, with its submodules, where builds look for it. */
  readonly keepGitTree?: (folder: string, url: string, rev: string) => Promise<void>;
  /** Fetches a file that pip did not, or says undefined. */
  readonly fetchFile?: (url: string, sha256: string) => Promise<string | undefined>;
  /** What a package lacks to tell its metadata, by what its build system put out. */
  readonly advise?: (output: readonly string[], name: string) => Promise<string | undefined>;
  /** Finds a toolchain, in place of those of the request. */
  readonly toolchain?: ((wish: ToolchainWish) => Promise<Toolchain | undefined>) | undefined;
  /** Makes a toolchain valid. */
  readonly realise?: (toolchain: Toolchain) => Promise<void>;
}

export interface PipSessionSettings {
  /** Logical path of the interpreter to lock for. */
  readonly interpreter: string;
  /** Its full version, 3.13.5. */
  readonly pythonVersion: string;
  /** Logical path of a `site-packages` that holds any pip, to fetch the wanted one with. */
  readonly bootstrapPip: string;
  readonly pipVersion: string;
  readonly pipFlags: readonly string[];
  /** Exported while locking. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders of programs on PATH while locking, logical. */
  readonly path: readonly string[];
  /** Flags with which build requirements are resolved, `--only-binary :all:` unless given. */
  readonly buildFlags?: readonly string[] | undefined;
}

/** pip's settings that would spoil the resolution of build requirements. */
const notForBuilding =
  "PIP_NO_BINARY PIP_ONLY_BINARY PIP_REQUIREMENT PIP_EDITABLE PIP_REQUIRE_HASHES PIP_NO_DEPS".split(" ");

export class PipSession {
  /** The user's variables that pip gets. */
  readonly clean: Readonly<Record<string, string>>;
  readonly #work: string;
  readonly #settings: PipSessionSettings;
  readonly #services: PipLockServices;
  readonly #tools: BuildTools | undefined;
  readonly #activity: Activity;
  readonly #wheels: readonly FetchedWheel[];
  readonly #pip: string;
  readonly #programs: string;
  #resolutions = 0;

  private constructor(
    work: string,
    settings: PipSessionSettings,
    services: PipLockServices,
    tools: BuildTools | undefined,
    activity: Activity,
    environment: Environment,
    wheels: readonly (FetchedWheel & { readonly folder: string })[],
  ) {
    this.#work = work;
    this.#settings = settings;
    this.#services = services;
    this.#tools = tools;
    this.#activity = activity;
    this.#wheels = wheels;
    this.#pip = makeEnvironment(join(work, "venv"), settings, wheels);
    for (const folder of [this.#kept, this.#temporary]) mkdirSync(folder);
    this.clean = cleanEnvironment(environment);
    this.#programs = hostPrograms(work, services.environment["PATH"]);
  }

  /**
   * @param work a folder of one's own
   * @param activity what pip says is said of it
   * @throws D2nError `lock-pip-version`
   */
  static async open(
    work: string,
    settings: PipSessionSettings,
    services: PipLockServices,
    tools: BuildTools | undefined,
    activity: Activity,
  ): Promise<PipSession> {
    const { interpreter, pythonVersion, bootstrapPip, pipVersion, pipFlags } = settings;
    const user: Environment = { ...services.environment, ...settings.env };
    const environment = { ...user, ...certificateVariables(user, readText, services.caBundle) };
    const pythonMinor = pythonVersion.split(".").slice(0, 2).join(".");
    const wheelServices = { ...services, environment };
    const base = { interpreter, pythonMinor, bootstrapPip, indexFlags: indexFlags(pipFlags) };
    const wheels = [await obtainWheel({ ...base, project: "pip", version: pipVersion }, wheelServices)];
    // Building without isolation uses what is installed beside pip; upstream has `wheel` there.
    if (pipFlags.includes("--no-build-isolation"))
      wheels.push(await obtainWheel({ ...base, project: "wheel", version: lockingWheelVersion }, wheelServices));
    return new PipSession(work, settings, services, tools, activity, environment, wheels);
  }

  /** Wheels whose hashes ought to be recorded, `pip==99.0` to SHA-256. */
  get newHashes(): Map<string, string> {
    return new Map(
      this.#wheels
        .filter(({ project, version }) => knownWheels[project]?.[version] === undefined)
        .map(({ project, version, sha256 }) => [`${project}==${version}`, sha256]),
    );
  }

  get #kept(): string {
    return join(this.#work, "kept");
  }

  get #temporary(): string {
    return join(this.#work, "tmp");
  }

  get #python(): string {
    return join(this.#work, "venv", "bin", "python");
  }

  get #buildFlags(): readonly string[] {
    return this.#settings.buildFlags ?? ["--only-binary", ":all:"];
  }

  /** The variables that pip runs with; `built` are those of a toolchain, whose programs come before those that stand for them. */
  variables(built: Variables = {}): Record<string, string> {
    return this.#variables(built, true);
  }

  #variables({ PATH: found, ...built }: Variables, stubs: boolean): Record<string, string> {
    const { path, env } = this.#settings;
    const folders = [
      ...path,
      ...(found === undefined ? [] : [found]),
      ...(stubs && this.#tools !== undefined ? [this.#tools.folder] : []),
      this.#programs,
    ];
    return {
      ...built,
      PYTHONUNBUFFERED: "1",
      PIP_DISABLE_PIP_VERSION_CHECK: "1",
      PIP_NO_INPUT: "1",
      ...this.clean,
      PIP_USER: "0",
      ...env,
      PATH: folders.join(delimiter),
      TMPDIR: this.#temporary,
      D2N_KEEP: this.#kept,
      ...(this.#buildFlags.includes("--only-binary") ? { D2N_BUILD_WHEELS: "1" } : {}),
    };
  }

  /** `pip install`. */
  async install(
    args: readonly string[],
    env: Variables,
  ): Promise<{ readonly status: number; readonly progress: PipProgress }> {
    const { run, events, cwd, signal } = this.#services;
    const progress = new PipProgress(events, this.#activity);
    const status = await run([this.#python, this.#pip, "install", ...args], {
      env,
      cwd,
      onLine: (line) => progress.line(line),
      signal,
    });
    progress.stop(status === 0);
    return { status, progress };
  }

  /** Keeps what pip has fetched where builds look for it. */
  async keep({ install }: PipReport): Promise<void> {
    for (const { download_info: info } of install) {
      const sha256 = info.archive_info?.hashes?.["sha256"] ?? info.archive_info?.hash?.replace(/^sha256=/, "");
      const file = this.#keptFile(info.url);
      if (sha256 !== undefined && existsSync(file)) await this.#services.keepFile?.(file, sha256);
    }
  }

  #keptFile(url: string): string {
    return join(this.#kept, basename(decoded(url.replace(/[?#].*$/, ""))));
  }

  async #resolve(requirements: readonly string[], more: readonly string[]): Promise<PipReport> {
    const { pipFlags, pipVersion } = this.#settings;
    const file = join(this.#work, `build-report-${this.#resolutions++}.json`);
    const outcome = await this.install(
      [
        "--ignore-installed",
        ...searchFlags(pipFlags),
        "--progress-bar",
        "off",
        "--report",
        file,
        ...more,
        ...requirements,
      ],
      buildVariables(pipVersion, this.variables()),
    );
    if (outcome.status === 0) {
      const found = parsePipReport(readFileSync(file, "utf8"));
      await this.keep(found);
      return found;
    }
    const reason = outcome.progress.reason() ?? `pip ended with status ${outcome.status}`;
    throw new D2nError("lock-pip-failed", `pip could not resolve ${requirements.join(" ")}: ${reason}`);
  }

  /** What finding build systems asks for, but for the sources. */
  buildServices(): Omit<BuildSystemServices, "trees" | "root"> {
    const { events, run, signal, fetchFile } = this.#services;
    const tools = this.#tools;
    return {
      work: this.#work,
      events,
      resolve: (requirements, onlyWheels) =>
        this.#resolve(requirements, ["--dry-run", ...(onlyWheels ? ["--only-binary", ":all:"] : this.#buildFlags)]),
      install: async (requirements, target) => {
        await this.#resolve(requirements, ["--target", target, ...this.#buildFlags]);
      },
      script: async (name, args, { cwd, env = {}, builds, onLine }) => {
        const built =
          builds === undefined ? undefined : await tools?.environment({ package: builds, tools: undefined });
        const found = built === undefined ? this.#variables({}, false) : this.variables(built.variables);
        return run([this.#python, scriptFile(name), ...args], { env: { ...found, ...env }, cwd, onLine, signal });
      },
      hasTools: tools !== undefined,
      file: async (url, sha256) => {
        const local = pathOfFileUrl(url);
        const near = [this.#keptFile(url), ...(local === undefined ? [] : [local])].find((path) => existsSync(path));
        return near ?? (await fetchFile?.(url, sha256));
      },
    };
  }
}

/**
 * The variables for resolving build requirements. Since 25.3, constraints of what is locked do not hold for what it is built with;
 * older versions of pip have no others.
 */
function buildVariables(pipVersion: string, env: Variables): Variables {
  const own = env["PIP_BUILD_CONSTRAINT"];
  const version = tryParseVersion(pipVersion);
  const old = version !== undefined && compareVersions(version, parseVersion("25.3")) < 0;
  const dropped = own !== undefined || old ? notForBuilding : [...notForBuilding, "PIP_CONSTRAINT"];
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !dropped.includes(name))),
    ...(own === undefined ? {} : { PIP_CONSTRAINT: own }),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
