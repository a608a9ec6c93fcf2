/** `groups`: the locked packages of every group of requirements, a module for each. */
import { Attrs, type Native, type NativeObject } from "../../../lang/index.ts";
import {
  defineModule,
  mkDefault,
  mkIf,
  mkOptionDefault,
  mkOverride,
  type ModuleScope,
  type NativeModule,
  type View,
} from "../../../modules/index.ts";
import { type PdmPackage, versionVariables } from "../../../python/index.ts";
import { communityOverrides } from "../../overrides/index.ts";
import { inheritOverride, later } from "../../support.ts";
import { buildPythonPackage } from "../build-python-package/index.ts";
import { core } from "../core/index.ts";
import type { PipBuilds } from "../pip/builds.ts";
import { propagatedBy } from "../pip/cycles.ts";
import { sourceText } from "../pip/source-text.ts";
import { sourceSelectorOption } from "./interface.ts";
import type { PdmFiles, PdmGroup } from "./project.ts";
import { fetchPackage } from "./sources.ts";

/** The value of `groups`. */
export function groupPackages(root: ModuleScope, packageSets: View, files: PdmFiles, builds: PipBuilds): Attrs {
  return Attrs.from(
    [...files.project().groups.keys()].map((group) => [
      group,
      later(() => ({ packages: later(() => packagesOf(root, packageSets, files, builds, group)) })),
    ]),
  );
}

function packagesOf(
  root: ModuleScope,
  packageSets: View,
  files: PdmFiles,
  builds: PipBuilds,
  groupName: string,
): Attrs {
  const group = files.group(groupName);
  return Attrs.from(
    [...group.packages.values()].map((pkg) => [
      pkg.name,
      later(() => ({
        [versionOf(pkg)]: {
          module: later(() =>
            root.system.module(packageModule(root, packageSets, files, builds, groupName, group, pkg)),
          ),
        },
      })),
    ]),
  );
}

/** Packages out of paths and repositories may have none in the lock. */
export function versionOf(pkg: PdmPackage): string {
  return pkg.version ?? "unknown";
}

/** The package of a group as others need it. */
export function publicPackage(root: ModuleScope, groupName: string, pkg: PdmPackage): View {
  return root.config.at("groups", groupName, "packages", pkg.name, versionOf(pkg), "public");
}

function packageModule(
  root: ModuleScope,
  packageSets: View,
  files: PdmFiles,
  builds: PipBuilds,
  groupName: string,
  group: PdmGroup,
  pkg: PdmPackage,
): NativeModule {
  const { config } = root;
  const python = config.at("deps", "python");
  const own = config.at("pdm");
  const community = communityOverrides.get(pkg.name);
  const needs = (): View[] =>
    propagatedBy(pkg.name, group.graph, group.cycles).map((name) =>
      publicPackage(root, groupName, group.packages.get(name)!).at("out"),
    );
  const setuptools = (): View => {
    const locked = pkg.name === "setuptools" ? undefined : group.packages.get("setuptools");
    return locked === undefined ? python.at("pkgs", "setuptools") : publicPackage(root, groupName, locked);
  };
  return defineModule({
    file: `groups.${groupName}.packages.${pkg.name}`,
    imports: () => [
      core,
      buildPythonPackage,
      own.at("overrideAll"),
      ...(own.has("overrides", pkg.name) ? [own.at("overrides", pkg.name)] : []),
      ...(community === undefined ? [] : [community]),
    ],
    options: (m) => ({ sourceSelector: sourceSelectorOption(m.types) }),
    config: (m): NativeObject => {
      const isWheel = (): boolean => sourceText(m).endsWith(".whl");
      const patched = (): boolean => isWheel() && m.config.at("deps", "stdenv", "isLinux").bool();
      // Locked for this version, and this file of it.
      const found = (): boolean => !isWheel() && builds.has(pkg.name, () => versionOf(pkg));
      const { origin } = pkg;
      const subdirectory = "subdirectory" in origin ? origin.subdirectory : undefined;
      return {
        name: pkg.name,
        version: mkDefault(versionOf(pkg)),
        sourceSelector: mkOptionDefault(own.at("sourceSelector")),
        deps: {
          python: mkDefault(python),
          ...inheritOverride(1001, packageSets.at("nixpkgs"), ["autoPatchelfHook", "stdenv", "unzip"]),
          manylinux1: mkOverride(1001, packageSets.at("nixpkgs", "pythonManylinuxPackages", "manylinux1")),
        },
        // There is no repository around what is built here that could be asked for a version.
        env: mkIf(
          () => pkg.version !== undefined && !isWheel(),
          later(() => {
            const variables = {
              ...versionVariables(pkg.name, m.config.at("version").text()),
              ...(found() ? { pythonIsolatedBuild: true, dontCheckRuntimeDeps: true } : {}),
            };
            return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, mkDefault(value)]));
          }),
        ),
        buildPythonPackage: {
          format: mkDefault(later(() => (isWheel() ? "wheel" : null))),
          pyproject: mkDefault(later(() => (isWheel() ? null : true))),
          "build-system": mkIf(
            found,
            later(() => builds.inputs(pkg.name, () => versionOf(pkg))),
          ),
        },
        mkDerivation: {
          src: mkDefault(
            later(() => fetchPackage(root, pkg, m.config.at("sourceSelector"), files.ranks, files.project().sources)),
          ),
          // Whatever the only folder is called that unpacking leaves.
          setSourceRoot: mkIf(
            subdirectory !== undefined,
            mkDefault(`for folder in */; do sourceRoot=$folder${shellWord(subdirectory ?? "")}; done`),
          ),
          doCheck: mkDefault(false),
          dontStrip: mkDefault(true),
          nativeBuildInputs: later((): Native => [
            m.config.at("deps", "unzip"),
            ...(patched() ? [m.config.at("deps", "autoPatchelfHook")] : []),
          ]),
          buildInputs: later((): Native =>
            isWheel() ? (patched() ? [m.config.at("deps", "manylinux1")] : []) : found() ? [] : [setuptools()],
          ),
          // Libraries may lie in other Python packages.
          preFixup: later(() => (patched() ? "addAutoPatchelfSearchPath $propagatedBuildInputs\n" : "")),
          propagatedBuildInputs: later(needs),
        },
      };
    },
  });
}

function shellWord(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
