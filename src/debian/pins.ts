/**
 * The archive's part of `d2n.lock`: the indexes that were in use and the pins of the packages that were taken from them.
 */
import * as v from "valibot";
import { D2nError } from "../base/index.ts";
import type { Architecture, DebPin, IndexPin, PackagePins, Suite } from "./types.ts";

const suites = ["bullseye", "bookworm", "trixie", "forky"] as const satisfies readonly Suite[];
const architectures = ["amd64", "arm64"] as const satisfies readonly Architecture[];
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const packageName = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9+.-]*$/));

const pinSchema = v.strictObject({
  version: v.pipe(v.string(), v.regex(/^[A-Za-z0-9.+:~-]+$/)),
  source: packageName,
  archive: v.picklist(["main", "security"]),
  filename: v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9][A-Za-z0-9+.:~%_/-]*$/),
    v.check((path) => !path.includes("..")),
  ),
  sha256,
  size: v.pipe(v.number(), v.integer(), v.minValue(0)),
  depends: v.array(packageName),
});

const indexSchema = v.strictObject({
  distribution: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]*$/)),
  archive: v.picklist(["main", "security"]),
  architecture: v.picklist(architectures),
  date: v.pipe(v.string(), v.isoTimestamp()),
  inRelease: sha256,
  sha256,
});

/** The JSON form. Package names are keys; a name that is virtual has its own entry in `aliases`. */
const pinsSchema = v.strictObject({
  indexes: v.array(indexSchema),
  packages: v.record(v.picklist(suites), v.record(v.picklist(architectures), v.record(packageName, pinSchema))),
  aliases: v.optional(
    v.record(v.picklist(suites), v.record(v.picklist(architectures), v.record(packageName, packageName))),
  ),
});

export type ArchivePins = v.InferOutput<typeof pinsSchema>;

export const emptyPins: ArchivePins = { indexes: [], packages: {} };

/**
 * Reads the archive's part of a lock file.
 * @throws D2nError `lock-malformed` naming the place, if it is not one.
 */
export function parsePins(json: unknown, file: string): ArchivePins {
  const result = v.safeParse(pinsSchema, json);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new D2nError(
    "lock-malformed",
    `${file}: the pins of Debian packages are damaged at '${v.getDotPath(issue) ?? ""}'`,
    {
      details: issue.message,
      hint: `Restore the file from git, or delete it to pin the archive's current state.`,
    },
  );
}

/** Pins that answer from what is locked and, failing that, from somewhere else, remembering the answer. */
export interface RecordedPins extends PackagePins {
  /** What has been locked or looked up so far, in the form of the lock file; sorted, so that equal pins are equal bytes. */
  toJSON(indexes: readonly IndexPin[]): ArchivePins;
  /** Whether something was looked up that the lock file did not have. */
  readonly changed: boolean;
}

/** `elsewhere` is asked for what the lock does not have; without it, such a package does not exist. */
export function recordedPins(
  locked: ArchivePins,
  elsewhere?: (suite: Suite, architecture: Architecture, name: string) => DebPin | undefined,
): RecordedPins {
  const known = new Map<string, DebPin | undefined>();
  const aliases = new Map<string, string>();
  const key = (suite: string, architecture: string, name: string) => `${suite} ${architecture} ${name}`;
  for (const [suite, byArchitecture] of Object.entries(locked.packages))
    for (const [architecture, pins] of Object.entries(byArchitecture ?? {}))
      for (const [name, pin] of Object.entries(pins ?? {}))
        known.set(key(suite, architecture, name), { package: name, ...pin });
  for (const [suite, byArchitecture] of Object.entries(locked.aliases ?? {}))
    for (const [architecture, names] of Object.entries(byArchitecture ?? {}))
      for (const [name, real] of Object.entries(names ?? {})) aliases.set(key(suite, architecture, name), real);
  let changed = false;
  return {
    lookup(suite, architecture, name) {
      const at = key(suite, architecture, aliases.get(key(suite, architecture, name)) ?? name);
      if (known.has(at)) return known.get(at);
      const pin = elsewhere?.(suite, architecture, name);
      if (pin === undefined) {
        known.set(at, undefined);
        return undefined;
      }
      if (pin.package !== name) aliases.set(key(suite, architecture, name), pin.package);
      known.set(key(suite, architecture, pin.package), pin);
      changed = true;
      return pin;
    },
    get changed() {
      return changed;
    },
    toJSON(indexes) {
      const packages: Record<string, Record<string, Record<string, unknown>>> = {};
      for (const [at, pin] of [...known].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (pin === undefined) continue;
        const [suite, architecture] = at.split(" ") as [Suite, Architecture, string];
        const { package: name, version, source, archive, filename, size, depends } = pin;
        ((packages[suite] ??= {})[architecture] ??= {})[name] = {
          version,
          source,
          archive,
          filename,
          sha256: pin.sha256,
          size,
          depends: [...depends],
        };
      }
      const names: Record<string, Record<string, Record<string, string>>> = {};
      for (const [at, real] of [...aliases].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const [suite, architecture, name] = at.split(" ") as [Suite, Architecture, string];
        ((names[suite] ??= {})[architecture] ??= {})[name] = real;
      }
      return {
        indexes: indexes.map((index) => ({ ...index })),
        packages,
        ...(aliases.size === 0 ? {} : { aliases: names }),
      };
    },
  };
}
