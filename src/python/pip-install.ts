/** Obtaining the pip that a lock wants: fetched by the pip at hand, checked, unpacked and compiled once, then kept. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Activity, D2nError, type EventSink, isSystemError, makeFolders } from "../base/index.ts";
import { runBootstrapPip } from "./bootstrap-pip.ts";
import { cleanEnvironment, type Environment } from "./pip-environment.ts";
import { PipProgress } from "./pip-output.ts";
import { knownWheels } from "./pip-versions.ts";
import type { Run } from "./run.ts";
import { tryParseVersion } from "./version.ts";

/** Something fetched whose hash is to be remembered: no table knows it. */
export interface FetchedWheel {
  readonly project: string;
  readonly version: string;
  readonly sha256: string;
}

export interface WheelServices {
  readonly run: Run;
  readonly signal?: AbortSignal | undefined;
  readonly events: EventSink;
  /** The user's environment with what the lock adds. */
  readonly environment: Environment;
  /** Where unpacked wheels are kept. */
  readonly cacheDir: string;
  readonly temporaryDir: string;
  /** The user's current directory: relative places to look at count from there. */
  readonly cwd: string;
  /** Hashes recorded earlier, `pip==24.0` to hexadecimal SHA-256, for versions that the table lacks. */
  readonly recordedHashes?: ReadonlyMap<string, string> | undefined;
}

export interface WheelRequest {
  readonly project: "pip" | "wheel";
  readonly version: string;
  /** Logical path of the interpreter, and its `3.13`. */
  readonly interpreter: string;
  readonly pythonMinor: string;
  /** Logical path of a `site-packages` that holds a pip. */
  readonly bootstrapPip: string;
  /** Flags of the lock that say where to look: `--index-url` and the like. */
  readonly indexFlags: readonly string[];
}

const unpackScript = [
  "import sys, zipfile, compileall",
  "zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])",
  "compileall.compile_dir(sys.argv[2], quiet=2)",
].join("\n");

/**
 * The folder in which a wheel of that version is unpacked, and its hash.
 * @throws D2nError `lock-pip-version`
 */
export async function obtainWheel(
  request: WheelRequest,
  services: WheelServices,
): Promise<FetchedWheel & { readonly folder: string }> {
  const { project, version, interpreter, pythonMinor } = request;
  if (tryParseVersion(version) === undefined)
    throw new D2nError("lock-pip-version", `"${version}" is not a version of ${project}`, {
      hint: "Set pip.pipVersion to a released version, 24.0 for instance.",
    });
  const expected = knownWheels[project]?.[version] ?? services.recordedHashes?.get(`${project}==${version}`);
  const folderOf = (sha256: string): string =>
    join(services.cacheDir, `${project}-${version}-${sha256.slice(0, 16)}-py${pythonMinor}`);
  if (expected !== undefined && existsSync(folderOf(expected)))
    return { project, version, sha256: expected, folder: folderOf(expected) };

  makeFolders(services.cacheDir);
  const work = mkdtempSync(join(services.temporaryDir, "d2n-pip-"));
  try {
    const wheel = await download(request, services, work);
    const sha256 = createHash("sha256").update(readFileSync(wheel)).digest("hex");
    if (expected !== undefined && sha256 !== expected)
      throw new D2nError(
        "lock-pip-version",
        `${project} ${version} from the index is not the released one: hash mismatch`,
        {
          details: `wanted: sha256:${expected}\ngot:    sha256:${sha256}`,
          hint: "The index, or something on the way to it, has changed the file.",
        },
      );
    const folder = folderOf(sha256);
    if (!existsSync(folder)) {
      const fresh = `${folder}.${randomBytes(4).toString("hex")}.tmp`;
      mkdirSync(fresh);
      try {
        using activity = new Activity(services.events, "unpack", `${project} ${version}`);
        const progress = new PipProgress(services.events, activity);
        const status = await services.run([interpreter, "-I", "-c", unpackScript, wheel, fresh], {
          env: { ...cleanEnvironment(services.environment), TMPDIR: work },
          cwd: work,
          onLine: (line) => progress.line(line),
          signal: services.signal,
        });
        if (status !== 0)
          throw new D2nError("lock-pip-version", `${project} ${version} could not be unpacked with ${interpreter}`, {
            details: progress.tail(),
          });
        renameInto(fresh, folder);
        activity.stop(true);
      } finally {
        rmSync(fresh, { recursive: true, force: true });
      }
    }
    return { project, version, sha256, folder };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Another process may have been first; its folder is as good. */
function renameInto(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!isSystemError(error, "ENOTEMPTY") && !isSystemError(error, "EEXIST")) throw error;
  }
}

/** Looks where the lock's own flags say, then where pip looks by itself: an index of a few packages need not have pip. */
async function download(request: WheelRequest, services: WheelServices, work: string): Promise<string> {
  if (request.indexFlags.length > 0) {
    try {
      return await downloadWith(request.indexFlags, request, services, work);
    } catch (error) {
      if (!(error instanceof D2nError) || error.code !== "lock-pip-version") throw error;
    }
  }
  return await downloadWith([], request, services, work);
}

async function downloadWith(
  indexFlags: readonly string[],
  request: WheelRequest,
  services: WheelServices,
  work: string,
): Promise<string> {
  const { project, version, interpreter, bootstrapPip } = request;
  using activity = new Activity(services.events, "lock", `${project} ${version}`);
  const target = join(work, "wheels");
  const { status, progress } = await runBootstrapPip(
    [
      ...["download", "--no-deps", "--only-binary", ":all:"],
      ...indexFlags,
      ...["--dest", target, `${project}==${version}`],
    ],
    { interpreter, bootstrapPip, work, environment: services.environment },
    services,
    activity,
  );
  const wheel = status === 0 ? readdirSync(target).find((name) => name.endsWith(".whl")) : undefined;
  if (wheel === undefined)
    throw new D2nError(
      "lock-pip-version",
      `${project} ${version} could not be fetched: ${progress.reason() ?? `pip ended with status ${status}`}`,
      {
        details: progress.tail(),
        hint: "It comes from the index that pip is configured for (pip.conf, PIP_INDEX_URL, PIP_FIND_LINKS). Is the network up? Is pip.pipVersion a released version?",
      },
    );
  activity.stop(true);
  return join(target, wheel);
}
