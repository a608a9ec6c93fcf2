/** The package set: the archive's packages, the standard environment, build support and Python, as one lazy fix point. */
import {
  Attrs,
  callFunction,
  type Evaluator,
  explainAbsence,
  force,
  isCallable,
  type Lazy,
  lazy,
  updateAttrs,
} from "../lang/index.ts";
import { createBuildEnv } from "./build-support/build-env.ts";
import { absentPackage } from "./absent.ts";
import { createDockerTools } from "./build-support/docker.ts";
import { createFetchers } from "./build-support/fetchers.ts";
import { createFormats } from "./build-support/formats.ts";
import { createHooks } from "./build-support/hooks.ts";
import { createMkShell } from "./build-support/shell.ts";
import { createTrivialBuilders } from "./build-support/trivial.ts";
import { createWriters } from "./build-support/writers.ts";
import { callPackageWith, makeOverridable, makeScope, newScope, overrideRawDerivation } from "./customisation.ts";
import { packageNames } from "./names.ts";
import { platform } from "./platforms.ts";
import { createInterpreter, type InterpreterContext } from "./python/interpreter.ts";
import { createPythonPrograms } from "./python/programs.ts";
import { debianPackage, packageOf, type Scope } from "./scope.ts";
import { finishRawDerivation } from "./stdenv/extend-derivation.ts";
import { createStdenv } from "./stdenv/stdenv.ts";
import type { DebianPackages, PackageSetOptions } from "./types.ts";
import { attribute, expectList, expectSet, fixOverlays, fn, set } from "./values.ts";

/** Interpreters by attribute. Those that cannot be built throw when their derivation is needed, never before. */
const interpreters = ["python39", "python310", "python311", "python312", "python313", "python314"];
const defaultInterpreter = "python313";

/**
 * The package set for a system: what `import nixpkgs { system; config; overlays }` gives. Nothing is looked up in the archive
 * before a package is forced, so that a set for a foreign system throws only then.
 */
export function createPackageSet(ev: Evaluator, options: PackageSetOptions): Attrs {
  let known: DebianPackages | undefined;
  const debian = (): DebianPackages => (known ??= options.debian());
  const overlays = options.overlays ?? [];
  const configured = lazy(() => {
    const config = options.config === undefined ? Attrs.empty : force(options.config);
    const value =
      isCallable(config) && !(config instanceof Attrs)
        ? callFunction(config, set({ pkgs: self, lib: options.lib }))
        : config;
    return value === null ? Attrs.empty : expectSet(value, "config");
  });
  const box: { pkgs?: Attrs } = {};
  const self = lazy(() => box.pkgs!);
  const packageOverrides: Lazy = fn("packageOverrides", 2, (_final, prev) => {
    const change = attribute(expectSet(configured, "config"), "packageOverrides");
    return change === undefined || change === null ? Attrs.empty : callFunction(change, prev);
  });
  const layers = options.config === undefined ? overlays : [packageOverrides, ...overlays];
  box.pkgs = fixOverlays((final) => basePackages(ev, options, debian, configured, final), layers);
  explainAbsence(box.pkgs, absentPackage);
  return box.pkgs;
}

function basePackages(
  ev: Evaluator,
  options: PackageSetOptions,
  debian: () => DebianPackages,
  config: Lazy,
  final: Lazy,
): Attrs {
  const { system, lib } = options;
  const scope: Scope = {
    ev,
    lib,
    system,
    get config() {
      return expectSet(config, "config");
    },
    pkgs: final,
    debian,
  };
  const named = (name: string): Lazy => packageOf(scope, name);
  const host = platform(system);
  const makeFn = (name: string, run: (argument: Lazy) => Lazy): Lazy => fn(name, 1, run);
  const overrideRaw = (derivation: Attrs): Attrs =>
    finishRawDerivation(ev, derivation, (change, self) => overrideRawDerivation(ev, change, self, overrideRaw), makeFn);

  const stdenv = lazy(() => createStdenv(scope, { name: "stdenv-linux", cc: debianPackage(scope, "gcc") }));
  const stdenvNoCC = lazy(() => createStdenv(scope, { name: "stdenv-no-cc", cc: undefined }));
  const trivial = createTrivialBuilders(scope, named("stdenv"), named("stdenvNoCC"));
  const archive = packageNames(debian).map((name): [string, Lazy] => [
    name,
    lazy(() => overrideRaw(expectSet(debianPackage(scope, name), name))),
  ]);

  const interpreterContext: InterpreterContext = { scope, trivial, stdenv: named("stdenv"), overrideRaw };
  const pythons: [string, Lazy][] = interpreters.flatMap((name): [string, Lazy][] => [
    [
      name,
      lazy(() => {
        const found = debian().interpreters.get(name);
        if (found === undefined) throw new Error(`internal error: no interpreter ${name}`);
        return createInterpreter(interpreterContext, found);
      }),
    ],
    [`${name}Packages`, lazy(() => attribute(expectSet(named(name), name), "pkgs")!)],
  ]);

  const call = (extra: Attrs): Lazy => lazy(() => updateAttrs(expectSet(final, "the package set"), extra));
  const xorg = lazy(() =>
    Attrs.from(
      packageNames(debian)
        .filter((name) => /^lib(X|xcb|SM$|ICE$|FS$)|^xcbutil/.test(name))
        .map((name) => [name, named(name)]),
    ),
  );
  const again = (more: readonly Lazy[]): Attrs =>
    createPackageSet(ev, { ...options, debian, overlays: [...(options.overlays ?? []), ...more] });

  const functions = set({
    pkgs: final,
    lib,
    system,
    config: lazy(() =>
      updateAttrs(
        set({
          allowUnfree: false,
          allowBroken: false,
          allowUnsupportedSystem: false,
          allowAliases: true,
          checkMeta: true,
          doCheckByDefault: false,
        }),
        expectSet(config, "config"),
      ),
    ),
    overlays: [...(options.overlays ?? [])],
    ...(options.path === undefined ? {} : { path: options.path }),
    hostPlatform: host,
    buildPlatform: host,
    targetPlatform: host,
    buildPackages: final,
    targetPackages: final,
    pkgsBuildBuild: final,
    pkgsBuildHost: final,
    pkgsBuildTarget: final,
    pkgsHostHost: final,
    pkgsHostTarget: final,
    pkgsTargetTarget: final,
    __splicedPackages: final,
    stdenv,
    stdenvNoCC,
    gccStdenv: named("stdenv"),
    gcc: lazy(() => attribute(expectSet(named("stdenv"), "stdenv"), "cc")!),
    addAttrsToDerivation: fn("addAttrsToDerivation", 2, (extra, environment) => {
      const base = expectSet(environment, "a stdenv");
      const make = attribute(base, "mkDerivation")!;
      return updateAttrs(
        base,
        set({
          mkDerivation: fn("mkDerivation", 1, (args) =>
            callFunction(make, updateAttrs(expectSet(args, "attributes"), expectSet(extra, "attributes"))),
          ),
        }),
      );
    }),

    callPackage: fn("callPackage", 2, (target, args) => callPackageWith(ev, final, target, args)),
    callPackages: fn("callPackages", 2, (target, args) => callPackageWith(ev, final, target, args)),
    newScope: fn("newScope", 1, (extra) => newScope(ev, call(expectSet(extra, "the argument of newScope")))),
    makeScope: fn("makeScope", 2, (_newScope, contents) => makeScope(ev, final, contents)),
    makeOverridable: fn("makeOverridable", 2, (target, args) => makeOverridable(target, expectSet(args, "arguments"))),
    extend: fn("extend", 1, (overlay) => again([overlay])),
    appendOverlays: fn("appendOverlays", 1, (more) => again(expectList(more, "the overlays"))),

    ...trivial.attributes,
    ...createFetchers(scope, trivial),
    ...createHooks(scope, trivial),
    ...createPythonPrograms(scope, trivial),
    buildEnv: createBuildEnv(scope, trivial),
    mkShell: lazy(() => createMkShell(scope, named("stdenv"))),
    mkShellNoCC: lazy(() => createMkShell(scope, named("stdenvNoCC"))),
    writers: lazy(() => createWriters(scope, trivial)),
    formats: lazy(() => createFormats(scope, trivial)),
    dockerTools: lazy(() => createDockerTools(scope, trivial)),
    fakeNss: lazy(() => attribute(expectSet(named("dockerTools"), "dockerTools"), "fakeNss")!),
    xorg,

    python3: named(defaultInterpreter),
    python: named("python3"),
    python3Minimal: named("python3"),
    python3Full: named("python3"),
    python3Packages: lazy(() => attribute(expectSet(named("python3"), "python3"), "pkgs")!),
    pythonPackages: named("python3Packages"),
    pythonPackagesExtensions: [],
    pythonInterpreters: Attrs.from(interpreters.map((name) => [name, named(name)])),
    pythonManylinuxPackages: lazy(() => manylinux(scope)),
  });
  return updateAttrs(updateAttrs(Attrs.from(archive), Attrs.from(pythons)), functions);
}

/** Libraries that binary wheels may expect of the machine (PEP 513, 571, 599, 600), as lists of packages. */
function manylinux(scope: Scope): Attrs {
  const available = new Set(packageNames(scope.debian));
  const list = (names: readonly string[]): Lazy =>
    lazy(() => names.filter((name) => available.has(name)).map((name) => packageOf(scope, name)));
  const common = ["gccLibraries", "glibc", "glib", "libX11", "libXext", "libXrender", "libICE", "libSM", "libGL"];
  const newer = [...common, "zlib", "expat"];
  const oldest = [...common, "ncurses"];
  const byName: Record<string, readonly string[]> = { manylinux1: oldest, manylinux2010: common, manylinux2014: newer };
  for (const minor of ["17", "24", "26", "27", "28", "31", "34", "35", "39", "41"])
    byName[`manylinux_2_${minor}`] = newer;
  return set(Object.fromEntries(Object.entries(byName).map(([name, names]) => [name, list(names)])));
}
