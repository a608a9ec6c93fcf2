/** `callPackage` and `override`: functions whose arguments come out of a set and can be changed afterwards. */
import {
  Attrs,
  callFunction,
  EvalError,
  type Evaluator,
  force,
  isCallable,
  isString,
  type Lazy,
  lazy,
  NixPath,
  textOf,
  updateAttrs,
  type Value,
} from "../lang/index.ts";
import { didYouMean } from "../base/index.ts";
import { changedAttrs } from "./stdenv/make-derivation.ts";
import { absentPackage } from "./absent.ts";
import { attribute, expectSet, fn, formalsOf, merge } from "./values.ts";

/**
 * The result of a function of one set, with `override`: the function called again with some arguments changed. A result that has
 * `overrideAttrs` keeps `override` through it.
 */
export function makeOverridable(fnValue: Lazy, args: Attrs): Value {
  const result = callFunction(force(fnValue), args);
  if (!(result instanceof Attrs)) return result;
  return withOverride(result, (change) => {
    const changed = force(change);
    return makeOverridable(
      fnValue,
      updateAttrs(
        args,
        expectSet(isCallable(changed) ? callFunction(changed, args) : changed, "the argument of override"),
      ),
    );
  });
}

/** Adds `override`, which survives `overrideAttrs`. */
export function withOverride(result: Attrs, override: (change: Lazy) => Lazy): Attrs {
  const entries: [string, Lazy][] = [["override", fn("override", 1, override)]];
  if (result.has("overrideAttrs")) {
    const inner = result.get("overrideAttrs")!;
    entries.push([
      "overrideAttrs",
      fn("overrideAttrs", 1, (change) => {
        const changed = callFunction(force(inner), change);
        return withOverride(expectSet(changed, "the result of overrideAttrs"), (again) =>
          reapply(force(override(again)), change),
        );
      }),
    ]);
  }
  entries.push([
    "overrideDerivation",
    entries.find(([name]) => name === "overrideAttrs")?.[1] ?? fn("overrideDerivation", 1, () => result),
  ]);
  return updateAttrs(result, Attrs.from(entries));
}

function reapply(value: Value, change: Lazy): Value {
  const overrideAttrs = value instanceof Attrs ? value.get("overrideAttrs") : undefined;
  return overrideAttrs === undefined ? value : callFunction(force(overrideAttrs), change);
}

/** `callPackageWith auto function args`: the function's formals out of `auto`, then `args`. */
export function callPackageWith(ev: Evaluator, auto: Lazy, target: Lazy, args: Lazy): Value {
  const value = force(target);
  const path =
    value instanceof NixPath
      ? value.path
      : isString(value)
        ? textOf(value)
        : value instanceof Attrs && value.has("outPath") && !value.has("__functor")
          ? textOf(ev.coerceToString(value))
          : undefined;
  const fnValue = path === undefined ? value : ev.importFile(path);
  if (!isCallable(fnValue)) throw new EvalError("callPackage wants a function, or a file with one");
  const given = expectSet(args, "the second argument of callPackage");
  const source = expectSet(auto, "the set of callPackage");
  const found: [string, Lazy][] = [];
  const missing: string[] = [];
  for (const [name, optional] of formalsOf(fnValue)) {
    if (given.has(name)) continue;
    const provided = source.get(name);
    if (provided !== undefined) found.push([name, provided]);
    else if (!optional) missing.push(name);
  }
  if (missing.length > 0) {
    const where = path === undefined ? "the function" : path;
    throw new EvalError(`Function called without required argument "${missing[0]}" at ${where}`, {
      hint: didYouMean(missing[0]!, source.names()) ?? absentPackage(missing[0]!),
    });
  }
  return makeOverridable(fnValue, merge(Attrs.from(found), given));
}

/** `makeScope`: a set of packages that see each other, with `callPackage`, `overrideScope`, `newScope`. */
export function makeScope(ev: Evaluator, outer: Lazy, contents: Lazy): Attrs {
  const box: { self?: Attrs } = {};
  const self = lazy(() => box.self!);
  const inner = lazy(() => updateAttrs(expectSet(outer, "the outer scope"), box.self!));
  const packages = expectSet(callFunction(force(contents), self), "the contents of a scope");
  box.self = updateAttrs(
    packages,
    Attrs.from([
      ["callPackage", fn("callPackage", 2, (target, args) => callPackageWith(ev, inner, target, args))],
      [
        "newScope",
        fn("newScope", 1, (extra) =>
          newScope(
            ev,
            lazy(() => updateAttrs(expectSet(inner, "the scope"), expectSet(extra, "the argument of newScope"))),
          ),
        ),
      ],
      [
        "overrideScope",
        fn("overrideScope", 1, (overlay) =>
          makeScope(
            ev,
            outer,
            fn("contents", 1, (final) => {
              const previous = expectSet(callFunction(force(contents), final), "the contents of a scope");
              return updateAttrs(
                previous,
                expectSet(callFunction(force(overlay), final, previous), "the result of an overlay"),
              );
            }),
          ),
        ),
      ],
      ["packages", contents],
    ]),
  );
  return box.self;
}

/** `newScope extra`: `callPackage` over a set. */
export function newScope(ev: Evaluator, auto: Lazy): Lazy {
  return fn("callPackage", 2, (target, args) => callPackageWith(ev, auto, target, args));
}

/** Made anew for every derivation by `finish`: the old package's would lead back to it. */
const remade = new Set([
  "override",
  "overrideAttrs",
  "overrideDerivation",
  "dev",
  "lib",
  "bin",
  "out",
  "static",
  "man",
  "doc",
  "info",
  "all",
]);

/** `overrideAttrs` of a plain derivation, which has no standard environment behind it. Its other attributes stay. */
export function overrideRawDerivation(
  ev: Evaluator,
  change: Lazy,
  self: Attrs,
  finish: (derivation: Attrs) => Attrs,
): Attrs {
  const attrs = expectSet(attribute(self, "drvAttrs") ?? Attrs.empty, "drvAttrs");
  const changes = changedAttrs(change, self, attrs);
  const derivation = ev.derivation(updateAttrs(attrs, changes));
  const kept = [...self.entries()].filter(
    ([name]) => !remade.has(name) && !changes.has(name) && (name === "version" || !derivation.has(name)),
  );
  return finish(updateAttrs(derivation, Attrs.from(kept)));
}
