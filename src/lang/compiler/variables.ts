/** Variables: of a scope, global ones, and those that a `with` may have. */
import { EvalError, InfiniteRecursionError } from "../errors.ts";
import { forceAttrs } from "../operations/index.ts";
import type { Source, VariableNode } from "../syntax/index.ts";
import { Attrs, type KeyTable, symbolName } from "../values/attrs.ts";
import { blackhole, force, forceThunk, type Lazy, Thunk } from "../values/thunk.ts";
import type { Value } from "../values/value.ts";
import type { Code, Compiler, Delay } from "./compiler.ts";
import type { Environment, Environment1, Environment4, EnvironmentN, Slot } from "./environment.ts";
import { hintFor } from "./hints.ts";
import { addFrame, locate } from "./trace.ts";

type Read = (environment: Environment) => Slot;

export function compileVariable(compiler: Compiler, node: VariableNode): Code {
  if (node.level < 0) return compileFree(compiler, node);
  const { source } = compiler;
  const { offset } = node;
  // The commonest places have code of their own, so that V8 can inline it.
  if (node.level === 0 && node.shape === 1)
    return (environment) => {
      const value = (environment as Environment1).v0 as Lazy;
      return value instanceof Thunk
        ? value.code === null
          ? (value.x as Value)
          : forceVariable(value, source, offset)
        : value;
    };
  if (node.level === 1 && node.shape === 1)
    return (environment) => {
      const value = (environment.up as Environment1).v0 as Lazy;
      return value instanceof Thunk
        ? value.code === null
          ? (value.x as Value)
          : forceVariable(value, source, offset)
        : value;
    };
  if (node.level === 0 && node.shape === 0) {
    const { slot } = node;
    return (environment) => {
      const value = (environment as EnvironmentN).slots[slot] as Lazy;
      return value instanceof Thunk
        ? value.code === null
          ? (value.x as Value)
          : forceVariable(value, source, offset)
        : value;
    };
  }
  const read = reader(node);
  return (environment) => {
    const value = read(environment) as Lazy;
    return value instanceof Thunk
      ? value.code === null
        ? (value.x as Value)
        : forceVariable(value, source, offset)
      : value;
  };
}

/** The variable's value as it is; a thunk of its own where the slot has not been filled in yet. */
export function delayVariable(compiler: Compiler, node: VariableNode): Delay {
  if (node.level < 0) {
    const found = compiler.context.global(symbolName(node.name));
    return found === undefined ? compiler.thunk(node) : () => found;
  }
  const read = reader(node);
  const thunk = compiler.thunk(node);
  return (environment) => {
    const value = read(environment);
    return value === undefined ? thunk(environment) : value;
  };
}

/** Reads the slot of a resolved variable. */
export function reader({ level, shape, slot }: VariableNode): Read {
  if (shape === 1) {
    if (level === 0) return (e) => (e as Environment1).v0;
    if (level === 1) return (e) => (e.up as Environment1).v0;
    if (level === 2) return (e) => (e.up.up as Environment1).v0;
    return (e) => (climb(e, level) as Environment1).v0;
  }
  if (shape === 0) {
    if (level === 0) return (e) => (e as EnvironmentN).slots[slot];
    if (level === 1) return (e) => (e.up as EnvironmentN).slots[slot];
    if (level === 2) return (e) => (e.up.up as EnvironmentN).slots[slot];
    return (e) => (climb(e, level) as EnvironmentN).slots[slot];
  }
  switch (slot) {
    case 0:
      if (level === 0) return (e) => (e as Environment4).v0;
      if (level === 1) return (e) => (e.up as Environment4).v0;
      return (e) => (climb(e, level) as Environment4).v0;
    case 1:
      if (level === 0) return (e) => (e as Environment4).v1;
      if (level === 1) return (e) => (e.up as Environment4).v1;
      return (e) => (climb(e, level) as Environment4).v1;
    case 2:
      if (level === 0) return (e) => (e as Environment4).v2;
      if (level === 1) return (e) => (e.up as Environment4).v2;
      return (e) => (climb(e, level) as Environment4).v2;
    default:
      if (level === 0) return (e) => (e as Environment4).v3;
      if (level === 1) return (e) => (e.up as Environment4).v3;
      return (e) => (climb(e, level) as Environment4).v3;
  }
}

function climb(environment: Environment, levels: number): Environment {
  let at = environment;
  for (let i = levels; i > 0; i--) at = at.up;
  return at;
}

/** Forces what a variable stands for; a thunk that is being forced already is an infinite recursion, found here. */
export function forceVariable(thunk: Thunk<unknown>, source: Source, offset: number): Value {
  if (thunk.code === blackhole) throw locate(new InfiniteRecursionError(), source, offset);
  return forceThunk(thunk);
}

/** A variable that no scope has: a global, or one of the surrounding `with`s. */
function compileFree(compiler: Compiler, node: VariableNode): Code {
  const name = symbolName(node.name);
  const found = compiler.context.global(name);
  if (found !== undefined) return () => force(found);
  const { source } = compiler;
  const id = node.name;
  const scopes = node.withs.map(({ level, node: { offset } }) => ({ level, offset }));
  const cachedKeys = new Array<KeyTable | undefined>(scopes.length).fill(undefined);
  /** -1 where the set of a `with` does not have it. */
  const cachedSlots = new Array<number>(scopes.length).fill(-1);
  return (environment) => {
    for (let i = 0; i < scopes.length; i++) {
      const set = scopeOf(environment, scopes[i]!, source);
      if (set.keys !== cachedKeys[i]) {
        cachedSlots[i] = set.keys.find(id);
        cachedKeys[i] = set.keys;
      }
      const slot = cachedSlots[i]!;
      if (slot >= 0) return force(set.values[slot]!);
    }
    const seen = new Set<string>();
    const sets = scopes.map((scope) => scopeOf(environment, scope, source));
    for (const set of sets) for (const known of set.names()) seen.add(known);
    const hint = hintFor(name, seen, sets);
    throw locate(new EvalError(`undefined variable '${name}'`, { hint }), source, node.offset);
  };
}

interface WithScope {
  readonly level: number;
  readonly offset: number;
}

/** The set of a `with`. */
function scopeOf(environment: Environment, { level, offset }: WithScope, source: Source): Attrs {
  const scope = climb(environment, level) as Environment1;
  const value = scope.v0;
  if (value instanceof Attrs) return value;
  try {
    const set = forceAttrs(value as Lazy);
    scope.v0 = set;
    return set;
  } catch (error) {
    throw addFrame(error, "while evaluating the first subexpression of a with expression", source, offset);
  }
}
