/** `set.attribute`, `set.a.b or fallback`, `set ? attribute`. */
import { didYouMean, nearestNames } from "../../base/index.ts";
import { EvalError, InfiniteRecursionError } from "../errors.ts";
import { forceAttrs, forceStringNoContext } from "../operations/index.ts";
import {
  type AttributeName,
  type HasAttributeNode,
  type SelectNode,
  showAttributePath,
  type Source,
  SourcePosition,
} from "../syntax/index.ts";
import { Attrs, type KeyTable, type LazyPosition, type Symbol, symbol, symbolName } from "../values/attrs.ts";
import { blackhole, force, forceThunk, type Lazy, Thunk } from "../values/thunk.ts";
import type { Value } from "../values/value.ts";
import type { Code, Compiler, Delay } from "./compiler.ts";
import type { Environment } from "./environment.ts";
import { addAttributeFrame, locate, locateSteps, offsetInMessages } from "./trace.ts";
import { reader } from "./variables.ts";

export function compileSelect(compiler: Compiler, node: SelectNode): Code {
  const [name] = node.path;
  if (node.path.length === 1 && typeof name === "number" && node.fallback === undefined)
    return selectOne(compiler.compile(node.of), name, compiler.source, node.offset);
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
    if (value.code === null) return value.x as Value;
    return forceAttribute(value, id, set.keys.positions?.[cachedSlot], source, offset);
  };
}

function forceAttribute(thunk: Thunk, id: Symbol, position: LazyPosition, source: Source, offset: number): Value {
  try {
    if (thunk.code === blackhole) throw recursion(position, source, offset);
    return forceThunk(thunk);
  } catch (error) {
    throw addAttributeFrame(error, symbolName(id), position);
  }
}

/** An attribute that needs itself: the error is where it is defined. */
function recursion(position: LazyPosition, source: Source, offset: number): unknown {
  const error = new InfiniteRecursionError();
  return position instanceof SourcePosition
    ? locate(error, position.source, position.offset)
    : locate(error, source, offset);
}

/** Any path, with or without a fallback. */
function selectPath(compiler: Compiler, node: SelectNode): Code {
  const { source } = compiler;
  const { offset, path } = node;
  const of = compiler.compile(node.of);
  const names = path.map((name) => nameReader(compiler, name));
  const cachedKeys = new Array<KeyTable | undefined>(path.length).fill(undefined);
  const cachedIds = new Int32Array(path.length).fill(-1);
  const cachedSlots = new Int32Array(path.length);
  const fallback = node.fallback === undefined ? undefined : compiler.later(node.fallback);
  return (environment) => {
    let current: Lazy = of(environment);
    let position: LazyPosition;
    try {
      for (let i = 0; i < names.length; i++) {
        const name = names[i]!;
        const id = typeof name === "number" ? name : name(environment);
        const set = force(current);
        if (!(set instanceof Attrs)) {
          if (fallback !== undefined) return fallback(environment);
          throw notASet(set, source, offset);
        }
        let slot = cachedSlots[i]!;
        if (set.keys !== cachedKeys[i] || cachedIds[i] !== id) {
          slot = set.keys.find(id);
          if (slot < 0) {
            if (fallback !== undefined) return fallback(environment);
            throw missing(set, id, source, offset);
          }
          cachedKeys[i] = set.keys;
          cachedIds[i] = id;
          cachedSlots[i] = slot;
        }
        current = set.values[slot]!;
        position = set.keys.positions?.[slot];
      }
      if (current instanceof Thunk && current.code === blackhole) throw recursion(position, source, offset);
      return force(current);
    } catch (error) {
      throw addAttributeFrame(error, showSelected(path, names, environment), position);
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

function missing(set: Attrs, id: Symbol, source: Source, offset: number): unknown {
  const name = symbolName(id);
  const known = set.names();
  const error = new EvalError(`attribute '${name}' missing`, {
    hint: didYouMean(name, known),
    suggestions: nearestNames(name, known),
  });
  return locate(error, source, offset);
}

function notASet(value: Value, source: Source, offset: number): unknown {
  try {
    forceAttrs(value, "while selecting an attribute");
  } catch (error) {
    return locateSteps(error, source, offset);
  }
  return new Error("internal error: a set is no set");
}

export function compileHas(compiler: Compiler, node: HasAttributeNode): Code {
  const of = compiler.compile(node.of);
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
  return (environment) => {
    let value = evaluated(read(environment));
    for (let i = 0; i < path.length; i++) {
      if (!(value instanceof Attrs)) return thunk(environment);
      value = evaluated(value.getSymbol(path[i]!));
    }
    return value === undefined ? thunk(environment) : value;
  };
}

function evaluated(value: Lazy | undefined): Value | undefined {
  if (!(value instanceof Thunk)) return value;
  return value.code === null ? (value.x as Value) : undefined;
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
    return value.code === null
      ? (value.x as Value)
      : forceAttribute(value, id, set.keys.positions?.[cachedSlot], source, offset);
  };
}
