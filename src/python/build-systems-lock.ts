/** What `d2n.lock` holds of one lock file of a package: how its source distributions are built. */
import * as v from "valibot";
import { compareCodePoints } from "./json.ts";

const text = v.string();

const sourceBuild = v.looseObject({
  /** `build-backend`; `setuptools.build_meta:__legacy__` where the project names none. */
  backend: v.optional(text),
  /** Everything that was asked for: by `build-system.requires`, then by the backend itself. */
  requires: v.optional(v.array(text)),
  /** What that came to, sorted: keys of `files`. Undefined where it could not be found out. */
  inputs: v.optional(v.array(text)),
  /** Folder of the project inside of the source. */
  subdirectory: v.optional(text),
  /** Hash of a git source with its submodules, Nix' base 32; the lock file has the one without. */
  submodules: v.optional(text),
});

const buildFile = v.looseObject({
  url: text,
  sha256: v.pipe(text, v.regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in base 16")),
});

const schema = v.looseObject({
  sources: v.record(text, sourceBuild),
  files: v.record(text, buildFile),
});

export type SourceBuild = v.InferOutput<typeof sourceBuild>;
export type BuildFile = v.InferOutput<typeof buildFile>;
/** Keys of both are `click==8.1.8`: canonical name and version. */
export type BuildSystemsLock = v.InferOutput<typeof schema>;

/** For the schema of a file that holds some of these. */
export const buildSystemsSchema = schema;

/** Whether cargo is part of it: maturin's packages, and those of setuptools with extensions in Rust. */
export function isBuiltWithCargo({ backend = "", requires = [] }: SourceBuild): boolean {
  return /^(?:maturin|puccinialin)\b/.test(backend) || requires.some((text) => /^\s*setuptools[-_.]rust\b/i.test(text));
}

/** The key of a package in `sources` and `files`; that of the package that the lock is for is its name alone. */
export function buildKey(name: string, version: string): string {
  return `${name}==${version}`;
}

/** Name and version of a key. */
export function splitBuildKey(key: string): readonly [name: string, version: string] {
  const at = key.indexOf("==");
  return at < 0 ? [key, ""] : [key.slice(0, at), key.slice(at + 2)];
}

/** The same, sorted, and without files that nothing needs. */
export function tidyBuildSystems({ sources, files }: BuildSystemsLock): BuildSystemsLock {
  const needed = new Set(Object.values(sources).flatMap((source) => source.inputs ?? []));
  return {
    sources: sorted(sources, () => true),
    files: sorted(files, (key) => needed.has(key)),
  };
}

function sorted<T>(record: Readonly<Record<string, T>>, wanted: (key: string) => boolean): Record<string, T> {
  const keys = Object.keys(record).filter(wanted).sort(compareCodePoints);
  return Object.fromEntries(keys.map((key) => [key, record[key]!]));
}

/**
 * Variables that tell build systems which version it is that they build, where they would ask a repository (none for one that is not known): setuptools-scm,
 * hatch-vcs and flit-scm, pdm, pbr, and those of poetry and uv that are told to leave a version alone.
 */
export function versionVariables(name: string, version: string): Record<string, string> {
  if (version === "") return {};
  const shouted = name.replace(/[^A-Za-z0-9]+/g, "_").toUpperCase();
  return {
    [`SETUPTOOLS_SCM_PRETEND_VERSION_FOR_${shouted}`]: version,
    // Builds are one package each, so that this one may be said without a name, as hatch-vcs wants it.
    SETUPTOOLS_SCM_PRETEND_VERSION: version,
    PDM_BUILD_SCM_VERSION: version,
    PBR_VERSION: version,
    POETRY_DYNAMIC_VERSIONING_BYPASS: version,
    UV_DYNAMIC_VERSIONING_BYPASS: version,
  };
}
