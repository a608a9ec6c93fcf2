/**
 * Python packages as a suite of the archive has them: the modules of a Debian package as site-packages of the suite's
 * interpreter, what it imports by Debian's own dependencies.
 */
import { upstreamVersion, type DebPin, type Suite } from "../../debian/index.ts";
import { type Attrs, type Lazy, lazy } from "../../lang/index.ts";
import type { DebianPythonPackage } from "../types.ts";
import { type DebianContext, scriptText } from "./context.ts";
import { type PackageGraph, pythonDeb } from "./graph.ts";
import type { Toolchain } from "./toolchain.ts";

export interface SuiteInterpreter {
  readonly derivation: Lazy;
  /** `3.13`. */
  readonly minor: string;
  readonly suite: Suite;
  /** The native packages of that suite. */
  readonly libraries: () => PackageGraph;
}

export interface ArchivePackages {
  /** The package made of these Debian packages, the one with the modules first. */
  make(debs: readonly string[]): DebianPythonPackage;
}

/**
 * @param known attribute of a Debian package that is in a table; for others it is Debian's name without `python3-`
 * @param isFixed whether a Debian package stands for one of the other table
 * @param find the package of an attribute
 */
export function archivePackages(
  context: DebianContext,
  toolchain: () => Toolchain,
  cacert: Lazy,
  interpreter: SuiteInterpreter,
  known: (deb: string) => string | undefined,
  isFixed: (deb: string) => boolean,
  find: (attribute: string) => DebianPythonPackage,
): ArchivePackages {
  const { minor, suite } = interpreter;
  const pin = (name: string): DebPin => context.pin(name, suite);
  const closures = new Map<string, ReadonlySet<string>>();
  const made = new Map<string, Lazy>();

  function isPython(deb: string): boolean {
    return !pythonDeb.test(deb) && (deb.startsWith("python3-") || known(deb) !== undefined);
  }

  function imports(deb: string): string[] {
    return pin(deb).depends.filter((name) => isPython(name) && name !== deb);
  }

  /** All Python packages that one leads to, but for what those of the other table need: that is not as Debian has it. */
  function closure(deb: string): ReadonlySet<string> {
    let reached = closures.get(deb) as Set<string> | undefined;
    if (reached === undefined) {
      reached = new Set();
      closures.set(deb, reached);
      const open = [deb];
      for (let next = open.pop(); next !== undefined; next = open.pop())
        for (const name of imports(next))
          if (!reached.has(name) && !isFixed(name)) {
            reached.add(name);
            open.push(name);
          }
    }
    return reached;
  }

  /** Packages that import each other are one store path, whichever of them is asked for. */
  function group(deb: string): string[] {
    return [...new Set([deb, ...[...closure(deb)].filter((name) => closure(name).has(deb))])].sort();
  }

  /** Attributes of what Debian packages import beyond themselves. */
  function dependenciesOf(debs: readonly string[]): string[] {
    const others = debs.flatMap(imports).filter((name) => !debs.includes(name));
    return [...new Set(others.map(attributeOf))];
  }

  function attributeOf(deb: string): string {
    return known(deb) ?? deb.replace(/^python3-/, "");
  }

  function derivation(debs: readonly string[]): Lazy {
    const key = debs.join(" ");
    let found = made.get(key);
    if (found === undefined) {
      found = lazy((): Attrs => {
        const python = new Set(debs.flatMap((name) => pin(name).depends).filter(isPython));
        const { deps } = interpreter.libraries().dependencies(debs, { cut: [...python] });
        return toolchain().relocate({
          pname: `python${minor}-${attributeOf(debs[0]!)}`,
          version: upstreamVersion(pin(debs[0]!).version),
          debs,
          suite,
          deps: [interpreter.derivation, toolchain().gccLibraries, ...deps],
          propagated: dependenciesOf(debs).map((name) => find(name).derivation),
          drop: ["share/doc-base", "share/dh-python", "share/perl5", "share/vim", "share/emacs", "etc"],
          lenient: true,
          postFix: scriptText("post-python-package.sh"),
          environment: { python: interpreter.derivation, pythonVersion: minor, cacert },
        });
      });
      made.set(key, found);
    }
    return found;
  }

  return {
    make([first, ...extra]) {
      const there = (name: string) => context.pins.lookup(suite, context.platform.architecture, name) !== undefined;
      let debs: readonly string[] | undefined;
      const all = (): readonly string[] => (debs ??= [...group(pin(first!).package), ...extra.filter(there)]);
      return {
        derivation: lazy(() => derivation(all())),
        get version() {
          return upstreamVersion(pin(first!).version);
        },
        get dependencies() {
          return dependenciesOf(all());
        },
      };
    },
  };
}
