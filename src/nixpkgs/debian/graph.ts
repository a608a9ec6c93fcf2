/**
 * Packages out of the table and, for whatever the table does not name, straight out of Debian's dependency graph.
 */
import type { DebPin, Suite } from "../../debian/index.ts";
import { type Attrs, type Lazy, lazy } from "../../lang/index.ts";
import { type DebianContext, mainSuite, scriptText, withAttributes } from "./context.ts";
import { cut, table, type TableEntry } from "./table.ts";
import { type Toolchain, toolchainDebs } from "./toolchain.ts";

export interface PackageGraph {
  /** The package of an attribute of the table. */
  package(attribute: string): Lazy;
  /** The package that a Debian package is part of; undefined for what is left out, or comes with the toolchain. */
  ofDeb(name: string): Lazy | undefined;
  /** What a set of Debian packages depends on beyond itself. */
  dependencies(debs: readonly string[], options?: DependencyOptions): Dependencies;
}

export interface DependencyOptions {
  readonly cut?: readonly string[] | undefined;
  readonly deps?: readonly string[] | undefined;
}

export interface Dependencies {
  readonly deps: readonly Lazy[];
  /** Those that headers and `.pc` files need. */
  readonly propagated: readonly Lazy[];
}

/** Debian packages that are the interpreter, whichever of them is named. */
export const pythonDeb = /^(lib)?python3(\.\d+)?(-minimal|-stdlib|-dev|-venv|-distutils)?$/;

/** Development packages: what one of them depends on, whoever includes its headers needs. */
const development = /-dev$|^lib.*-dev-/;

export interface GraphOptions {
  readonly toolchain: () => Toolchain;
  /** What a dependency on Python means. */
  readonly python: () => Lazy;
  /** The suite that packages come from. The table is of the main suite: in another, all packages are taken as Debian has them. */
  readonly suite?: Suite | undefined;
}

export function createGraph(packageContext: DebianContext, options: GraphOptions): PackageGraph {
  const { toolchain, python, suite = mainSuite } = options;
  const context = {
    platform: packageContext.platform,
    pins: packageContext.pins,
    pin: (name: string) => packageContext.pin(name, suite),
  };
  const owners = new Map<string, string>();
  if (suite === mainSuite)
    for (const [attribute, { debs }] of table) for (const deb of debs) if (!owners.has(deb)) owners.set(deb, attribute);

  const packages = new Map<string, Lazy>();
  const groups = new Map<string, Lazy>();
  const closures = new Map<string, ReadonlySet<string>>();

  /** A dependency that neither the table nor the toolchain has, and that is not left out. */
  function isLoose(name: string): boolean {
    return !toolchainDebs.has(name) && !owners.has(name) && !cut.has(name) && !pythonDeb.test(name);
  }

  function looseDependencies(pin: DebPin): string[] {
    return pin.depends.filter(isLoose);
  }

  /** All packages outside of the table that one leads to through packages outside of the table, itself only if in a cycle. */
  function closure(name: string): ReadonlySet<string> {
    const known = closures.get(name);
    if (known !== undefined) return known;
    const reached = new Set<string>();
    const open = [name];
    for (let next = open.pop(); next !== undefined; next = open.pop())
      for (const dependency of looseDependencies(context.pin(next)))
        if (!reached.has(dependency)) {
          reached.add(dependency);
          open.push(dependency);
        }
    closures.set(name, reached);
    return reached;
  }

  /**
   * Packages that must become one store path with the given one: those in a cycle with it, and the libraries of its own source,
   * to which its links and headers lead. Depends on nothing but the package, so that the same package is always the same path.
   */
  function group(name: string): string[] {
    const members = new Set([name]);
    for (const other of closure(name)) if (closure(other).has(name)) members.add(other);
    const { source } = context.pin(name);
    const open = [...members];
    for (let next = open.pop(); next !== undefined; next = open.pop())
      for (const dependency of looseDependencies(context.pin(next)))
        if (!members.has(dependency) && context.pin(dependency).source === source) {
          members.add(dependency);
          open.push(dependency);
        }
    members.delete(name);
    return [name, ...[...members].sort()];
  }

  function loose(name: string): Lazy {
    let found = groups.get(name);
    if (found === undefined) {
      found = lazy(() => {
        const debs = group(name);
        return toolchain().relocate({
          pname: name,
          debs,
          suite,
          ...graph.dependencies(debs),
          lenient: true,
          postFix: scriptText(context.pin(name).source === "openssl" ? "post-openssl.sh" : "post-generic.sh"),
        });
      });
      groups.set(name, found);
    }
    return found;
  }

  function fromTable(attribute: string, { debs, early, script, ...entry }: TableEntry): Attrs {
    const there = (name: string) => context.pins.lookup(mainSuite, context.platform.architecture, name) !== undefined;
    // A package that one architecture lacks is no loss as long as the first is there.
    const found = debs.filter((name, index) => index === 0 || there(name));
    // Further libraries of the same source would need what is made here, and be needed by it.
    const sources = new Set(found.map((name) => context.pin(name).source));
    for (const name of found)
      for (const dependency of looseDependencies(context.pin(name)))
        if (
          !found.includes(dependency) &&
          entry.cut?.includes(dependency) !== true &&
          sources.has(context.pin(dependency).source)
        )
          found.push(dependency);
    return toolchain().relocate({
      pname: entry.pname ?? attribute,
      debs: found,
      ...graph.dependencies(found, { cut: entry.cut, deps: entry.deps }),
      ...(early === true ? { shells: [] } : {}),
      drop: entry.drop,
      lenient: true,
      preFix: entry.preFix,
      postFix: script === undefined ? (entry.postFix ?? scriptText("post-generic.sh")) : scriptText(script),
    });
  }

  const graph: PackageGraph = {
    package(attribute) {
      let found = packages.get(attribute);
      if (found === undefined) {
        const entry = table.get(attribute);
        if (entry === undefined) throw new Error(`internal error: the table has no package '${attribute}'`);
        const { outputs = [] } = entry;
        found = lazy(() => {
          const made = fromTable(attribute, entry);
          return outputs.length === 0
            ? made
            : withAttributes(made, Object.fromEntries(outputs.map((name) => [name, made])));
        });
        packages.set(attribute, found);
      }
      return found;
    },

    ofDeb(name) {
      const part = toolchainDebs.get(name);
      if (part === "gccLibraries") return toolchain().gccLibraries;
      if (part !== undefined || cut.has(name)) return undefined;
      if (pythonDeb.test(name)) return python();
      const owner = owners.get(name);
      return owner === undefined ? loose(name) : graph.package(owner);
    },

    dependencies(debs, options = {}) {
      const own = new Set(debs);
      const deps = new Set<Lazy>();
      const propagated = new Set<Lazy>();
      for (const attribute of options.deps ?? []) deps.add(graph.package(attribute));
      for (const name of debs)
        for (const dependency of context.pin(name).depends) {
          if (own.has(dependency) || options.cut?.includes(dependency) === true) continue;
          const found = graph.ofDeb(dependency);
          if (found === undefined) continue;
          deps.add(found);
          if (development.test(name) && development.test(dependency)) propagated.add(found);
        }
      return { deps: [...deps], propagated: [...propagated] };
    },
  };
  return graph;
}
