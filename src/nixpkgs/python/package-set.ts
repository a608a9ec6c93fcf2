/** `python.pkgs`: the archive's packages for an interpreter, and the functions that make more. */
import {
  Attrs,
  callFunction,
  explainAbsence,
  ThrownError,
  force,
  type Lazy,
  lazy,
  updateAttrs,
} from "../../lang/index.ts";
import { absentPythonPackage } from "../absent.ts";
import { builderText } from "../builder-files.ts";
import { callPackageWith } from "../customisation.ts";
import type { DebianInterpreter, DebianPythonPackage } from "../types.ts";
import {
  attribute,
  expectSet,
  fixOverlays,
  fn,
  given,
  join,
  listAttribute,
  set,
  setFunction,
  textAttribute,
} from "../values.ts";
import { indexModules } from "./index-modules.ts";
import { buildPythonPackage, type PythonBuildContext } from "./build-python-package.ts";
import type { InterpreterContext } from "./interpreter.ts";
import { hasPythonModule, pythonModuleAttributes, requiredPythonModules, toPythonModule } from "./modules.ts";

export interface PythonPackagesContext extends InterpreterContext {
  readonly python: Lazy;
  readonly executable: string;
  readonly sitePackages: string;
  readonly debian: DebianInterpreter;
  /** `packageOverrides`, oldest first. */
  readonly overrides: readonly Lazy[];
}

/** Hooks of nixpkgs whose work `buildPythonPackage` does anyway: naming them changes nothing. */
const builtInHooks = [
  "pipBuildHook",
  "pipInstallHook",
  "pypaBuildHook",
  "pypaInstallHook",
  "pythonCatchConflictsHook",
  "pythonImportsCheckHook",
  "pythonNamespacesHook",
  "pythonOutputDistHook",
  "pythonRecompileBytecodeHook",
  "pythonRelaxDepsHook",
  "pythonRemoveBinBytecodeHook",
  "pythonRemoveTestsDirHook",
  "pythonRuntimeDepsCheckHook",
  "setuptoolsBuildHook",
  "wheelUnpackHook",
  "flitBuildHook",
  "wrapPython",
];

export function createPythonPackages(context: PythonPackagesContext): Attrs {
  const extensions = lazy(() =>
    listAttribute(expectSet(context.scope.pkgs, "the package set"), "pythonPackagesExtensions"),
  );
  const packages = fixOverlays(
    (self) => basePackages(context, self),
    [...(force(extensions) as readonly Lazy[]), ...context.overrides],
  );
  explainAbsence(packages, absentPythonPackage);
  return packages;
}

function basePackages(context: PythonPackagesContext, self: Lazy): Attrs {
  const { scope, python, debian } = context;
  const { ev } = scope;
  const build: PythonBuildContext = {
    scope,
    python,
    executable: context.executable,
    sitePackages: context.sitePackages,
    stdenv: context.stdenv,
    tool: (name) => debian.packages.get(name)?.derivation,
  };
  const packages: [string, Lazy][] = [...debian.packages].map(([name, entry]) => [
    name,
    lazy(() => debianModule(context, self, name, entry)),
  ]);
  const everything = lazy(() =>
    updateAttrs(expectSet(scope.pkgs, "the package set"), expectSet(self, "the Python packages")),
  );
  const fromIndex = indexModules(
    scope,
    (name) => member(self, name),
    (args) => buildPythonPackage(build, args),
  );
  const functions = set({
    python,
    pythonModule: python,
    callPackage: fn("callPackage", 2, (target, args) => callPackageWith(ev, everything, target, args)),
    newScope: fn("newScope", 1, (extra) =>
      fn("callPackage", 2, (target, args) =>
        callPackageWith(
          ev,
          lazy(() => updateAttrs(expectSet(everything, "the scope"), expectSet(extra, "the scope"))),
          target,
          args,
        ),
      ),
    ),
    overrideScope: fn("overrideScope", 1, (overlay) =>
      createPythonPackages({ ...context, overrides: [...context.overrides, overlay] }),
    ),
    pkgs: scope.pkgs,
    stdenv: context.stdenv,
    lib: scope.lib,
    buildPythonPackage: fn("buildPythonPackage", 1, (args) => buildPythonPackage(build, args)),
    buildPythonApplication: fn("buildPythonApplication", 1, (args) => buildPythonPackage(build, args, true)),
    toPythonModule: fn("toPythonModule", 1, (drv) =>
      toPythonModule(ev, python, expectSet(drv, "the argument of toPythonModule")),
    ),
    toPythonApplication: fn("toPythonApplication", 1, (drv) =>
      withoutModule(expectSet(drv, "the argument of toPythonApplication")),
    ),
    hasPythonModule: fn("hasPythonModule", 1, (drv) => hasPythonModule(ev, python, drv)),
    requiredPythonModules: fn("requiredPythonModules", 1, (list) =>
      requiredPythonModules(ev, python, force(list) as readonly Lazy[]),
    ),
    makePythonPath: fn("makePythonPath", 1, (list) =>
      join(
        ev,
        ":",
        requiredPythonModules(ev, python, force(list) as readonly Lazy[]).map(
          (module) => ev.str`${module}/${context.sitePackages}`,
        ),
      ),
    ),
    disabled: fn("disabled", 1, (drv) => disabled(context, drv)),
    disabledIf: fn("disabledIf", 2, (condition, drv) => (force(condition) === true ? disabled(context, drv) : drv)),
    pythonOlder: lazy(() => attribute(expectSet(python, "python"), "pythonOlder")!),
    pythonAtLeast: lazy(() => attribute(expectSet(python, "python"), "pythonAtLeast")!),
    isPy3k: true,
    isPy27: false,
    isPyPy: false,
    fetchPypi: setFunction(
      "fetchPypi",
      {
        pname: true,
        version: true,
        format: true,
        hash: true,
        sha256: true,
        extension: true,
        python: true,
        abi: true,
        platform: true,
        dist: true,
      },
      (args) => fetchPypi(context, args),
    ),
    pytestCheckHook: lazy(() =>
      hook(context, "pytest-check-hook", builderText("hooks/pytest-check.sh"), ["pytest"], self),
    ),
    unittestCheckHook: lazy(() => hook(context, "unittest-check-hook", unittestHook, [], self)),
    ...Object.fromEntries(
      builtInHooks.map((name) => [
        name,
        lazy(() =>
          hook(
            context,
            name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
            `# buildPythonPackage does this itself.\n`,
            [],
            self,
          ),
        ),
      ]),
    ),
    setuptools_scm: lazy(() => member(self, "setuptools-scm")),
    flit_core: lazy(() => member(self, "flit-core")),
    poetry_core: lazy(() => member(self, "poetry-core")),
  });
  return updateAttrs(updateAttrs(Attrs.from(packages), Attrs.from(fromIndex)), functions);
}

const unittestHook = `unittestCheckPhase() {
  runHook preCheck
  local -a _flags=()
  concatTo _flags unittestFlags unittestFlagsArray
  \${pythonExecutable:-python3} -m unittest discover "\${_flags[@]}"
  runHook postCheck
}
if [ -z "\${dontUseUnittestCheck:-}" ] && [ -z "\${installCheckPhase:-}" ]; then installCheckPhase=unittestCheckPhase; fi
`;

function member(self: Lazy, name: string): Lazy {
  const found = expectSet(self, "the Python packages").get(name);
  if (found === undefined) throw new ThrownError(`the Python packages have no '${name}'`);
  return found;
}

function hook(
  context: PythonPackagesContext,
  name: string,
  script: string,
  packages: readonly string[],
  self: Lazy,
): Lazy {
  const make = attribute(expectSet(context.scope.pkgs, "the package set"), "makeSetupHook")!;
  return callFunction(
    make,
    set({ name, propagatedBuildInputs: packages.map((wanted) => lazy(() => member(self, wanted))) }),
    lazy(() =>
      callFunction(attribute(expectSet(context.scope.pkgs, "the package set"), "writeText")!, `${name}.sh`, script),
    ),
  );
}

/** A package out of the archive as a module of the interpreter. */
function debianModule(context: PythonPackagesContext, self: Lazy, name: string, entry: DebianPythonPackage): Attrs {
  const { ev } = context.scope;
  const raw = expectSet(entry.derivation, name);
  const dependencies = lazy(() =>
    entry.dependencies.map((dependency) =>
      lazy(
        () =>
          expectSet(self, "the Python packages").get(dependency) ??
          debianModule(context, self, dependency, context.debian.package(dependency)),
      ),
    ),
  );
  const derivation = updateAttrs(
    raw,
    set({ pname: name, version: entry.version, propagatedBuildInputs: dependencies, dependencies }),
  );
  return updateAttrs(context.overrideRaw(derivation), pythonModuleAttributes(ev, context.python, dependencies));
}

function withoutModule(drv: Attrs): Attrs {
  return Attrs.from([...drv.entries()].filter(([name]) => name !== "pythonModule"));
}

function disabled(context: PythonPackagesContext, drv: Lazy): never {
  const name = textAttribute(expectSet(drv, "a package"), "name") ?? "the package";
  throw new ThrownError(`${name} not supported for interpreter ${context.executable}`);
}

/**
 * A file of the index by its conventional name. The address is `mirror://pypi/…`, which d2n maps to the index that pip is
 * configured with: no index is named here.
 */
function fetchPypi(context: PythonPackagesContext, args: Attrs): Lazy {
  const text = (name: string, otherwise?: string): string => {
    const value = textAttribute(args, name) ?? otherwise;
    if (value === undefined) throw new ThrownError(`fetchPypi called without the argument '${name}'`);
    return value;
  };
  const pname = text("pname");
  const version = text("version");
  const format = text("format", "setuptools");
  const path =
    format === "wheel"
      ? `${text("dist", text("python", "py2.py3"))}/${pname[0]}/${pname}/${pname}-${version}-${text("python", "py2.py3")}-${text("abi", "none")}-${text("platform", "any")}.whl`
      : `source/${pname[0]}/${pname}/${pname}-${version}.${text("extension", "tar.gz")}`;
  const fetchurl = attribute(expectSet(context.scope.pkgs, "the package set"), "fetchurl")!;
  const hash = given(args, "hash");
  const sha256 = given(args, "sha256");
  return callFunction(
    fetchurl,
    set({
      url: `mirror://pypi/${path}`,
      ...(hash === undefined ? {} : { hash }),
      ...(sha256 === undefined ? {} : { sha256 }),
    }),
  );
}
