/** `mkShell`: an environment to work in, as a derivation. */
import {
  Attrs,
  callFunction,
  force,
  isCallable,
  isDerivation,
  type Lazy,
  lazy,
  updateAttrs,
} from "../../lang/index.ts";
import { makeOverridable } from "../customisation.ts";
import type { Scope } from "../scope.ts";
import { attribute, expectSet, fn, given, join, listAttribute, merge, omit, set, setFunction } from "../values.ts";

const ownArguments = new Set([
  "name",
  "packages",
  "inputsFrom",
  "shellHook",
  "buildInputs",
  "nativeBuildInputs",
  "propagatedBuildInputs",
  "propagatedNativeBuildInputs",
  "stdenv",
]);

/** `mkShell` over a standard environment, which `mkShell.override { stdenv = …; }` changes. */
export function createMkShell(scope: Scope, stdenv: Lazy): Lazy {
  const build = (environment: Lazy): Lazy =>
    setFunction("mkShell", {}, (args) => {
      const inputsFrom = listAttribute(args, "inputsFrom").map((entry) => expectSet(entry, "an element of inputsFrom"));
      const merged = (name: string): Lazy =>
        lazy(() => {
          const own =
            name === "nativeBuildInputs"
              ? [...listAttribute(args, "packages"), ...listAttribute(args, name)]
              : listAttribute(args, name);
          const themselves = new Set(
            inputsFrom
              .map((drv) => drv.get("drvPath"))
              .filter((path) => path !== undefined)
              .map((path) => scope.ev.coerceToString(path))
              .map((path) => (typeof path === "string" ? path : path.text)),
          );
          const inherited = inputsFrom
            .flatMap((drv) => listAttribute(drv, name))
            .filter((input) => !isOneOf(scope, themselves, input));
          return [...own, ...inherited];
        });
      const hooks = lazy(() =>
        join(scope.ev, "\n", [
          ...inputsFrom.map((drv) => given(drv, "shellHook") ?? "").filter((hook) => hook !== ""),
          given(args, "shellHook") ?? "",
        ]),
      );
      const makeDerivation = attribute(expectSet(environment, "stdenv"), "mkDerivation")!;
      return callFunction(
        makeDerivation,
        merge(
          set({
            name: given(args, "name") ?? "nix-shell",
            buildInputs: merged("buildInputs"),
            nativeBuildInputs: merged("nativeBuildInputs"),
            propagatedBuildInputs: merged("propagatedBuildInputs"),
            propagatedNativeBuildInputs: merged("propagatedNativeBuildInputs"),
            shellHook: hooks,
            phases: ["buildPhase"],
            // A shell can be built, too: then it is the list of what it consists of.
            buildPhase: `{ echo "# The environment of a shell. What is in this file may change at any time."; export; } > "$out"`,
            preferLocalBuild: true,
          }),
          omit(args, ownArguments),
        ),
      );
    });
  const over = (environment: Lazy): Attrs =>
    set({
      __functor: fn("mkShell", 2, (_self, args) => {
        const given = expectSet(args, "the argument of mkShell");
        const shell = makeOverridable(build(given.get("stdenv") ?? environment), given);
        return shell instanceof Attrs ? updateAttrs(shell, Attrs.empty) : shell;
      }),
      override: fn("mkShell.override", 1, (change) => {
        const changed = force(change);
        const given = expectSet(
          isCallable(changed) ? callFunction(changed, set({ stdenv: environment })) : changed,
          "the argument of override",
        );
        return over(given.get("stdenv") ?? environment);
      }),
    });
  return over(stdenv);
}

/** A package whose own inputs are taken is no input itself. */
function isOneOf(scope: Scope, drvPaths: ReadonlySet<string>, input: Lazy): boolean {
  const value = force(input);
  if (!(value instanceof Attrs) || !isDerivation(value)) return false;
  const path = value.get("drvPath");
  if (path === undefined) return false;
  const text = scope.ev.coerceToString(path);
  return drvPaths.has(typeof text === "string" ? text : text.text);
}
