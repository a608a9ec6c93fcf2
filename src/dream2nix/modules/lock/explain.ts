/**
 * Which input of a stale lock changed. The lock file holds only a hash of what it was made for, so the likely changes are
 * undone one at a time until the hash comes out: another Python, another pip, a requirement or a flag more.
 */
import {
  canonicalName,
  invalidationHash,
  type Json,
  JsonNumber,
  type JsonObject,
  knownWheels,
  parseJson,
} from "../../../python/index.ts";

/**
 * @param current `lock.invalidationData` as JSON
 * @param lockedVersions what is in the lock, name to version
 * @returns a sentence, or undefined where no single change explains the hash
 */
export function explainStaleness(
  current: string,
  lockedHash: string,
  lockedVersions: ReadonlyMap<string, string>,
): string | undefined {
  const data = parseJson(current);
  const pip = data instanceof Map ? (data as JsonObject).get("pip") : undefined;
  if (!(pip instanceof Map)) return undefined;
  const settings = pip as JsonObject;
  const made = (name: string, value: Json | undefined): boolean => {
    const before = new Map(settings);
    if (value === undefined) before.delete(name);
    else before.set(name, value);
    return invalidationHash(new Map([...(data as JsonObject), ["pip", before]])) === lockedHash;
  };
  return (
    otherPython(settings, made) ??
    otherPip(settings, made) ??
    otherList(settings, made, lockedVersions) ??
    otherVariable(settings, made)
  );
}

type Made = (name: string, value: Json | undefined) => boolean;

function texts(value: Json | undefined): string[] {
  return Array.isArray(value)
    ? value.map((element) =>
        typeof element === "string" ? element : element instanceof JsonNumber ? element.text : "",
      )
    : [];
}

function otherPython(settings: JsonObject, made: Made): string | undefined {
  const now = texts(settings.get("pythonVersion"));
  for (let minor = 5; minor < 30; minor++)
    if (made("pythonVersion", ["3", String(minor)]))
      return `it was made for Python 3.${minor}, and this is Python ${now.join(".")}`;
  return undefined;
}

function otherPip(settings: JsonObject, made: Made): string | undefined {
  for (const version of Object.keys(knownWheels["pip"]!))
    if (made("pipVersion", version))
      return `it was made with pip ${version}, and pip.pipVersion is ${texts([settings.get("pipVersion") ?? null]).join("")}`;
  return undefined;
}

function otherList(settings: JsonObject, made: Made, lockedVersions: ReadonlyMap<string, string>): string | undefined {
  for (const list of ["requirementsList", "requirementsFiles", "pipFlags"]) {
    const now = texts(settings.get(list));
    if (now.length > 0 && made(list, [])) return `pip.${list} was empty, and is [ ${now.join(" ")} ]`;
    for (const [i, added] of now.entries()) {
      if (made(list, now.toSpliced(i, 1))) return `pip.${list} has "${added}" now`;
      const name = /^\s*([A-Za-z0-9._-]+)/.exec(added)?.[1];
      if (name === undefined) continue;
      const locked = lockedVersions.get(canonicalName(name));
      for (const before of [name, ...(locked === undefined ? [] : [`${name}==${locked}`])])
        if (before !== added && made(list, now.with(i, before)))
          return `pip.${list} had "${before}", and has "${added}" now`;
    }
    for (const [locked, version] of lockedVersions)
      for (const gone of [locked, `${locked}==${version}`])
        if (made(list, [...now, gone])) return `pip.${list} had "${gone}", and no longer has it`;
  }
  return undefined;
}

const fields = new Set([
  "pipFlags",
  "pipVersion",
  "pypiSnapshotDate",
  "pythonVersion",
  "requirementsFiles",
  "requirementsList",
]);

function otherVariable(settings: JsonObject, made: Made): string | undefined {
  for (const name of settings.keys()) if (!fields.has(name) && made(name, undefined)) return `pip.env has ${name} now`;
  return undefined;
}
