/** `set.attribute`, `set.a.b or fallback`, `set ? attribute`. */
import { nearestNames } from "../../base/index.ts";
import { EvalError, InfiniteRecursionError } from "../errors.ts";
import { forceAttrs, forceStringNoContext } from "../operations/index.ts";
import { attributeName } from "../print/literals.ts";
import {
  type AttributeName,
  type HasAttributeNode,
  type SelectNode,
  showAttributePath,
  type Source,
  SourcePosition,
} from "../syntax/index.ts";
import { Attrs, type KeyTable, type LazyPosition, type Symbol, symbol, symbolName } from "../values/attrs.ts";
import { blackhole, evaluated, force, forceThunk, type Lazy, Thunk } from "../values/thunk.ts";
import type { Value } from "../values/value.ts";
import type { Code, Compiler, Delay } from "./compiler.ts";
import type { Environment, Slot } from "./environment.ts";
import { hintFor } from "./hints.ts";
import { addAttributeFrame, locate, locateSteps, offsetInMessages } from "./trace.ts";
import { reader } from "./variables.ts";

export function compileSelect(compiler: Compiler, node: SelectNode): Code {
  const [name] = node.path;
  if (node.path.length === 1 && typeof name === "number") {
    const of = compiler.compile(node.of);
    if (node.fallback === undefined) return selectOne(of, name, compiler.source, node.offset);
    return selectOr(of, name, compiler.later(node.fallback), compiler.source, node.offset);
  }
  return selectPath(compiler, node);
}

/** One fixed name: remembers in which slot sets of the last kind have it. */
function selectOne(of: Code, id: Symbol, source: Source, offset: number): Code {
  let cachedKeys: KeyTable | undefined;
  let cachedSlot = 0;
  return (environment) => {
    const set = of(environment);
    if (!(set instanceof Attrs)) throw notASet(set, source, offset);
    const { keys } = set;
    if (keys !== cachedKeys) {
      const slot = keys.find(id);
      if (slot < 0) throw missing(set, id, source, offset);
      cachedKeys = keys;
      cachedSlot = slot;
    }
    const value = set.values[cachedSlot]!;
    if (!(value instanceof Thunk)) return value;
    return value.code === null ? (value.x as Value) : forceAttribute(value, id, set, cachedSlot, source, offset);
  };
}

/** One fixed name, or else something other. That there is no such attribute is remembered as well. */
function selectOr(of: Code, id: Symbol, fallback: Code, source: Source, offset: number): Code {
  let cachedKeys: KeyTable | undefined;
  let cachedSlot = 0;
  return (environment) => {
    const set = of(environment);
    if (!(set instanceof Attrs)) return fallback(environment);
    const { keys } = set;
    if (keys !== cachedKeys) {
      cachedSlot = keys.find(id);
      cachedKeys = keys;
    }
    if (cachedSlot < 0) return fallback(environment);
    const value = set.values[cachedSlot]!;
    if (!(value instanceof Thunk)) return value;
    return value.code === null ? (value.x as Value) : forceAttribute(value, id, set, cachedSlot, source, offset);
  };
}

export function forceAttribute(
  thunk: Thunk,
  id: Symbol,
  set: Attrs,
  slot: number,
  source: Source,
  offset: number,
): Value {
  try {
    if (thunk.code === blackhole) throw recursion(set.positionAt(slot), source, offset);
    return forceThunk(thunk);
  } catch (error) {
    throw addAttributeFrame(error, attributeName(symbolName(id)), set.positionAt(slot));
  }
}

/** An attribute that needs itself: the error is where it is defined. */
function recursion(position: LazyPosition, source: Source, offset: number): unknown {
  const error = new InfiniteRecursionError();
  return position instanceof SourcePosition
    ? locate(error, position.source, position.offset)
    : locate(error, source, offset);
}

function selectPath(compiler: Compiler, node: SelectNode): Code {
  const of = compiler.compile(node.of);
  const select = selectPathOf(compiler, node);
  return (environment) => select(of(environment), environment);
}

/**
 * Any path, with or without a fallback, of a value. The environment is of interest only for names that are computed, and for
 * the fallback.
 */
export function selectPathOf(compiler: Compiler, node: SelectNode): (of: Lazy, environment: Environment) => Value {
  const { source } = compiler;
  const { offset, path } = node;
  const names = path.map((name) => nameReader(compiler, name));
  const { length } = names;
  const cachedKeys = new Array<KeyTable | undefined>(length).fill(undefined);
  const cachedIds = new Array<Symbol>(length).fill(-1);
  /** -1 where there is none. */
  const cachedSlots = new Array<number>(length).fill(-1);
  const fallback = node.fallback === undefined ? undefined : compiler.later(node.fallback);
  return (of, environment) => {
    let current = of;
    let last: Attrs | undefined;
    let slot = -1;
    try {
      for (let i = 0; i < length; i++) {
        const name = names[i]!;
        const id = typeof name === "number" ? name : name(environment);
        const set = force(current);
        if (!(set instanceof Attrs)) {
          if (fallback !== undefined) return fallback(environment);
          throw notASet(set, source, offset);
        }
        let found = cachedSlots[i]!;
        if (set.keys !== cachedKeys[i] || cachedIds[i] !== id) {
          found = set.keys.find(id);
          cachedKeys[i] = set.keys;
          cachedIds[i] = id;
          cachedSlots[i] = found;
        }
        if (found < 0) {
          if (fallback !== undefined) return fallback(environment);
          throw missing(set, id, source, offset);
        }
        current = set.values[found]!;
        last = set;
        slot = found;
      }
      if (!(current instanceof Thunk)) return current;
      if (current.code === blackhole) throw recursion(last?.positionAt(slot), source, offset);
      return force(current);
    } catch (error) {
      throw addAttributeFrame(error, showSelected(path, names, environment), last?.positionAt(slot));
    }
  };
}

function showSelected(path: readonly AttributeName[], names: readonly NameReader[], environment: Environment): string {
  const shown = path.map((name, i): AttributeName => {
    const read = names[i]!;
    if (typeof read === "number") return read;
    try {
      return read(environment);
    } catch {
      return name;
    }
  });
  return showAttributePath(shown);
}

type NameReader = Symbol | ((environment: Environment) => Symbol);

/** A name in a path: known, or computed each time. */
export function nameReader(compiler: Compiler, name: AttributeName): NameReader {
  if (typeof name === "number") return name;
  const code = compiler.compile(name);
  return (environment) => {
    const value = code(environment);
    try {
      return symbol(forceStringNoContext(value, "while evaluating an attribute name"));
    } catch (error) {
      throw locateSteps(error, compiler.source, offsetInMessages(name));
    }
  };
}

export function missing(set: Attrs, id: Symbol, source: Source, offset: number): unknown {
  const name = symbolName(id);
  const known = set.names();
  const error = new EvalError(`attribute '${attributeName(name)}' missing`, {
    hint: hintFor(name, known, [set]),
    suggestions: nearestNames(name, known),
  });
  return locate(error, source, offset);
}

export function notASet(value: Value, source: Source, offset: number): unknown {
  try {
    forceAttrs(value, "while selecting an attribute");
  } catch (error) {
    return locateSteps(error, source, offset);
  }
  return new Error("internal error: a set is no set");
}

export function compileHas(compiler: Compiler, node: HasAttributeNode): Code {
  const of = compiler.compile(node.of);
  const [only] = node.path;
  if (node.path.length === 1 && typeof only === "number") return hasOne(of, only);
  const names = node.path.map((name) => nameReader(compiler, name));
  return (environment) => {
    let current: Lazy = of(environment);
    for (let i = 0; i < names.length; i++) {
      const set = force(current);
      const name = names[i]!;
      const id = typeof name === "number" ? name : name(environment);
      const found = set instanceof Attrs ? set.getSymbol(id) : undefined;
      if (found === undefined) return false;
      current = found;
    }
    return true;
  };
}

function hasOne(of: Code, id: Symbol): Code {
  let cachedKeys: KeyTable | undefined;
  let cached = false;
  return (environment) => {
    const set = of(environment);
    if (!(set instanceof Attrs)) return false;
    if (set.keys !== cachedKeys) {
      cached = set.keys.find(id) >= 0;
      cachedKeys = set.keys;
    }
    return cached;
  };
}

/**
 * A selection of fixed names from a variable needs no thunk where all on the way has been evaluated already. Nothing can
 * fail then, so nobody can tell the difference.
 */
export function cheapSelect(compiler: Compiler, node: SelectNode): Delay | undefined {
  if (node.of.kind !== "variable" || node.of.level < 0) return undefined;
  const path: Symbol[] = [];
  for (const name of node.path) {
    if (typeof name !== "number") return undefined;
    path.push(name);
  }
  const read = reader(node.of);
  const thunk = compiler.thunk(node);
  if (path.length === 1) return cheapSelectOne(read, path[0]!, thunk);
  return (environment) => {
    let value = evaluated(read(environment));
    for (let i = 0; i < path.length; i++) {
      if (!(value instanceof Attrs)) return thunk(environment);
      value = evaluated(value.getSymbol(path[i]!));
    }
    return value === undefined ? thunk(environment) : value;
  };
}

function cheapSelectOne(read: (environment: Environment) => Slot, id: Symbol, thunk: Delay): Delay {
  let cachedKeys: KeyTable | undefined;
  let cachedSlot = -1;
  return (environment) => {
    const set = evaluated(read(environment));
    if (!(set instanceof Attrs)) return thunk(environment);
    if (set.keys !== cachedKeys) {
      cachedSlot = set.keys.find(id);
      cachedKeys = set.keys;
    }
    const value = cachedSlot < 0 ? undefined : evaluated(set.values[cachedSlot]);
    return value === undefined ? thunk(environment) : value;
  };
}

/** Selects one attribute from a value: `inherit (value) attribute`. */
export function selectFrom(id: Symbol, source: Source, offset: number): (from: Lazy) => Value {
  let cachedKeys: KeyTable | undefined;
  let cachedSlot = 0;
  return (from) => {
    const set = force(from);
    if (!(set instanceof Attrs)) throw notASet(set, source, offset);
    if (set.keys !== cachedKeys) {
      const slot = set.keys.find(id);
      if (slot < 0) throw missing(set, id, source, offset);
      cachedKeys = set.keys;
      cachedSlot = slot;
    }
    const value = set.values[cachedSlot]!;
    if (!(value instanceof Thunk)) return value;
    return value.code === null ? (value.x as Value) : forceAttribute(value, id, set, cachedSlot, source, offset);
  };
}
