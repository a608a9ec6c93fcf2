/**
 * Nix's settings: `nix.conf`, the user's, `NIX_CONFIG`, and the command line (manual, "nix.conf"). Values stay text until
 * somebody asks; settings that d2n has no use for are known all the same, so that they can be given.
 */
import { readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { D2nError, isSystemError, UsageError } from "../../base/index.ts";
import { defaultEntries, parseNixPath } from "./search-path.ts";

export type SettingKind = "switch" | "value" | "list";

const switches = `abort-on-warn accept-flake-config allow-dirty allow-dirty-locks allow-import-from-derivation allow-new-privileges
  allow-symlinked-store allow-unsafe-native-code-during-evaluation always-allow-substitutes auto-optimise-store builders-use-substitutes
  compress-build-log debugger-on-trace debugger-on-warn eval-cache fallback filter-syscalls fsync-metadata fsync-store-paths http2 ignore-try
  impersonate-linux-26 keep-build-log keep-derivations keep-env-derivations keep-failed keep-going keep-outputs
  nix-shell-always-looks-for-shell-nix nix-shell-shebang-arguments-relative-to-script preallocate-contents print-missing pure-eval
  require-drop-supplementary-groups require-sigs restrict-eval run-diff-hook sandbox-fallback show-trace substitute sync-before-registering
  trace-function-calls trace-import-from-derivation trace-verbose trust-tarballs-from-git-forges use-case-hack use-cgroups use-registries
  use-sqlite-wal use-xdg-base-directories warn-dirty warn-short-path-literals`;
const numbers = `build-poll-interval connect-timeout cores download-attempts download-buffer-size download-speed
  eval-attrset-update-layer-rhs-threshold eval-profiler-frequency gc-reserved-space http-connections id-count log-lines max-build-log-size
  max-call-depth max-free max-jobs max-silent-time max-substitution-jobs min-free min-free-check-interval nar-buffer-size
  narinfo-cache-meta-ttl narinfo-cache-negative-ttl narinfo-cache-positive-ttl stalled-download-timeout start-id tarball-ttl timeout
  warn-large-path-threshold`;
const values = `bash-prompt bash-prompt-prefix bash-prompt-suffix build-dir build-hook build-users-group builders commit-lock-file-summary
  diff-hook eval-profile-file eval-profiler eval-system external-builders flake-registry json-log-path lint-absolute-path-literals
  lint-short-path-literals lint-url-literals netrc-file post-build-hook pre-build-hook sandbox sandbox-build-dir sandbox-dev-shm-size
  ssl-cert-file store system upgrade-nix-store-path-url user-agent-suffix`;
const lists = `access-tokens allowed-impure-host-deps allowed-uris allowed-users experimental-features extra-platforms hashed-mirrors ignored-acls
  nix-path plugin-files sandbox-paths secret-key-files substituters system-features trusted-public-keys trusted-substituters trusted-users`;

const kinds = new Map<string, SettingKind>();
for (const [kind, names] of [
  ["switch", switches],
  ["value", numbers],
  ["value", values],
  ["list", lists],
] as const)
  for (const name of words(names)) kinds.set(name, kind);
const numeric = new Set(words(numbers));

/** Experimental features of Nix 2.34. */
const knownFeatures = new Set(
  words(`auto-allocate-uids blake3-hashes ca-derivations cgroups configurable-impure-env daemon-trust-override dynamic-derivations
  external-builders fetch-closure fetch-tree flakes git-hashing impure-derivations local-overlay-store mounted-ssh-store nix-command
  parse-toml-timestamps pipe-operators read-only-local-store recursive-nix verified-fetches`),
);

const aliases: Readonly<Record<string, string>> = {
  "build-cores": "cores",
  "build-max-jobs": "max-jobs",
  "build-timeout": "timeout",
  "build-max-silent-time": "max-silent-time",
  "build-use-sandbox": "sandbox",
  "build-use-chroot": "sandbox",
  "binary-caches": "substituters",
};

/** Undefined for names that are no settings. `extra-` in front of a list's name appends to it. */
export function settingKind(name: string): SettingKind | undefined {
  const known = kinds.get(aliases[name] ?? name);
  if (known !== undefined) return known;
  return name.startsWith("extra-") && kinds.get(name.slice(6)) === "list" ? "list" : undefined;
}

export interface SettingsSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told of settings that nobody knows. */
  readonly warn: (message: string) => void;
}

export class NixSettings {
  readonly #values = new Map<string, string>();
  readonly #lists = new Map<string, readonly string[]>();
  readonly #warn: (message: string) => void;

  /** Nothing is set but the search path, as the environment has it. */
  constructor({ environment, warn }: SettingsSources) {
    this.#warn = warn;
    this.#takeNixPath(environment, defaultEntries(environment));
  }

  /** What the configuration files and `NIX_CONFIG` say. @throws D2nError for lines that aren't settings */
  static read({ environment, warn }: SettingsSources): NixSettings {
    const settings = new NixSettings({ environment, warn });
    const folder = environment["NIX_CONF_DIR"] || "/etc/nix";
    settings.#applyFile(join(folder, "nix.conf"));
    for (const file of userFiles(environment).reverse()) settings.#applyFile(file);
    const text = environment["NIX_CONFIG"];
    if (text !== undefined) settings.#apply(text, "NIX_CONFIG");
    // It beats files, and what the command line says counts from here.
    settings.#takeNixPath(environment);
    return settings;
  }

  /** Sets a value; false if there is no such setting. @throws UsageError for a value that the setting cannot have */
  set(name: string, value: string): boolean {
    const kind = settingKind(name);
    if (kind === undefined) return false;
    const real = aliases[name] ?? name;
    if (kind === "list") {
      const base = kinds.has(real) ? real : real.slice("extra-".length);
      const named = words(value);
      if (base === "experimental-features")
        for (const feature of named)
          if (!knownFeatures.has(feature)) this.#warn(`unknown experimental feature '${feature}'`);
      this.#lists.set(base, base === real ? named : [...(this.#lists.get(base) ?? []), ...named]);
      return true;
    }
    if (kind === "switch") parseSwitch(real, value);
    else if (numeric.has(real) && !(real === "max-jobs" && value === "auto")) parseNumber(real, value);
    this.#values.set(real, value);
    return true;
  }

  /** `--option`: names that nobody knows and values that cannot be are told. */
  setOrWarn(name: string, value: string): void {
    try {
      if (!this.set(name, value)) this.#warn(`unknown setting '${name}'`);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.#warn(error.message);
    }
  }

  has(name: string): boolean {
    return this.#values.has(name) || this.#lists.has(name);
  }

  text(name: string, fallback = ""): string {
    return this.#values.get(name) ?? this.#lists.get(name)?.join(" ") ?? fallback;
  }

  list(name: string): readonly string[] {
    return this.#lists.get(name) ?? [];
  }

  flag(name: string, fallback = false): boolean {
    const value = this.#values.get(name);
    return value === undefined ? fallback : parseSwitch(name, value);
  }

  number(name: string, fallback: number): number {
    const value = this.#values.get(name);
    return value === undefined ? fallback : parseNumber(name, value);
  }

  /** @param otherwise where there is no `NIX_PATH`: unless given, what there is stays */
  #takeNixPath({ NIX_PATH: path }: SettingsSources["environment"], otherwise?: readonly string[]): void {
    const entries = path === undefined ? otherwise : parseNixPath(path);
    if (entries !== undefined) this.#lists.set("nix-path", entries);
  }

  #applyFile(file: string): void {
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (error) {
      if (isSystemError(error)) return;
      throw error;
    }
    this.#apply(text, file);
  }

  #apply(text: string, file: string): void {
    const settings = [...parseConfiguration(text, file)];
    const isFeatures = ([name]: readonly [string, string]): boolean => name.endsWith("experimental-features");
    for (const [name, value] of [...settings.filter(isFeatures), ...settings.filter((setting) => !isFeatures(setting))])
      if (!this.set(name, value)) this.#warn(`unknown setting '${name}'`);
  }
}

/** @throws UsageError */
function parseSwitch(name: string, value: string): boolean {
  if (value === "true" || value === "yes" || value === "1") return true;
  if (value === "false" || value === "no" || value === "0") return false;
  throw new UsageError(`Boolean setting '${name}' has invalid value '${value}'`);
}

/** @throws UsageError */
function parseNumber(name: string, value: string): number {
  const units: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
  const match = /^(\d+)([KMGT]?)$/i.exec(value);
  if (match === null) throw new UsageError(`setting '${name}' has invalid value '${value}'`);
  return Number(match[1]) * units[match[2]!.toUpperCase()]!;
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function userFiles(environment: SettingsSources["environment"]): string[] {
  const given = environment["NIX_USER_CONF_FILES"];
  if (given !== undefined) return given.split(":").filter((file) => file !== "");
  const home =
    environment["XDG_CONFIG_HOME"] ||
    (environment["HOME"] === undefined ? undefined : join(environment["HOME"], ".config"));
  const folders = [...(home === undefined ? [] : [home]), ...(environment["XDG_CONFIG_DIRS"] || "/etc/xdg").split(":")];
  return folders.filter((folder) => isAbsolute(folder)).map((folder) => join(folder, "nix/nix.conf"));
}

/** The settings of a file and of those that it includes. */
function* parseConfiguration(text: string, file: string): Generator<readonly [name: string, value: string]> {
  for (const line of text.split("\n")) {
    const said = words(line.replace(/#.*/, ""));
    const [name, second] = said;
    if (name === undefined) continue;
    const malformed = new UsageError(`syntax error in configuration line '${line.replace(/#.*/, "")}' in "${file}"`);
    if (second === undefined) throw malformed;
    if (name === "include" || name === "!include") {
      if (said.length !== 2) throw malformed;
      const included = isAbsolute(second) ? second : join(dirname(file), second);
      let content: string;
      try {
        content = readFileSync(included, "utf8");
      } catch {
        if (name === "!include") continue;
        throw new D2nError("settings", `file "${included}" included from "${file}" not found`);
      }
      yield* parseConfiguration(content, included);
    } else if (second !== "=") throw malformed;
    else yield [name, said.slice(2).join(" ")];
  }
}

/** What Nix does where a setting is not given, for those that matter here. */
const standard: Readonly<Record<string, string>> = {
  "allow-import-from-derivation": "true",
  cores: "0",
  "eval-cache": "true",
  "keep-build-log": "true",
  "keep-derivations": "true",
  "max-call-depth": "10000",
  "max-jobs": "1",
  sandbox: "true",
  store: "auto",
  "use-registries": "true",
  "warn-dirty": "true",
};

interface Shown {
  readonly text: string;
  /** For JSON. */
  readonly value: unknown;
}

/** All settings by name, as text and as JSON. @param system of this machine */
export function allSettings(settings: NixSettings, system: string): Map<string, Shown> {
  const all = [...kinds]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, kind]): [string, Shown] => {
      const text = settings.text(
        name,
        name === "system" ? system : (standard[name] ?? (kind === "switch" ? "false" : "")),
      );
      if (kind === "switch") {
        const on = ["true", "yes", "1"].includes(text);
        return [name, { text: String(on), value: on }];
      }
      if (kind === "list") {
        const entries = [...settings.list(name)];
        // Nix keeps these as sets.
        if (name === "experimental-features" || name.endsWith("features")) entries.sort();
        return [name, { text: entries.join(" "), value: entries }];
      }
      return [name, { text, value: /^\d+$/.test(text) ? Number(text) : text }];
    });
  return new Map(all);
}
