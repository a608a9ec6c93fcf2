/**
 * The archive as a set of packages, lazily: nothing is looked up before it is needed.
 */
import { type Evaluator, type Lazy, lazy } from "../../lang/index.ts";
import type { DebianPackages } from "../types.ts";
import { createContext, type DebianOptions } from "./context.ts";
import { createGraph } from "./graph.ts";
import { createInterpreters, defaultMinor, interpreterAttribute } from "./python.ts";
import { aliases } from "./aliases.ts";
import { table } from "./table.ts";
import { createToolchain, type Toolchain } from "./toolchain.ts";

/**
 * Packages over the archive, for one system.
 * @throws D2nError `debian-package` for a system that there is no package set for; packages themselves throw when forced.
 */
export function createDebianPackages(ev: Evaluator, options: DebianOptions): DebianPackages & DebianExtras {
  const context = createContext(ev, options);
  let made: Toolchain | undefined;
  const toolchain = (): Toolchain => {
    made ??= createToolchain(context, graph);
    return made;
  };
  const python = () => interpreters.get(interpreterAttribute(defaultMinor))!.derivation;
  const graph = createGraph(context, { toolchain, python });
  const interpreters = createInterpreters(context, toolchain, graph);

  const packages = new Map<string, Lazy>();
  for (const attribute of table.keys()) packages.set(attribute, graph.package(attribute));
  const parts: Readonly<Record<string, () => Lazy>> = {
    glibc: () => toolchain().glibc,
    gcc: () => toolchain().gcc,
    gcc14: () => toolchain().gcc,
    "gcc-unwrapped": () => toolchain().gccUnwrapped,
    gccLibraries: () => toolchain().gccLibraries,
    libgcc: () => toolchain().glibc,
    libxcrypt: () => toolchain().glibc,
    binutils: () => toolchain().binutils,
    bintools: () => toolchain().binutils,
    "binutils-unwrapped": () => toolchain().binutilsUnwrapped,
    patchelf: () => toolchain().patchelf,
  };
  for (const [attribute, make] of Object.entries(parts)) packages.set(attribute, lazy(make));
  for (const [alias, attribute] of aliases) packages.set(alias, packages.get(attribute)!);

  return { packages, interpreters, debianPackage: (name) => graph.ofDeb(context.pin(name).package) };
}

export interface DebianExtras {
  /** The package that a Debian package, named as Debian does, is part of; undefined for what has no files of use here. */
  debianPackage(name: string): Lazy | undefined;
}
