import type { NativeObject } from "../../../lang/index.ts";
import { literalExpression, mkOption, type ModuleScope } from "../../../modules/index.ts";
import { later } from "../../support.ts";

/** The options of `buildPythonPackage`, without defaults that look at the configuration but for `catchConflicts`. */
export function buildPythonPackageOptions({ types, config, ev }: ModuleScope): NativeObject {
  const dependency = types.oneOf([types.str, types.path, types.package]);
  const flag = (description: string): NativeObject => mkOption({ type: types.bool, default: false, description });
  const texts = (description: string, example: readonly string[]): NativeObject =>
    mkOption({ type: types.listOf(types.str), default: [], description, example });
  return {
    disabled: flag("Refuse to be evaluated: for interpreters that the package does not support."),
    catchConflicts: mkOption({
      type: types.bool,
      default: later(() => {
        const stdenv = config.at("deps", "python", "stdenv");
        return ev.equal(stdenv.at("hostPlatform").get(), stdenv.at("buildPlatform").get());
      }),
      defaultText: "true, unless the package is built for another platform",
      description: "Fail when the same package comes twice among the dependencies.",
    }),
    dontWrapPythonPrograms: flag("Do not wrap programs."),
    makeWrapperArgs: texts("Further arguments for the wrappers of programs.", ["--set", "LANG", "C.UTF-8"]),
    dontUsePipInstall: flag("Do not install with pip."),
    permitUserSite: flag("Let wrapped programs see the user's own site-packages."),
    removeBinBytecode: mkOption({ type: types.bool, default: true, description: "Remove bytecode from `bin`." }),
    pyproject: mkOption({
      type: types.nullOr(types.bool),
      default: null,
      description:
        "Build by the standard build interface (PEP 517). Works for packages with nothing but a `setup.py`, too. While it is not set, `format` decides.",
    }),
    "build-system": mkOption({
      type: types.listOf(dependency),
      default: [],
      description: "What the package needs to be built: `build-system.requires`.",
      example: literalExpression("[ config.deps.python.pkgs.flit-core ]"),
    }),
    dependencies: mkOption({
      type: types.listOf(dependency),
      default: [],
      description: "What the package needs at run time.",
      example: literalExpression("[ config.deps.python.pkgs.requests ]"),
    }),
    "optional-dependencies": mkOption({
      // Upstream's type allows one item per extra only, a slip: nixpkgs has lists there.
      type: types.attrsOf(types.either(dependency, types.listOf(dependency))),
      default: {},
      description: "What the package's extras need.",
      example: literalExpression("{ socks = [ config.deps.python.pkgs.pysocks ]; }"),
    }),
    format: mkOption({
      type: types.nullOr(types.str),
      defaultText: '"setuptools" while `pyproject` is null, else null',
      description: "How the package is built: null, `setuptools`, `wheel`, `flit`, `pyproject`, `egg` or `other`.",
      example: "wheel",
    }),
    disabledTestPaths: mkOption({
      type: types.listOf(types.anything),
      default: [],
      description: "Paths of tests to skip.",
      example: ["tests/integration"],
    }),
    disabledTests: texts("Tests to skip.", ["test_network"]),
    pytestFlagsArray: texts("Further flags for pytest.", ["--maxfail=1", "tests"]),
    pipInstallFlags: texts("Further flags for the installation.", ["--verbose"]),
    pythonImportsCheck: texts("Modules that must import once the package is installed.", ["PIL"]),
    pythonRelaxDeps: mkOption({
      type: types.oneOf([types.listOf(types.str), types.bool]),
      default: [],
      description: "Dependencies whose version bounds are dropped; true for all.",
      example: ["numpy"],
    }),
    pythonRemoveDeps: texts("Dependencies that are dropped.", ["opencv-python"]),
  };
}

/** The names of `buildPythonPackageOptions`. */
export const buildPythonPackageNames: ReadonlySet<string> = new Set([
  "disabled",
  "catchConflicts",
  "dontWrapPythonPrograms",
  "makeWrapperArgs",
  "dontUsePipInstall",
  "permitUserSite",
  "removeBinBytecode",
  "pyproject",
  "build-system",
  "dependencies",
  "optional-dependencies",
  "format",
  "disabledTestPaths",
  "disabledTests",
  "pytestFlagsArray",
  "pipInstallFlags",
  "pythonImportsCheck",
  "pythonRelaxDeps",
  "pythonRemoveDeps",
]);
