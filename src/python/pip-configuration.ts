/** Which indexes pip is configured with: its configuration files and environment variables, in its order. */
import type { Environment } from "./pip-environment.ts";

/** Where pip looks for packages. */
export interface PipIndexes {
  /** Undefined: pip's built-in one. */
  readonly indexUrl: string | undefined;
  readonly extraIndexUrls: readonly string[];
  /** Pages with links, folders, files; addresses or paths. */
  readonly findLinks: readonly string[];
  /** Only `findLinks` count. */
  readonly noIndex: boolean;
}

export interface PipConfigurationHost {
  readonly environment: Environment;
  /** The content of a file, undefined if it cannot be read. */
  readonly readText: (path: string) => string | undefined;
}

type Settings = Map<string, string>;

/**
 * Reads what `pip install` would go by: the machine's files, then the user's, then that of `PIP_CONFIG_FILE`, then variables;
 * what comes later replaces what was before. In a file, `[install]` comes after `[global]`.
 */
export function pipIndexes({ environment, readText }: PipConfigurationHost): PipIndexes {
  const settings: Settings = new Map();
  for (const path of configurationFiles(environment, readText)) {
    const sections = parseConfiguration(readText(path) ?? "");
    for (const section of ["global", "install"])
      for (const [key, value] of sections.get(section) ?? []) settings.set(key, value);
  }
  for (const [name, value] of Object.entries(environment))
    if (name.startsWith("PIP_") && value !== undefined && value !== "") settings.set(optionOf(name.slice(4)), value);

  return {
    indexUrl: settings.get("index-url")?.trim() || undefined,
    extraIndexUrls: words(settings.get("extra-index-url")),
    findLinks: words(settings.get("find-links")),
    noIndex: /^(?:y|yes|t|true|on|1)$/i.test(settings.get("no-index")?.trim() ?? ""),
  };
}

/** The machine's first; pip leaves the user's out where `PIP_CONFIG_FILE` names a file that exists. */
function configurationFiles(environment: Environment, readText: PipConfigurationHost["readText"]): string[] {
  const given = environment["PIP_CONFIG_FILE"];
  // The documented way to have no files at all.
  if (given === "/dev/null") return [];
  const home = environment["HOME"];
  const config = environment["XDG_CONFIG_HOME"] || (home === undefined ? undefined : `${home}/.config`);
  const own = given !== undefined && given !== "" && readText(given) !== undefined;
  return [
    ...(environment["XDG_CONFIG_DIRS"] || "/etc/xdg")
      .split(":")
      .filter((folder) => folder !== "")
      .map((folder) => `${folder}/pip/pip.conf`),
    "/etc/pip.conf",
    ...(own || home === undefined ? [] : [`${home}/.pip/pip.conf`]),
    ...(own || config === undefined ? [] : [`${config}/pip/pip.conf`]),
    ...(own ? [given] : []),
  ];
}

/** `INDEX_URL`, and the other names that pip has for it. */
function optionOf(name: string): string {
  const option = name.toLowerCase().replaceAll("_", "-");
  return option === "pypi-url" ? "index-url" : option;
}

/** Sections of a file in the format of Python's `configparser`, without interpolation. */
export function parseConfiguration(content: string): Map<string, Settings> {
  const sections = new Map<string, Settings>();
  let section: Settings | undefined;
  let key: string | undefined;
  for (const line of content.replace(/^\ufeff/, "").split(/\r?\n/)) {
    if (/^\s*(?:[#;]|$)/.test(line)) continue;
    const header = /^\[([^\]]+)\]/.exec(line);
    if (header !== null) {
      section = sections.get(header[1]!) ?? new Map<string, string>();
      sections.set(header[1]!, section);
      key = undefined;
      continue;
    }
    if (section === undefined) continue;
    if (/^\s/.test(line) && key !== undefined) {
      section.set(key, `${section.get(key) ?? ""}\n${line.trim()}`);
      continue;
    }
    const entry = /^\s*([^=:]+?)\s*[=:]\s*(.*?)\s*$/.exec(line);
    if (entry === null) continue;
    key = optionOf(entry[1]!);
    section.set(key, entry[2]!);
  }
  return sections;
}

function words(value: string | undefined): string[] {
  return (value ?? "").split(/\s+/).filter((word) => word !== "");
}

/**
 * The index that a pip without any configuration takes, out of its own file `pip/_internal/models/index.py`; undefined if it
 * is not written there as expected.
 */
export function builtInIndex(source: string): string | undefined {
  const base = /^PyPI\s*=\s*PackageIndex\(\s*(["'])(https?:\/\/[^"']+)\1/m.exec(source)?.[2];
  return base === undefined ? undefined : `${base.replace(/\/+$/, "")}/simple`;
}
