/** What a lock's refresh program holds: all that locking needs, so that it never evaluates again. */
import { D2nError } from "../base/index.ts";
import * as v from "valibot";

/** The file of that name lies beside `bin/` in the output of `lock.refresh`. */
export const lockSpecFile = "lock-spec.json";

/**
 * The attribute of `lock.refresh` that `d2n run` locks by, without building the program: `spec`, the text of that file, and
 * `toolchain`, a function of a field's name that evaluates (and thereby pins) what a source distribution asks for.
 */
export const lockAttribute = "_d2nLock";

const texts = v.array(v.string());

const pipSettings = v.strictObject({
  interpreter: v.string(),
  pythonVersion: v.pipe(v.string(), v.regex(/^\d+\.\d+/)),
  bootstrapPip: v.string(),
  pipVersion: v.string(),
  pipFlags: texts,
  requirementsList: texts,
  requirementsFiles: texts,
  env: v.record(v.string(), v.string()),
  path: texts,
  /** Flags with which build requirements are resolved. */
  buildFlags: v.optional(texts),
  /** Folder of the package itself where it is not locked, relative to the project's root. */
  rootFolder: v.optional(v.nullable(v.string())),
  /** Compilers and libraries, by package: made when a source distribution asks. Only where nothing can be evaluated then. */
  toolchains: v.optional(
    v.array(v.strictObject({ package: v.string(), drvPath: v.string(), environment: v.string() })),
  ),
});

const pdmSettings = v.strictObject({
  interpreter: v.string(),
  pythonVersion: v.pipe(v.string(), v.regex(/^\d+\.\d+/)),
  system: v.string(),
  bootstrapPip: v.string(),
  pdmVersion: v.nullable(v.string()),
  useUv: v.boolean(),
  /** Of `pyproject.toml`, relative to the project's root. */
  folder: v.string(),
  lockFile: v.string(),
  /** For finding out which files are taken, and with what those that are no wheels are built. */
  libraryVersion: v.string(),
  musl: v.boolean(),
  sourceSelector: v.nullable(v.picklist(["wheel", "sdist"])),
  overridden: texts,
  path: texts,
});

const field = v.variant("kind", [
  v.strictObject({ kind: v.literal("pip"), name: v.string(), pip: pipSettings }),
  /** A fixed-output derivation: the hash of what it fetches. */
  v.strictObject({ kind: v.literal("fod"), name: v.string(), drvPath: v.string() }),
  v.strictObject({ kind: v.literal("script"), name: v.string(), script: v.string() }),
]);

const spec = v.strictObject({
  version: v.literal(1),
  /** Name of the package. */
  name: v.string(),
  /** Marks the root of the project, searched upwards from the user's current directory. */
  projectRootFile: v.string(),
  /** Relative to the root. */
  lockFile: v.string(),
  /** In the order of the lock file; none: the file is deleted. */
  fields: v.array(field),
  invalidationHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  /** What pdm locks, in a file of its own. */
  pdm: v.optional(pdmSettings),
  /** Programs to run afterwards. */
  extraScripts: texts,
  /** Runs the scripts. */
  shell: v.string(),
});

export type LockSpec = v.InferOutput<typeof spec>;
export type PipSettings = v.InferOutput<typeof pipSettings>;

/** @throws D2nError `lock-spec-malformed` */
export function parseLockSpec(text: string): LockSpec {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw malformed("it is not JSON", error);
  }
  const result = v.safeParse(spec, data);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw malformed(`${v.getDotPath(issue) ?? "it"}: ${issue.message}`, undefined);
}

function malformed(why: string, cause: unknown): D2nError {
  return new D2nError("lock-spec-malformed", `the description of what to lock cannot be read: ${why}`, {
    hint: "It is written by lock.refresh of the same version of d2n: run the package's .lock again.",
    cause,
  });
}
