/** What the package set's parts share. */
import { type Attrs, EvalError, type Evaluator, type Lazy, lazy } from "../lang/index.ts";
import type { DebianPackages } from "./types.ts";
import { expectSet } from "./values.ts";

export interface Scope {
  readonly ev: Evaluator;
  readonly lib: Attrs;
  readonly system: string;
  /** The `config` argument of `import nixpkgs`. */
  readonly config: Attrs;
  /** The finished set, overlays included. */
  readonly pkgs: Lazy;
  readonly debian: () => DebianPackages;
}

/** A package of the finished set, evaluated when it is needed. */
export function packageOf(scope: Scope, name: string): Lazy {
  return lazy(() => {
    const found = expectSet(scope.pkgs, "the package set").get(name);
    if (found === undefined) throw new EvalError(`the package set has no '${name}'`);
    return found;
  });
}

/** A package out of the archive as it is, before overlays: what the standard environment is made of. */
export function debianPackage(scope: Scope, name: string): Lazy {
  return lazy(() => {
    const found = scope.debian().packages.get(name);
    if (found === undefined) throw new EvalError(`the Debian packages have no '${name}'`);
    return found;
  });
}

export function hasDebianPackage(scope: Scope, name: string): boolean {
  return scope.debian().packages.has(name);
}
