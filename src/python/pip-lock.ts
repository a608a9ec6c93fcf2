/** Locking with pip: resolves with the real pip, without installing anything, and turns its report into a lock. */
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { Activity, D2nError, type EventSink, warn } from "../base/index.ts";
import { prefetchGit } from "./git-prefetch.ts";
import type { JsonObject } from "./json.ts";
import { pipFieldValue } from "./lock-file.ts";
import { sourcesFromReport } from "./lock-sources.ts";
import { targetsFromReport } from "./lock-targets.ts";
import { certificateVariables, cleanEnvironment, type Environment } from "./pip-environment.ts";
import { type FetchedWheel, obtainWheel } from "./pip-install.ts";
import { PipProgress } from "./pip-output.ts";
import { parsePipReport } from "./pip-report.ts";
import { knownWheels, lockingWheelVersion } from "./pip-versions.ts";
import type { Run } from "./run.ts";

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
}

export interface PipLock {
  /** The field `fetchPipMetadata`. */
  readonly value: JsonObject;
  /** Wheels whose hashes ought to be recorded, `pip==99.0` to SHA-256. */
  readonly newHashes: ReadonlyMap<string, string>;
}

/**
 * Resolves the requirements for the interpreter and gives what upstream's locker would write.
 * @throws D2nError `lock-pip-failed` with pip's words, `lock-pip-version`, `lock-no-hash`, `lock-requirement`, …; InterruptedError
 */
export async function lockWithPip(request: PipLockRequest, services: PipLockServices): Promise<PipLock> {
  const work = realpathSync(mkdtempSync(join(services.temporaryDir, "d2n-lock-")));
  try {
    return await lockIn(work, request, services);
  } finally {
    removeAll(work);
  }
}

async function lockIn(work: string, request: PipLockRequest, services: PipLockServices): Promise<PipLock> {
  const { interpreter, pipFlags } = request;
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
  const copies = new Map<string, string>();
  const report = join(work, "report.json");
  const argv = [
    join(work, "venv", "bin", "python"),
    ...[pip, "install", "--dry-run", "--ignore-installed", ...pipFlags, "--progress-bar", "off", "--report", report],
    ...request.requirementsList
      .filter((text) => text !== "")
      .map((text) => writableRequirement(text, work, copies, services)),
    ...request.requirementsFiles.filter((file) => file !== "").flatMap((file) => ["-r", file]),
  ];
  const temporary = join(work, "tmp");
  mkdirSync(temporary);
  const clean = cleanEnvironment(environment);
  using activity = new Activity(events, "lock", request.name);
  const progress = new PipProgress(events, activity);
  const status = await run(argv, {
    env: {
      PYTHONUNBUFFERED: "1",
      PIP_DISABLE_PIP_VERSION_CHECK: "1",
      PIP_NO_INPUT: "1",
      ...clean,
      PIP_USER: "0",
      ...request.env,
      PATH: [...request.path, hostPrograms(work, services.environment["PATH"])].join(delimiter),
      TMPDIR: temporary,
    },
    cwd: services.cwd,
    onLine: (line) => progress.line(line),
    signal,
  });
  progress.stop(status === 0);
  if (status !== 0)
    throw new D2nError(
      "lock-pip-failed",
      `pip could not lock ${request.name}: ${progress.reason() ?? `it ended with status ${status}`}`,
      {
        details: progress.tail(),
        hint: "The lock file is as it was. pip's own words are above; it is configured by pip.conf, PIP_* variables and the options pip.*.",
      },
    );
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
  const sources = await sourcesFromReport(parsed, {
    projectRoots: [...new Set([services.projectRoot, realpathSync(services.projectRoot)])],
    storeDir: services.storeDir,
    copies,
    prefetchGit: (url, rev) =>
      prefetchGit(url, rev, {
        ...services,
        run: services.runOnHost ?? run,
        environment: { ...clean, ...request.env, PATH: services.environment["PATH"] ?? "" },
      }),
    describeStorePath: services.describeStorePath ?? (async () => undefined),
  });
  activity.stop(true);
  return { value: pipFieldValue(sources, targets), newHashes: newHashes(wheels) };
}

function newHashes(wheels: readonly FetchedWheel[]): Map<string, string> {
  return new Map(
    wheels
      .filter(({ project, version }) => knownWheels[project]?.[version] === undefined)
      .map(({ project, version, sha256 }) => [`${project}==${version}`, sha256]),
  );
}

