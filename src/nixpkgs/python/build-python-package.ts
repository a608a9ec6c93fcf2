/** `buildPythonPackage` and `buildPythonApplication`: a Python package from a source distribution or a wheel. */
import {
  Attrs,
  callFunction,
  ThrownError,
  force,
  isCallable,
  isString,
  type Lazy,
  lazy,
  type NixString,
  textOf,
  updateAttrs,
} from "../../lang/index.ts";
import { builderFile } from "../builder-files.ts";
import { withOverride } from "../customisation.ts";
import { debianPackage, hasDebianPackage, type Scope } from "../scope.ts";
import {
  attribute,
  expectSet,
  flag,
  fn,
  given,
  join,
  listAttribute,
  merge,
  omit,
  set,
  setAttribute,
  textAttribute,
} from "../values.ts";
import { pythonModuleAttributes, withCycles } from "./modules.ts";

export interface PythonBuildContext {
  readonly scope: Scope;
  /** The interpreter as a value, with `pkgs`. */
  readonly python: Lazy;
  readonly executable: string;
  /** `lib/python3.13/site-packages`. */
  readonly sitePackages: string;
  readonly stdenv: Lazy;
  /** A package of the archive's, as it is. */
  tool(name: string): Lazy | undefined;
}

/**
 * By format, what every build may fall back on: on the path after everything that the package itself names. Old versions of
 * setuptools, which a lock may hold, need wheel.
 */
const buildTools: Readonly<Record<string, readonly string[]>> = {
  setuptools: ["pip", "setuptools", "wheel", "packaging"],
  pyproject: ["pip", "build", "pyproject-hooks", "packaging", "setuptools", "wheel"],
  flit: ["pip", "build", "pyproject-hooks", "packaging", "flit-core"],
  wheel: ["pip"],
  other: [],
};
const formats = Object.keys(buildTools);
const backends: ReadonlySet<string> = new Set(["setuptools", "wheel", "flit-core"]);

/** Consumed here; the rest goes to `mkDerivation` as it is. */
const own = new Set([
  "disabled",
  "checkPhase",
  "checkInputs",
  "nativeCheckInputs",
  "doCheck",
  "pyproject",
  "format",
  "catchConflicts",
  "removeBinBytecode",
  "optional-dependencies",
  "build-system",
  "dependencies",
  "nativeBuildInputs",
  "buildInputs",
  "propagatedBuildInputs",
  "passthru",
  "name",
  "stdenv",
  "namePrefix",
  "dontCheckRuntimeDeps",
  "dontUsePipInstall",
  "pythonPath",
]);

/** The package, with `override`, `overridePythonAttrs` and `overrideAttrs`. The argument is a set or a function of the final attributes. */
export function buildPythonPackage(context: PythonBuildContext, argument: Lazy, application = false): Attrs {
  const value = force(argument);
  const makeArgs = (final: Lazy): Attrs =>
    isCallable(value)
      ? expectSet(callFunction(value, final), "the attributes of buildPythonPackage")
      : expectSet(value, "the argument of buildPythonPackage");
  const mkDerivation = (args: Attrs): Lazy =>
    attribute(expectSet(given(args, "stdenv") ?? context.stdenv, "stdenv"), "mkDerivation")!;
  const drv = isCallable(value)
    ? callFunction(
        force(mkDerivation(Attrs.empty)),
        fnOf((final) => pythonDerivation(context, makeArgs(final), application)),
      )
    : callFunction(force(mkDerivation(makeArgs(null))), pythonDerivation(context, makeArgs(null), application));
  const result = expectSet(drv, "the derivation of a Python package");
  const again = (change: Lazy, previous: Attrs): Attrs => {
    const changed = force(change);
    return updateAttrs(
      previous,
      expectSet(isCallable(changed) ? callFunction(changed, previous) : changed, "the changed attributes"),
    );
  };
  const rebuilt = (change: Lazy): Attrs =>
    isCallable(value)
      ? buildPythonPackage(
          context,
          fnOf((final) => again(change, makeArgs(final))),
          application,
        )
      : buildPythonPackage(context, again(change, makeArgs(null)), application);
  return updateAttrs(withOverride(result, rebuilt), set({ overridePythonAttrs: fnOf(rebuilt) }));
}

function fnOf(run: (argument: Lazy) => Lazy): Lazy {
  return fn("buildPythonPackage", 1, run);
}

function formatOf(args: Attrs, name: string): string {
  const pyproject = given(args, "pyproject");
  const format = textAttribute(args, "format");
  if (format === "egg")
    throw new ThrownError(`${name}: format = "egg" is not supported`, {
      hint: 'Eggs are obsolete; use the project\'s wheel (format = "wheel") or its source distribution.',
    });
  if (format !== undefined && !formats.includes(format))
    throw new ThrownError(`${name}: unknown format "${format}"`, { hint: `Formats are ${formats.join(", ")}.` });
  // A wheel needs no build, whatever was said about how to build.
  if (format === "wheel") return format;
  if (pyproject === true) return "pyproject";
  if (pyproject === false && format === undefined) return "other";
  return format ?? "setuptools";
}

/** The argument of `mkDerivation`. */
function pythonDerivation(context: PythonBuildContext, args: Attrs, application: boolean): Attrs {
  const { scope, python } = context;
  const { ev } = scope;
  const pname = textAttribute(args, "pname");
  const plainName =
    given(args, "name") ??
    (pname === undefined
      ? undefined
      : `${pname}${textAttribute(args, "version") === undefined ? "" : `-${textAttribute(args, "version")}`}`);
  if (plainName === undefined || !isString(plainName))
    throw new ThrownError("buildPythonPackage wants 'pname' and 'version', or 'name'");
  const label = textOf(plainName);
  const interpreter = expectSet(python, "the interpreter");
  const prefix = given(args, "namePrefix") ?? (application ? "" : `${textAttribute(interpreter, "libPrefix")}-`);
  const format = formatOf(args, label);
  if (flag(args, "disabled")) throw new ThrownError(`${label} not supported for interpreter ${context.executable}`);

  const dependencies = lazy(() =>
    withCycles([
      ...listAttribute(args, "propagatedBuildInputs"),
      ...listAttribute(args, "dependencies"),
      ...listAttribute(args, "pythonPath"),
    ]),
  );
  const extras = setAttribute(args, "optional-dependencies");
  const providedLibraries = ["glibc", "gccLibraries", "gcc-libs", "zlib", "expat"].filter((name) =>
    hasDebianPackage(scope, name),
  );
  const checks = flag(args, "doCheck", true);
  // All that the build system consists of is among the inputs: nothing else may be found by chance.
  const isolated = flag(args, "pythonIsolatedBuild");

  const derived = set({
    name: `${typeof prefix === "string" ? prefix : textOf(prefix as NixString)}${label}`.replace(
      /[^A-Za-z0-9+\-._?=]/g,
      "-",
    ),
    pythonFormat: format,
    pythonExecutable: lazy(() => ev.str`${python}/bin/${context.executable}`),
    pythonSitePackages: context.sitePackages,
    pythonHelper: builderFile(ev, "python/package.py"),
    pythonBuildTools: buildTools[format]!.filter((name) => !isolated || !backends.has(name))
      .map((name) => context.tool(name))
      .filter((tool): tool is Lazy => tool !== undefined),
    // Where the interpreter's RPATH leads: libraries that its extension modules need not bring.
    autoPatchelfProvided: lazy(() =>
      join(
        ev,
        " ",
        providedLibraries.map((name) => ev.str`${debianPackage(scope, name)}/lib`),
      ),
    ),
    nativeBuildInputs: lazy(() => [
      builderFile(ev, "python/package.sh"),
      python,
      ...listAttribute(args, "nativeBuildInputs"),
      ...listAttribute(args, "build-system"),
    ]),
    buildInputs: lazy(() => withCycles(listAttribute(args, "buildInputs"))),
    propagatedBuildInputs: dependencies,
    strictDeps: flag(args, "strictDeps", true),
    doCheck: false,
    doInstallCheck: checks,
    nativeInstallCheckInputs: lazy(() => [
      ...listAttribute(args, "nativeCheckInputs"),
      ...listAttribute(args, "nativeInstallCheckInputs"),
    ]),
    installCheckInputs: lazy(() => [
      ...listAttribute(args, "checkInputs"),
      ...listAttribute(args, "installCheckInputs"),
    ]),
    ...(given(args, "checkPhase") === undefined ? {} : { installCheckPhase: given(args, "checkPhase") }),
    ...(flag(args, "catchConflicts", true) ? { pythonCatchConflicts: true } : {}),
    ...(flag(args, "removeBinBytecode", true) ? {} : { dontUsePythonRemoveBinBytecode: true }),
    ...(flag(args, "dontUsePipInstall") ? { dontUsePipInstall: true } : {}),
    ...(format === "pyproject" ? { pythonCheckRuntimeDeps: !flag(args, "dontCheckRuntimeDeps") } : {}),
    passthru: merge(
      set({
        disabled: flag(args, "disabled"),
        dependencies,
        "build-system": lazy(() => listAttribute(args, "build-system")),
        "optional-dependencies": extras,
        optional_dependencies: extras,
      }),
      setAttribute(args, "passthru"),
      application ? Attrs.empty : pythonModuleAttributes(ev, python, dependencies),
    ),
  });
  return merge(omit(args, own), derived);
}
