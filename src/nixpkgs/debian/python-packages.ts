/**
 * Python packages out of the archive: pip, setuptools and the build backends, as site-packages trees of the interpreter.
 */
import { type Attrs, type Lazy, lazy } from "../../lang/index.ts";
import { upstreamVersion } from "../../debian/index.ts";
import type { DebianPythonPackage } from "../types.ts";
import { type DebianContext, scriptText } from "./context.ts";
import { archivePackages, type SuiteInterpreter } from "./python-archive.ts";
import { archiveNames } from "./python-names.ts";
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
  /** Has extension modules, which are for one interpreter only: others get that of their own suite. */
  readonly native?: boolean;
  /** Attributes of what it imports in interpreters before 3.11, whose standard library lacks it. */
  readonly backports?: readonly string[];
}

/**
 * By attribute: what builds and locks need, as small as can be, from the main suite for every interpreter. The others
 * (`python-names.ts`) are as the interpreter's suite has them.
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

/** Debian packages whose modules are in others of the table. */
const contained: Readonly<Record<string, string>> = {
  "python3-pkg-resources": "setuptools",
  "python3-setuptools": "setuptools",
};

const fixed: ReadonlyMap<string, string> = new Map([
  ...Object.entries(entries).flatMap(([name, { debs }]) => debs.map((deb): [string, string] => [deb, name])),
  ...Object.entries(contained),
]);

const attributes: ReadonlyMap<string, string> = new Map([
  ...[...archiveNames].map(([name, debs]): [string, string] => [debs[0]!, name]),
  ...fixed,
]);

export interface PythonPackages {
  readonly packages: ReadonlyMap<string, DebianPythonPackage>;
  /** One of them, or, for what one of them imports, any other of the suite. @throws D2nError `debian-package` */
  find(attribute: string): DebianPythonPackage;
}

/** The packages for an interpreter. */
export function pythonPackages(
  context: DebianContext,
  toolchain: () => Toolchain,
  graph: PackageGraph,
  interpreter: SuiteInterpreter,
): PythonPackages {
  const packages = new Map<string, DebianPythonPackage>();
  const others = new Map<string, DebianPythonPackage>();
  const find = (attribute: string): DebianPythonPackage => {
    let found = packages.get(attribute) ?? others.get(attribute);
    if (found === undefined) {
      found = archive.make([`python3-${attribute}`]);
      others.set(attribute, found);
    }
    return found;
  };
  const archive = archivePackages(
    context,
    toolchain,
    graph.package("cacert"),
    interpreter,
    (deb) => attributes.get(deb),
    (deb) => fixed.has(deb),
    find,
  );
  for (const [name, debs] of archiveNames) packages.set(name, archive.make(debs));
  const main = interpreter.minor === mainMinor;
  for (const [attribute, entry] of Object.entries(entries))
    packages.set(
      attribute,
      entry.native === true && !main
        ? archive.make(entry.debs)
        : fromTable(context, toolchain, graph, interpreter, packages, attribute, entry),
    );
  return { packages, find };
}

/** A package of the table: the main suite's, for whichever interpreter. */
function fromTable(
  context: DebianContext,
  toolchain: () => Toolchain,
  graph: PackageGraph,
  interpreter: SuiteInterpreter,
  packages: ReadonlyMap<string, DebianPythonPackage>,
  attribute: string,
  entry: Entry,
): DebianPythonPackage {
  const old = Number(interpreter.minor.split(".")[1]) < 11;
  const { debs, libraries = [], preFix, drop } = entry;
  // What a suite does not have yet, its packages do without.
  const there = (name: string): boolean =>
    interpreter.minor === mainMinor ||
    entries[name]?.native !== true ||
    context.pins.lookup(interpreter.suite, context.platform.architecture, entries[name].debs[0]!) !== undefined;
  const dependencies = [...(entry.dependencies ?? []), ...((old && entry.backports) || [])].filter(there);
  // The package that is in the wheel has the version of its source.
  const version = () => upstreamVersion(context.pin(debs[0]!).version);
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
  return {
    derivation,
    get version() {
      return version();
    },
    dependencies,
  };
}
