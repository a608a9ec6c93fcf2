/** Generations of profiles, such as real Nix makes them: `profile-12-link` beside the link `profile`. */
import { lstatSync, readdirSync, readlinkSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { D2nError, isSystemError } from "../../base/index.ts";
import type { Context } from "../context.ts";

export interface OldGenerations {
  /** `30d`: only those that were made earlier. */
  readonly olderThan: string | undefined;
  readonly dryRun: boolean;
}

/** Deletes all generations of all profiles but the present ones. @returns the profiles that were looked at */
export async function removeOldGenerations(context: Context, request: OldGenerations): Promise<string[]> {
  const before = request.olderThan === undefined ? undefined : Date.now() / 1000 - seconds(request.olderThan);
  const { stateDir } = await context.store();
  const state = context.environment["XDG_STATE_HOME"] || join(context.environment["HOME"] ?? "/", ".local/state");
  const profiles: string[] = [];
  for (const folder of [join(state, "nix/profiles"), join(stateDir, "profiles")]) visit(folder, profiles);
  for (const profile of profiles)
    for (const generation of oldOnes(profile, before)) if (!request.dryRun) unlinkSync(generation);
  return profiles;
}

function visit(folder: string, profiles: string[]): void {
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch (error) {
    if (isSystemError(error)) return;
    throw error;
  }
  for (const name of names) {
    const path = join(folder, name);
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status?.isDirectory() === true) visit(path, profiles);
    else if (status?.isSymbolicLink() === true && readlinkSync(path).includes("link")) profiles.push(path);
  }
}

/** Of the generations made before a time, the last one stays: it was the present one at that time. */
function oldOnes(profile: string, before: number | undefined): string[] {
  const folder = dirname(profile);
  const name = profile.slice(folder.length + 1);
  const current = readlinkSync(profile);
  const generations = readdirSync(folder)
    .flatMap((entry) => {
      const number = entry.startsWith(`${name}-`) ? /^(\d+)-link$/.exec(entry.slice(name.length + 1))?.[1] : undefined;
      return number === undefined ? [] : [{ entry, number: Number(number) }];
    })
    .sort((a, b) => b.number - a.number);
  const others = (list: typeof generations): string[] =>
    list
      .filter(({ entry }) => entry !== current && join(folder, entry) !== current)
      .map(({ entry }) => join(folder, entry));
  if (before === undefined) return others(generations);
  const old = generations.filter(({ entry }) => lstatSync(join(folder, entry)).mtimeMs / 1000 < before);
  return others(old.slice(1));
}

function seconds(text: string): number {
  const days = /^(\d+)d$/.exec(text)?.[1];
  if (days !== undefined) return Number(days) * 86_400;
  throw new D2nError("usage", `invalid number of days specifier '${text}', expected something like '14d'`, {
    exitCode: 2,
  });
}
