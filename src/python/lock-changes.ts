/** What a new lock file has that the old one had not. */
import { D2nError, type EventSink, notice } from "../base/index.ts";
import { type PdmEntry, parsePdmLock } from "./pdm-lock.ts";
import { compareCodePoints, type Json, type JsonObject } from "./json.ts";

/**
 * Packages added, removed and changed between two values of `fetchPipMetadata`, a line each, sorted by name. An old value
 * that cannot be understood counts as empty.
 */
export function lockChanges(before: Json | undefined, after: Json): string[] {
  const old = sourcesOf(before);
  const now = sourcesOf(after);
  const names = [...new Set([...old.keys(), ...now.keys()])].sort(compareCodePoints);
  return names.flatMap((name) => {
    const from = old.get(name);
    const to = now.get(name);
    if (from === undefined) return [`${name}: added, ${describe(to!)}`];
    if (to === undefined) return [`${name}: removed, ${describe(from)}`];
    if (textIn(from, "version") !== textIn(to, "version")) return [`${name}: ${describe(from)} → ${describe(to)}`];
    if (textIn(from, "rev") !== textIn(to, "rev"))
      return [`${name}: ${textIn(to, "version")}, ${commit(from)} → ${commit(to)}`];
    if (textIn(from, "sha256") !== textIn(to, "sha256") || textIn(from, "type") !== textIn(to, "type"))
      return [`${name}: ${textIn(to, "version")}, another file`];
    return [];
  });
}

/** Says where a lock file is, and what is left to do. @param shown how the user may name it */
export function noticeWritten(events: EventSink, file: string, shown: string, changed: boolean): void {
  notice(events, `lock file written to ${file}${changed ? "" : " (nothing has changed)"}`);
  const word = /^[\w./@%+=:,-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
  notice(events, `Add it to git, or flakes do not see it: git add ${word}`);
}

/** The same of two versions of a `pdm.lock`; nothing where one of them cannot be understood. */
export function pdmLockChanges(before: string, after: string): string[] {
  const sources = (content: string): Json => {
    const found = new Map<string, Json>();
    // A package may be there in several versions, for several platforms.
    const packages = new Map<string, PdmEntry[]>();
    for (const entry of parsePdmLock(content, "pdm.lock").entries)
      if (entry.extras.length === 0) packages.set(entry.name, [...(packages.get(entry.name) ?? []), entry]);
    for (const [name, entries] of packages)
      found.set(
        name,
        new Map<string, Json>([
          ["version", entries.map(({ version }) => version ?? "no version").join(", ")],
          ["sha256", JSON.stringify(entries.map(({ origin }) => origin))],
        ]),
      );
    return new Map([["sources", found]]);
  };
  try {
    return lockChanges(sources(before), sources(after));
  } catch (error) {
    if (error instanceof D2nError) return [];
    throw error;
  }
}

function describe(source: JsonObject): string {
  const rev = textIn(source, "rev");
  return `${textIn(source, "version")}${rev === undefined ? "" : ` (${commit(source)})`}`;
}

function commit(source: JsonObject): string {
  return textIn(source, "rev")?.slice(0, 12) ?? "no commit";
}

function textIn(object: JsonObject, key: string): string | undefined {
  const value = object.get(key);
  return typeof value === "string" ? value : undefined;
}

function sourcesOf(value: Json | undefined): Map<string, JsonObject> {
  const sources = value instanceof Map ? (value as JsonObject).get("sources") : undefined;
  const found = new Map<string, JsonObject>();
  if (sources instanceof Map)
    for (const [name, source] of sources as JsonObject)
      if (source instanceof Map) found.set(name, source as JsonObject);
  return found;
}
