/** From settings and environment to what the evaluator of a classic command is told. */
import { isAbsolute, join, resolve } from "node:path";
import { D2nError } from "../../base/index.ts";
import type { RegistryEntry } from "../../flake/syntax.ts";
import type { LintLevel } from "../../lang/index.ts";
import { readRegistry, type RegistryFiles, userRegistry } from "../registries.ts";
import type { ClassicSettings, StoreAccess } from "./protocol.ts";
import type { NixSettings } from "./settings.ts";

export interface ClassicOptions {
  readonly settings: NixSettings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Entries of `-I`. */
  readonly included: readonly string[];
  /** Evaluation is pure unless told otherwise: `nix eval`. */
  readonly pureByDefault: boolean;
  readonly impure: boolean;
  /** `--store`. */
  readonly store: string | undefined;
  /** Whether the command stores what it evaluates. */
  readonly writes: boolean;
  /** Experimental features that are on whatever `nix.conf` says. */
  readonly features?: readonly string[];
  /** Where the store really lies; asked only if there is one. */
  readonly physicalRoot: () => string;
}

export function classicSettings(options: ClassicOptions): ClassicSettings {
  const { settings, environment, cwd, included } = options;
  const pure = !options.impure && settings.flag("pure-eval", options.pureByDefault);
  const store = storeAccess(options);
  return {
    storeDir: storeDir(dummyStoreDir(options) ?? environment["NIX_STORE_DIR"]),
    physicalRoot: store === "none" ? "" : options.physicalRoot(),
    store,
    system:
      settings.text("eval-system") ||
      settings.text("system") ||
      (process.arch === "arm64" ? "aarch64-linux" : "x86_64-linux"),
    cwd,
    environment: Object.fromEntries(
      Object.entries(environment).flatMap(([name, value]) =>
        value === undefined ? [] : [[bytes(name), bytes(value)] as const],
      ),
    ),
    searchPath: pure ? [] : [...included, ...settings.list("nix-path")],
    pure,
    restricted: settings.flag("restrict-eval"),
    allowedUris: settings.list("allowed-uris"),
    registry: globalEntries(options),
    importsFromDerivations: settings.flag("allow-import-from-derivation", true),
    maxCallDepth: settings.number("max-call-depth", 10_000),
    experimentalFeatures: [...settings.list("experimental-features"), ...(options.features ?? [])],
    showTrace: settings.flag("show-trace"),
    traceVerbose: settings.flag("trace-verbose"),
    abortOnWarn: settings.flag("abort-on-warn", ["1", "yes", "true"].includes(environment["NIX_ABORT_ON_WARN"] ?? "")),
    parsedFiles: parsedFileFolder(environment),
    lints: {
      url: lint(settings, "lint-url-literals"),
      shortPath: settings.has("lint-short-path-literals")
        ? lint(settings, "lint-short-path-literals")
        : settings.flag("warn-short-path-literals")
          ? "warn"
          : "ignore",
      absolutePath: lint(settings, "lint-absolute-path-literals"),
    },
  };
}

/** Nix's registries, unless they are switched off. That which would have to be downloaded is left out. */
export function registryFiles({
  settings,
  environment,
}: Pick<ClassicOptions, "settings" | "environment">): RegistryFiles | undefined {
  if (!settings.flag("use-registries", true)) return undefined;
  const global = settings.text("flake-registry");
  return {
    user: userRegistry(environment),
    system: join(environment["NIX_CONF_DIR"] || "/etc/nix", "registry.json"),
    global: isAbsolute(global) ? global : undefined,
  };
}

function globalEntries(options: ClassicOptions): readonly RegistryEntry[] {
  const file = registryFiles(options)?.global;
  return file === undefined ? [] : readRegistry(file);
}

/** `dummy://?store=/foo`. */
function dummyStoreDir({ store, environment }: ClassicOptions): string | undefined {
  const given = /^dummy:\/\/\?(?:.*&)?store=([^&]+)/.exec(store ?? environment["NIX_REMOTE"] ?? "")?.[1];
  return given === undefined ? undefined : decodeURIComponent(given);
}

function storeDir(given: string | undefined): string {
  if (given === undefined || given === "") return "/nix/store";
  if (!isAbsolute(given)) throw new D2nError("settings", `not an absolute path: "${given}"`);
  return given;
}

function parsedFileFolder(environment: ClassicOptions["environment"]): string | undefined {
  const { XDG_CACHE_HOME: cache, HOME: home } = environment;
  if (cache?.startsWith("/")) return join(cache, "d2n/parsed");
  return home?.startsWith("/") ? join(home, ".cache/d2n/parsed") : undefined;
}

function storeAccess({ store, environment, settings, writes }: ClassicOptions): StoreAccess {
  const wanted = store ?? (environment["NIX_REMOTE"] || settings.text("store"));
  if (wanted.startsWith("dummy://")) return "none";
  return writes ? "read-write" : "read-only";
}

/** The folder that a store given by `--store` or `NIX_REMOTE` lies in; undefined for the usual one. */
export function storeFolder(wanted: string | undefined, cwd: string): string | undefined {
  if (wanted === undefined || wanted === "" || wanted === "auto" || wanted === "daemon" || wanted === "local")
    return undefined;
  if (wanted.startsWith("dummy://")) return undefined;
  const local = /^local\?(?:.*&)?root=([^&]+)/.exec(wanted)?.[1];
  if (local !== undefined) return resolve(cwd, decodeURIComponent(local));
  if (wanted.startsWith("/") || wanted.startsWith("./")) return join(resolve(cwd, wanted));
  throw new D2nError("settings", `d2n cannot use the store '${wanted}'`, {
    hint: "Name a folder, or leave it to d2n.",
  });
}

function lint(settings: NixSettings, name: string): LintLevel {
  const level = settings.text(name, "ignore");
  if (level === "ignore" || level === "warn" || level === "fatal") return level;
  throw new D2nError(
    "settings",
    `option '${name}' has invalid value '${level}'; valid values are 'ignore', 'warn' and 'fatal'`,
  );
}

function bytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
