/** What the source distributions in a `pdm.lock`, and the project itself, are built with: pdm locks neither. */
import { existsSync, realpathSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { Activity, D2nError, messageOf, warn } from "../base/index.ts";
import { findBuildSystems, isWheel, type SourceTree } from "./build-systems.ts";
import type { BuildSystemsLock } from "./build-systems-lock.ts";
import { prefetchGit } from "./git-prefetch.ts";
import type { LockedSource } from "./lock-sources.ts";
import { markerEnvironment } from "./marker-environment.ts";
import { indexAddress, isSourceDistribution, preferredFile } from "./pdm-files.ts";
import { closePdmGroup, type PdmLock, type PdmPackage, parsePdmLock } from "./pdm-lock.ts";
import { parsePdmProject, type PdmProject, type PdmSource } from "./pdm-project.ts";
import { type PipLockServices, PipSession } from "./pip-session.ts";
import { readText } from "./pip-workspace.ts";
import { type WheelRanks, wheelRanks } from "./wheel-tags.ts";

/** The pip that resolves build systems where no other is wanted. */
const pipVersion = "25.3";

export interface PdmBuildRequest {
  readonly interpreter: string;
  readonly pythonVersion: string;
  readonly system: string;
  readonly bootstrapPip: string;
  /** The folder of `pyproject.toml`, relative to the project's root. */
  readonly folder: string;
  /** The name of the lock file in it. */
  readonly lockFile: string;
  /** Of the C library (of macOS itself there), `2.41`: it decides which wheels fit. */
  readonly libraryVersion: string;
  readonly musl: boolean;
  /** Which kind of file is preferred; null: a function of the user's chooses. */
  readonly sourceSelector: "wheel" | "sdist" | null;
  /** Packages with an override, which may choose another kind. */
  readonly overridden: readonly string[];
  /** Folders of programs on PATH, logical. */
  readonly path: readonly string[];
}

/** The packages of all groups that are, or may be, built from source. @throws D2nError where project and lock do not fit */
export function pdmSourceDistributions(
  project: PdmProject,
  lock: PdmLock,
  request: Pick<
    PdmBuildRequest,
    "pythonVersion" | "system" | "libraryVersion" | "musl" | "sourceSelector" | "overridden"
  >,
): ReadonlyMap<string, PdmPackage> {
  const { pythonVersion, system, sourceSelector, overridden } = request;
  const environment = markerEnvironment({ version: pythonVersion, system });
  const ranks = wheelRanks(request);
  const found = new Map<string, PdmPackage>();
  const fromSource = ({ name, origin }: PdmPackage): boolean => {
    switch (origin.kind) {
      case "index": {
        const names = origin.files.map((file) => file.name);
        if (sourceSelector === null || overridden.includes(name)) return names.some(isSourceDistribution);
        return sourceFileOf(names, sourceSelector, ranks) !== undefined;
      }
      case "url":
        return !isWheel(origin.url);
      case "path":
        return !isWheel(origin.path);
      case "git":
        return true;
      case "unsupported":
        return false;
    }
  };
  const defaults = project.groups.get("default") ?? [];
  for (const [group, requirements] of project.groups) {
    const wanted = group === "default" ? requirements : [...defaults, ...requirements];
    // Groups may be locked on their own: those that are not are not built, either.
    for (const pkg of attempt(() => closePdmGroup(lock, wanted, environment))?.values() ?? [])
      if (!found.has(pkg.name) && fromSource(pkg)) found.set(pkg.name, pkg);
  }
  return found;
}

/** The source distribution that is taken, if one is. */
function sourceFileOf(names: readonly string[], kind: "wheel" | "sdist", ranks: WheelRanks): string | undefined {
  const file = preferredFile(names, kind, ranks);
  return file !== undefined && isSourceDistribution(file) ? file : undefined;
}

function attempt<T>(compute: () => T): T | undefined {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof D2nError)) throw error;
    return undefined;
  }
}

/**
 * Finds them. What cannot be found out is warned of: setuptools builds it then, as without all this.
 * @param work a folder of one's own
 * @throws D2nError `lock-pip-version`, `lock-git-failed`; InterruptedError
 */
export async function lockPdmBuildSystems(
  request: PdmBuildRequest,
  services: PipLockServices,
  work: string,
): Promise<{ readonly systems: BuildSystemsLock; readonly newHashes: ReadonlyMap<string, string> }> {
  const folder = join(services.projectRoot, request.folder);
  const nothing = { systems: { sources: {}, files: {} }, newHashes: new Map<string, string>() };
  let project: PdmProject;
  let packages: ReadonlyMap<string, PdmPackage>;
  try {
    project = parsePdmProject(readText(join(folder, "pyproject.toml")) ?? "", "pyproject.toml");
    const lock = parsePdmLock(readText(join(folder, request.lockFile)) ?? "", request.lockFile);
    packages = pdmSourceDistributions(project, lock, request);
  } catch (error) {
    if (!(error instanceof D2nError)) throw error;
    warn(services.events, `build systems are not locked: ${messageOf(error)}`);
    return nothing;
  }
  using activity = new Activity(services.events, "lock", project.name);
  const session = await PipSession.open(
    work,
    { ...request, pipVersion, pipFlags: flagsFor(project.sources, services.environment), env: {} },
    services,
    undefined,
    activity,
  );
  const sources = new Map<string, LockedSource>();
  const trees = new Map<string, SourceTree>();
  for (const [name, pkg] of packages) {
    const { origin } = pkg;
    const base = { is_direct: origin.kind !== "index", version: pkg.version ?? "unknown" };
    const subdirectory = "subdirectory" in origin ? origin.subdirectory : undefined;
    const place = { ...base, ...(subdirectory === undefined ? {} : { subdirectory }) };
    if (origin.kind === "index") {
      const { files } = origin;
      const file = files.find(({ name: one }) => isSourceDistribution(one));
      const sha256 = sha256Of(file?.hash);
      if (file === undefined || sha256 === undefined) continue;
      sources.set(name, {
        ...place,
        type: "url",
        url: file.url ?? indexAddress(name, file.name, project.sources),
        sha256,
      });
    } else if (origin.kind === "url") {
      const sha256 = sha256Of(origin.hash);
      if (sha256 !== undefined) sources.set(name, { ...place, type: "url", url: origin.url, sha256 });
    } else if (origin.kind === "git") {
      const keepIn = join(work, `git-${trees.size}`);
      const { sha256 } = await prefetchGit(origin.url, origin.revision, {
        ...services,
        run: services.runOnHost ?? services.run,
        environment: { ...session.clean, PATH: services.environment["PATH"] ?? "" },
        keepIn,
      });
      sources.set(name, { ...place, type: "git", url: origin.url, rev: origin.revision, sha256 });
      trees.set(name, { folder: keepIn, live: false });
    } else if (origin.kind === "path") {
      const path = isAbsolute(origin.path) ? origin.path : join(folder, origin.path);
      if (!existsSync(path)) continue;
      sources.set(name, { ...place, type: "local", path: origin.path });
      trees.set(name, isSourceDistribution(path) ? { archive: path, live: false } : { folder: path, live: true });
    }
  }
  const systems = await findBuildSystems(sources, {
    ...session.buildServices(),
    trees,
    root: { name: project.name, folder: realpathSync(folder) },
  });
  activity.stop(true);
  return { systems, newHashes: session.newHashes };
}

function sha256Of(hash: string | undefined): string | undefined {
  return /^sha256[:=]([0-9a-f]{64})$/i.exec(hash ?? "")?.[1]?.toLowerCase();
}

/** The project's own sources as pip's flags. */
function flagsFor(sources: readonly PdmSource[], environment: Readonly<Record<string, string | undefined>>): string[] {
  const expanded = (url: string): string =>
    url.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, name: string) => environment[name] ?? whole);
  return sources.flatMap(({ name, url, kind }) => [
    kind === "find-links" ? "--find-links" : name === "pypi" ? "--index-url" : "--extra-index-url",
    expanded(url),
  ]);
}
