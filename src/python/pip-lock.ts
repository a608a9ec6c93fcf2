/** Locking with pip: resolves with the real pip, without installing anything, and turns its report into a lock. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, delimiter, join, resolve } from "node:path";
import { Activity, D2nError, type EventSink, notice, warn } from "../base/index.ts";
import { findBuildSystems, type SourceTree } from "./build-systems.ts";
import type { BuildSystemsLock } from "./build-systems-lock.ts";
import { Leftovers } from "./build-leftovers.ts";
import {
  BuildTools,
  everyPackage,
  joinVariables,
  noPackage,
  type Toolchain,
  type ToolchainWish,
  type Variables,
} from "./build-tools.ts";
import { prefetchGit } from "./git-prefetch.ts";
import type { JsonObject } from "./json.ts";
import { pipFieldValue } from "./lock-file.ts";
import { type LockedSource, pathOfFileUrl, sourcesFromReport } from "./lock-sources.ts";
import { targetsFromReport } from "./lock-targets.ts";
import { canonicalName } from "./names.ts";
import { certificateVariables, cleanEnvironment, type Environment } from "./pip-environment.ts";
import { type FetchedWheel, obtainWheel } from "./pip-install.ts";
import { PipProgress } from "./pip-output.ts";
import { parsePipReport, type PipReport } from "./pip-report.ts";
import { knownWheels, lockingWheelVersion } from "./pip-versions.ts";
import {
  hostPrograms,
  indexFlags,
  makeEnvironment,
  readText,
  removeAll,
  scriptFile,
  searchFlags,
  writableRequirement,
} from "./pip-workspace.ts";
import type { Run } from "./run.ts";
import { compareVersions, parseVersion, tryParseVersion } from "./version.ts";

export interface PipLockRequest {
  /** What is locked, for messages. */
  readonly name: string;
  /** Logical path of the interpreter to lock for. */
  readonly interpreter: string;
  /** Its full version, 3.13.5. */
  readonly pythonVersion: string;
  /** Logical path of a `site-packages` that holds any pip, to fetch the wanted one with. */
  readonly bootstrapPip: string;
  readonly pipVersion: string;
  readonly pipFlags: readonly string[];
  readonly requirementsList: readonly string[];
  /** Relative to the user's current directory. */
  readonly requirementsFiles: readonly string[];
  /** Exported while locking. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders of programs on PATH while locking, logical. */
  readonly path: readonly string[];
  /** Flags with which build requirements are resolved, `--only-binary :all:` unless given. */
  readonly buildFlags?: readonly string[] | undefined;
  /** Folder of the package itself where it is not locked, relative to the project's root. */
  readonly rootFolder?: string | null | undefined;
  /** Compilers and libraries, by package, for source distributions that tell their metadata by compiling; with cmake. */
  readonly toolchains?: readonly (Toolchain & { readonly package: string })[] | undefined;
}

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

export interface PipLock {
  /** The field `fetchPipMetadata`. */
  readonly value: JsonObject;
  /** Wheels whose hashes ought to be recorded, `pip==99.0` to SHA-256. */
  readonly newHashes: ReadonlyMap<string, string>;
  readonly buildSystems: BuildSystemsLock;
}

/**
 * Resolves the requirements for the interpreter and gives what upstream's locker would write.
 * @throws D2nError `lock-pip-failed` with pip's words, `lock-pip-version`, `lock-no-hash`, `lock-requirement`, …; InterruptedError
 */
export async function lockWithPip(request: PipLockRequest, services: PipLockServices): Promise<PipLock> {
  const work = realpathSync(mkdtempSync(join(services.temporaryDir, "d2n-lock-")));
  const leftovers = new Leftovers(foldersBuiltFrom(request, services));
  let tools: BuildTools | undefined;
  try {
    const { toolchains = [], interpreter } = request;
    const { realise } = services;
    const listed = async (wish: ToolchainWish): Promise<Toolchain | undefined> =>
      [wish.package, noPackage]
        .map((name) => toolchains.find((one) => one.package === name))
        .find((one) => one !== undefined);
    const toolchain = services.toolchain ?? (toolchains.length > 0 ? listed : undefined);
    if (toolchain !== undefined && realise !== undefined)
      tools = await BuildTools.open(join(work, "tools"), interpreter, { ...services, toolchain, realise });
    return await lockIn(work, request, services, tools);
  } finally {
    await tools?.close();
    leftovers.remove();
    removeAll(work);
  }
}

/** The user's folders that pip may build from, in place: the project's, and what requirements name. */
function foldersBuiltFrom(request: PipLockRequest, { cwd, projectRoot, storeDir }: PipLockServices): string[] {
  const named = request.requirementsList
    .map((text) =>
      resolve(cwd, pathOfFileUrl(text.replace(/^.*?@\s*(?=file:)/, "")) ?? text.replace(/\[[^\]]*\]$/, "")),
    )
    .filter((path) => !path.startsWith(`${storeDir}/`) && existsSync(path) && statSync(path).isDirectory());
  return named.length > 0 || request.requirementsFiles.some((file) => file !== "") ? [projectRoot, ...named] : [];
}

/** pip's settings that would spoil the resolution of build requirements. */
const notForBuilding =
  "PIP_NO_BINARY PIP_ONLY_BINARY PIP_REQUIREMENT PIP_EDITABLE PIP_REQUIRE_HASHES PIP_NO_DEPS".split(" ");

async function lockIn(
  work: string,
  request: PipLockRequest,
  services: PipLockServices,
  tools: BuildTools | undefined,
): Promise<PipLock> {
  const { interpreter, pipFlags, buildFlags = ["--only-binary", ":all:"] } = request;
  const { events, signal, run } = services;
  const user: Environment = { ...services.environment, ...request.env };
  const environment = { ...user, ...certificateVariables(user, readText, services.caBundle) };

  const pythonMinor = request.pythonVersion.split(".").slice(0, 2).join(".");
  const wheelServices = { ...services, environment };
  const base = { interpreter, pythonMinor, bootstrapPip: request.bootstrapPip, indexFlags: indexFlags(pipFlags) };
  const wheels = [await obtainWheel({ ...base, project: "pip", version: request.pipVersion }, wheelServices)];
  // Building without isolation uses what is installed beside pip; upstream has `wheel` there.
  if (pipFlags.includes("--no-build-isolation"))
    wheels.push(await obtainWheel({ ...base, project: "wheel", version: lockingWheelVersion }, wheelServices));

  const pip = makeEnvironment(join(work, "venv"), request, wheels);
  const python = join(work, "venv", "bin", "python");
  const kept = join(work, "kept");
  const temporary = join(work, "tmp");
  mkdirSync(kept);
  mkdirSync(temporary);
  const clean = cleanEnvironment(environment);
  const programs = hostPrograms(work, services.environment["PATH"]);
  const variables = (
    { PATH: found, ...built }: Variables = {},
    ...folders: readonly string[]
  ): Record<string, string> => ({
    ...built,
    PYTHONUNBUFFERED: "1",
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    PIP_NO_INPUT: "1",
    ...clean,
    PIP_USER: "0",
    ...request.env,
    PATH: [...request.path, ...(found === undefined ? [] : [found]), ...folders, programs].join(delimiter),
    TMPDIR: temporary,
    D2N_KEEP: kept,
    ...(buildFlags.includes("--only-binary") ? { D2N_BUILD_WHEELS: "1" } : {}),
  });

  using activity = new Activity(events, "lock", request.name);
  const runPip = async (
    args: readonly string[],
    env: Variables,
  ): Promise<{ readonly status: number; readonly progress: PipProgress }> => {
    const progress = new PipProgress(events, activity);
    const status = await run([python, pip, "install", ...args], {
      env,
      cwd: services.cwd,
      onLine: (line) => progress.line(line),
      signal,
    });
    progress.stop(status === 0);
    return { status, progress };
  };
  const keptFile = (url: string): string => join(kept, basename(decoded(url.replace(/[?#].*$/, ""))));
  const keep = async ({ install }: PipReport): Promise<void> => {
    for (const { download_info: info } of install) {
      const sha256 = info.archive_info?.hashes?.["sha256"] ?? info.archive_info?.hash?.replace(/^sha256=/, "");
      if (sha256 !== undefined && existsSync(keptFile(info.url))) await services.keepFile?.(keptFile(info.url), sha256);
    }
  };

  const copies = new Map<string, string>();
  const report = join(work, "report.json");
  const argv = [
    ...["--dry-run", "--ignore-installed", ...pipFlags, "--progress-bar", "off", "--report", report],
    ...request.requirementsList
      .filter((text) => text !== "")
      .map((text) => writableRequirement(text, work, copies, services)),
    ...request.requirementsFiles.filter((file) => file !== "").flatMap((file) => ["-r", file]),
  ];
  const stubs = tools === undefined ? [] : [tools.folder];
  let { status, progress } = await runPip(argv, variables({}, ...stubs));
  // Programs of the package's own inputs (pg_config, say) have names that nothing stands for.
  const given = new Map<string, Variables>();
  while (status !== 0 && tools !== undefined && progress.wantsCompiler()) {
    const name = progress.lastPackage();
    try {
      const more = await tools.environment({ package: name ?? everyPackage, cmake: false });
      if (more === undefined || given.has(more.drvPath)) break;
      given.set(more.drvPath, more.variables);
    } catch (error) {
      if (!(error instanceof D2nError) || signal?.aborted === true) throw error;
      // pip's own words are what the user has to see.
      warn(events, `there is no compiler: ${error.message}`);
      break;
    }
    notice(
      events,
      `${name ?? "a source distribution"} was not able to tell its metadata: once more, with a compiler and its inputs at hand`,
    );
    ({ status, progress } = await runPip(argv, variables(joinVariables(given.values()), ...stubs)));
  }
  if (status !== 0) {
    const name = progress.lastPackage();
    const advice =
      name !== undefined && progress.wantsCompiler() ? await services.advise?.(progress.lines, name) : undefined;
    throw new D2nError(
      "lock-pip-failed",
      `pip could not lock ${request.name}: ${progress.reason() ?? `it ended with status ${status}`}`,
      {
        details: progress.tail(),
        hint: `${advice === undefined ? "" : `${advice}\n`}The lock file is as it was. pip's own words are above; it is configured by pip.conf, PIP_* variables and the options pip.*.`,
      },
    );
  }
  if (!existsSync(report))
    throw new D2nError("lock-report-malformed", `pip ${request.pipVersion} wrote no report`, {
      hint: "pip writes reports since 22.2; choose such a version with the option pip.pipVersion.",
    });

  activity.phase("hashing sources");
  const parsed = parsePipReport(readFileSync(report, "utf8"));
  for (const item of parsed.install)
    if (item.is_yanked)
      warn(events, `${item.metadata.name} ${item.metadata.version} has been withdrawn (yanked) by its authors`);
  const targets = targetsFromReport(parsed);
  const checkouts = new Map<string, SourceTree>();
  const sources = await sourcesFromReport(parsed, {
    projectRoots: [...new Set([services.projectRoot, realpathSync(services.projectRoot)])],
    storeDir: services.storeDir,
    copies,
    prefetchGit: async (url, rev) => {
      const folder = join(work, `git-${checkouts.size}`);
      const { sha256, submodules } = await prefetchGit(url, rev, {
        ...services,
        run: services.runOnHost ?? run,
        environment: { ...clean, ...request.env, PATH: services.environment["PATH"] ?? "" },
        keepIn: folder,
      });
      checkouts.set(`${url} ${rev}`, { folder, submodules, live: false });
      await services.keepGitTree?.(folder, url, rev);
      return sha256;
    },
    describeStorePath: services.describeStorePath ?? (async () => undefined),
  });
  await keep(parsed);

  let resolutions = 0;
  const resolveBuild = async (requirements: readonly string[], more: readonly string[]): Promise<PipReport> => {
    const buildReport = join(work, `build-report-${resolutions++}.json`);
    const outcome = await runPip(
      [
        "--ignore-installed",
        ...searchFlags(pipFlags),
        "--progress-bar",
        "off",
        "--report",
        buildReport,
        ...more,
        ...requirements,
      ],
      buildVariables(request.pipVersion, variables({}, ...stubs)),
    );
    if (outcome.status === 0) {
      const found = parsePipReport(readFileSync(buildReport, "utf8"));
      await keep(found);
      return found;
    }
    const reason = outcome.progress.reason() ?? `pip ended with status ${outcome.status}`;
    throw new D2nError("lock-pip-failed", `pip could not resolve ${requirements.join(" ")}: ${reason}`);
  };
  const buildSystems = await findBuildSystems(sources, {
    work,
    events,
    resolve: (requirements, onlyWheels) =>
      resolveBuild(requirements, ["--dry-run", ...(onlyWheels ? ["--only-binary", ":all:"] : buildFlags)]),
    install: async (requirements, target) => {
      await resolveBuild(requirements, ["--target", target, ...buildFlags]);
    },
    script: async (name, args, { cwd, env = {}, builds, onLine }) => {
      const built = builds === undefined ? undefined : await tools?.environment({ package: builds, cmake: false });
      const found = built === undefined ? variables() : variables(built.variables, ...stubs);
      return run([python, scriptFile(name), ...args], { env: { ...found, ...env }, cwd, onLine, signal });
    },
    hasTools: tools !== undefined,
    file: async (url, sha256) => {
      const local = pathOfFileUrl(url);
      const near = [keptFile(url), ...(local === undefined ? [] : [local])].find((path) => existsSync(path));
      return near ?? (await services.fetchFile?.(url, sha256));
    },
    trees: treesOf(parsed, sources, checkouts, copies),
    ...(request.rootFolder === undefined || request.rootFolder === null
      ? {}
      : { root: { name: request.name, folder: join(services.projectRoot, request.rootFolder) } }),
  });
  activity.stop(true);
  return { value: pipFieldValue(sources, targets), newHashes: newHashes(wheels), buildSystems };
}

/** Folders and files of sources that pip has not fetched. */
function treesOf(
  report: PipReport,
  sources: ReadonlyMap<string, LockedSource>,
  checkouts: ReadonlyMap<string, SourceTree>,
  copies: ReadonlyMap<string, string>,
): Map<string, SourceTree> {
  const trees = new Map<string, SourceTree>();
  for (const { download_info: info, metadata } of report.install) {
    const name = canonicalName(metadata.name);
    const source = sources.get(name)!;
    const path = pathOfFileUrl(info.url);
    const checkout = source.type === "git" ? checkouts.get(`${source.url} ${source.rev}`) : undefined;
    if (checkout !== undefined) trees.set(name, checkout);
    else if (path !== undefined && existsSync(path) && statSync(path).isDirectory())
      trees.set(name, { folder: path, live: ![...copies.keys()].some((copy) => path.startsWith(copy)) });
    else if (path !== undefined && source.type === "local") trees.set(name, { archive: path, live: false });
  }
  return trees;
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

function newHashes(wheels: readonly FetchedWheel[]): Map<string, string> {
  return new Map(
    wheels
      .filter(({ project, version }) => knownWheels[project]?.[version] === undefined)
      .map(({ project, version, sha256 }) => [`${project}==${version}`, sha256]),
  );
}
