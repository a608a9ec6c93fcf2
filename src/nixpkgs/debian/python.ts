/**
 * Interpreters out of the archive: Debian's Python, made to stand alone.
 */
import { D2nError } from "../../base/index.ts";
import type { Suite } from "../../debian/index.ts";
import { type Attrs, type Lazy, lazy } from "../../lang/index.ts";
import type { DebianInterpreter } from "../types.ts";
import type { DebianContext } from "./context.ts";
import { mainSuite, scriptText } from "./context.ts";
import { createGraph, type PackageGraph } from "./graph.ts";
import { mainMinor, type PythonPackages, pythonPackages } from "./python-packages.ts";
import type { Toolchain } from "./toolchain.ts";

interface InterpreterEntry {
  /** `3.13`. */
  readonly minor: string;
  /** The suite's version, known without looking, since a suite keeps it; for others, the last of the series. */
  readonly version: string;
  /** Undefined for versions that no suite in use has. */
  readonly suite: Suite | undefined;
}

const interpreters: readonly InterpreterEntry[] = [
  { minor: "3.9", version: "3.9.2", suite: "bullseye" },
  { minor: "3.10", version: "3.10.19", suite: undefined },
  { minor: "3.11", version: "3.11.2", suite: "bookworm" },
  { minor: "3.12", version: "3.12.12", suite: undefined },
  { minor: "3.13", version: "3.13.5", suite: "trixie" },
  // The next suite has it, but on a newer C library than the toolchain's.
  { minor: "3.14", version: "3.14.0", suite: undefined },
];

/** `python313` for `3.13`. */
export function interpreterAttribute(minor: string): string {
  return `python${minor.replace(".", "")}`;
}

/** The interpreter that `python3` names. */
export const defaultMinor = mainMinor;

function unavailable(minor: string): never {
  throw new D2nError("debian-package", `Python ${minor} cannot be built by the built-in package set yet`, {
    hint: `Available: ${interpreters
      .filter(({ suite }) => suite !== undefined)
      .map((entry) => `${interpreterAttribute(entry.minor)} (${entry.version})`)
      .join(", ")}. Set \`deps.python\` to one of these, or use a nixpkgs of your own for others.`,
  });
}

interface BuildInputs {
  readonly context: DebianContext;
  readonly toolchain: Toolchain;
  /** The packages of the main suite. */
  readonly graph: PackageGraph;
  /** Those of the interpreter's suite. */
  readonly libraries: PackageGraph;
}

/** The interpreter of a suite, with that suite's libraries, on the toolchain's C library. */
function build({ context, toolchain, graph, libraries }: BuildInputs, minor: string, suite: Suite): Attrs {
  const debs = [
    `python${minor}-minimal`,
    `libpython${minor}-minimal`,
    `libpython${minor}-stdlib`,
    `python${minor}`,
    `libpython${minor}`,
    `libpython${minor}-dev`,
    `python${minor}-venv`,
    "media-types",
    // Which of these there are depends on the suite; distutils is part of Python before 3.12.
    ...["python3-pip-whl", "python3-setuptools-whl", "python-pip-whl", "python3-distutils", "python3-lib2to3"].filter(
      (name) =>
        context.pins.lookup(suite, context.platform.architecture, name)?.package === name &&
        (!/distutils|lib2to3/.test(name) || Number(minor.split(".")[1]) < 12),
    ),
  ];
  const { deps } = libraries.dependencies(debs, { cut: ["libnsl2", "libtirpc3", "tzdata", "python3"] });
  return toolchain.relocate({
    pname: "python3",
    debs,
    suite,
    deps,
    // include/<triple>/pythonX.Y and include/pythonX.Y have files of the same names.
    keepMultiarch: true,
    // Binary wheels are made for a machine that has these libraries; the interpreter's RPATH brings them.
    forceRpath: true,
    extraRpath: context.ev.str`${toolchain.gccLibraries}/lib`,
    // The module `nis` alone would bring five more libraries.
    preFix: `for name in python3 python; do ln -sf python${minor} bin/$name; done
ln -sf pydoc${minor} bin/pydoc3
for config in bin/*-linux-gnu-python${minor}-config; do
  [ -e $config ] && ln -sf \${config##*/} bin/python${minor}-config && ln -sf python${minor}-config bin/python3-config
done
rm -f lib/python${minor}/lib-dynload/nis.*`,
    postFix: scriptText("post-python.sh"),
    environment: {
      pythonVersion: minor,
      cacert: graph.package("cacert"),
      tzdata: graph.package("tzdata"),
    },
  });
}

/** All interpreters that evaluation knows; those that cannot be built throw when their derivation is needed. */
export function createInterpreters(
  context: DebianContext,
  toolchain: () => Toolchain,
  graph: PackageGraph,
): ReadonlyMap<string, DebianInterpreter> {
  const found = new Map<string, DebianInterpreter>();
  for (const { minor, version, suite } of interpreters) {
    const attribute = interpreterAttribute(minor);
    let own: PackageGraph | undefined;
    const libraries = (): PackageGraph =>
      (own ??=
        suite === undefined || suite === mainSuite
          ? graph
          : createGraph(context, { toolchain, python: () => derivation, suite }));
    const derivation: Lazy = lazy(() =>
      suite === undefined
        ? unavailable(minor)
        : build({ context, toolchain: toolchain(), graph, libraries: libraries() }, minor, suite),
    );
    let made: PythonPackages | undefined;
    // Those of an interpreter that cannot be built exist too, so that whoever needs one is told why it cannot.
    const packages = (): PythonPackages =>
      (made ??= pythonPackages(context, toolchain, graph, {
        derivation,
        minor,
        suite: suite ?? mainSuite,
        libraries,
      }));
    found.set(attribute, {
      attribute,
      version,
      pythonVersion: minor,
      derivation,
      get packages() {
        return packages().packages;
      },
      package: (name) => packages().find(name),
    });
  }
  return found;
}
