/** The project and its lock, as pdm's files say, for the interpreter that is built for. */
import { force, fromUtf8, NixPath, toNix } from "../../../lang/index.ts";
import { D2nError, didYouMean } from "../../../base/index.ts";
import type { ModuleScope } from "../../../modules/index.ts";
import {
  closePdmGroup,
  markerEnvironment,
  parsePdmLock,
  parsePdmProject,
  type PdmLock,
  type PdmPackage,
  type PdmProject,
  pdmTargetFits,
  wheelRanks,
  type WheelRanks,
} from "../../../python/index.ts";
import { builtin, Dream2nixError, once } from "../../support.ts";
import { type DependencyGraph, dependencyCycles } from "../pip/cycles.ts";

/** A group of requirements with all that it needs. */
export interface PdmGroup {
  readonly packages: ReadonlyMap<string, PdmPackage>;
  readonly graph: DependencyGraph;
  readonly cycles: ReadonlyMap<string, readonly string[]>;
}

export interface PdmFiles {
  readonly project: () => PdmProject;
  readonly lock: () => PdmLock;
  /** The group by its name, with what `default` requires. */
  readonly group: (name: string) => PdmGroup;
  /** Which wheels the interpreter takes. */
  readonly ranks: () => WheelRanks;
  /** What to tell whoever builds with these files. */
  readonly warnings: () => string[];
}

export function pdmFiles(m: ModuleScope): PdmFiles {
  const python = m.config.at("deps", "python");
  const version = once(() => python.at("version").textWithoutContext());
  const system = once(() =>
    python.has("stdenv", "hostPlatform", "system")
      ? python.at("stdenv", "hostPlatform", "system").text()
      : python.at("system").text(),
  );
  const implementation = once(() => python.or(["implementation"], "cpython").text());

  const project = once(() => explained(() => parsePdmProject(read(m, "pyproject"), shown(m, "pyproject"))));
  const lock = once(() => explained(() => parsePdmLock(read(m, "lockfile"), shown(m, "lockfile"))));
  const groups = new Map<string, PdmGroup>();

  const close = (name: string): PdmGroup => {
    const known = project().groups;
    const wanted = known.get(name);
    if (wanted === undefined)
      throw new Dream2nixError("pdm-project", `\`${shown(m, "pyproject")}\` has no group \`${name}\` of requirements`, {
        hint: didYouMean(name, known.keys()) ?? `It has: ${[...known.keys()].join(", ")}.`,
      });
    const environment = markerEnvironment({ version: version(), system: system(), implementation: implementation() });
    const requirements = name === "default" ? wanted : [...known.get("default")!, ...wanted];
    const packages = explained(() => closePdmGroup(lock(), requirements, environment));
    const graph = new Map([...packages].map(([pkg, { needs }]) => [pkg, needs]));
    return { packages, graph, cycles: dependencyCycles(graph) };
  };

  return {
    project,
    lock,
    group: (name) => {
      let group = groups.get(name);
      if (group === undefined) {
        group = close(name);
        groups.set(name, group);
      }
      return group;
    },
    ranks: once(() =>
      wheelRanks({
        pythonVersion: version(),
        system: system(),
        implementation: implementation(),
        ...libraryOf(m, system()),
      }),
    ),
    warnings: () => {
      const { contentHash, targets, file } = lock();
      const found: string[] = [];
      if (contentHash !== undefined && !project().contentHashes.includes(contentHash))
        found.push(
          `${file} was made for another ${shown(m, "pyproject")}: what it requires has changed since. Lock again: \`d2n run .#default.lock\`, or \`pdm lock\`.`,
        );
      if (!pdmTargetFits(lock(), { version: version(), system: system() }))
        found.push(
          `${file} was not made for Python ${version()} on ${system()}, but for: ${targets.map(({ text }) => text).join("; ")}. Packages may be missing: \`pdm lock --append\` adds another target.`,
        );
      return found;
    },
  };
}

/** The C library decides which wheels fit. */
export function libraryOf(m: ModuleScope, system: string): { readonly libraryVersion: string; readonly musl: boolean } {
  const stdenv = m.config.at("deps", "python").or(["stdenv"], {});
  const musl = stdenv.or(["hostPlatform", "isMusl"], false).bool();
  const path = system.endsWith("-darwin") ? ["hostPlatform", "darwinSdkVersion"] : ["cc", "libc", "version"];
  const fallback = system.endsWith("-darwin") ? "14.0" : musl ? "1.2" : "2.41";
  const version = stdenv.or(path, fallback).textWithoutContext();
  return { libraryVersion: /^\d+\.\d+/.exec(version)?.[0] ?? fallback, musl };
}

const advice = {
  lockfile:
    "Run `d2n run .#default.lock` (the package's own attribute in place of `default`), or `pdm lock`, then `git add`",
  pyproject: "If it is there, `git add` it",
};

function read(m: ModuleScope, option: "lockfile" | "pyproject"): string {
  const file = toNix(m.config.at("pdm", option));
  if (force(builtin(m.ev, "pathExists", file)) !== true)
    throw new Dream2nixError(
      "lock-missing",
      `the file \`${shown(m, option)}\` that pdm.${option} names does not exist`,
      {
        hint: `${advice[option]}: in a git repository, flakes only see what git tracks.`,
      },
    );
  return fromUtf8(m.system.view(builtin(m.ev, "readFile", file)).textWithoutContext());
}

/** The file as messages call it. */
function shown(m: ModuleScope, option: "lockfile" | "pyproject"): string {
  const value = m.config.at("pdm", option);
  const path = value.get();
  const whole = path instanceof NixPath ? path.path : value.textWithoutContext();
  return whole.slice(whole.lastIndexOf("/") + 1);
}

/** What is wrong with the files is an error of the evaluation. */
function explained<T>(compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof D2nError) || error instanceof Dream2nixError) throw error;
    throw new Dream2nixError(error.code, error.message, { hint: error.hint, details: error.details, cause: error });
  }
}
