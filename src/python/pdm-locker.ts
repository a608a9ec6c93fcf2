/** Locking with pdm: a pdm out of the index, pinned by its files' hashes, writes `pdm.lock` as it always does. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, relative } from "node:path";
import { Activity, D2nError, isSystemError, makeFolders, notice, redactCredentials } from "../base/index.ts";
import { runBootstrapPip } from "./bootstrap-pip.ts";
import type { BuildSystemsLock } from "./build-systems-lock.ts";
import { parseWheelName } from "./distribution-name.ts";
import { certificateVariables, cleanEnvironment, type Environment } from "./pip-environment.ts";
import { Leftovers } from "./build-leftovers.ts";
import { noticeWritten, pdmLockChanges } from "./lock-changes.ts";
import { lockPdmBuildSystems, type PdmBuildRequest } from "./pdm-build-systems.ts";
import { pipIndexes } from "./pip-configuration.ts";
import type { PipLockServices } from "./pip-session.ts";
import { hostPrograms, readText, removeAll } from "./pip-workspace.ts";
import { formatVersion } from "./version.ts";

/** The interpreter runs pdm as well; its pip fetches pdm. */
export interface PdmLockRequest extends PdmBuildRequest {
  /** Null: the newest that the index has when it is asked first; d2n.lock keeps it. */
  readonly pdmVersion: string | null;
  readonly useUv: boolean;
}

export interface PdmLocked {
  /** The live lock file. */
  readonly lockFile: string;
  readonly systems: BuildSystemsLock;
  /** Hashes to record: those of pdm's own files where none were recorded, of a pip that d2n does not know. */
  readonly newHashes: ReadonlyMap<string, string>;
}

/** What messages call it. */
const nameOf = ({ pdmVersion }: Pick<PdmLockRequest, "pdmVersion">): string =>
  pdmVersion === null ? "pdm" : `pdm ${pdmVersion}`;

/**
 * Locks, and finds out what is built with what. Whether the old lock file stays when pdm fails is up to pdm, which writes last.
 * @throws D2nError `lock-pdm-failed`, `lock-pip-version`, `lock-git-failed`; InterruptedError
 */
export async function lockWithPdm(request: PdmLockRequest, services: PipLockServices): Promise<PdmLocked> {
  const work = mkdtempSync(join(services.temporaryDir, "d2n-pdm-"));
  const leftovers = new Leftovers([join(services.projectRoot, request.folder)]);
  try {
    const environment = {
      ...services.environment,
      ...certificateVariables(services.environment, readText, services.caBundle),
    };
    const tool = await obtainPdm(request, services, environment, work);
    await runPdm(request, services, environment, tool.folder, work);
    const forBuilding = join(work, "build-systems");
    mkdirSync(forBuilding);
    const { systems, newHashes } = await lockPdmBuildSystems(request, services, forBuilding);
    return {
      lockFile: join(services.projectRoot, request.folder, request.lockFile),
      systems,
      newHashes: new Map([...tool.newHashes, ...newHashes]),
    };
  } finally {
    leftovers.remove();
    removeAll(work);
  }
}

async function runPdm(
  request: PdmLockRequest,
  services: PipLockServices,
  environment: Environment,
  tool: string,
  work: string,
): Promise<void> {
  const { events } = services;
  const cwd = join(services.projectRoot, request.folder);
  if (!existsSync(join(cwd, "pyproject.toml")))
    throw new D2nError("lock-pdm-failed", `there is no pyproject.toml in ${cwd}`, {
      hint: "paths.package names the folder of the package.",
    });
  const temporary = join(work, "tmp");
  mkdirSync(temporary);
  const lockFile = join(cwd, request.lockFile);
  const before = readText(lockFile);
  using activity = new Activity(events, "lock", nameOf(request));
  const lines: string[] = [];
  const status = await services.run([request.interpreter, "-s", "-m", "pdm", "lock", "--lockfile", request.lockFile], {
    env: {
      ...cleanEnvironment(environment),
      ...pdmVariables(environment),
      PDM_USE_UV: request.useUv ? "1" : "0",
      // Named here, pdm does not write it to a file of the project.
      PDM_PYTHON: request.interpreter,
      PYTHONPATH: tool,
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONUNBUFFERED: "1",
      TMPDIR: temporary,
      PATH: [join(tool, "bin"), dirname(request.interpreter), hostPrograms(work, services.environment["PATH"])].join(
        delimiter,
      ),
    },
    cwd,
    onLine: (text) => {
      const line = redactCredentials(text);
      lines.push(line);
      activity.log(line);
    },
    signal: services.signal,
  });
  if (status !== 0)
    throw new D2nError("lock-pdm-failed", `pdm could not lock: it ended with status ${status}`, {
      details: lines.slice(-25).join("\n"),
      hint: "pdm asks the index that it is configured with (pypi.url), else pip's.",
    });
  activity.stop(true);
  const after = readText(lockFile) ?? "";
  if (before !== undefined) for (const line of pdmLockChanges(before, after)) notice(events, line);
  noticeWritten(events, lockFile, relative(services.cwd, lockFile), before !== after);
}

/** The user's own settings of pdm, and pip's index where pdm has none of its own. */
function pdmVariables(environment: Environment): Record<string, string> {
  const own = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[0].startsWith("PDM_") && entry[1] !== undefined,
  );
  const { indexUrl } = pipIndexes({ environment, readText });
  const certificates = environment["PIP_CERT"];
  return {
    PDM_CHECK_UPDATE: "0",
    PDM_USE_VENV: "0",
    ...(indexUrl === undefined ? {} : { PDM_PYPI_URL: indexUrl }),
    ...(certificates === undefined
      ? {}
      : { PDM_PYPI_CA_CERTS: certificates, SSL_CERT_FILE: certificates, REQUESTS_CA_BUNDLE: certificates }),
    ...Object.fromEntries(own),
  };
}

interface ObtainedPdm {
  readonly folder: string;
  readonly newHashes: ReadonlyMap<string, string>;
}

/** pdm with all that it needs, unpacked: as recorded in `d2n.lock`, else as the index has it now. */
async function obtainPdm(
  request: PdmLockRequest,
  services: PipLockServices,
  environment: Environment,
  work: string,
): Promise<ObtainedPdm> {
  const minor = request.pythonVersion.split(".").slice(0, 2).join("");
  // Some of its parts are compiled, so the files depend on the machine.
  const pdm = request.pdmVersion === null ? "pdm" : `pdm-${request.pdmVersion}`;
  const key = `${pdm}${request.useUv ? "+uv" : ""}-cp${minor}-${request.system}/`;
  const recorded = new Map(
    [...(services.recordedHashes ?? [])]
      .filter(([name]) => name.startsWith(key))
      .map(([name, sha256]) => [name.slice(key.length), sha256]),
  );
  const folderOf = (files: ReadonlyMap<string, string>): string => {
    const id = createHash("sha256")
      .update(JSON.stringify([...files].sort()))
      .digest("hex")
      .slice(0, 16);
    return join(services.cacheDir, `pdm-${id}`);
  };
  if (recorded.size > 0 && existsSync(folderOf(recorded))) return { folder: folderOf(recorded), newHashes: new Map() };

  const wheels = join(work, "wheels");
  mkdirSync(wheels);
  const pip = pipRunner(request, services, environment, work);
  const wanted: string[] = [];
  if (recorded.size > 0) {
    const requirements = join(work, "requirements.txt");
    const lines = [...recorded].map(([file, sha256]) => {
      const { name, version } = parseWheelName(file);
      return `${name}==${formatVersion(version)} --hash=sha256:${sha256}\n`;
    });
    writeFileSync(requirements, lines.join(""));
    wanted.push("--no-deps", "--require-hashes", "-r", requirements);
  }
  // The extra has the versions that the release was tested with; newer ones of what it needs may break it.
  else
    wanted.push(
      `pdm[locked]${request.pdmVersion === null ? "" : `==${request.pdmVersion}`}`,
      ...(request.useUv ? ["uv"] : []),
    );
  await pip(["download", "--only-binary", ":all:", "--dest", wheels, ...wanted]);

  const files = new Map(
    readdirSync(wheels)
      .sort()
      .map((file) => [
        file,
        createHash("sha256")
          .update(readFileSync(join(wheels, file)))
          .digest("hex"),
      ]),
  );
  const folder = folderOf(files);
  if (!existsSync(folder)) {
    makeFolders(services.cacheDir);
    const fresh = mkdtempSync(`${folder}.`);
    try {
      await pip([
        "install",
        "--quiet",
        "--root-user-action",
        "ignore",
        "--no-index",
        "--no-deps",
        "--target",
        join(fresh, "all"),
        ...[...files.keys()].map((file) => join(wheels, file)),
      ]);
      renameSync(join(fresh, "all"), folder);
    } catch (error) {
      // Another process may have been first.
      if (!isSystemError(error, "ENOTEMPTY") && !isSystemError(error, "EEXIST")) throw error;
    } finally {
      removeAll(fresh);
    }
  }
  return {
    folder,
    newHashes: recorded.size > 0 ? new Map() : new Map([...files].map(([file, sha256]) => [key + file, sha256])),
  };
}

/** Runs the archive's pip. */
function pipRunner(
  { interpreter, bootstrapPip, pdmVersion }: PdmLockRequest,
  services: PipLockServices,
  environment: Environment,
  work: string,
): (args: readonly string[]) => Promise<void> {
  return async (args) => {
    using activity = new Activity(services.events, "lock", nameOf({ pdmVersion }));
    const { status, progress } = await runBootstrapPip(
      args,
      { interpreter, bootstrapPip, work, environment },
      services,
      activity,
    );
    if (status !== 0)
      throw new D2nError(
        "lock-pdm-failed",
        `${nameOf({ pdmVersion })} could not be fetched: ${progress.reason() ?? `pip ended with status ${status}`}`,
        {
          details: progress.tail(),
          hint: "It comes from the index that pip is configured for, with the hashes of d2n.lock. Is pdm.pdmVersion a released version?",
        },
      );
    activity.stop(true);
  };
}
