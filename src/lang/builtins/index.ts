/** The set `builtins` and the names that are in scope everywhere. */
import { Attrs, symbol } from "../values/attrs.ts";
import type { Lazy } from "../values/thunk.ts";
import { type NixList, PrimOp, type Value } from "../values/value.ts";
import { arithmetic } from "./arithmetic.ts";
import { attrsets } from "./attrsets.ts";
import { contexts } from "./contexts.ts";
import { control } from "./control.ts";
import { derivationFunction } from "./derivation.ts";
import { derivations } from "./derivation-strict.ts";
import { fetchers } from "./fetchers.ts";
import { files, parseSearchEntry } from "./files.ts";
import { flakes, flakesOff } from "./flakes.ts";
import { closures } from "./generic-closure.ts";
import { hashes } from "./hashes.ts";
import type { Builtin, Family, Interpreter } from "./interpreter.ts";
import { immediate } from "./immediate.ts";
import { json } from "./json.ts";
import { kinds } from "./kinds.ts";
import { lists } from "./lists.ts";
import { regexes } from "./regex/index.ts";
import { sources } from "./sources.ts";
import { strings } from "./strings.ts";
import { toml } from "./toml.ts";
import { versions } from "./versions.ts";

export { positionValue } from "./attrsets.ts";
export { derivationFunction } from "./derivation.ts";
export type { Builtin, Family, Interpreter } from "./interpreter.ts";
export { baseName, createWorld } from "./world.ts";

/** The version of Nix whose language this is; Nix code asks `builtins.nixVersion` for it. */
export const nixVersion = "2.34.8";
const langVersion = 6;

export interface Builtins {
  /** The set `builtins`. */
  readonly builtins: Attrs;
  /** What is in scope everywhere: `builtins`, `true`, `map`, `__add` and so on. */
  readonly globals: ReadonlyMap<string, Lazy>;
}

/** Builtins that are in scope under their own name; the others are with two underscores in front. */
const bareNames = new Set([
  "abort",
  "baseNameOf",
  "break",
  "derivation",
  "derivationStrict",
  "dirOf",
  "false",
  "fetchGit",
  "fetchMercurial",
  "fetchTarball",
  "fetchTree",
  "fromTOML",
  "import",
  "isNull",
  "map",
  "null",
  "placeholder",
  "removeAttrs",
  "scopedImport",
  "throw",
  "toString",
  "true",
]);

export function createBuiltins(interpreter: Interpreter): Builtins {
  const { host } = interpreter;
  const all = new Map<string, Value>();
  const { derivationStrict, ...otherDerivations } = derivations(interpreter);
  const strict = primOp("derivationStrict", derivationStrict!);
  const derivation = derivationFunction(strict);
  const families: readonly Family[] = [
    arithmetic,
    attrsets,
    closures,
    contexts(interpreter),
    control(interpreter),
    otherDerivations,
    fetchers(interpreter),
    files(interpreter, derivation),
    flakes(interpreter),
    hashes,
    json(interpreter),
    kinds,
    lists,
    regexes,
    sources(interpreter),
    strings(interpreter),
    toml(interpreter),
    versions,
  ];
  for (const family of families) for (const [name, run] of Object.entries(family)) all.set(name, primOp(name, run));
  withhold(all, interpreter.features);
  all.set("derivationStrict", strict);
  all.set("derivation", derivation);
  all.set("true", true);
  all.set("false", false);
  all.set("null", null);
  all.set("langVersion", langVersion);
  all.set("nixVersion", nixVersion);
  all.set("storeDir", host.storeDir);
  all.set("nixPath", nixPath(interpreter.searchPath ?? []));
  if (!host.pure) {
    all.set("currentSystem", host.system);
    all.set("currentTime", host.currentTime);
  }

  const entries: [string, Lazy][] = [...all];
  // The set contains itself, so it is made before its last value is known.
  const values: Lazy[] = [];
  const sorted = Attrs.from([...entries, ["builtins", null]]);
  const builtins = new Attrs(sorted.keys, values);
  values.push(...sorted.values);
  const globals = new Map<string, Lazy>();
  for (const [name, value] of entries) globals.set(bareNames.has(name) ? name : `__${name}`, value);
  globals.set("builtins", builtins);
  values[sorted.keys.ids.indexOf(symbol("builtins"))] = builtins;
  return { builtins, globals };
}

/** Those of experimental features that are off: fetchTree is not there, those of flakes are and say so (libflake/settings.cc). */
function withhold(all: Map<string, Value>, features: ReadonlySet<string> | undefined): void {
  if (features === undefined || features.has("flakes")) return;
  if (!features.has("fetch-tree")) all.delete("fetchTree");
  for (const name of Object.keys(flakesOff)) all.set(name, primOp(name, flakesOff[name]!));
}

function primOp(name: string, run: Builtin): PrimOp {
  return new PrimOp(name, run.length, run as (...args: Lazy[]) => Lazy, { immediate: immediate.get(name) });
}

function nixPath(searchPath: readonly string[]): NixList {
  return searchPath.map((entry) => {
    const { prefix, path } = parseSearchEntry(entry);
    return Attrs.from([
      ["path", path],
      ["prefix", prefix],
    ]);
  });
}
