import type { NativeObject } from "../../../lang/index.ts";
import { defineModule, literalExpression, mkOption, type ModuleScope, type View } from "../../../modules/index.ts";
import { moduleFile } from "../../support.ts";
import { buildPythonPackage } from "../build-python-package/index.ts";
import { core } from "../core/index.ts";
import { overrides } from "../overrides/index.ts";
import { pythonEditables } from "../python-editables/index.ts";

/** Root dependencies that are only needed to build. */
const buildDependencies = [
  "cython",
  "flit-core",
  "flit-scm",
  "hatch-fancy-pypi-readme",
  "hatch-nodejs-version",
  "hatch-vcs",
  "hatchling",
  "pbr",
  "pdm-pep517",
  "poetry-core",
  "poetry-dynamic-versioning",
  "setuptools",
  "setuptools-odoo",
  "setuptools-scm",
  "versioneer",
  "wheel",
];

/** `options.pip`. */
export function pipOption(m: ModuleScope, specialArgs: View): NativeObject {
  const { types, ev } = m;
  const texts = types.listOf(types.str);
  const options = defineModule({
    file: moduleFile("pip/interface"),
    imports: () => [overrides, pythonEditables],
    config: () => ({ overrideType: { imports: [m.system.module(buildPythonPackage)] } }),
    options: () => ({
      targets: mkOption({
        type: types.raw,
        internal: true,
        description: "The targets of the lock file, without ignored packages.",
      }),
      rootDependencies: mkOption({
        type: types.attrsOf(types.bool),
        internal: true,
        description: "What the package itself needs.",
      }),
      env: mkOption({
        type: types.attrsOf(types.str),
        default: {},
        description: "Environment variables while locking.",
        example: literalExpression('{ PIP_FIND_LINKS = "${config.deps.setuptools.dist}"; }'),
      }),
      pypiSnapshotDate: mkOption({
        type: types.nullOr(types.str),
        default: null,
        example: "2023-01-01",
        description: "Has no effect any more.",
        apply: (date) => {
          const view = m.system.view(date);
          if (!view.isNull()) ev.host.message("warning", "pip.pypiSnapshotDate has been removed and has no effect");
          return date;
        },
      }),
      pipFlags: mkOption({
        type: texts,
        default: [],
        description: "Flags for `pip install`.",
        example: ["--no-binary", ":all:"],
      }),
      pipVersion: mkOption({
        type: types.str,
        default: "24.0",
        description: "The version of pip that locks.",
        example: "25.1.1",
      }),
      requirementsList: mkOption({
        type: texts,
        default: [],
        description: "What to lock: lines as in requirements.txt.",
        example: ["pillow==10.4.0"],
      }),
      requirementsFiles: mkOption({
        type: texts,
        default: [],
        description: "Files like requirements.txt to lock; relative to the directory that you are in when you lock.",
        example: literalExpression('[ "${./requirements.txt}" ]'),
      }),
      buildDependencies: mkOption({
        type: types.attrsOf(types.bool),
        default: Object.fromEntries(buildDependencies.map((name) => [name, true])),
        description:
          "Packages that are only needed to build: they do not become dependencies of the result. They have to be in the lock as well.",
        example: { "setuptools-scm": false, easy_install: true },
      }),
      buildExtras: mkOption({
        type: texts,
        default: [],
        description:
          "Extras to build with, of those that are in the lock. With `pip.flattenDependencies` all of them, unless some are named: they belong to requirements such as `psycopg[binary]`.",
        example: ["socks"],
      }),
      nativeBuildInputs: mkOption({
        type: types.listOf(types.package),
        default: [],
        description: "Packages with programs that are needed while locking.",
        example: literalExpression("[ config.deps.postgresql ]"),
      }),
      buildRequirementFlags: mkOption({
        type: texts,
        default: ["--only-binary", ":all:"],
        description:
          "Flags for pip when it resolves what source distributions are built with, in place of `pip.pipFlags` (of which only those count that say where to look). By default these are wheels. An option of d2n.",
        example: [],
      }),
      drvs: mkOption({
        internal: true,
        visible: "shallow",
        type: types.lazyAttrsOf(types.submoduleWith({ modules: [core], specialArgs })),
        description: "The locked packages, a module for each.",
      }),
      flattenDependencies: mkOption({
        type: types.bool,
        default: false,
        description:
          "Make everything in the lock a direct dependency of the package. For packages that are not in the lock themselves: local projects, and environments.",
      }),
      ignoredDependencies: mkOption({
        type: texts,
        default: ["wheel"],
        description: "Packages to leave out, even though they are locked.",
      }),
    }),
  });
  return mkOption({
    type: types.submoduleWith({ modules: [options], specialArgs }),
    description: "Locking with pip, and building what is locked.",
  });
}
