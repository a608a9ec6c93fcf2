/** `lib.customisation`, `lib.derivations`: overriding packages and calling their files with what they ask for. */
import { suggestions } from "../base/index.ts";
import {
  AbortError,
  AssertionError,
  Attrs,
  equal,
  type Evaluator,
  force,
  forceAttrs,
  forceBool,
  forceText,
  isDerivation,
  isFunction,
  type Lazy,
  lazy,
  ThrownError,
  updateAttrs,
  type Value,
} from "../lang/index.ts";
import { showPretty } from "./pretty.ts";
import {
  attribute,
  builtinsNamed,
  call,
  callLater,
  filterAttributes,
  fn,
  fnWithFormals,
  functionFormals,
  functions,
  isFunctionLike,
  mapBare,
  type Namespace,
  textList,
  getOr,
} from "./support.ts";
import { extend, formalsOf, withFormals } from "./trivial.ts";

/** A function with the formals of another one, as `lib.mirrorFunctionArgs` gives it. */
function mirrored(formals: Lazy, name: string, run: (args: Lazy) => Lazy): Attrs {
  return withFormals(fn(name, 1, run), formals);
}

/** The function of a package with `override` on whatever it returns. */
function makeOverridable(ev: Evaluator, lazyFunction: Lazy): Lazy {
  const f = force(lazyFunction);
  const formals = lazy(() => formalsOf(f));
  const applied = mirrored(formals, "makeOverridable", (args) => overridableResult(ev, f, formals, args));
  if (!(f instanceof Attrs)) return applied;
  const override = f.get("override");
  const both = updateAttrs(f, applied);
  return override === undefined
    ? both
    : updateAttrs(
        both,
        Attrs.from([["override", fn("override", 1, (args) => makeOverridable(ev, callLater(override, args)))]]),
      );
}

function overridableResult(ev: Evaluator, f: Value, formals: Lazy, args: Lazy): Lazy {
  const result = call(f, args);
  const override = mirrored(formals, "override", (lazyChange) => {
    const change = force(lazyChange);
    const changed = lazy(() =>
      updateAttrs(forceAttrs(args), forceAttrs(isFunctionLike(change) ? call(change, args) : change)),
    );
    return call(makeOverridable(ev, f), changed);
  });
  const again = (name: string, change: (result: Lazy, how: Lazy) => Lazy): [string, Lazy] => [
    name,
    fn(name, 1, (how) =>
      call(
        makeOverridable(
          ev,
          mirrored(formals, name, (given) => change(callLater(f, given), how)),
        ),
        args,
      ),
    ),
  ];
  if (result instanceof Attrs) {
    const added: [string, Lazy][] = [
      ["override", override],
      again("overrideDerivation", (made, how) => overrideDerivation(ev, made, how)),
    ];
    if (result.has("overrideAttrs"))
      added.push(again("overrideAttrs", (made, how) => call(attribute(forceAttrs(made), "overrideAttrs"), how)));
    return updateAttrs(result, Attrs.from(added));
  }
  if (isFunctionLike(result))
    return updateAttrs(
      withFormals(
        result,
        lazy(() => formalsOf(result)),
      ),
      Attrs.from([["override", override]]),
    );
  return result;
}

/** Adds attributes to a derivation and to each of its outputs; reading paths fails unless the condition holds. */
function extendDerivation(condition: Lazy, passthru: Attrs, drv: Attrs): Attrs {
  const checked = (value: () => Lazy): Lazy =>
    lazy(() => {
      if (!forceBool(condition)) throw new AssertionError("assertion 'condition' failed");
      return value();
    });
  const overrideAttrs = passthru.get("overrideAttrs");
  const names = textList(getOr(drv, "outputs", ["out"]));
  const outputs = names.map((name): [string, Lazy] => [
    name,
    lazy(() => {
      const output = (): Attrs => forceAttrs(attribute(drv, name));
      const added: [string, Lazy][] = [
        ["type", lazy(() => attribute(output(), "type"))],
        ["outputName", lazy(() => attribute(output(), "outputName"))],
        ["outputSpecified", true],
        ["drvPath", checked(() => attribute(output(), "drvPath"))],
        ["outPath", checked(() => attribute(output(), "outPath"))],
      ];
      if (overrideAttrs !== undefined)
        added.push([
          "overrideAttrs",
          fn("overrideAttrs", 1, (f) => attribute(forceAttrs(call(overrideAttrs, f)), name)),
        ]);
      return updateAttrs(common, Attrs.from(added));
    }),
  ]);
  const common: Attrs = [
    Attrs.from([...outputs, ["all", outputs.map(([, output]) => output)]]),
    passthru,
    Attrs.from([
      ["drvPath", checked(() => attribute(drv, "drvPath"))],
      ["outPath", checked(() => attribute(drv, "outPath"))],
    ]),
  ].reduce(updateAttrs, drv);
  return common;
}

function overrideDerivation(ev: Evaluator, lazyDrv: Lazy, f: Lazy): Attrs {
  const drv = forceAttrs(lazyDrv);
  const passthru = getOr(drv, "passthru", Attrs.empty);
  const spliced = drv.get("__spliced");
  const own: [string, Lazy][] = [
    ["meta", getOr(drv, "meta", Attrs.empty)],
    ["passthru", passthru],
  ];
  let added = updateAttrs(Attrs.from(own), forceAttrs(passthru));
  if (spliced !== undefined)
    added = updateAttrs(
      added,
      Attrs.from([
        ["__spliced", lazy(() => mapBare(forceAttrs(spliced), (one) => lazy(() => overrideDerivation(ev, one, f))))],
      ]),
    );
  const changed = ev.derivation(updateAttrs(forceAttrs(attribute(drv, "drvAttrs")), forceAttrs(call(f, drv))));
  const valid = lazy(() => {
    force(attribute(drv, "drvPath"));
    return true;
  });
  return extendDerivation(valid, added, changed);
}

/** `callPackageWith autoArgs fn args`. @throws an abort that names the missing argument and its nearest relatives */
function callPackage(ev: Evaluator, lazyAuto: Lazy, lazyFn: Lazy, lazyArgs: Lazy): Lazy {
  const given = force(lazyFn);
  const f = isFunctionLike(given) ? given : call(ev.builtins.get("import")!, given);
  const auto = forceAttrs(lazyAuto);
  const args = forceAttrs(lazyArgs);
  const formals = functionFormals(f);
  const all = updateAttrs(
    filterAttributes(auto, (name) => formals.has(name)),
    args,
  );
  const missing = [...formals]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .find(([name, optional]) => !all.has(name) && force(optional) !== true);
  if (missing === undefined) return call(makeOverridable(ev, f), all);
  const near = suggestions(missing[0], new Set([...auto.names(), ...args.names()])).map((name) => `"${name}"`);
  const last = near.pop();
  const hint = last === undefined ? "" : `, did you mean ${near.length > 0 ? `${near.join(", ")} or ${last}` : last}?`;
  throw new AbortError(
    `evaluation aborted with the following error message: 'lib.customisation.callPackageWith: Function called without required argument "${missing[0]}"${hint}'`,
  );
}

function callPackages(ev: Evaluator, lazyAuto: Lazy, lazyFn: Lazy, lazyArgs: Lazy): Lazy {
  const given = force(lazyFn);
  const f = isFunctionLike(given) ? given : call(ev.builtins.get("import")!, given);
  const formals = functionFormals(f);
  const all = updateAttrs(
    filterAttributes(forceAttrs(lazyAuto), (name) => formals.has(name)),
    forceAttrs(lazyArgs),
  );
  const packages = forceAttrs(call(f, all));
  if (isDerivation(packages))
    throw new ThrownError(
      "function `callPackages` was called on a *single* derivation; did you mean to use `callPackage` instead?",
    );
  const own = lazy(() => formalsOf(f));
  return mapBare(packages, (_value, name) =>
    lazy(() =>
      call(
        makeOverridable(
          ev,
          mirrored(own, name, (args) => attribute(forceAttrs(call(f, args)), name)),
        ),
        all,
      ),
    ),
  );
}

/** A set of packages that see each other: `callPackage`, `newScope`, `overrideScope`, `packages`. */
function makeScope(newScope: Lazy, f: Lazy): Lazy {
  const self: Lazy = lazy(() => {
    const scopeOf = (scope: Lazy): Lazy =>
      call(
        newScope,
        lazy(() => updateAttrs(forceAttrs(self), forceAttrs(scope))),
      );
    return [
      forceAttrs(call(f, self)),
      Attrs.from([
        ["newScope", fn("newScope", 1, scopeOf)],
        ["overrideScope", fn("overrideScope", 1, (overlay) => makeScope(newScope, extend(overlay, f)))],
        ["packages", f],
      ]),
    ].reduce(
      updateAttrs,
      Attrs.from([["callPackage", lazy(() => call(attribute(forceAttrs(self), "newScope"), Attrs.empty))]]),
    );
  });
  return self;
}

const SPLICES = ["BuildBuild", "BuildHost", "BuildTarget", "HostHost", "TargetTarget"];

function makeSplicedScope(how: Attrs, what: Attrs): Lazy {
  const splice = attribute(how, "splicePackages");
  const newScope = attribute(how, "newScope");
  const others = attribute(what, "otherSplices");
  const f = attribute(what, "f");
  const none = fn("nothing", 1, () => Attrs.empty);
  const keep = getOr(what, "keep", none);
  const extra = getOr(what, "extra", none);
  const spliced: Lazy = lazy(() => {
    const parts = SPLICES.map((name): [string, Lazy] => [
      `pkgs${name}`,
      lazy(() => attribute(forceAttrs(others), `self${name}`)),
    ]);
    const all = lazy(() => call(splice, Attrs.from([...parts, ["pkgsHostTarget", self]])));
    return [call(extra, all), force(all), call(keep, self)].map((set) => forceAttrs(set)).reduce(updateAttrs);
  });
  const self: Lazy = lazy(() =>
    updateAttrs(
      forceAttrs(call(f, self)),
      Attrs.from([
        [
          "newScope",
          fn("newScope", 1, (scope) =>
            call(
              newScope,
              lazy(() => updateAttrs(forceAttrs(spliced), forceAttrs(scope))),
            ),
          ),
        ],
        ["callPackage", callLater(newScope, spliced)],
        [
          "overrideScope",
          fn("overrideScope", 1, (overlay) =>
            makeSplicedScope(how, updateAttrs(what, Attrs.from([["f", extend(overlay, f)]]))),
          ),
        ],
        ["packages", f],
      ]),
    ),
  );
  return self;
}

/** `extendMkDerivation`: a builder on top of another one, still overridable by fixed point. */
function extendMkDerivation(args: Attrs): Attrs {
  const construct = attribute(args, "constructDrv");
  const extendArgs = attribute(args, "extendDrvArgs");
  const excluded = getOr(args, "excludeDrvArgNames", []);
  const transform = getOr(
    args,
    "transformDrv",
    fn("id", 1, (drv) => drv),
  );
  const without = (attrs: Attrs, names: readonly string[]): Attrs =>
    filterAttributes(attrs, (name) => !names.includes(name));
  return Attrs.from([
    [
      "__functor",
      fn("extendMkDerivation", 2, (_self, given) => {
        const final = fn("final", 1, (self) => {
          const forced = force(given);
          const previous = forceAttrs(isFunctionLike(forced) ? call(forced, self) : forced);
          return updateAttrs(without(previous, textList(excluded)), forceAttrs(call(extendArgs, self, previous)));
        });
        return call(transform, callLater(construct, final));
      }),
    ],
    [
      "__functionArgs",
      lazy(() => {
        const inherited = forceBool(getOr(args, "inheritFunctionArgs", true))
          ? without(formalsOf(construct), textList(excluded))
          : Attrs.empty;
        const own = formalsOf(call(extendArgs, Attrs.empty));
        return without(updateAttrs(inherited, own), textList(getOr(args, "excludeFunctionArgNames", [])));
      }),
    ],
    ["constructDrv", construct],
    ["excludeDrvArgNames", excluded],
    ["extendDrvArgs", extendArgs],
    ["transformDrv", transform],
  ]);
}

const CROSS = ["buildBuild", "buildHost", "buildTarget", "hostHost", "hostTarget", "targetTarget"];
const capital = (name: string): string => name[0]!.toUpperCase() + name.slice(1);

export function customisationNamespace(ev: Evaluator): Namespace {
  return {
    ...functions({
      makeOverridable: (f) => makeOverridable(ev, f),
      overrideDerivation: (drv, f) => overrideDerivation(ev, drv, f),
      extendDerivation: (condition, passthru, drv) =>
        extendDerivation(condition, forceAttrs(passthru), forceAttrs(drv)),
      callPackageWith: (auto, f, args) => callPackage(ev, auto, f, args),
      callPackagesWith: (auto, f, args) => callPackages(ev, auto, f, args),
      makeScope,
      makeScopeWithSplicing: (splicePackages, newScope, otherSplices, keep, extra, f) =>
        makeSplicedScope(
          Attrs.from([
            ["splicePackages", splicePackages],
            ["newScope", newScope],
          ]),
          Attrs.from([
            ["otherSplices", otherSplices],
            ["keep", keep],
            ["extra", extra],
            ["f", f],
          ]),
        ),
      hydraJob: (value) => {
        if (force(value) === null) return null;
        const drv = forceAttrs(value);
        const names = textList(getOr(drv, "outputs", ["out"]));
        const base = ["name", "system", "meta"].map((name): [string, Lazy] => [name, lazy(() => attribute(drv, name))]);
        const output = (name: string): Lazy =>
          lazy(() => {
            const own = forceAttrs(attribute(drv, name));
            const paths = ["outPath", "drvPath"].map((field): [string, Lazy] => [field, attribute(own, field)]);
            return updateAttrs(common, Attrs.from([...paths, ["type", "derivation"], ["outputName", name]]));
          });
        const common: Attrs = Attrs.from([
          ...base,
          ["outputs", names],
          ...names.map((name): [string, Lazy] => [name, output(name)]),
        ]);
        return attribute(common, names[0]!);
      },
      renameCrossIndexFrom: (prefix, set) =>
        Attrs.from(
          CROSS.map((name) => [name, lazy(() => attribute(forceAttrs(set), forceText(prefix) + capital(name)))]),
        ),
      renameCrossIndexTo: (prefix, set) =>
        Attrs.from(
          CROSS.map((name) => [forceText(prefix) + capital(name), lazy(() => attribute(forceAttrs(set), name))]),
        ),
    }),
    mapCrossIndex: fn("mapCrossIndex", 1, (f) =>
      fnWithFormals("mapCrossIndex", Object.fromEntries(CROSS.map((name) => [name, false])), (set) =>
        Attrs.from(CROSS.map((name) => [name, lazy(() => call(f, attribute(set, name)))])),
      ),
    ),
    "makeScopeWithSplicing'": fnWithFormals(
      "makeScopeWithSplicing'",
      { splicePackages: false, newScope: false },
      (how) =>
        fnWithFormals("makeScopeWithSplicing'", { otherSplices: false, keep: true, extra: true, f: false }, (what) =>
          makeSplicedScope(how, what),
        ),
    ),
    extendMkDerivation: fnWithFormals(
      "extendMkDerivation",
      {
        constructDrv: false,
        excludeDrvArgNames: true,
        excludeFunctionArgNames: true,
        extendDrvArgs: false,
        inheritFunctionArgs: true,
        transformDrv: true,
      },
      extendMkDerivation,
    ),
  };
}

export function derivationsNamespace(ev: Evaluator): Namespace {
  const warnOnInstantiate = (message: Lazy, lazyDrv: Lazy): Lazy => {
    const drv = forceAttrs(lazyDrv);
    const quiet = ["meta", "name", "type", "outputName"];
    const wrapped = mapBare(
      filterAttributes(drv, (name) => !quiet.includes(name)),
      (value) => callLater(ev.builtins.get("warn")!, message, value),
    );
    const override = drv.get("overrideAttrs");
    const both = updateAttrs(drv, wrapped);
    if (override === undefined || !isFunction(force(override))) return both;
    return updateAttrs(
      both,
      Attrs.from([["overrideAttrs", fn("overrideAttrs", 1, (f) => warnOnInstantiate(message, call(override, f)))]]),
    );
  };
  return {
    ...builtinsNamed(ev.builtins, ["addDrvOutputDependencies", "unsafeDiscardOutputDependency"]),
    ...functions({
      optionalDrvAttr: (condition, value) => (forceBool(condition) ? value : null),
      warnOnInstantiate,
    }),
    lazyDerivation: fnWithFormals(
      "lazyDerivation",
      { derivation: false, meta: true, passthru: true, outputs: true },
      (args) => {
        const outputs = getOr(args, "outputs", ["out"]);
        const checked = lazy(() => {
          const drv = force(attribute(args, "derivation"));
          if (!isDerivation(drv)) throw new ThrownError("lazyDerivation: input must be a derivation.");
          const actual = attribute(drv, "outputs");
          if (!equal(actual, outputs))
            throw new ThrownError(
              `lib.lazyDerivation: The derivation has the outputs ${showPretty(actual, { multiline: false })}, but lazyDerivation was told ${showPretty(outputs, { multiline: false })}.`,
            );
          return drv;
        });
        const from = (name: string): [string, Lazy] => [name, lazy(() => attribute(forceAttrs(checked), name))];
        return updateAttrs(
          Attrs.from([
            ["type", "derivation"],
            ...["outPath", "outputName", "drvPath", "name", "system"].map(from),
            ["outputs", outputs],
            ["meta", getOr(args, "meta", from("meta")[1])],
            ...textList(outputs).map(from),
          ]),
          forceAttrs(getOr(args, "passthru", Attrs.empty)),
        );
      },
    ),
  };
}
