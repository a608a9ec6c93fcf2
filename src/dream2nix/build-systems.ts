/** How what `d2n.lock` says of source distributions reaches the modules: as a special argument of every evaluation. */
import type { Native } from "../lang/index.ts";
import type { View } from "../modules/index.ts";
import type { BuildSystemsLock } from "../python/index.ts";
import { once } from "./support.ts";

export type BuildSystemsOf = (lockFile: string) => BuildSystemsLock | undefined;

/** The special argument: a function from the path of a lock file to null or what is known. */
export const buildSystemsArgument = "_d2nBuildSystems";

export function nixBuildSystems(systems: BuildSystemsLock | undefined): Native {
  return systems === undefined ? null : { text: JSON.stringify(systems) };
}

/** Reads the argument for the lock file of an evaluation; undefined where nothing is known. */
export function buildSystemsOf(specialArgs: View, lockFile: View): () => BuildSystemsLock | undefined {
  return once(() => {
    if (!specialArgs.has(buildSystemsArgument)) return undefined;
    const found = specialArgs.at(buildSystemsArgument).call(lockFile);
    return found.isNull() ? undefined : (JSON.parse(found.at("text").text()) as BuildSystemsLock);
  });
}
