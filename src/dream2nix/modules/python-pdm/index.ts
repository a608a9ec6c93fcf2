import type { Native, NativeObject } from "../../../lang/index.ts";
import {
  defineModule,
  mkDefault,
  mkIf,
  mkOverride,
  type ModuleScope,
  type NativeModule,
  type View,
} from "../../../modules/index.ts";
import { canonicalName } from "../../../python/index.ts";
import { Dream2nixError, inheritOverride, later, moduleFile, once } from "../../support.ts";
import { buildPythonPackage } from "../build-python-package/index.ts";
import { core } from "../core/index.ts";
import { groups } from "../groups/index.ts";
import { pipBuilds } from "../pip/builds.ts";
import { environment } from "../pip/index.ts";
import { pdmScript } from "./locking.ts";
import { pdmOption } from "./interface.ts";
import { groupPackages, publicPackage, versionOf } from "./packages.ts";
import { type PdmFiles, pdmFiles } from "./project.ts";

/** A Python project and its requirements as pdm has locked them. */
export const pythonPdm: NativeModule = defineModule({
  file: moduleFile("python-pdm"),
  args: ["packageSets", "specialArgs"],
  imports: () => [core, groups, buildPythonPackage],
  options: (m) => ({ pdm: pdmOption(m, m.specialArgs) }),
  config: (m) => {
    const files = pdmFiles(m);
    const nixpkgs = m.packageSets.at("nixpkgs");
    const builds = pipBuilds(m, m.packageSets, m.specialArgs, m.config.at("pdm", "lockfile"));
    // Tools for the development shell, where the package set has them.
    const tools = once(() => ["pdm", "uv"].filter((name) => nixpkgs.has(name)));
    return {
      name: later(() => files.project().name),
      version: mkDefault(
        later(() => files.project().version ?? (files.project().dynamicVersion ? "dynamic" : "unknown")),
      ),
      warnings: later(files.warnings),
      deps: {
        ...inheritOverride(1002, nixpkgs, [
          "autoPatchelfHook",
          "fetchurl",
          "mkShell",
          "runCommand",
          "stdenv",
          "unzip",
          "writeText",
        ]),
        pdm: mkOverride(
          1002,
          later(() => (tools().includes("pdm") ? nixpkgs.at("pdm") : null)),
        ),
      },
      overrideType: { imports: [m.system.module(buildPythonPackage)] },
      pdm: {
        sourceSelector: mkDefault("wheel"),
        name: m.config.at("name"),
        paths: m.config.at("paths"),
        pyEnv: m.config.at("public", "pyEnv"),
        // The package itself is always editable.
        editables: later(() => ({ [m.config.at("name").text()]: m.config.at("paths", "package") })),
        editablesDevShell: m.config.at("public", "devShell"),
        versions: later(() => editableVersions(m, files)),
      },
      buildPythonPackage: {
        pyproject: mkDefault(true),
        // Whoever names a build system has the one that is named.
        "build-system": mkIf(() => builds.forRoot() !== undefined, mkDefault(later(() => builds.forRoot() ?? []))),
      },
      mkDerivation: {
        buildInputs: later(() => (builds.forRoot() === undefined ? buildSystems(m, files) : [])),
        propagatedBuildInputs: later(() => lockedPackages(m, files)),
      },
      lock: { extraScripts: later(() => [pdmScript(m)]) },
      groups: later(() => groupPackages(m, m.packageSets, files, builds)),
      public: {
        pyEnv: later(() => environment(m, undefined, () => builds.forRoot() ?? [])),
        shellHook: later(() => m.config.at("pdm", "editablesShellHook")),
        devShell: later(() => developmentShell(m, files)),
      },
    };
  },
});

function chosenGroup(m: ModuleScope): string {
  return m.config.at("pdm", "group").text();
}

/** Everything in the group but the project itself. */
function lockedPackages(m: ModuleScope, files: PdmFiles): View[] {
  const self = canonicalName(files.project().name);
  return [...files.group(chosenGroup(m)).packages.values()]
    .filter(({ name }) => name !== self)
    .map((pkg) => publicPackage(m, chosenGroup(m), pkg).at("out"));
}

/** What `build-system.requires` names, out of the package set, else out of the lock. */
function buildSystems(m: ModuleScope, files: PdmFiles): View[] {
  const pkgs = m.config.at("deps", "python", "pkgs");
  return files.project().buildRequires.map((name) => {
    if (pkgs.has(name)) return pkgs.at(name);
    const locked = files.group(chosenGroup(m)).packages.get(name);
    if (locked !== undefined) return publicPackage(m, chosenGroup(m), locked).at("out");
    throw new Dream2nixError(
      "evaluation",
      `the package set has no Python package \`${name}\`, which build-system.requires of pyproject.toml names`,
      {
        hint: `Add it to a group of pyproject.toml that you build with (pdm.group), and lock again; or set mkDerivation.buildInputs with lib.mkForce.`,
      },
    );
  });
}

function editableVersions(m: ModuleScope, files: PdmFiles): NativeObject {
  const { packages } = files.group(chosenGroup(m));
  const others = m.config
    .at("pdm", "editables")
    .names()
    .flatMap((name) => {
      const version = packages.get(canonicalName(name))?.version;
      return version === undefined ? [] : [[name, version] as const];
    });
  return { ...Object.fromEntries(others), [m.config.at("name").text()]: m.config.at("version") };
}

function developmentShell(m: ModuleScope, files: PdmFiles): View {
  const { config } = m;
  const group = (): ReturnType<PdmFiles["group"]> => files.group(chosenGroup(m));
  const inputs = (kind: string): View[] =>
    config
      .at("pdm", "editables")
      .names()
      .flatMap((name) => {
        if (name === config.at("name").text()) return [config.at("mkDerivation", kind)];
        const pkg = group().packages.get(canonicalName(name));
        if (pkg === undefined) return [];
        return [
          config.at("groups", chosenGroup(m), "packages", pkg.name, versionOf(pkg), "evaluated", "mkDerivation", kind),
        ];
      })
      .flatMap((list) => (list.isNull() ? [] : list.list()));
  return config.at("deps", "mkShell").call({
    packages: later((): Native => {
      const pdm = config.at("deps", "pdm");
      return [config.at("public", "pyEnv"), ...(pdm.isNull() ? [] : [pdm])];
    }),
    shellHook: later(() => config.at("public", "shellHook")),
    buildInputs: later(() => inputs("buildInputs")),
    nativeBuildInputs: later(() => inputs("nativeBuildInputs")),
  });
}
