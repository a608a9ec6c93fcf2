/**
 * Nix's settings: `nix.conf`, the user's, `NIX_CONFIG`, and the command line (manual, "nix.conf"). Values stay text until
 * somebody asks; settings that d2n has no use for are known all the same, so that they can be given.
 */
import { readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { D2nError, isSystemError } from "../../base/index.ts";

export type SettingKind = "switch" | "value" | "list";

const switches = `abort-on-warn accept-flake-config allow-dirty allow-dirty-locks allow-import-from-derivation allow-new-privileges
  allow-symlinked-store allow-unsafe-native-code-during-evaluation always-allow-substitutes auto-optimise-store builders-use-substitutes
  compress-build-log debugger-on-trace debugger-on-warn eval-cache fallback filter-syscalls fsync-metadata fsync-store-paths http2 ignore-try
  impersonate-linux-26 keep-build-log keep-derivations keep-env-derivations keep-failed keep-going keep-outputs
  nix-shell-always-looks-for-shell-nix nix-shell-shebang-arguments-relative-to-script preallocate-contents print-missing pure-eval
  require-drop-supplementary-groups require-sigs restrict-eval run-diff-hook sandbox-fallback show-trace substitute sync-before-registering
  trace-function-calls trace-import-from-derivation trace-verbose trust-tarballs-from-git-forges use-case-hack use-cgroups use-registries
  use-sqlite-wal use-xdg-base-directories warn-dirty warn-short-path-literals`;
const values = `bash-prompt bash-prompt-prefix bash-prompt-suffix build-dir build-hook build-poll-interval build-users-group builders
  commit-lock-file-summary connect-timeout cores diff-hook download-attempts download-buffer-size download-speed
  eval-attrset-update-layer-rhs-threshold eval-profile-file eval-profiler eval-profiler-frequency eval-system external-builders flake-registry
  gc-reserved-space http-connections id-count json-log-path lint-absolute-path-literals lint-short-path-literals lint-url-literals log-lines
  max-build-log-size max-call-depth max-free max-jobs max-silent-time max-substitution-jobs min-free min-free-check-interval nar-buffer-size
  narinfo-cache-meta-ttl narinfo-cache-negative-ttl narinfo-cache-positive-ttl netrc-file post-build-hook pre-build-hook sandbox
  sandbox-build-dir sandbox-dev-shm-size ssl-cert-file stalled-download-timeout start-id store system tarball-ttl timeout
  upgrade-nix-store-path-url user-agent-suffix warn-large-path-threshold`;
const lists = `access-tokens allowed-impure-host-deps allowed-uris allowed-users experimental-features extra-platforms hashed-mirrors ignored-acls
  nix-path plugin-files sandbox-paths secret-key-files substituters system-features trusted-public-keys trusted-substituters trusted-users`;

const kinds = new Map<string, SettingKind>();
for (const [kind, names] of [
  ["switch", switches],
  ["value", values],
  ["list", lists],
] as const)
  for (const name of names.trim().split(/\s+/)) kinds.set(name, kind);

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
  readonly #warn: (message: string) => void;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /** What the configuration files and `NIX_CONFIG` say. @throws D2nError for lines that aren't settings */
  static read({ environment, warn }: SettingsSources): NixSettings {
    const settings = new NixSettings(warn);
    const folder = environment["NIX_CONF_DIR"] || "/etc/nix";
    settings.#applyFile(join(folder, "nix.conf"));
    for (const file of userFiles(environment).reverse()) settings.#applyFile(file);
    const text = environment["NIX_CONFIG"];
    if (text !== undefined) settings.#apply(text, "NIX_CONFIG");
    return settings;
  }

  /** Sets a value; false if there is no such setting. */
  set(name: string, value: string): boolean {
    const kind = settingKind(name);
    if (kind === undefined) return false;
    const real = aliases[name] ?? name;
    if (kind === "list" && !kinds.has(real)) {
      const base = real.slice(6);
      this.#values.set(base, `${this.#values.get(base) ?? ""} ${value}`.trim());
    } else this.#values.set(real, value);
    return true;
  }

  /** Sets a value of the command line or a file; a name that nobody knows is told. */
  setOrWarn(name: string, value: string): void {
    if (!this.set(name, value)) this.#warn(`unknown setting '${name}'`);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  text(name: string, fallback = ""): string {
    return this.#values.get(name) ?? fallback;
  }

  list(name: string): string[] {
    return this.text(name)
      .split(/\s+/)
      .filter((word) => word !== "");
  }

  /** @throws D2nError `settings` */
  flag(name: string, fallback = false): boolean {
    const value = this.#values.get(name);
    if (value === undefined) return fallback;
    if (value === "true" || value === "yes" || value === "1") return true;
    if (value === "false" || value === "no" || value === "0") return false;
    throw new D2nError("settings", `Boolean setting '${name}' has invalid value '${value}'`);
  }

  /** @throws D2nError `settings` */
  number(name: string, fallback: number): number {
    const value = this.#values.get(name);
    if (value === undefined) return fallback;
    const units: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
    const match = /^(\d+)([KMGT]?)$/i.exec(value);
    if (match === null) throw new D2nError("settings", `setting '${name}' has invalid value '${value}'`);
    return Number(match[1]) * units[match[2]!.toUpperCase()]!;
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
      this.setOrWarn(name, value);
  }
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
    const words = line
      .replace(/#.*/, "")
      .split(/\s+/)
      .filter((word) => word !== "");
    const [name, second] = words;
    if (name === undefined) continue;
    const malformed = new D2nError(
      "settings",
      `syntax error in configuration line '${line.replace(/#.*/, "")}' in '${file}'`,
    );
    if (second === undefined) throw malformed;
    if (name === "include" || name === "!include") {
      if (words.length !== 2) throw malformed;
      const included = isAbsolute(second) ? second : join(dirname(file), second);
      let content: string;
      try {
        content = readFileSync(included, "utf8");
      } catch {
        if (name === "!include") continue;
        throw new D2nError("settings", `file '${included}' included from '${file}' not found`);
      }
      yield* parseConfiguration(content, included);
    } else if (second !== "=") throw malformed;
    else yield [name, words.slice(2).join(" ")];
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
        const words = settings.list(name);
        // Nix keeps these as sets.
        if (name === "experimental-features" || name.endsWith("features")) words.sort();
        return [name, { text: words.join(" "), value: words }];
      }
      return [name, { text, value: /^\d+$/.test(text) ? Number(text) : text }];
    });
  return new Map(all);
}
