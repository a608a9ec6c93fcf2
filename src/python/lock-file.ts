/** Lock files, byte for byte as upstream writes them. */
import { createHash } from "node:crypto";
import { compareCodePoints, formatJson, type Json, type JsonObject, toJson } from "./json.ts";
import type { LockedSource } from "./lock-sources.ts";
import type { Targets } from "./lock-targets.ts";

/** The name of the pip module's field in a lock file. */
export const pipField = "fetchPipMetadata";

/** The value of the field `fetchPipMetadata`, keys sorted as upstream's locker sorts them. */
export function pipFieldValue(sources: ReadonlyMap<string, LockedSource>, targets: Targets): JsonObject {
  const plain = new Map([...sources].map(([name, { subdirectory: _, ...source }]) => [name, source]));
  return sorted(toJson({ sources: plain, targets })) as JsonObject;
}

function sorted(json: Json): Json {
  if (json instanceof Map) {
    const object = json as JsonObject;
    return new Map([...object.keys()].sort(compareCodePoints).map((key) => [key, sorted(object.get(key)!)]));
  }
  return json;
}

/** The text of a lock file: fields in the order given, then the hash; no line end at its end. */
export function formatLockFile(fields: JsonObject, invalidationHash: string): string {
  return formatJson(new Map([...fields, ["invalidationHash", invalidationHash]]), { indent: 2 });
}

/** SHA-256 (hexadecimal) of the data that a lock depends on, written as `builtins.toJSON` does. */
export function invalidationHash(data: Json): string {
  const text = formatJson(data, { sortKeys: true, compact: true, ascii: false });
  return createHash("sha256").update(text, "utf8").digest("hex");
}

export interface PipInvalidation {
  readonly pipFlags: readonly string[];
  readonly pipVersion: string;
  readonly pypiSnapshotDate: string | null;
  /** Major and minor. */
  readonly pythonVersion: readonly string[];
  readonly requirementsFiles: readonly string[];
  readonly requirementsList: readonly string[];
  /** Merged flat into the rest: a variable named like a field replaces it. */
  readonly env?: Readonly<Record<string, string>>;
}

/** `lock.invalidationData` of the pip module. */
export function pipInvalidationData({ env = {}, ...fields }: PipInvalidation): Json {
  return toJson({ pip: { ...fields, ...env } });
}
