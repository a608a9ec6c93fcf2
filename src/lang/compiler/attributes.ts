/** Attribute sets and what binds names likewise: `{ }`, `rec { }`, `let`. */
import { EvalError } from "../errors.ts";
import { forceAttrs, forceStringNoContext } from "../operations/index.ts";
import {
  type AttrsNode,
  type Binding,
  type LetNode,
  type Source,
  SourcePosition,
  SourcePositions,
} from "../syntax/index.ts";
import {
  Attrs,
  KeyTable,
  type LazyPosition,
  type Positions,
  positionOf,
  type Symbol,
  symbol,
  symbolName,
} from "../values/attrs.ts";
import { type Lazy, Thunk } from "../values/thunk.ts";
import type { Code, Compiler, Delay } from "./compiler.ts";
import { type Environment, Environment1, Environment4, EnvironmentN, type Slot } from "./environment.ts";
import { selectFrom } from "./select.ts";
import { addFrame, locate, locateSteps } from "./trace.ts";

const OVERRIDES = symbol("__overrides");

/** How one attribute gets its value: from the inner or outer environment, or from one of the `inherit (…)` sources. */
interface Definition {
  readonly delay: Delay | undefined;
  readonly outer: boolean;
  readonly source: number;
  readonly select: ((from: Lazy) => Lazy) | undefined;
}

function compileBinding(compiler: Compiler, name: Symbol, binding: Binding, overridable = false): Definition {
  const { value, source, inherited, offset } = binding;
  if (value === undefined)
    return { delay: undefined, outer: false, source, select: selectFrom(name, compiler.source, offset) };
  // What other attributes refer to may still change under `__overrides`: only a thunk sees that.
  const delay = overridable && !inherited ? compiler.thunk(value) : compiler.delay(value);
  return { delay, outer: inherited, source: -1, select: undefined };
}

function valueOf(definition: Definition, inner: Environment, outer: Environment, sources: readonly Lazy[]): Lazy {
  const { delay, select } = definition;
  if (select !== undefined) return new Thunk(select, sources[definition.source]!);
  return delay!(definition.outer ? outer : inner);
}

const none: readonly Lazy[] = [];

function compileSources(compiler: Compiler, node: AttrsNode): (inner: Environment) => readonly Lazy[] {
  if (node.sources.length === 0) return () => none;
  const delays = node.sources.map((source) => compiler.delay(source));
  return (inner) => delays.map((delay) => delay(inner));
}

/** The static names in the order of symbols, with where they are defined. */
export function tableOf(
  compiler: Compiler,
  node: AttrsNode,
): { keys: KeyTable; bindings: readonly Binding[]; positions: Positions } {
  const ids = [...node.statics.keys()].sort((a, b) => a - b);
  const bindings = ids.map((id) => node.statics.get(id)!);
  const positions = new SourcePositions(
    compiler.source,
    bindings.map(({ offset }) => offset),
  );
  return { keys: KeyTable.of(ids), bindings, positions };
}

export function compileAttrs(compiler: Compiler, node: AttrsNode): Code {
  if (node.statics.size === 0 && node.dynamics.length === 0) return () => Attrs.empty;
  const extend = node.dynamics.length === 0 ? undefined : compileDynamics(compiler, node);
  if (node.recursive) return compileRecursive(compiler, node, extend);
  const make = compilePlain(compiler, node);
  return extend === undefined ? make : (environment) => extend(make(environment), environment);
}

function compilePlain(compiler: Compiler, node: AttrsNode): (environment: Environment) => Attrs {
  const { keys, bindings, positions } = tableOf(compiler, node);
  const size = bindings.length;
  if (bindings.every(({ value }) => value !== undefined)) {
    const delays = bindings.map(({ value }) => compiler.delay(value!));
    return (environment) => {
      const values = new Array<Lazy>(size);
      for (let i = 0; i < size; i++) values[i] = delays[i]!(environment);
      return new Attrs(keys, values, positions);
    };
  }
  const definitions = keys.ids.map((id, i) => compileBinding(compiler, id, bindings[i]!));
  const sourcesOf = compileSources(compiler, node);
  return (environment) => {
    const sources = sourcesOf(environment);
    const values = new Array<Lazy>(size);
    for (let i = 0; i < size; i++) values[i] = valueOf(definitions[i]!, environment, environment, sources);
    return new Attrs(keys, values, positions);
  };
}

/** The slots of the environment are the values of the set, one array. */
function compileRecursive(compiler: Compiler, node: AttrsNode, extend: Extend | undefined): Code {
  const { keys, bindings, positions } = tableOf(compiler, node);
  const overrides = keys.find(OVERRIDES);
  const definitions = keys.ids.map((id, i) => compileBinding(compiler, id, bindings[i]!, overrides >= 0));
  const sourcesOf = compileSources(compiler, node);
  const size = definitions.length;
  return (environment) => {
    const slots = new Array<Slot>(size).fill(undefined);
    const inner = new EnvironmentN(environment, slots);
    const sources = sourcesOf(inner);
    for (let i = 0; i < size; i++) slots[i] = valueOf(definitions[i]!, inner, environment, sources);
    let set = new Attrs(keys, slots as Lazy[], positions);
    if (overrides >= 0) set = override(compiler, set, slots, overrides);
    return extend === undefined ? set : extend(set, inner);
  };
}

/** `rec { __overrides = { … }; … }`: replaces attributes also for those that refer to them. */
function override(compiler: Compiler, set: Attrs, slots: Slot[], at: number): Attrs {
  let replacing: Attrs;
  try {
    replacing = forceAttrs(slots[at] as Lazy);
  } catch (error) {
    throw addFrame(error, "while evaluating the `__overrides` attribute", compiler.source, -1);
  }
  const entries = new Map<Symbol, { value: Lazy; position: LazyPosition }>();
  set.keys.ids.forEach((id, slot) => {
    entries.set(id, { value: slots[slot] as Lazy, position: set.positionAt(slot) });
  });
  replacing.keys.ids.forEach((id, slot) => {
    const value = replacing.values[slot]!;
    entries.set(id, { value, position: replacing.positionAt(slot) });
    const replaced = set.keys.find(id);
    if (replaced >= 0) slots[replaced] = value;
  });
  return Attrs.fromSymbols(entries);
}

/** Adds the dynamic attributes to a set, given the environment that they stand in. */
type Extend = (set: Attrs, environment: Environment) => Attrs;

/** `${name} = value;`: names are computed with the set, values later. A name that is null leaves the attribute out. */
function compileDynamics(compiler: Compiler, node: AttrsNode): Extend {
  const { source } = compiler;
  const dynamics = node.dynamics.map(({ name, value, offset }) => ({
    name: compiler.compile(name),
    delay: compiler.delay(value),
    offset,
    position: new SourcePosition(source, offset),
  }));
  return (set, inner) => {
    const entries = new Map<Symbol, { value: Lazy; position: LazyPosition }>();
    set.keys.ids.forEach((id, slot) => {
      entries.set(id, { value: set.values[slot]!, position: set.positionAt(slot) });
    });
    for (const { name, delay, offset, position } of dynamics) {
      const value = name(inner);
      if (value === null) continue;
      let id: Symbol;
      try {
        id = symbol(forceStringNoContext(value, "while evaluating the name of a dynamic attribute"));
      } catch (error) {
        throw locateSteps(error, source, offset);
      }
      const before = entries.get(id);
      if (before !== undefined) throw alreadyDefined(id, before.position, source, offset);
      entries.set(id, { value: delay(inner), position });
    }
    return Attrs.fromSymbols(entries);
  };
}

function alreadyDefined(id: Symbol, before: LazyPosition, source: Source, offset: number): unknown {
  const position = positionOf(before);
  const where = position === undefined ? "" : ` at ${position.file}:${position.line}:${position.column}`;
  return locate(new EvalError(`dynamic attribute '${symbolName(id)}' already defined${where}`), source, offset);
}

export function compileLet(compiler: Compiler, node: LetNode): Code {
  const body = compiler.compile(node.body);
  const definitions: Definition[] = [];
  for (const [name, binding] of node.bindings.statics)
    definitions[binding.slot] = compileBinding(compiler, name, binding);
  const sourcesOf = compileSources(compiler, node.bindings);
  const size = definitions.length;
  if (node.shape === 1) {
    const only = definitions[0];
    return (environment) => {
      const inner = new Environment1(environment, undefined);
      if (only !== undefined) inner.v0 = valueOf(only, inner, environment, sourcesOf(inner));
      return body(inner);
    };
  }
  if (node.shape === 4)
    return (environment) => {
      const inner = new Environment4(environment, undefined, undefined, undefined, undefined);
      const sources = sourcesOf(inner);
      inner.v0 = valueOf(definitions[0]!, inner, environment, sources);
      inner.v1 = valueOf(definitions[1]!, inner, environment, sources);
      if (size > 2) inner.v2 = valueOf(definitions[2]!, inner, environment, sources);
      if (size > 3) inner.v3 = valueOf(definitions[3]!, inner, environment, sources);
      return body(inner);
    };
  return (environment) => {
    const slots = new Array<Slot>(size).fill(undefined);
    const inner = new EnvironmentN(environment, slots);
    const sources = sourcesOf(inner);
    for (let i = 0; i < size; i++) slots[i] = valueOf(definitions[i]!, inner, environment, sources);
    return body(inner);
  };
}
