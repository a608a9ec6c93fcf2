/**
 * What the parts of the package set agree on: `debian/` makes relocated packages out of the archive, the rest of this layer
 * builds the standard environment, build support and the Python infrastructure on them.
 */
import type { Attrs, Lazy } from "../lang/index.ts";

/** A Python interpreter out of the archive, before the package set gives it `pkgs`, `withPackages` and the like. */
export interface DebianInterpreter {
  /** Attribute of the package set: `python313`. */
  readonly attribute: string;
  /** Full version: `3.13.5`. */
  readonly version: string;
  /** `3.13`. */
  readonly pythonVersion: string;
  /** The relocated interpreter: a derivation value with `bin/python3` and `bin/python3.13`. Throws when it is not available. */
  readonly derivation: Lazy;
  /** Python packages out of the archive for it: attribute (`flit-core`) to package. */
  readonly packages: ReadonlyMap<string, DebianPythonPackage>;
  /** One of them, or another that one of them imports. */
  package(attribute: string): DebianPythonPackage;
}

/** A Python package out of the archive: a tree with `lib/pythonX.Y/site-packages`. */
export interface DebianPythonPackage {
  readonly derivation: Lazy;
  readonly version: string;
  /** Attributes of the packages of the same set that it imports at run time. */
  readonly dependencies: readonly string[];
}

/**
 * What `debian/` answers. Derivation values are as `Evaluator.derivation` makes them, with `pname`, `version` and `meta`
 * added; the package set adds `override`, `overrideAttrs` and the output aliases (`dev`, `lib`, `bin`).
 *
 * Tools that the standard environment takes from `packages`: `bash coreutils gnused gnugrep gawk gnutar gzip bzip2 xz findutils
 * diffutils patch gnumake file patchelf gcc binutils` (`gcc` is the compiler wrapper, `binutils` the wrapped linker's
 * package), and `glibc`.
 *
 * The compiler wrapper puts `$NIX_CFLAGS_COMPILE` before and `$NIX_LDFLAGS` (options of the linker: `-L…`, `-rpath …`) after the
 * caller's arguments, the latter in its `ld`.
 */
export interface DebianPackages {
  /** By nixpkgs attribute name, lazily. */
  readonly packages: ReadonlyMap<string, Lazy>;
  /** By attribute: `python39` … `python314`. */
  readonly interpreters: ReadonlyMap<string, DebianInterpreter>;
}

/** The platform that packages are built for and run on. */
export interface PackageSetOptions {
  /** `x86_64-linux`. */
  readonly system: string;
  /** nixpkgs' `lib`, from the layer of modules. */
  readonly lib: Attrs;
  /** The `config` argument of `import nixpkgs`. */
  readonly config?: Lazy;
  readonly overlays?: readonly Lazy[];
  /** The archive's packages for the system; throws a `D2nError` for systems without one. Called at most once unless it throws. */
  readonly debian: () => DebianPackages;
  /** The source tree that `pkgs.path` names. */
  readonly path?: Lazy;
}
