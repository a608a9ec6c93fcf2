/** `lib.misc`: functions of nixpkgs' first years that code still calls. */
import {
  Attrs,
  equal,
  type Evaluator,
  force,
  forceAttrs,
  forceBool,
  forceList,
  forceText,
  isInteger,
  joinStrings,
  type Lazy,
  lazy,
  type NixString,
  ThrownError,
  updateAttrs,
} from "../lang/index.ts";
import { FAKE } from "./fetchers.ts";
import {
  attribute,
  call,
  callLater,
  fn,
  fnWithFormals,
  functions,
  getOr,
  isFunctionLike,
  type Namespace,
  textList,
} from "./support.ts";

const LISTS = [
  "nativeBuildInputs",
  "buildInputs",
  "propagatedBuildInputs",
  "configureFlags",
  "prePhases",
  "postAll",
  "patches",
];
const SETS = ["passthru", "meta", "cfg", "flags"];
const TEXTS = ["preConfigure", "postInstall"];

const one = (name: string, value: Lazy): Attrs => Attrs.from([[name, value]]);
const contains = (list: readonly Lazy[], value: Lazy): boolean => list.some((element) => equal(element, value));

/** `attrs.${name} or otherwise` */
function maybe(name: string, otherwise: Lazy, lazyAttrs: Lazy): Lazy {
  const attrs = force(lazyAttrs);
  return attrs instanceof Attrs ? getOr(attrs, name, otherwise) : otherwise;
}

const mergeArgument = (x: Lazy, y: Lazy): Attrs => {
  const given = force(y);
  return given instanceof Attrs ? given : forceAttrs(call(given, x));
};

/** Both sets, `merge` deciding where both have an attribute. */
function mergeWith(merge: (mine: Lazy, other: Lazy, name: string) => Lazy, mine: Attrs, other: Attrs): Attrs {
  const both = [...other.entries()].flatMap(([name, value]): [string, Lazy][] => {
    const own = mine.get(name);
    return own === undefined ? [] : [[name, lazy(() => merge(own, value, name))]];
  });
  return updateAttrs(updateAttrs(other, mine), Attrs.from(both));
}

/** What the second set has is merged in, with itself where the first has nothing: so it is in nixpkgs. */
function mergeEach(merge: (mine: Lazy, other: Lazy) => Lazy, mine: Attrs, other: Attrs): Attrs {
  return mergeWith(merge, updateAttrs(other, mine), other);
}

const toList = (value: Lazy): readonly Lazy[] => {
  const forced = force(value);
  return Array.isArray(forced) ? (forced as readonly Lazy[]) : [value];
};

/** Whether the set has a flag: in its list of flags, or as an attribute. */
function hasFlag(attrs: Lazy, name: string): Lazy {
  if (name === "true") return true;
  if (name === "false") return false;
  return contains(forceList(maybe("flags", [], attrs)), name) ? true : maybe(name, false, attrs);
}

function flagValue(attrs: Lazy, defaults: readonly Lazy[], name: string): Lazy {
  return maybe(
    name,
    lazy(() => {
      if (forceBool(hasFlag(attrs, name))) return true;
      const found = defaults.map((pair) => forceList(pair)).find((pair) => forceText(pair[0]!) === name);
      return found === undefined ? null : found[1]!;
    }),
    attrs,
  );
}

function unique(list: readonly Lazy[], seen: readonly Lazy[]): Lazy[] {
  const found: Lazy[] = [];
  for (const value of list) if (!contains(seen, value) && !contains(found, value)) found.push(value);
  return found;
}

const propagated = (drv: Lazy): Lazy[] =>
  ["propagatedBuildInputs", "propagatedNativeBuildInputs"].flatMap((name) => forceList(maybe(name, [], drv)));

function closeSlowly(found: readonly Lazy[], list: readonly Lazy[]): readonly Lazy[] {
  let [done, left] = [found, list];
  while (left.length > 0) {
    const [first, ...rest] = left as readonly [Lazy, ...Lazy[]];
    left = rest;
    if (!(force(first) instanceof Attrs)) continue;
    done = [first, ...done];
    left = unique([...propagated(first), ...rest], done);
  }
  return done;
}

/** Everything that is propagated from the derivations, themselves included, each output path once. */
function closeByPath(ev: Evaluator, list: Lazy): Lazy[] {
  const items = (values: readonly Lazy[]): Attrs[] =>
    values
      .filter((value) => force(value) !== null)
      .map((value) =>
        Attrs.from([
          ["key", lazy(() => attribute(forceAttrs(value), "outPath"))],
          ["val", value],
        ]),
      );
  const operator = fn("operator", 1, (item) => {
    const value = attribute(forceAttrs(item), "val");
    return force(value) instanceof Attrs ? items(propagated(value)) : [];
  });
  const closure = call(
    ev.builtins.get("genericClosure")!,
    Attrs.from([
      ["startSet", lazy(() => items(forceList(list)))],
      ["operator", operator],
    ]),
  );
  return forceList(closure).map((item) => attribute(forceAttrs(item), "val"));
}

function nixType(lazyValue: Lazy): string {
  const value = force(lazyValue);
  if (value instanceof Attrs) return value.has("outPath") ? "derivation" : "attrs";
  if (isFunctionLike(value)) return "function";
  if (Array.isArray(value)) return "list";
  if (typeof value === "boolean") return "bool";
  if (value === null) return "null";
  return isInteger(value) ? "int" : "string";
}

/** @param imap `lib.imap1` */
export function miscNamespace(ev: Evaluator, imap: Lazy): Namespace {
  const foldArguments = (merger: Lazy, f: Lazy, init: Lazy, x: Lazy): Lazy => {
    const argument = lazy(() =>
      call(
        merger,
        init,
        lazy(() => mergeArgument(init, x)),
      ),
    );
    const made = forceAttrs(call(f, argument));
    const passthru = lazy(() => {
      const own = getOr(made, "passthru", Attrs.empty);
      const given = maybe("args", Attrs.empty, maybe("passthru", Attrs.empty, own));
      return updateAttrs(
        forceAttrs(own),
        Attrs.from([
          ["function", fn("foldArgs", 1, (more) => foldArguments(merger, f, argument, more))],
          ["args", lazy(() => updateAttrs(forceAttrs(given), forceAttrs(x)))],
        ]),
      );
    });
    const override = lazy(() => attribute(forceAttrs(passthru), "function"));
    return updateAttrs(
      made,
      Attrs.from([
        ["passthru", passthru],
        ["override", override],
      ]),
    );
  };
  const concatenate = fn("concat", 2, (x, y) => [...forceList(x), ...forceList(y)]);
  const update = fn("mergeAttrs", 2, (x, y) => updateAttrs(forceAttrs(x), forceAttrs(y)));
  const lines = fn("mergeLines", 2, (x, y): NixString =>
    [ev.coerceToString(x), "\n", ev.coerceToString(y)].reduce(joinStrings),
  );
  const mergeAttrBy = Attrs.from([
    ...LISTS.map((name): [string, Lazy] => [name, concatenate]),
    ...SETS.map((name): [string, Lazy] => [name, update]),
    ...TEXTS.map((name): [string, Lazy] => [name, lines]),
  ]);
  const mergeByFunctions = (x: Attrs, y: Attrs): Attrs => {
    const how = [x, y].reduce(
      (all, side) => updateAttrs(all, forceAttrs(getOr(side, "mergeAttrBy", Attrs.empty))),
      one("mergeAttrBy", update),
    );
    const merged = [...how.entries()].flatMap(([name, merge]): [string, Lazy][] => {
      const [mine, other] = [x.get(name), y.get(name)];
      if (mine !== undefined && other !== undefined) return [[name, callLater(merge, mine, other)]];
      const only = mine === undefined ? other : mine;
      return only === undefined ? [] : [[name, only]];
    });
    return updateAttrs(updateAttrs(x, y), Attrs.from(merged));
  };
  const mergeAllByDefaults = (list: Lazy): Attrs =>
    forceList(list).reduce<Attrs>(
      (all, next) => mergeByFunctions(all, forceAttrs(next)),
      one("mergeAttrBy", mergeAttrBy),
    );
  const innerModifySumArgs = (f: Lazy, x: Lazy, a: Lazy, b: Lazy): Lazy =>
    force(b) === null
      ? updateAttrs(forceAttrs(call(f, a, b)), forceAttrs(x))
      : fn("innerModifySumArgs", 1, (next) =>
          innerModifySumArgs(
            f,
            x,
            lazy(() => updateAttrs(forceAttrs(a), forceAttrs(b))),
            next,
          ),
        );
  const fast = fn("closePropagation", 1, (list) => closeByPath(ev, list));

  return {
    mergeAttrBy,
    imap,
    fakeHash: FAKE.hash,
    fakeSha256: FAKE.sha256,
    fakeSha512: FAKE.sha512,
    closePropagation: fast,
    closePropagationFast: fast,
    uniqList: fnWithFormals("uniqList", { inputList: false, acc: true }, (args) =>
      unique(forceList(attribute(args, "inputList")), forceList(getOr(args, "acc", []))),
    ),
    uniqListExt: fnWithFormals(
      "uniqListExt",
      { inputList: false, outputList: true, getter: true, compare: true },
      (args) => {
        const [getter, compare] = [args.get("getter"), args.get("compare")];
        const key = (value: Lazy): Lazy => (getter === undefined ? value : callLater(getter, value));
        const same = (x: Lazy, y: Lazy): boolean =>
          compare === undefined ? equal(key(x), key(y)) : forceBool(call(compare, key(x), key(y)));
        const found = [...forceList(getOr(args, "outputList", []))];
        for (const value of forceList(attribute(args, "inputList")))
          if (!found.some((known) => same(known, value))) found.push(value);
        return found;
      },
    ),
    lazyGenericClosure: fnWithFormals("lazyGenericClosure", { startSet: false, operator: false }, (args) => {
      const keys: Lazy[] = [];
      const found: Lazy[] = [];
      const left = [...forceList(attribute(args, "startSet"))];
      for (let item = left.shift(); item !== undefined; item = left.shift()) {
        const key = attribute(forceAttrs(item), "key");
        if (contains(keys, key)) continue;
        keys.push(key);
        found.unshift(item);
        left.push(...forceList(call(attribute(args, "operator"), item)));
      }
      return found;
    }),
    mergeAttrsNoOverride: fnWithFormals("mergeAttrsNoOverride", { mergeLists: true, overrideSnd: true }, (args) => {
      const joined = textList(getOr(args, "mergeLists", ["buildInputs", "propagatedBuildInputs"]));
      const first = textList(getOr(args, "overrideSnd", ["buildPhase"]));
      return fn("mergeAttrsNoOverride", 2, (mine, other) =>
        mergeWith(
          (own, added, name) => {
            if (joined.includes(name)) return [...forceList(added), ...forceList(own)];
            if (first.includes(name)) return own;
            throw new ThrownError(
              `error mergeAttrsNoOverride, attribute ${name} given in both attributes - no merge func defined`,
            );
          },
          forceAttrs(mine),
          forceAttrs(other),
        ),
      );
    }),
    ...functions({
      maybeEnv: (name, otherwise) => {
        const value = call(ev.builtins.get("getEnv")!, name);
        return value === "" ? otherwise : value;
      },
      defaultMergeArg: mergeArgument,
      defaultMerge: (x, y) => updateAttrs(forceAttrs(x), mergeArgument(x, y)),
      foldArgs: foldArguments,
      maybeAttr: (name, otherwise, attrs) => maybe(forceText(name), otherwise, attrs),
      maybeAttrNullable: (name, otherwise, attrs) => maybe(forceText(name), otherwise, attrs),
      ifEnable: (condition, value) => {
        if (forceBool(condition)) return value;
        const kind = force(value);
        if (Array.isArray(kind)) return [];
        if (kind instanceof Attrs) return Attrs.empty;
        return typeof kind === "boolean" ? false : null;
      },
      checkFlag: (attrs, name) => hasFlag(attrs, forceText(name)),
      getValue: (attrs, defaults, name) => flagValue(attrs, forceList(defaults), forceText(name)),
      checkReqs: (attrs, defaults, conditions) =>
        forceList(conditions).every((condition) => {
          const [name, ...wanted] = textList(condition);
          if (name === undefined || !forceBool(hasFlag(attrs, name))) return true;
          return wanted.every((other) => {
            const value = force(flagValue(attrs, forceList(defaults), other));
            return value !== null && value !== false;
          });
        }),
      condConcat: (name, list, checker) => {
        const words = forceList(list);
        let text: Lazy = name;
        for (let at = 0; at + 1 < words.length; at += 2)
          if (forceBool(call(checker, words[at]!)))
            text = joinStrings(force(text) as NixString, ev.coerceToString(words[at + 1]!));
        return text;
      },
      innerModifySumArgs,
      modifySumArgs: (f, x) => fn("modifySumArgs", 1, (first) => innerModifySumArgs(f, x, Attrs.empty, first)),
      innerClosePropagation: (found, list) => closeSlowly(forceList(found), forceList(list)),
      closePropagationSlow: (list) => unique(closeSlowly([], forceList(list)), []),
      nvs: (name, value) => one(forceText(name), value),
      setAttr: (attrs, name, value) => updateAttrs(forceAttrs(attrs), one(forceText(name), value)),
      setAttrMerge: (name, otherwise, attrs, f) =>
        updateAttrs(
          forceAttrs(attrs),
          one(
            forceText(name),
            callLater(
              f,
              lazy(() => maybe(forceText(name), otherwise, attrs)),
            ),
          ),
        ),
      mergeAttrsWithFunc: (f, mine, other) => mergeEach((x, y) => call(f, x, y), forceAttrs(mine), forceAttrs(other)),
      mergeAttrsConcatenateValues: (mine, other) =>
        mergeEach((x, y) => [...toList(x), ...toList(y)], forceAttrs(mine), forceAttrs(other)),
      mergeAttrByFunc: (x, y) => mergeByFunctions(forceAttrs(x), forceAttrs(y)),
      mergeAttrsByFuncDefaults: mergeAllByDefaults,
      mergeAttrsByFuncDefaultsClean: (list) => {
        const merged = mergeAllByDefaults(list);
        return Attrs.from([...merged.entries()].filter(([name]) => name !== "mergeAttrBy"));
      },
      nixType,
    }),
  };
}
