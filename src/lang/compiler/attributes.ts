/** Attribute sets and what binds names likewise: `{ }`, `rec { }`, `let`. */
import { EvalError } from "../errors.ts";
import { forceAttrs, forceStringNoContext } from "../operations/index.ts";
import { type AttrsNode, type Binding, type LetNode, type Source, SourcePosition } from "../syntax/index.ts";
import { Attrs, KeyTable, type LazyPosition, type Symbol, symbol, symbolName } from "../values/attrs.ts";
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
function tableOf(compiler: Compiler, node: AttrsNode): { keys: KeyTable; bindings: Binding[] } {
  const ids = [...node.statics.keys()].sort((a, b) => a - b);
  const bindings = ids.map((id) => node.statics.get(id)!);
  const positions = bindings.map(({ offset }) => new SourcePosition(compiler.source, offset));
  return { keys: new KeyTable(ids, positions), bindings };
}

export function compileAttrs(compiler: Compiler, node: AttrsNode): Code {
  if (node.statics.size === 0 && node.dynamics.length === 0) return () => Attrs.empty;
  const make = node.recursive ? compileRecursive(compiler, node) : compilePlain(compiler, node);
  if (node.dynamics.length === 0) return (environment) => make(environment).set;
  const extend = compileDynamics(compiler, node);
  return (environment) => {
    const { set, inner } = make(environment);
    return extend(set, inner);
  };
}

type Make = (environment: Environment) => { readonly set: Attrs; readonly inner: Environment };

function compilePlain(compiler: Compiler, node: AttrsNode): Make {
  const { keys, bindings } = tableOf(compiler, node);
  const size = bindings.length;
  if (bindings.every(({ value }) => value !== undefined)) {
    const delays = bindings.map(({ value }) => compiler.delay(value!));
    return (environment) => {
      const values = new Array<Lazy>(size);
      for (let i = 0; i < size; i++) values[i] = delays[i]!(environment);
      return { set: new Attrs(keys, values), inner: environment };
    };
  }
  const definitions = keys.ids.map((id, i) => compileBinding(compiler, id, bindings[i]!));
  const sourcesOf = compileSources(compiler, node);
  return (environment) => {
    const sources = sourcesOf(environment);
    const values = new Array<Lazy>(size);
    for (let i = 0; i < size; i++) values[i] = valueOf(definitions[i]!, environment, environment, sources);
    return { set: new Attrs(keys, values), inner: environment };
  };
}

/** The slots of the environment are the values of the set, one array. */
function compileRecursive(compiler: Compiler, node: AttrsNode): Make {
  const { keys, bindings } = tableOf(compiler, node);
  const overrides = keys.find(OVERRIDES);
  const definitions = keys.ids.map((id, i) => compileBinding(compiler, id, bindings[i]!, overrides >= 0));
  const sourcesOf = compileSources(compiler, node);
  const size = definitions.length;
  return (environment) => {
    const slots = new Array<Slot>(size).fill(undefined);
    const inner = new EnvironmentN(environment, slots);
    const sources = sourcesOf(inner);
    for (let i = 0; i < size; i++) slots[i] = valueOf(definitions[i]!, inner, environment, sources);
    let set = new Attrs(keys, slots as Lazy[]);
    if (overrides >= 0) set = override(compiler, set, slots, overrides);
    return { set, inner };
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
    entries.set(id, { value: slots[slot] as Lazy, position: set.keys.positions?.[slot] });
  });
  replacing.keys.ids.forEach((id, slot) => {
    const value = replacing.values[slot]!;
    entries.set(id, { value, position: replacing.keys.positions?.[slot] });
    const replaced = set.keys.find(id);
    if (replaced >= 0) slots[replaced] = value;
  });
  return fromEntries(entries);
}

function fromEntries(entries: ReadonlyMap<Symbol, { readonly value: Lazy; readonly position: LazyPosition }>): Attrs {
  const ids = [...entries.keys()].sort((a, b) => a - b);
  const sorted = ids.map((id) => entries.get(id)!);
  return new Attrs(
    new KeyTable(
      ids,
      sorted.map(({ position }) => position),
    ),
    sorted.map(({ value }) => value),
  );
}

/** `${name} = value;`: names are computed with the set, values later. A name that is null leaves the attribute out. */
function compileDynamics(compiler: Compiler, node: AttrsNode): (set: Attrs, inner: Environment) => Attrs {
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
      entries.set(id, { value: set.values[slot]!, position: set.keys.positions?.[slot] });
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
    return fromEntries(entries);
  };
}

function alreadyDefined(id: Symbol, before: LazyPosition, source: Source, offset: number): unknown {
  const position = typeof before === "function" ? before() : before;
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
