/** What `develop`, `shell` and `run` leave of the user's environment, and what they add. */
import { UsageError } from "../base/index.ts";

type Variables = Readonly<Record<string, string | undefined>>;

export interface EnvironmentOptions {
  /** Nothing of the user's but what a terminal and a home need. */
  readonly ignore: boolean;
  /** Names of variables that stay nevertheless. */
  readonly keep: readonly string[];
  readonly unset: readonly string[];
  readonly set: readonly (readonly [name: string, value: string])[];
}

/** The user's as it is. */
export const usersEnvironment: EnvironmentOptions = { ignore: false, keep: [], unset: [], set: [] };

/** Without the user's environment, but with a terminal and a home: what `nix-shell --pure` leaves. */
const KEPT = new Set([
  "DISPLAY",
  "HOME",
  "LOGNAME",
  "PAGER",
  "TERM",
  "TZ",
  "USER",
  "WAYLAND_DISPLAY",
  "XDG_CACHE_HOME",
  "XDG_RUNTIME_DIR",
]);

/** @throws UsageError for options that contradict each other, as Nix has them */
export function checkEnvironmentOptions({ ignore, keep, unset, set }: EnvironmentOptions): void {
  if (ignore && unset.length > 0) throw new UsageError("`--unset-env-var` makes no sense with `--ignore-env`");
  if (!ignore && keep.length > 0) throw new UsageError("`--keep-env-var` makes no sense without `--ignore-env`");
  const names = new Set<string>();
  for (const [name] of set) {
    if (unset.includes(name)) throw new UsageError(`\`${name}\` cannot be both set and unset`);
    if (names.has(name)) throw new UsageError(`\`--set-env-var ${name}\` is there twice`);
    names.add(name);
  }
}

/** The environment that a program gets. */
export function chosenEnvironment(environment: Variables, options: EnvironmentOptions): Variables {
  const { ignore, keep, unset, set } = options;
  const chosen: Record<string, string | undefined> = ignore
    ? // Without any PATH, bash takes one of its own making.
      { PATH: "" }
    : {};
  for (const [name, value] of Object.entries(environment))
    if (ignore ? KEPT.has(name) || keep.includes(name) : !unset.includes(name)) chosen[name] = value;
  return { ...chosen, ...Object.fromEntries(set) };
}
