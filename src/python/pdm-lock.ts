/** `pdm.lock`: reading it, and what a group of requirements comes to for one interpreter. */
import { parse } from "smol-toml";
import * as v from "valibot";
import { D2nError, messageOf } from "../base/index.ts";
import { evaluateMarker, type Marker, type MarkerEnvironment, parseMarker } from "./marker.ts";
import { canonicalName } from "./names.ts";
import { parsePdmRequirement } from "./pdm-project.ts";
import type { Requirement } from "./requirement.ts";
import { parseSpecifiers, satisfies, type Specifier } from "./specifier.ts";
import { compareVersions, tryParseVersion } from "./version.ts";

/** A wheel or source distribution that may be taken. */
export interface PdmFile {
  readonly name: string;
  /** Locks made with `static_urls` have it; for others the index is asked. */
  readonly url: string | undefined;
  /** `sha256:…`, as written. */
  readonly hash: string;
}

export type PdmOrigin =
  | { readonly kind: "index"; readonly files: readonly PdmFile[] }
  | {
      readonly kind: "git";
      readonly url: string;
      /** The commit in full. */
      readonly revision: string;
      readonly subdirectory: string | undefined;
    }
  /** Relative to the folder of the project, unless absolute. */
  | { readonly kind: "path"; readonly path: string; readonly subdirectory: string | undefined }
  | {
      readonly kind: "url";
      readonly url: string;
      readonly hash: string | undefined;
      readonly subdirectory: string | undefined;
    }
  | { readonly kind: "unsupported"; readonly what: string };

export interface PdmEntry {
  /** Canonical. */
  readonly name: string;
  readonly version: string | undefined;
  /** Canonical, sorted; the entry of `name[extra]` lists what the extra adds. */
  readonly extras: readonly string[];
  readonly requiresPython: readonly Specifier[];
  readonly marker: Marker | undefined;
  readonly dependencies: readonly Requirement[];
  readonly origin: PdmOrigin;
}

/** An environment that the lock was made for. */
export interface PdmTarget {
  readonly requiresPython: readonly Specifier[];
  readonly platform: string | undefined;
  readonly implementation: string | undefined;
  /** For messages. */
  readonly text: string;
}

export interface PdmLock {
  /** What messages call it. */
  readonly file: string;
  readonly entries: readonly PdmEntry[];
  /** Hexadecimal SHA-256 of what the project asked for when it was locked. */
  readonly contentHash: string | undefined;
  /** None: locks of releases before 2.17 do not say. */
  readonly targets: readonly PdmTarget[];
}

const text = v.optional(v.string());
const texts = v.optional(v.array(v.string()));
const fileSchema = v.looseObject({ file: text, url: text, hash: v.string() });

const schema = v.looseObject({
  metadata: v.optional(
    v.looseObject({
      content_hash: text,
      lock_version: text,
      targets: v.optional(v.array(v.looseObject({ requires_python: text, platform: text, implementation: text }))),
      /** Up to format 4.2: files by `name version`. */
      files: v.optional(v.record(v.string(), v.array(fileSchema))),
    }),
  ),
  package: v.optional(
    v.array(
      v.looseObject({
        name: v.string(),
        version: text,
        extras: texts,
        requires_python: text,
        marker: text,
        dependencies: texts,
        files: v.optional(v.array(fileSchema)),
        git: text,
        ref: text,
        revision: text,
        subdirectory: text,
        path: text,
        url: text,
      }),
    ),
  ),
});

type Data = v.InferOutput<typeof schema>;
type PackageData = NonNullable<Data["package"]>[number];

/**
 * @param file what messages call it
 * @throws D2nError `pdm-lock`
 */
export function parsePdmLock(content: string, file: string): PdmLock {
  const fail = (why: string, cause?: unknown): D2nError =>
    new D2nError("pdm-lock", `\`${file}\` cannot be used: ${why}`, {
      hint: "Lock again: `d2n run .#default.lock`, or `pdm lock`.",
      cause,
    });
  let toml: unknown;
  try {
    toml = parse(content);
  } catch (error) {
    throw fail(messageOf(error).trimEnd(), error);
  }
  const parsed = v.safeParse(schema, toml);
  if (!parsed.success) throw fail(`${v.getDotPath(parsed.issues[0]) ?? "it"}: ${parsed.issues[0].message}`);
  const { metadata, package: packages } = parsed.output;
  const attempt = <T>(what: string, read: () => T): T => {
    try {
      return read();
    } catch (error) {
      throw fail(`${what}: ${messageOf(error)}`, error);
    }
  };
  return {
    file,
    entries: (packages ?? []).map((data) => attempt(data.name, () => readEntry(data, metadata?.files))),
    contentHash: /^sha256:([0-9a-f]{64})$/.exec(metadata?.content_hash ?? "")?.[1],
    targets: (metadata?.targets ?? []).map((target) => ({
      requiresPython: attempt("metadata.targets", () => parseSpecifiers(target.requires_python ?? "")),
      platform: target.platform,
      implementation: target.implementation,
      text: [target.implementation, target.requires_python, target.platform]
        .filter((part) => part !== undefined)
        .join(" "),
    })),
  };
}

function readEntry(
  data: PackageData,
  filesApart: Readonly<Record<string, v.InferOutput<typeof fileSchema>[]>> | undefined,
): PdmEntry {
  const files = data.files ?? filesApart?.[`${data.name} ${data.version ?? ""}`] ?? [];
  return {
    name: canonicalName(data.name),
    version: data.version,
    extras: [...new Set((data.extras ?? []).map(canonicalName))].sort(),
    requiresPython: lenientSpecifiers(data.requires_python ?? ""),
    marker: data.marker === undefined || data.marker.trim() === "" ? undefined : parseMarker(data.marker),
    dependencies: (data.dependencies ?? []).map(parsePdmRequirement),
    origin: originOf(data, files),
  };
}

function originOf(data: PackageData, files: readonly v.InferOutput<typeof fileSchema>[]): PdmOrigin {
  const { subdirectory } = data;
  if (data.git !== undefined) {
    const revision = data.revision ?? data.ref;
    if (revision === undefined || !/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(revision))
      return { kind: "unsupported", what: "it comes from git, but its commit is not in the lock" };
    return { kind: "git", url: data.git.replace(/^git\+/, ""), revision, subdirectory };
  }
  for (const vcs of ["hg", "svn", "bzr"]) if (vcs in data) return { kind: "unsupported", what: `it comes from ${vcs}` };
  if (data.path !== undefined) return { kind: "path", path: data.path, subdirectory };
  const local = localOrigin(data.url, subdirectory);
  if (local !== undefined) return local;
  if (data.url !== undefined) return { kind: "url", url: data.url, hash: files[0]?.hash, subdirectory };
  return {
    kind: "index",
    files: files.flatMap(({ file, url, hash }) => {
      const name = file ?? (url === undefined ? undefined : fileNameOf(url));
      return name === undefined ? [] : [{ name, url, hash }];
    }),
  };
}

/** A place in the project. */
function localOrigin(url: string | undefined, subdirectory: string | undefined): PdmOrigin | undefined {
  const path = /^file:\/\/\/\$\{PROJECT_ROOT\}\/(.*?)(?:#.*)?$/.exec(url ?? "")?.[1];
  return path === undefined ? undefined : { kind: "path", path, subdirectory };
}

/** The last part of a URL's path. */
export function fileNameOf(url: string): string {
  const path = url.replace(/[?#].*$/s, "");
  const last = path.slice(path.lastIndexOf("/") + 1);
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** What a group comes to: one version of each package. */
export interface PdmPackage {
  readonly name: string;
  readonly version: string | undefined;
  /** Everybody's who needs it, sorted. */
  readonly extras: readonly string[];
  readonly origin: PdmOrigin;
  /** Names of what it needs, in order; cycles are kept. */
  readonly needs: readonly string[];
}

interface State {
  readonly candidates: readonly PdmEntry[];
  readonly version: string | undefined;
  readonly extras: Set<string>;
  readonly done: Set<PdmEntry>;
  readonly needs: Set<string>;
}

/**
 * Everything that the requirements need, directly and not, on an interpreter. Linear in the size of the lock.
 * @throws D2nError `lock-stale` if the lock lacks something
 */
export function closePdmGroup(
  lock: PdmLock,
  requirements: readonly Requirement[],
  environment: MarkerEnvironment,
): ReadonlyMap<string, PdmPackage> {
  const byName = new Map<string, PdmEntry[]>();
  for (const entry of lock.entries) byName.set(entry.name, [...(byName.get(entry.name) ?? []), entry]);
  const states = new Map<string, State>();
  const urls = new Map<string, string>();
  const queue: { readonly requirement: Requirement; readonly by: string | undefined }[] = [];
  const wanted = (requirement: Requirement, extras: Iterable<string>): boolean => {
    const { marker } = requirement;
    return marker === undefined || ["", ...extras].some((extra) => evaluateMarker(marker, environment, extra));
  };

  for (const requirement of requirements) if (wanted(requirement, [])) queue.push({ requirement, by: undefined });
  // The queue grows while it is walked.
  for (const { requirement, by } of queue) {
    const name = canonicalName(requirement.name);
    let state = states.get(name);
    if (state === undefined) {
      const entries = byName.get(name);
      if (entries === undefined) throw missing(lock, name, by);
      const holding = entries.filter(({ marker }) => marker === undefined || evaluateMarker(marker, environment));
      // The lock says that this platform does without.
      if (holding.length === 0) continue;
      state = chosen(holding, requirement, environment);
      states.set(name, state);
    }
    if (requirement.url !== undefined && !urls.has(name)) urls.set(name, requirement.url);
    if (by !== undefined && by !== name) states.get(by)!.needs.add(name);
    for (const extra of requirement.extras) state.extras.add(canonicalName(extra));
    for (const entry of state.candidates) {
      if (state.done.has(entry) || !entry.extras.every((extra) => state.extras.has(extra))) continue;
      state.done.add(entry);
      for (const needed of entry.dependencies)
        if (wanted(needed, entry.extras)) queue.push({ requirement: needed, by: name });
    }
  }
  return new Map(
    [...states].map(([name, { candidates, version, extras, needs }]) => [
      name,
      {
        name,
        version,
        extras: [...extras].sort(),
        origin: originOfEntry(candidates, urls.get(name)),
        needs: [...needs],
      },
    ]),
  );
}

/** Locks that pdm makes with uv do not say where local packages are, but the requirement does. */
function originOfEntry(candidates: readonly PdmEntry[], url: string | undefined): PdmOrigin {
  const { origin } = candidates.find((entry) => entry.extras.length === 0) ?? candidates[0]!;
  if (origin.kind !== "index" || origin.files.length > 0 || url === undefined) return origin;
  return localOrigin(url, undefined) ?? origin;
}

/** Of several versions the newest that fits the interpreter and whoever asks first. */
function chosen(holding: readonly PdmEntry[], requirement: Requirement, environment: MarkerEnvironment): State {
  const python = tryParseVersion(environment["python_full_version"] ?? "");
  const fitting = holding.filter(
    ({ requiresPython }) => python === undefined || satisfies(python, requiresPython, { preReleases: true }),
  );
  // As pdm's own check of an interpreter, an upper bound does not make a locked package disappear.
  const possible = fitting.length > 0 ? fitting : holding;
  const specifiers = lenientSpecifiers(requirement.specifierText);
  const asked = possible.filter(({ version }) => {
    const parsed = tryParseVersion(version ?? "");
    return parsed === undefined || satisfies(parsed, specifiers, { preReleases: true });
  });
  const [best] = (asked.length > 0 ? [...asked] : [...possible]).sort((a, b) => compareEntries(b, a));
  return {
    candidates: possible.filter(({ version }) => version === best!.version),
    version: best!.version,
    extras: new Set(),
    done: new Set(),
    needs: new Set(),
  };
}

function compareEntries(a: PdmEntry, b: PdmEntry): number {
  const [x, y] = [tryParseVersion(a.version ?? ""), tryParseVersion(b.version ?? "")];
  if (x === undefined || y === undefined) return (x === undefined ? 0 : 1) - (y === undefined ? 0 : 1);
  return compareVersions(x, y);
}

/** Old metadata holds what no rule allows, `>=3.6.*`; it holds for everything then. */
function lenientSpecifiers(specifiers: string): Specifier[] {
  try {
    return parseSpecifiers(specifiers);
  } catch {
    return [];
  }
}

function missing(lock: PdmLock, name: string, by: string | undefined): D2nError {
  return new D2nError(
    "lock-stale",
    `\`${lock.file}\` has no \`${name}\`, which ${by === undefined ? "pyproject.toml" : `\`${by}\``} requires`,
    {
      hint: "It was made for other requirements, or without this group. Lock again: `d2n run .#default.lock`, or `pdm lock` (with `-G :all`, also what is optional).",
    },
  );
}

/** Whether one of the lock's targets is this interpreter's; a lock without targets fits all. */
export function pdmTargetFits(lock: PdmLock, python: { readonly version: string; readonly system: string }): boolean {
  if (lock.targets.length === 0) return true;
  const version = tryParseVersion(python.version);
  const dash = python.system.lastIndexOf("-");
  const [machine, kernel] = [python.system.slice(0, dash), python.system.slice(dash + 1)];
  return lock.targets.some(
    ({ requiresPython, platform, implementation }) =>
      (version === undefined || satisfies(version, requiresPython, { preReleases: true })) &&
      (implementation === undefined || implementation.toLowerCase() === "cpython") &&
      (platform === undefined || platformFits(platform.toLowerCase(), machine, kernel)),
  );
}

/** pdm's names of platforms: `linux`, `manylinux_2_17_x86_64`, `macos_arm64`, `windows_amd64`. */
function platformFits(platform: string, machine: string, kernel: string): boolean {
  const [, system, architecture] = /^([a-z]+)(?:_\d+_\d+)?(?:_(.+))?$/.exec(platform) ?? [];
  const kernels: Readonly<Record<string, string>> = {
    linux: "linux",
    manylinux: "linux",
    musllinux: "linux",
    alpine: "linux",
    macos: "darwin",
    windows: "windows",
  };
  if (system === undefined || kernels[system] !== kernel) return false;
  const alike: Readonly<Record<string, string>> = { arm64: "aarch64", amd64: "x86_64" };
  return architecture === undefined || (alike[architecture] ?? architecture) === (alike[machine] ?? machine);
}
