/** Settings: the command line over the environment over the user's configuration file. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { D2nError, didYouMean, isSystemError, writeFileAtomically } from "../base/index.ts";
import type { Environment } from "../fetchers/index.ts";
import type { RegistryFiles } from "./registries.ts";

/** What the configuration file may hold; `d2n config` reads and writes it. */
export const configurationKeys = {
  "debian-mirror": "Base address of a Debian archive, the folder that has `dists/`.",
  "debian-security-mirror": "Base address of a Debian security archive.",
  "debian-snapshot": "Base address of an archive that keeps superseded packages, tried when a mirror has lost one.",
  store: "Folder of the store, in place of /nix or the user's own.",
  "max-jobs": "How many packages are built at once; the number of cores unless set.",
  cores: "How many cores a build may use; all unless set.",
} as const;

export type ConfigurationKey = keyof typeof configurationKeys;
export type Configuration = Readonly<Partial<Record<ConfigurationKey, string>>>;

/** Where d2n keeps what (XDG base directory specification). */
export interface Directories {
  /** Caches: downloads, git repositories, parsed indexes, evaluation results. May be deleted at any time. */
  readonly cache: string;
  /** The store of an ordinary user, views of results. */
  readonly data: string;
  /** What is worth keeping, but nobody would miss: the history of the REPL. */
  readonly state: string;
  readonly configurationFile: string;
}

/** @throws D2nError `settings` if neither HOME nor the XDG variables say where */
export function directoriesFrom(environment: Environment): Directories {
  const home = (variable: string, below: string): string => {
    const given = environment[variable];
    if (given?.startsWith("/")) return given;
    const base = environment["HOME"];
    if (base === undefined || base === "")
      throw new D2nError("settings", "the environment variable HOME is not set", { hint: `Set HOME, or ${variable}.` });
    return join(base, below);
  };
  return {
    cache: join(home("XDG_CACHE_HOME", ".cache"), "d2n"),
    data: join(home("XDG_DATA_HOME", ".local/share"), "d2n"),
    state: join(home("XDG_STATE_HOME", ".local/state"), "d2n"),
    configurationFile: join(home("XDG_CONFIG_HOME", ".config"), "d2n", "config.json"),
  };
}

/** @throws D2nError `settings` if the file is no JSON object of strings */
export function readConfiguration(file: string): Configuration {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return {};
    throw error;
  }
  const fail = (why: string): D2nError =>
    new D2nError("settings", `the configuration file \`${file}\` cannot be read: ${why}`, {
      location: { file, line: 1 },
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw fail((error as Error).message);
  }
  // By hand: this runs with every command, and loading a library for it would take longer than the rest.
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw fail("it must be an object");
  for (const [key, value] of Object.entries(json)) {
    checkConfigurationKey(key);
    if (typeof value !== "string") throw fail(`the value of \`${key}\` must be a string`);
  }
  return json;
}

/** @throws D2nError `settings` for an unknown key */
export function checkConfigurationKey(key: string): ConfigurationKey {
  if (key in configurationKeys) return key as ConfigurationKey;
  throw new D2nError("settings", `there is no setting \`${key}\``, {
    hint:
      didYouMean(key, Object.keys(configurationKeys)) ??
      `The settings are: ${Object.keys(configurationKeys).join(", ")}.`,
  });
}

/** Sets a value, or removes it if undefined. */
export function writeConfiguration(file: string, key: ConfigurationKey, value: string | undefined): void {
  const all: Record<string, string> = { ...readConfiguration(file) };
  if (value === undefined) delete all[key];
  else all[key] = value;
  writeFileAtomically(file, `${JSON.stringify(all, null, 2)}\n`);
}

/** What the command line decides for all commands that evaluate or build. */
export interface CommonOptions {
  readonly store?: string | undefined;
  readonly offline?: boolean | undefined;
  readonly impure?: boolean | undefined;
  readonly maxJobs?: number | undefined;
  readonly cores?: number | undefined;
  /** Seconds. */
  readonly timeout?: number | undefined;
  /** Seconds. */
  readonly maxSilent?: number | undefined;
  readonly keepGoing?: boolean | undefined;
  /** Nix's settings, which only the classic commands have: see `RealiseOptions`. */
  readonly sandboxing?: "always" | "relaxed" | "never" | undefined;
  readonly sandboxPaths?: readonly { readonly source: string; readonly target: string }[] | undefined;
  readonly keepFailed?: boolean | undefined;
  /** Equal files of the store are shared as they are added. */
  readonly autoOptimise?: boolean | undefined;
  readonly overrideInputs?: readonly (readonly [string, string])[] | undefined;
  /** What a checkout that is not as it was committed gives rise to; nothing unless given. */
  readonly dirtyTrees?: "warn" | "refuse" | undefined;
  /** Where names of flakes are looked up; only the classic commands have registries. */
  readonly registries?: RegistryFiles | undefined;
  /** Leaves flake.lock and d2n.lock as they are on disk. */
  readonly noWriteLockFile?: boolean | undefined;
  /** Commits lock files that were written. */
  readonly commitLockFile?: boolean | undefined;
  /** The first line of that commit's message. */
  readonly commitLockFileSummary?: string | undefined;
  /** Refuses to go on if flake.lock would change. */
  readonly noUpdateLockFile?: boolean | undefined;
  readonly maxCallDepth?: number | undefined;
  /** Forgets cached results of evaluation. */
  readonly noEvalCache?: boolean | undefined;
}
