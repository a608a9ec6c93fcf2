/** Locking with pip: resolves with the real pip, without installing anything, and turns its report into a lock. */
import { existsSync, mkdtempSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Activity, D2nError, notice, warn } from "../base/index.ts";
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
import { parsePipReport, type PipReport } from "./pip-report.ts";
import { type PipLockServices, PipSession, type PipSessionSettings } from "./pip-session.ts";
import { removeAll, writableRequirement } from "./pip-workspace.ts";

export interface PipLockRequest extends PipSessionSettings {
  /** What is locked, for messages. */
  readonly name: string;
  readonly requirementsList: readonly string[];
  /** Relative to the user's current directory. */
  readonly requirementsFiles: readonly string[];
  /** Folder of the package itself where it is not locked, relative to the project's root. */
  readonly rootFolder?: string | null | undefined;
  /** Compilers and libraries, by package, for source distributions that tell their metadata by compiling; with cmake. */
  readonly toolchains?: readonly (Toolchain & { readonly package: string })[] | undefined;
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

async function lockIn(
  work: string,
  request: PipLockRequest,
  services: PipLockServices,
  tools: BuildTools | undefined,
): Promise<PipLock> {
  const { pipFlags } = request;
  const { events, signal } = services;
  using activity = new Activity(events, "lock", request.name);
  const session = await PipSession.open(work, request, services, tools, activity);

  const copies = new Map<string, string>();
  const report = join(work, "report.json");
  const argv = [
    ...["--dry-run", "--ignore-installed", ...pipFlags, "--progress-bar", "off", "--report", report],
    ...request.requirementsList
      .filter((text) => text !== "")
      .map((text) => writableRequirement(text, work, copies, services)),
    ...request.requirementsFiles.filter((file) => file !== "").flatMap((file) => ["-r", file]),
  ];
  let { status, progress } = await session.install(argv, session.variables());
  // Programs of the package's own inputs (pg_config, say) have names that nothing stands for.
  const given = new Map<string, Variables>();
  while (status !== 0 && tools !== undefined && progress.wantsCompiler()) {
    const name = progress.lastPackage();
    try {
      const more = await tools.environment({ package: name ?? everyPackage, tools: undefined });
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
    ({ status, progress } = await session.install(argv, session.variables(joinVariables(given.values()))));
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
        run: services.runOnHost ?? services.run,
        environment: { ...session.clean, ...request.env, PATH: services.environment["PATH"] ?? "" },
        keepIn: folder,
      });
      checkouts.set(`${url} ${rev}`, { folder, submodules, live: false });
      await services.keepGitTree?.(folder, url, rev);
      return sha256;
    },
    describeStorePath: services.describeStorePath ?? (async () => undefined),
  });
  await session.keep(parsed);

  const buildSystems = await findBuildSystems(sources, {
    ...session.buildServices(),
    trees: treesOf(parsed, sources, checkouts, copies),
    ...(request.rootFolder === undefined || request.rootFolder === null
      ? {}
      : { root: { name: request.name, folder: join(services.projectRoot, request.rootFolder) } }),
  });
  activity.stop(true);
  return { value: pipFieldValue(sources, targets), newHashes: session.newHashes, buildSystems };
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
