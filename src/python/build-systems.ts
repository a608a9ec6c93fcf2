/**
 * Finds what source distributions are built with: `build-system.requires`, and what the backend asks for beyond, resolved by
 * the pip that locks.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { Activity, D2nError, type EventSink, messageOf, redactCredentials, warn } from "../base/index.ts";
import {
  type BuildFile,
  buildKey,
  type BuildSystemsLock,
  isBuiltWithCargo,
  type SourceBuild,
  splitBuildKey,
  tidyBuildSystems,
  versionVariables,
} from "./build-systems-lock.ts";
import { wantsCrates } from "./crates.ts";
import type { LockedSource } from "./lock-sources.ts";
import { canonicalName } from "./names.ts";
import type { PipReport, PipReportItem } from "./pip-report.ts";

/** A source on disk, and what is known of it beyond the lock. */
export interface SourceTree {
  readonly folder?: string;
  /** A file, where it is no folder. */
  readonly archive?: string;
  /** Hash with submodules, where a git source has some. */
  readonly submodules?: string | undefined;
  /** Not to be written to: it is the user's. */
  readonly live: boolean;
}

export interface BuildSystemServices {
  /** A folder to work in. */
  readonly work: string;
  readonly events: EventSink;
  /** What pip would install for these requirements. @throws D2nError `lock-pip-failed` */
  readonly resolve: (requirements: readonly string[], onlyWheels: boolean) => Promise<PipReport>;
  /** Installs, as far as pip can, into a folder. @throws D2nError `lock-pip-failed` */
  readonly install: (requirements: readonly string[], target: string) => Promise<void>;
  /** Runs one of `scripts/` with the interpreter that is locked for. */
  readonly script: (
    name: string,
    args: readonly string[],
    options: {
      readonly cwd: string;
      readonly env?: Readonly<Record<string, string>>;
      /** With a compiler and the inputs of this package at hand. */
      readonly builds?: string;
      readonly onLine?: (line: string) => void;
    },
  ) => Promise<number>;
  /** Whether there is a compiler to be had. */
  readonly hasTools?: boolean;
  /** A file that pip has fetched, or that can be fetched; undefined if it cannot be had. */
  readonly file: (url: string, sha256: string) => Promise<string | undefined>;
  /** Trees of git and local sources, by package. */
  readonly trees: ReadonlyMap<string, SourceTree>;
  /** The package that all of this is for, where it is not among the sources, and where it lies. */
  readonly root?: { readonly name: string; readonly folder: string } | undefined;
}

const inspected = v.array(
  v.object({
    key: v.string(),
    folder: v.string(),
    backend: v.string(),
    backendPath: v.array(v.string()),
    requires: v.array(v.string()),
    dynamic: v.boolean(),
    problem: v.optional(v.string()),
  }),
);
type Inspected = v.InferOutput<typeof inspected>[number];

/** A source distribution whose build system is wanted. */
interface Wanted {
  readonly key: string;
  readonly archive?: string;
  readonly folder?: string;
  readonly live: boolean;
  readonly subdirectory?: string | undefined;
  readonly submodules?: string | undefined;
  /** Keys of what it is needed to build, itself included: none of them can be needed to build it. */
  readonly chain: readonly string[];
}

interface Resolved {
  readonly inputs: readonly string[];
  readonly items: readonly { readonly key: string; readonly file: BuildFile; readonly wheel: boolean }[];
}

/** The build systems of all that is no wheel. What cannot be found out is warned of, and left out. */
export async function findBuildSystems(
  sources: ReadonlyMap<string, LockedSource>,
  services: BuildSystemServices,
): Promise<BuildSystemsLock> {
  const queue: Wanted[] = [];
  for (const [name, source] of sources) {
    const wanted = await wantedOf(name, source, services);
    if (wanted !== undefined) queue.push(wanted);
  }
  const root = rootOf(services);
  if (root !== undefined) queue.push(root);
  if (queue.length === 0) return { sources: {}, files: {} };
  using activity = new Activity(services.events, "lock", "build systems");
  const finder = new Finder(services, activity);
  while (queue.length > 0) {
    const found = await finder.inspect(queue);
    if (root !== undefined && queue.includes(root) && isLocked(found.get(root.key), sources)) {
      queue.splice(queue.indexOf(root), 1);
      found.delete(root.key);
    }
    await finder.resolveAhead([...found.values()]);
    for (const wanted of queue.splice(0)) queue.push(...(await finder.add(wanted, found.get(wanted.key))));
  }
  activity.stop(true);
  return tidyBuildSystems({ sources: finder.sources, files: finder.files });
}

async function wantedOf(
  name: string,
  source: LockedSource,
  services: BuildSystemServices,
): Promise<Wanted | undefined> {
  const key = buildKey(name, source.version);
  const { subdirectory } = source;
  const tree = services.trees.get(name);
  if (tree?.archive !== undefined && isWheel(tree.archive)) return undefined;
  if (tree !== undefined) return { key, ...tree, subdirectory, chain: [key] };
  if (source.type !== "url" || isWheel(source.url)) return undefined;
  const archive = await services.file(source.url, source.sha256);
  if (archive === undefined) {
    warn(services.events, `the build system of ${key} is not known: ${redactCredentials(source.url)} cannot be read`);
    return undefined;
  }
  return { key, archive, live: false, subdirectory, chain: [key] };
}

/** Its version is the user's to change, so its key has none. */
function rootOf({ root }: BuildSystemServices): Wanted | undefined {
  if (root === undefined || !existsSync(join(root.folder, "pyproject.toml"))) return undefined;
  const key = canonicalName(root.name);
  return { key, folder: root.folder, live: true, chain: [key] };
}

/** Whether all that a project is built with has been locked with what it needs, as dream2nix would have it. */
function isLocked(found: Inspected | undefined, sources: ReadonlyMap<string, LockedSource>): boolean {
  if (found === undefined || found.problem !== undefined) return true;
  return found.requires.every((text) => sources.has(canonicalName(/^\s*([A-Za-z0-9._-]*)/.exec(text)![1]!)));
}

export function isWheel(url: string): boolean {
  return /\.whl(?:[?#]|$)/.test(url);
}

/** How many pips ask at a time. */
const CONCURRENCY = 4;

class Finder {
  readonly sources: Record<string, SourceBuild> = {};
  readonly files: Record<string, BuildFile> = {};
  readonly #services: BuildSystemServices;
  readonly #activity: Activity;
  /** Many packages want the same, setuptools above all. */
  readonly #resolved = new Map<string, Promise<Resolved>>();
  #count = 0;

  constructor(services: BuildSystemServices, activity: Activity) {
    this.#services = services;
    this.#activity = activity;
  }

  #folder(): string {
    const folder = join(this.#services.work, `build-${this.#count++}`);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  async inspect(wanted: readonly Wanted[]): Promise<Map<string, Inspected>> {
    this.#activity.phase("reading source distributions");
    const folder = this.#folder();
    const input = join(folder, "sources.json");
    const output = join(folder, "found.json");
    writeFileSync(input, JSON.stringify(wanted.map((one, i) => ({ ...one, target: join(folder, String(i)) }))));
    const lines: string[] = [];
    const status = await this.#services.script("inspect-sources.py", [input, output], {
      cwd: folder,
      onLine: (line) => lines.push(line),
    });
    if (status !== 0 || !existsSync(output)) {
      const reason = lines.findLast((line) => line.trim() !== "") ?? `status ${status}`;
      warn(
        this.#services.events,
        `the build systems of source distributions cannot be read: ${redactCredentials(reason)}`,
      );
      return new Map();
    }
    return new Map(v.parse(inspected, JSON.parse(readFileSync(output, "utf8"))).map((one) => [one.key, one]));
  }

  /** Most of the time goes into asking the index, and packages do not depend on each other there. */
  async resolveAhead(found: readonly Inspected[]): Promise<void> {
    const pending = [...found];
    const work = async (): Promise<void> => {
      for (let one = pending.pop(); one !== undefined; one = pending.pop())
        // Whoever asks again gets the same failure, and tells of it.
        if (one.problem === undefined) await this.#resolve(trimmed(one.requires), false).catch(() => undefined);
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
  }

  /** Enters one source distribution; gives those that it needs to be built. */
  async add(wanted: Wanted, found: Inspected | undefined): Promise<Wanted[]> {
    const { key, submodules, subdirectory } = wanted;
    const place = {
      ...(subdirectory === undefined ? {} : { subdirectory }),
      ...(submodules === undefined ? {} : { submodules }),
    };
    if (Object.keys(place).length > 0) this.sources[key] = place;
    if (found === undefined) return [];
    const fail = (why: string): Wanted[] => {
      warn(this.#services.events, `the build system of ${key} is not known: ${why}`);
      return [];
    };
    if (found.problem !== undefined) return fail(found.problem);
    const requires = trimmed(found.requires);
    try {
      let { resolved, onlyWheels } = await this.#outsideChain(requires, wanted);
      if (found.dynamic) {
        const more = (await this.#askBackend(wanted, found, requires, resolved)).filter(
          // A cargo by way of the index: there is one where it is built.
          (text) => !requires.includes(text) && !/^puccinialin\b/.test(text),
        );
        if (more.length > 0) {
          requires.push(...new Set(more));
          ({ resolved, onlyWheels } = await this.#outsideChain(requires, wanted, onlyWheels));
        }
      }
      const build = { backend: found.backend, requires, inputs: [...resolved.inputs], ...place };
      this.sources[key] = build;
      if (isBuiltWithCargo(build) && wantsCrates(found.folder))
        warn(
          this.#services.events,
          `${key} is built with cargo, and builds have no network to fetch crates from. Its wheel needs none: take ${splitBuildKey(key)[0]} out of --no-binary; or override its source (mkDerivation.src) with one that \`cargo vendor\` has put its crates into`,
        );
      const next: Wanted[] = [];
      for (const item of resolved.items) {
        this.files[item.key] ??= item.file;
        if (item.wheel || this.sources[item.key] !== undefined) continue;
        const archive = await this.#services.file(item.file.url, item.file.sha256);
        if (archive !== undefined)
          next.push({ key: item.key, archive, live: false, chain: [...wanted.chain, item.key] });
      }
      return next;
    } catch (error) {
      if (!(error instanceof D2nError) || error.code !== "lock-pip-failed") throw error;
      return fail(
        `${messageOf(error)}. It is built with setuptools unless overrides say otherwise (build-system, nativeBuildInputs)`,
      );
    }
  }

  /** Resolves; if something would have to be built to build itself, with wheels only. */
  async #outsideChain(
    requirements: readonly string[],
    { key, chain }: Wanted,
    wheels = false,
  ): Promise<{ readonly resolved: Resolved; readonly onlyWheels: boolean }> {
    const resolved = await this.#resolve(requirements, wheels);
    const cycle = resolved.items.find(
      (item) => !item.wheel && (chain.includes(item.key) || this.#needs(item.key, key)),
    );
    if (cycle === undefined) return { resolved, onlyWheels: wheels };
    if (wheels)
      throw new D2nError("lock-pip-failed", `${cycle.key} is needed to build itself, and there is no wheel of it`);
    warn(this.#services.events, `${cycle.key} is needed to build itself: ${key} is built with wheels`);
    return { resolved: await this.#resolve(requirements, true), onlyWheels: true };
  }

  /** Whether one source distribution needs another to be built, as far as is known. */
  #needs(from: string, to: string, seen = new Set<string>()): boolean {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return (this.sources[from]?.inputs ?? []).some((input) => this.#needs(input, to, seen));
  }

  #resolve(requirements: readonly string[], onlyWheels: boolean): Promise<Resolved> {
    const id = JSON.stringify([onlyWheels, [...requirements].sort()]);
    let known = this.#resolved.get(id);
    if (known === undefined) {
      this.#activity.phase(requirements.join(" ").slice(0, 120));
      known =
        requirements.length === 0
          ? Promise.resolve({ inputs: [], items: [] })
          : this.#services.resolve(requirements, onlyWheels).then(resolvedFrom);
      this.#resolved.set(id, known);
    }
    return known;
  }

  /** `get_requires_for_build_wheel`. One that fails is warned of: what is written down may be enough. */
  async #askBackend(
    wanted: Wanted,
    found: Inspected,
    requires: readonly string[],
    resolved: Resolved,
  ): Promise<string[]> {
    const [name, version] = splitBuildKey(wanted.key);
    this.#activity.phase(`asking the build system of ${name}`);
    const folder = this.#folder();
    const input = join(folder, "settings.json");
    const output = join(folder, "requires.json");
    const site = join(folder, "site");
    const wheels: string[] = [];
    if (resolved.items.every((item) => item.wheel)) {
      for (const { file } of resolved.items) {
        const path = await this.#services.file(file.url, file.sha256);
        if (path === undefined) return [];
        wheels.push(path);
      }
    } else {
      await this.#services.install(requires, site);
    }
    const copy = wanted.live ? join(folder, "copy") : "";
    const { backend, backendPath, folder: source } = found;
    writeFileSync(input, JSON.stringify({ folder: source, backend, backendPath, wheels, site, copy }));
    const lines: string[] = [];
    const ask = (more: { readonly builds?: string }): Promise<number> =>
      this.#services.script("build-requirements.py", [input, output], {
        cwd: folder,
        env: versionVariables(name, version),
        onLine: (line) => lines.push(line),
        ...more,
      });
    // Without tools first: who finds a cmake on PATH does not ask for one, and would not find it when it is built.
    let status = await ask({});
    if (status !== 0 && this.#services.hasTools === true) {
      lines.length = 0;
      status = await ask({ builds: name });
    }
    if (status === 0) return v.parse(v.array(v.string()), JSON.parse(readFileSync(output, "utf8")));
    const reason = lines.findLast((line) => line.trim() !== "") ?? `status ${status}`;
    warn(
      this.#services.events,
      `the build system of ${wanted.key} does not say what else it needs: ${redactCredentials(reason)}`,
    );
    return [];
  }
}

function trimmed(requires: readonly string[]): string[] {
  return [...new Set(requires.map((text) => text.trim()))];
}

function resolvedFrom(report: PipReport): Resolved {
  const items = report.install.map((item) => ({
    key: buildKey(canonicalName(item.metadata.name), item.metadata.version),
    file: { url: item.download_info.url, sha256: hashFrom(item) },
    wheel: isWheel(item.download_info.url),
  }));
  items.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return { items, inputs: items.map((item) => item.key) };
}

function hashFrom({ download_info: info, metadata }: PipReportItem): string {
  const archive = info.archive_info;
  const hash =
    archive?.hashes?.["sha256"] ?? (archive?.hash?.startsWith("sha256=") === true ? archive.hash.slice(7) : undefined);
  if (hash !== undefined && /^[0-9a-f]{64}$/i.test(hash)) return hash.toLowerCase();
  throw new D2nError("lock-pip-failed", `no SHA-256 hash is known for ${metadata.name} ${metadata.version}`);
}
