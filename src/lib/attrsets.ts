/** `lib.attrsets`. */
import {
  AbortError,
  Attrs,
  equal,
  type Evaluator,
  force,
  forceAttrs,
  forceBool,
  forceList,
  forceStringNoContext,
  forceText,
  isDerivation,
  type Lazy,
  lazy,
  type LazyPosition,
  ThrownError,
  updateAttrs,
} from "../lang/index.ts";
import { escapeNixIdentifier } from "./identifiers.ts";
import {
  attribute,
  builtinsNamed,
  call,
  callLater,
  filterAttributes,
  fn,
  functions,
  mapBare,
  type Namespace,
  textList,
  getOr,
} from "./support.ts";

/** `{ name = …; value = …; }` */
function nameValuePair(name: Lazy, value: Lazy): Attrs {
  return Attrs.from([
    ["name", name],
    ["value", value],
  ]);
}

/** What lies at a path; undefined if it goes nowhere. Forces the sets on the way. */
export function findByPath(path: readonly Lazy[], from: Lazy): Lazy | undefined {
  let value: Lazy = from;
  for (const name of path) {
    const set = force(value);
    const found = set instanceof Attrs ? set.get(forceText(name)) : undefined;
    if (found === undefined) return undefined;
    value = found;
  }
  return value;
}

/** The set that has a value at a path, and nothing else. */
export function setByPath(path: readonly string[], value: Lazy): Lazy {
  return path.reduceRight<Lazy>((inner, name) => Attrs.from([[name, inner]]), value);
}

function showPath(path: readonly string[]): string {
  return path.length === 0 ? "<root attribute path>" : path.map(escapeNixIdentifier).join(".");
}

/** Merges sets as deep as `stop` lets it: at paths where it says so, the right side's value counts. */
function recursiveUpdateUntil(
  stop: (path: readonly string[], left: Lazy, right: Lazy) => boolean,
  left: Attrs,
  right: Attrs,
  path: readonly string[] = [],
): Attrs {
  const both = Attrs.from(
    [...right.entries()].map(([name, value]) => {
      const other = left.get(name);
      if (other === undefined) return [name, value];
      const here = [...path, name];
      return [
        name,
        lazy(() =>
          stop(here, other, value) ? value : recursiveUpdateUntil(stop, forceAttrs(other), forceAttrs(value), here),
        ),
      ];
    }),
  );
  return withoutPositions(updateAttrs(left, both));
}

export function recursiveUpdate(left: Attrs, right: Attrs): Attrs {
  return recursiveUpdateUntil((_path, a, b) => !(force(a) instanceof Attrs && force(b) instanceof Attrs), left, right);
}

function withoutPositions(attrs: Attrs): Attrs {
  return new Attrs(attrs.keys, attrs.values);
}

/** Applied to leaves with their path; `descend` decides which sets are leaves. */
function mapRecursive(change: Lazy, descend: (attrs: Attrs) => boolean, set: Attrs, path: readonly string[]): Attrs {
  return mapBare(set, (value, name) =>
    lazy(() => {
      const here = [...path, name];
      const forced = force(value);
      return forced instanceof Attrs && descend(forced)
        ? mapRecursive(change, descend, forced, here)
        : call(change, here, value);
    }),
  );
}

function collectLeaves(
  pred: (path: readonly string[], attrs: Attrs) => boolean,
  change: Lazy,
  set: Attrs,
  path: readonly string[],
): Lazy[] {
  return [...set.entries()].flatMap(([name, value]) => {
    const here = [...path, name];
    const forced = force(value);
    return forced instanceof Attrs && pred(here, forced)
      ? collectLeaves(pred, change, forced, here)
      : [callLater(change, here, value)];
  });
}

function collect(pred: Lazy, value: Lazy): Lazy[] {
  if (forceBool(call(pred, value))) return [value];
  const forced = force(value);
  return forced instanceof Attrs ? [...forced.entries()].flatMap(([, inner]) => collect(pred, inner)) : [];
}

/** Sets of one element of each list, in the order of a counter whose last digit runs fastest. */
function cartesianProduct(lists: Attrs): Attrs[] {
  let combinations: Attrs[] = [Attrs.empty];
  for (const [name, values] of lists.entries())
    combinations = combinations.flatMap((so) =>
      forceList(values).map((value) => updateAttrs(so, Attrs.from([[name, value]]))),
    );
  return combinations;
}

/** Whether a set has all that a pattern has, as deep as the pattern goes. */
export function matches(pattern: Attrs, attrs: Attrs): boolean {
  return [...pattern.entries()].every(([name, wanted]) => {
    const found = attrs.get(name);
    if (found === undefined) return false;
    const left = force(wanted);
    if (!(left instanceof Attrs)) return equal(wanted, found);
    const right = force(found);
    return right instanceof Attrs && matches(left, right);
  });
}

interface Update {
  readonly path: readonly string[];
  readonly update: Lazy;
}

function updateMany(depth: number, value: Lazy | undefined, updates: readonly Update[]): Lazy {
  const here = updates.filter(({ path }) => path.length === depth);
  const below = updates.filter(({ path }) => path.length !== depth);
  let result: Lazy;
  if (below.length === 0) {
    result =
      value ??
      lazy(() => {
        throw new ThrownError(
          `updateManyAttrsByPath: Path '${showPath(here[0]!.path)}' does not exist in the given value, but the first update to this path tries to access the existing value.`,
        );
      });
  } else {
    const groups = new Map<string, Update[]>();
    for (const update of below) {
      const name = update.path[depth]!;
      groups.set(name, [...(groups.get(name) ?? []), update]);
    }
    const set = value === undefined ? Attrs.empty : force(value);
    if (!(set instanceof Attrs))
      throw new ThrownError(
        `updateManyAttrsByPath: Path '${showPath(below[0]!.path)}' needs to be updated, but path '${showPath(below[0]!.path.slice(0, depth))}' of the given value is not an attribute set, so we can't update an attribute inside of it.`,
      );
    result = updateAttrs(
      set,
      Attrs.from([...groups].map(([name, own]) => [name, lazy(() => updateMany(depth + 1, set.get(name), own))])),
    );
  }
  for (const { update } of here) result = callLater(update, result);
  return result;
}

/** An output of a package: the one that was asked for before, else the named one, `out`, the package itself. */
export function getOutput(output: string, lazyPackage: Lazy): Lazy {
  const value = force(lazyPackage);
  if (!(value instanceof Attrs)) return value;
  const specified = value.get("outputSpecified");
  if (specified !== undefined && forceBool(specified)) return value;
  return getOr(value, output, getOr(value, "out", value));
}

function getFirstOutput(candidates: readonly string[], lazyPackage: Lazy): Lazy {
  const value = force(lazyPackage);
  if (!(value instanceof Attrs)) return value;
  const specified = value.get("outputSpecified");
  if (specified !== undefined && forceBool(specified)) return value;
  const found = candidates.find((name) => value.has(name));
  return found === undefined ? value : value.get(found)!;
}

function withAttr(lazyAttrs: Lazy, name: string, value: Lazy): Attrs {
  return updateAttrs(forceAttrs(lazyAttrs), Attrs.from([[name, value]]));
}

export function attrsetsNamespace(ev: Evaluator): Namespace {
  const genAttrsFrom = (entries: readonly (readonly [string, Lazy])[]): Attrs => {
    // Of equal names the first counts, as with `listToAttrs`.
    const first = new Map<string, Lazy>();
    for (const [name, value] of entries) if (!first.has(name)) first.set(name, value);
    return Attrs.from(first);
  };
  const zipWith = (names: readonly string[], f: Lazy, sets: readonly Lazy[]): Attrs =>
    genAttrsFrom(
      names.map((name) => [
        name,
        lazy(() =>
          call(
            f,
            name,
            sets.flatMap((set) => {
              const found = forceAttrs(set).get(name);
              return found === undefined ? [] : [found];
            }),
          ),
        ),
      ]),
    );
  const outputs = (name: string): Lazy => fn(`get ${name}`, 1, (value) => getOutput(name, value));
  const firstOutputs = (...names: string[]): Lazy => fn(`get ${names[0]}`, 1, (value) => getFirstOutput(names, value));

  return {
    ...builtinsNamed(ev.builtins, [
      "attrNames",
      "attrValues",
      "catAttrs",
      "getAttr",
      "hasAttr",
      "intersectAttrs",
      "isAttrs",
      "listToAttrs",
      "mapAttrs",
      "removeAttrs",
      "zipAttrsWith",
    ]),
    ...functions({
      attrByPath: (path, otherwise, set) => {
        const found = findByPath(forceList(path), set);
        return found === undefined ? otherwise : found;
      },
      hasAttrByPath: (path, set) => findByPath(forceList(path), set) !== undefined,
      longestValidPathPrefix: (path, set) => {
        const steps = forceList(path);
        let length = 0;
        let value: Lazy = set;
        for (const name of steps) {
          const forced = force(value);
          const found = forced instanceof Attrs ? forced.get(forceText(name)) : undefined;
          if (found === undefined) break;
          value = found;
          length++;
        }
        return steps.slice(0, length);
      },
      setAttrByPath: (path, value) => setByPath(textList(path), value),
      getAttrFromPath: (path, set) => {
        const found = findByPath(forceList(path), set);
        if (found === undefined)
          throw new AbortError(
            `evaluation aborted with the following error message: 'cannot find attribute '${textList(path).join(".")}''`,
          );
        return found;
      },
      concatMapAttrs: (f, set) =>
        [...forceAttrs(set).entries()]
          .map(([name, value]) => forceAttrs(call(f, name, value)))
          .reduce((a, b) => updateAttrs(a, b), Attrs.empty),
      updateManyAttrsByPath: (updates, value) =>
        updateMany(
          0,
          value,
          forceList(updates).map((update) => {
            const attrs = forceAttrs(update);
            return { path: textList(attribute(attrs, "path")), update: attribute(attrs, "update") };
          }),
        ),
      attrVals: (names, set) => textList(names).map((name) => lazy(() => attribute(forceAttrs(set), name))),
      getAttrs: (names, set) =>
        genAttrsFrom(textList(names).map((name) => [name, lazy(() => attribute(forceAttrs(set), name))])),
      filterAttrs: (pred, set) =>
        filterAttributes(forceAttrs(set), (name, value) => forceBool(call(pred, name, value))),
      filterAttrsRecursive: (pred, set) => filterRecursive(pred, forceAttrs(set)),
      foldlAttrs: (f, init, set) =>
        [...forceAttrs(set).entries()].reduce<Lazy>((sum, [name, value]) => call(f, sum, name, value), init),
      foldAttrs: (op, nul, sets) => {
        let folded = Attrs.empty;
        for (const set of [...forceList(sets)].reverse()) {
          const before = folded;
          folded = updateAttrs(
            before,
            Attrs.from(
              [...forceAttrs(set).entries()].map(([name, value]) => [
                name,
                callLater(op, value, getOr(before, name, nul)),
              ]),
            ),
          );
        }
        return folded;
      },
      collect: (pred, set) => collect(pred, set),
      cartesianProduct: (lists) => cartesianProduct(forceAttrs(lists)),
      mapCartesianProduct: (f, lists) =>
        cartesianProduct(forceAttrs(lists)).map((combination) => callLater(f, combination)),
      nameValuePair,
      "mapAttrs'": (f, set) =>
        genAttrsFrom(
          [...forceAttrs(set).entries()].map(([name, value]) => {
            const pair = forceAttrs(call(f, name, value));
            return [forceStringNoContext(attribute(pair, "name")), attribute(pair, "value")];
          }),
        ),
      mapAttrsToList: (f, set) => [...forceAttrs(set).entries()].map(([name, value]) => callLater(f, name, value)),
      attrsToList: (set) => [...forceAttrs(set).entries()].map(([name, value]) => nameValuePair(name, value)),
      mapAttrsRecursive: (f, set) => mapRecursive(f, () => true, forceAttrs(set), []),
      mapAttrsRecursiveCond: (cond, f, set) =>
        mapRecursive(f, (attrs) => forceBool(call(cond, attrs)), forceAttrs(set), []),
      mapAttrsToListRecursive: (f, set) => collectLeaves(() => true, f, forceAttrs(set), []),
      mapAttrsToListRecursiveCond: (pred, f, set) =>
        collectLeaves((path, attrs) => forceBool(call(pred, [...path], attrs)), f, forceAttrs(set), []),
      genAttrs: (names, f) =>
        genAttrsFrom(forceList(names).map((name) => [forceStringNoContext(name), callLater(f, name)])),
      "genAttrs'": (list, f) =>
        genAttrsFrom(
          forceList(list).map((element) => {
            const pair = forceAttrs(call(f, element));
            return [forceStringNoContext(attribute(pair, "name")), attribute(pair, "value")];
          }),
        ),
      isDerivation: (value) => isDerivation(force(value)),
      toDerivation: (path) => storePathDerivation(ev, path),
      optionalAttrs: (condition, set) => (forceBool(condition) ? set : Attrs.empty),
      zipAttrsWithNames: (names, f, sets) => zipWith(textList(names), f, forceList(sets)),
      zipAttrs: (sets) =>
        call(
          ev.builtins.get("zipAttrsWith")!,
          fn("values", 2, (_name, values) => values),
          sets,
        ),
      mergeAttrsList: (sets) =>
        forceList(sets).reduce<Attrs>((sum, set) => updateAttrs(sum, forceAttrs(set)), Attrs.empty),
      recursiveUpdateUntil: (pred, left, right) =>
        recursiveUpdateUntil(
          (path, a, b) => forceBool(call(pred, [...path], a, b)),
          forceAttrs(left),
          forceAttrs(right),
        ),
      recursiveUpdate: (left, right) => recursiveUpdate(forceAttrs(left), forceAttrs(right)),
      matchAttrs: (pattern, attrs) => matches(forceAttrs(pattern), forceAttrs(attrs)),
      overrideExisting: (old, changed) => {
        const changes = forceAttrs(changed);
        const attrs = forceAttrs(old);
        return Attrs.from([...attrs.entries()].map(([name, value]) => [name, getOr(changes, name, value)]));
      },
      showAttrPath: (path) => showPath(textList(path)),
      getOutput: (output, value) => getOutput(forceText(output), value),
      getFirstOutput: (candidates, value) => getFirstOutput(textList(candidates), value),
      chooseDevOutputs: (list) => forceList(list).map((value) => lazy(() => getOutput("dev", value))),
      recurseIntoAttrs: (attrs) => withAttr(attrs, "recurseForDerivations", true),
      dontRecurseIntoAttrs: (attrs) => withAttr(attrs, "recurseForDerivations", false),
      unionOfDisjoint: (left, right) => {
        const a = forceAttrs(left);
        const b = forceAttrs(right);
        const collisions = a.names().filter((name) => b.has(name));
        const mask = collisions.map((name): [string, Lazy] => [
          name,
          lazy(() => {
            throw new ThrownError(`unionOfDisjoint: collision on ${name}; complete list: ${collisions.join(" ")}`);
          }),
        ]);
        return updateAttrs(updateAttrs(a, b), Attrs.from(mask));
      },
    }),
    getBin: outputs("bin"),
    getLib: outputs("lib"),
    getDev: outputs("dev"),
    getMan: outputs("man"),
    getStatic: firstOutputs("static", "lib", "out"),
    getInclude: firstOutputs("include", "dev", "out"),
  };
}

function filterRecursive(pred: Lazy, set: Attrs): Attrs {
  const kept: [string, Lazy, LazyPosition][] = [];
  for (const [name, value] of set.entries())
    if (forceBool(call(pred, name, value)))
      kept.push([
        name,
        lazy(() => {
          const forced = force(value);
          return forced instanceof Attrs ? filterRecursive(pred, forced) : forced;
        }),
        undefined,
      ]);
  return Attrs.from(kept);
}

/** A store path in the dress of a derivation. */
export function storePathDerivation(ev: Evaluator, path: Lazy): Attrs {
  const stored = call(ev.builtins.get("storePath")!, path);
  const text = forceText(stored);
  const result: Attrs = Attrs.from([
    ["type", "derivation"],
    ["name", text.slice(ev.host.storeDir.length + 1 + 33)],
    ["outPath", stored],
    ["outputs", ["out"]],
    ["out", lazy(() => result)],
    ["outputName", "out"],
  ]);
  return result;
}
