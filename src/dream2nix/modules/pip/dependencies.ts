/** The locked packages, a module for each, and what they share with the root. */
import { Attrs, type Lazy, type Native, type NativeObject } from "../../../lang/index.ts";
import {
  defineModule,
  mkDefault,
  mkForce,
  mkIf,
  mkOption,
  mkOverride,
  type ModuleScope,
  type NativeModule,
  type View,
} from "../../../modules/index.ts";
import { Dream2nixError, inheritOverride, later, moduleFile, text } from "../../support.ts";
import { communityOverrides } from "../../overrides/index.ts";
import { buildPythonPackage } from "../build-python-package/index.ts";
import { core } from "../core/index.ts";
import { mkDerivation } from "../mk-derivation/index.ts";
import { isBuiltWithCargo, versionVariables } from "../../../python/index.ts";
import type { LockedVersion, PipBuilds } from "./builds.ts";
import { isWheelSource, sourceText } from "./source-text.ts";
import { neededByRoot, propagatedBy } from "./cycles.ts";
import type { Targets } from "./targets.ts";

/** What every dependency and the root have in common. `root` is the scope of the module `pip`. */
export function commonModule(
  root: ModuleScope,
  packageSets: View,
  metadata: View,
  targets: Targets,
  builds: PipBuilds,
): NativeModule {
  const drvs = root.config.at("pip", "drvs");
  return defineModule({
    file: moduleFile("pip/common"),
    imports: () => [mkDerivation, core, buildPythonPackage],
    config: (m) => {
      const nixpkgs = packageSets.at("nixpkgs");
      const isLinux = (): boolean => m.config.at("deps", "stdenv", "isLinux").bool();
      const name = (): string => m.config.at("name").text();
      // What is compiled here finds its libraries without patching, and wheels for any platform have nothing that is compiled.
      // Upstream gives these to all packages, which makes every one of them wait for X11 and OpenGL.
      const patched = (): boolean => isLinux() && isWheelSource(m) && !sourceText(m).endsWith("-none-any.whl");
      const inCycle = (): boolean => targets.cycles().has(name());
      /** Whether it is built as a part of its cycle, for the others of it are with whoever needs it. */
      const isPart = (): boolean => m.config.or(["pip-cycle", "part"], false).bool();
      /** A package as another one needs it. */
      const member = (needed: string): View =>
        targets.cycles().has(needed) ? drvs.at(needed, "pip-cycle", "asPart") : drvs.at(needed, "public", "out");
      const cycle = (): Native =>
        inCycle() && !isPart() && name() !== root.config.at("name").text()
          ? targets
              .cycles()
              .get(name())!
              .map((one) => later(() => member(one)))
          : null;
      const needs = (): Native[] =>
        (isPart() ? propagatedBy : neededByRoot)(name(), targets.graph(), targets.cycles()).map((needed) =>
          later(() => member(needed)),
        );
      const isWheel = (): boolean => isWheelSource(m);
      // What a build system of Python's cannot bring: it calls whatever cargo is there.
      const rust = (): View[] => {
        const build = found() ? builds.of(name(), lockedVersion(metadata, name())) : undefined;
        return build !== undefined && isBuiltWithCargo(build) && nixpkgs.has("cargo") && nixpkgs.has("rustc")
          ? [nixpkgs.at("cargo"), nixpkgs.at("rustc")]
          : [];
      };
      const found = (): boolean => builds.has(name(), lockedVersion(metadata, name())) && !isWheel();
      return {
        // There is no repository around what is built here that could be asked for a version.
        env: mkIf(
          () => !isWheel(),
          later(() => ({
            ...defaults(versionVariables(name(), m.config.at("version").text())),
            ...(found() ? defaults({ pythonIsolatedBuild: true, dontCheckRuntimeDeps: true }) : {}),
          })),
        ),
        buildPythonPackage: mkIf(found, {
          pyproject: mkDefault(true),
          "build-system": later(() => builds.inputs(name(), lockedVersion(metadata, name()))),
        }),
        deps: {
          ...inheritOverride(1001, nixpkgs, [
            "autoPatchelfHook",
            "bash",
            "coreutils",
            "gawk",
            "gitMinimal",
            "mkShell",
            "path",
            "stdenv",
            "unzip",
            "writeScript",
            "writeScriptBin",
          ]),
          manylinux1: mkOverride(1001, nixpkgs.at("pythonManylinuxPackages", "manylinux1")),
        },
        mkDerivation: {
          src: mkDefault(later(() => fetchSource(root, metadata, builds, name()))),
          // Whatever the only folder is called that unpacking leaves.
          setSourceRoot: mkIf(
            () => subdirectoryOf(metadata, builds, name()) !== undefined,
            mkDefault(
              later(
                () =>
                  `for folder in */; do sourceRoot=$folder${shellWord(subdirectoryOf(metadata, builds, name())!)}; done`,
              ),
            ),
          ),
          doCheck: mkDefault(false),
          dontStrip: mkDefault(true),
          nativeBuildInputs: later(() => [
            m.config.at("deps", "unzip"),
            ...(patched() ? [m.config.at("deps", "autoPatchelfHook")] : []),
            ...rust(),
          ]),
          buildInputs: later(() => (patched() ? [m.config.at("deps", "manylinux1")] : [])),
          // Libraries may lie in other Python packages: libcublas.so in nvidia-cublas-cu12.
          preFixup: later(() => (patched() ? "addAutoPatchelfSearchPath $propagatedBuildInputs\n" : "")),
          propagatedBuildInputs: later(needs),
          // Whoever takes it among other packages takes its parts: they may have the same ones.
          passthru: { pythonCycle: later(cycle) },
        },
        // Whoever takes it among other packages takes its parts: they may have the same ones.
        public: { pythonCycle: later(cycle) },
      };
    },
  });
}

/** `pip.drvs`: for each locked package what is common, what makes it a dependency, and the overrides. */
export function dependencyModules(root: ModuleScope, metadata: View, common: NativeModule, builds: PipBuilds): Attrs {
  const cfg = root.config.at("pip");
  const python = root.config.at("deps", "python");
  const dependency = defineModule({
    file: moduleFile("pip/dependency"),
    args: ["extendModules"],
    options: ({ types }) => ({
      "pip-cycle": {
        part: mkOption({
          type: types.bool,
          default: false,
          internal: true,
          description: "Whether the package is built without those of its cycle, which are with whoever needs it.",
        }),
        asPart: mkOption({ type: types.raw, internal: true, description: "The package, built so." }),
      },
    }),
    config: (m) => {
      const isWheel = (): boolean => isWheelSource(m);
      return {
        deps: { python },
        "pip-cycle": {
          asPart: later(() =>
            m.extendModules.call({ modules: [later(() => root.system.module(part))] }).at("config", "public", "out"),
          ),
        },
        buildPythonPackage: { format: mkDefault(later(() => (isWheel() ? "wheel" : null))) },
        mkDerivation: {
          buildInputs: later(() => {
            const name = m.config.at("name").text();
            return isWheel() || builds.has(name, lockedVersion(metadata, name)) ? [] : [setuptoolsFor(name, root)];
          }),
        },
      };
    },
  });
  // What it can be asked for only with the others of its cycle is asked for there.
  const part = defineModule({
    file: moduleFile("pip/part"),
    config: () => ({
      "pip-cycle": { part: true },
      env: { dontCheckRuntimeDeps: mkForce(true) },
      buildPythonPackage: { pythonImportsCheck: mkForce([]) },
      mkDerivation: { doCheck: mkForce(false), doInstallCheck: mkForce(false) },
    }),
  });
  const entries = metadata
    .at("sources")
    .entries()
    .map(([name, info]): [string, Lazy] => [
      name,
      later(() => {
        const community = communityOverrides.get(name);
        return root.system.module(
          defineModule({
            file: `pip.drvs.${name}`,
            imports: () => [
              common,
              dependency,
              cfg.at("overrideAll"),
              ...(cfg.has("overrides", name) ? [cfg.at("overrides", name)] : []),
              ...(community === undefined ? [] : [community]),
            ],
            config: () => ({ name, version: info.at("version") }),
          }),
        );
      }),
    ]);
  return Attrs.from(entries);
}

/** The locked setuptools, else the package set's; for itself the latter. */
function setuptoolsFor(name: string, root: ModuleScope): View {
  const drvs = root.config.at("pip", "drvs");
  return name !== "setuptools" && drvs.has("setuptools")
    ? drvs.at("setuptools", "public")
    : root.config.at("deps", "python", "pkgs", "setuptools");
}

function sourceOf(metadata: View, name: string): View {
  if (!metadata.has("sources", name))
    throw new Dream2nixError("lock-field-missing", `the lock file holds no source of ${name}`, {
      hint: "Set mkDerivation.src, or lock the package: pip.requirementsList.",
    });
  return metadata.at("sources", name);
}

function fetchSource(root: ModuleScope, metadata: View, builds: PipBuilds, name: string): Native {
  const { config, ev } = root;
  const info = sourceOf(metadata, name);
  const take = (...names: string[]): NativeObject => Object.fromEntries(names.map((key) => [key, info.at(key)]));
  const type = info.at("type").text();
  switch (type) {
    case "url":
      if (info.at("sha256").isNull())
        throw new Dream2nixError("lock-no-hash", `the lock file has no hash for ${name}: its index gave none`, {
          hint: "Lock again, from an index that publishes hashes.",
        });
      return config.at("deps", "fetchurl").call(take("url", "sha256"));
    case "git": {
      // The lock file's hash is of the tree alone; where it has submodules, d2n.lock has the hash of all.
      const submodules = builds.of(name, lockedVersion(metadata, name))?.submodules;
      return config.at("deps", "fetchgit").call({
        ...take("url", "sha256", "rev"),
        ...(submodules === undefined ? {} : { sha256: submodules }),
        fetchSubmodules: submodules !== undefined,
      });
    }
    case "local":
      return text(ev)`${config.at("paths", "projectRoot")}/${info.at("path")}`;
    default:
      throw new Dream2nixError("lock-malformed", `the lock file has a source of an unknown type for ${name}: ${type}`, {
        hint: "The types are url, git and local. Lock again.",
      });
  }
}

function lockedVersion(metadata: View, name: string): LockedVersion {
  return () => (metadata.has("sources", name) ? metadata.at("sources", name, "version").text() : undefined);
}

function defaults(values: Readonly<Record<string, string | boolean>>): NativeObject {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, mkDefault(value)]));
}

function subdirectoryOf(metadata: View, builds: PipBuilds, name: string): string | undefined {
  const known = builds.of(name, lockedVersion(metadata, name))?.subdirectory;
  if (known !== undefined) return known;
  const value = metadata.or(["sources", name, "subdirectory"], null);
  return value.isNull() ? undefined : value.textWithoutContext();
}

function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
