/**
 * Python packages out of the archive: pip, setuptools and the build backends, as site-packages trees of the interpreter.
 */
import { type Attrs, type Lazy, lazy } from "../../lang/index.ts";
import { upstreamVersion } from "../../debian/index.ts";
import type { DebianPythonPackage } from "../types.ts";
import { type DebianContext, scriptText } from "./context.ts";
import type { PackageGraph } from "./graph.ts";
import type { Toolchain } from "./toolchain.ts";

interface Entry {
  readonly debs: readonly string[];
  /** Attributes of the packages that it imports. */
  readonly dependencies?: readonly string[];
  /** Attributes of libraries that its extension modules need. */
  readonly libraries?: readonly string[];
  readonly preFix?: string;
  readonly drop?: readonly string[];
  /** Has extension modules, which are for the main suite's interpreter only. */
  readonly native?: boolean;
  /** Attributes of what it imports in interpreters before 3.11, whose standard library lacks it. */
  readonly backports?: readonly string[];
}

/**
 * By attribute. The names follow no rule that could be derived (Debian splits and bundles), so that this is a table; it holds
 * what builds and locks need, the rest comes from the index.
 */
const entries: Readonly<Record<string, Entry>> = {
  pip: { debs: ["python3-pip"] },
  // The self-contained wheel: the ordinary package drags nine others into every build.
  setuptools: { debs: ["python3-setuptools-whl"] },
  wheel: { debs: ["python3-wheel"], dependencies: ["packaging"] },
  build: {
    debs: ["python3-build"],
    dependencies: ["packaging", "pyproject-hooks"],
    backports: ["importlib-metadata", "tomli"],
  },
  installer: { debs: ["python3-installer"] },
  packaging: { debs: ["python3-packaging"] },
  "pyproject-hooks": { debs: ["python3-pyproject-hooks"] },
  // One Debian package holds both.
  "flit-core": {
    debs: ["flit"],
    preFix: "cd lib/python3/dist-packages && rm -rf flit flit-*info && cd ../../.. && rm -rf bin",
  },
  hatchling: {
    debs: ["python3-hatchling"],
    dependencies: ["packaging", "pathspec", "pluggy", "trove-classifiers"],
    backports: ["tomli"],
  },
  "hatch-vcs": { debs: ["python3-hatch-vcs"], dependencies: ["hatchling", "setuptools-scm"] },
  pathspec: { debs: ["python3-pathspec"] },
  pluggy: { debs: ["python3-pluggy"] },
  "trove-classifiers": { debs: ["python3-trove-classifiers"] },
  "poetry-core": { debs: ["python3-poetry-core"] },
  // Without the copies that upstream brings of what it needs.
  "pdm-backend": {
    debs: ["python3-pdm-backend"],
    dependencies: ["editables", "packaging", "pyproject-metadata", "tomli-w"],
    backports: ["importlib-metadata", "tomli"],
  },
  "setuptools-scm": {
    debs: ["python3-setuptools-scm"],
    dependencies: ["packaging", "setuptools", "typing-extensions"],
  },
  "typing-extensions": { debs: ["python3-typing-extensions"] },
  cython: { debs: ["cython3"], native: true },
  cffi: {
    debs: ["python3-cffi", "python3-cffi-backend"],
    dependencies: ["pycparser"],
    libraries: ["libffi"],
    native: true,
  },
  pycparser: { debs: ["python3-pycparser"], dependencies: ["ply"] },
  ply: { debs: ["python3-ply"], drop: ["bin"] },
  tomli: { debs: ["python3-tomli"] },
  "tomli-w": { debs: ["python3-tomli-w"] },
  toml: { debs: ["python3-toml"] },
  "importlib-metadata": { debs: ["python3-importlib-metadata"], dependencies: ["zipp"] },
  zipp: { debs: ["python3-zipp"] },
  six: { debs: ["python3-six"] },
  "meson-python": { debs: ["python3-mesonpy"], dependencies: ["packaging", "pyproject-metadata", "meson"] },
  meson: { debs: ["meson"] },
  "pyproject-metadata": { debs: ["python3-pyproject-metadata"], dependencies: ["packaging"] },
  "scikit-build-core": { debs: ["python3-scikit-build-core"], dependencies: ["packaging", "pathspec"] },
  certifi: { debs: ["python3-certifi"] },
  editables: { debs: ["python3-editables"] },
  click: { debs: ["python3-click"] },
  colorama: { debs: ["python3-colorama"] },
  docutils: { debs: ["python3-docutils"] },
  jinja2: { debs: ["python3-jinja2"], dependencies: ["markupsafe"] },
  markupsafe: { debs: ["python3-markupsafe"], native: true },
  iniconfig: { debs: ["python3-iniconfig"] },
  pytest: { debs: ["python3-pytest"], dependencies: ["iniconfig", "packaging", "pluggy", "pygments"] },
  pygments: { debs: ["python3-pygments"] },
  pyyaml: { debs: ["python3-yaml"], libraries: ["libyaml"], native: true },
  requests: { debs: ["python3-requests"], dependencies: ["certifi", "charset-normalizer", "idna", "urllib3"] },
  "charset-normalizer": { debs: ["python3-charset-normalizer"], native: true },
  idna: { debs: ["python3-idna"] },
  urllib3: { debs: ["python3-urllib3"] },
  virtualenv: { debs: ["python3-virtualenv"], dependencies: ["distlib", "filelock", "platformdirs"] },
  distlib: { debs: ["python3-distlib"] },
  filelock: { debs: ["python3-filelock"] },
  platformdirs: { debs: ["python3-platformdirs"] },
};

/** The main suite's interpreter, which its packages are made for; those in pure Python run on others as well. */
export const mainMinor = "3.13";

/** The packages for an interpreter. */
export function pythonPackages(
  context: DebianContext,
  toolchain: () => Toolchain,
  graph: PackageGraph,
  interpreter: { readonly derivation: Lazy; readonly minor: string },
): ReadonlyMap<string, DebianPythonPackage> {
  const packages = new Map<string, DebianPythonPackage>();
  const main = interpreter.minor === mainMinor;
  const old = Number(interpreter.minor.split(".")[1]) < 11;
  for (const [attribute, entry] of Object.entries(entries)) {
    if (entry.native === true && !main) continue;
    const { debs, libraries = [], preFix, drop } = entry;
    const dependencies = [...(entry.dependencies ?? []), ...((old && entry.backports) || [])].filter(
      (name) => main || entries[name]?.native !== true,
    );
    const name = debs[0]!;
    const version = () => {
      const pin = context.pin(name);
      // The package that is in the wheel has the version of its source.
      return upstreamVersion(pin.version);
    };
    const derivation: Lazy = lazy((): Attrs =>
      toolchain().relocate({
        pname: `python${interpreter.minor}-${attribute}`,
        version: version(),
        debs,
        deps: [interpreter.derivation, toolchain().gccLibraries, ...libraries.map((library) => graph.package(library))],
        // Whoever is given the package to build with can import it.
        propagated: dependencies.map((dependency) => packages.get(dependency)!.derivation),
        drop: ["share/doc-base", "share/dh-python", "share/perl5", "share/vim", "share/emacs", "etc", ...(drop ?? [])],
        preFix,
        lenient: true,
        postFix: scriptText("post-python-package.sh"),
        environment: {
          python: interpreter.derivation,
          pythonVersion: interpreter.minor,
          cacert: graph.package("cacert"),
        },
      }),
    );
    packages.set(attribute, {
      derivation,
      get version() {
        return version();
      },
      dependencies,
    });
  }
  return packages;
}
