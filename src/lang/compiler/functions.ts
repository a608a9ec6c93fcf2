/** Functions: how arguments become an environment. */
import { didYouMean, nearestNames } from "../../base/index.ts";
import { EvalError, type EvalErrorOptions } from "../errors.ts";
import { typeMismatch } from "../operations/index.ts";
import { attributeName } from "../print/literals.ts";
import { type Expression, type FormalsNode, type LambdaNode, type Source, SourcePosition } from "../syntax/index.ts";
import { Attrs, type KeyTable, symbolName } from "../values/attrs.ts";
import { force, type Lazy, Thunk } from "../values/thunk.ts";
import { type Formals, Lambda, type LambdaInfo, type Value } from "../values/value.ts";
import { isCheapCall, MOST_FAILURES } from "./calls.ts";
import type { Code, Compiler, Delay } from "./compiler.ts";
import { type Environment, Environment1, Environment4, EnvironmentN, type Slot } from "./environment.ts";
import { addFrame, locate } from "./trace.ts";

/** The last error that is the fault of a call's argument, until the call takes notice. */
let faultOfArgument: unknown;

/** Whether an error is the argument's fault, not the function's; asked once for each. The call adds only where it is. */
export function takeArgumentFault(error: unknown): boolean {
  if (faultOfArgument === undefined || error !== faultOfArgument) return false;
  faultOfArgument = undefined;
  return true;
}

function blameArgument(error: unknown): unknown {
  faultOfArgument = error;
  return error;
}

type Apply = (environment: Environment, argument: Lazy) => Lazy;

export function compileLambda(compiler: Compiler, node: LambdaNode): Code {
  const info = lambdaInfo(compiler, node);
  return (environment) => new Lambda(environment, info);
}

export function lambdaInfo(compiler: Compiler, node: LambdaNode): LambdaInfo {
  const inner = node.formals === undefined ? simpleLambda(node.body) : undefined;
  const innermost = inner === undefined ? undefined : simpleLambda(inner.body);
  const info: LambdaInfo = {
    name: node.name === undefined ? undefined : symbolName(node.name),
    argument: node.argument === undefined ? undefined : symbolName(node.argument),
    formals: node.formals === undefined ? undefined : declared(compiler, node.formals),
    position: () => (compiler.source.isFile ? new SourcePosition(compiler.source, node.offset) : undefined),
    source: compiler.source,
    offset: node.offset,
    apply: notYet,
    failed: failing(compiler, node),
    apply2: undefined,
    failed2: inner && failing(compiler, inner),
    apply3: undefined,
    failed3: innermost && failing(compiler, innermost),
    direct: undefined,
    direct2: undefined,
  };
  if (node.formals === undefined) {
    taking1(compiler, node, info);
    const result = immediate(compiler, node.body, () => (info.direct = undefined));
    info.direct = result && ((environment, argument) => result(new Environment1(environment as Environment, argument)));
  } else info.apply = matching(compiler, node, node.formals) as LambdaInfo["apply"];
  if (inner !== undefined) {
    taking2(compiler, inner, info);
    const result = immediate(compiler, inner.body, () => (info.direct2 = undefined));
    info.direct2 =
      result &&
      ((environment, first, second) =>
        result(new Environment1(new Environment1(environment as Environment, first), second)));
  }
  if (innermost !== undefined) taking3(compiler, innermost, info);
  return info;
}

/**
 * Computes a body such as `x`, `x.name` or `x + 1` if it needs no evaluation: then `map` and its like need no thunk for it.
 * Nothing can fail, so nobody can tell the difference. `giveUp` is called when it hardly ever does.
 */
function immediate(
  compiler: Compiler,
  body: Expression,
  giveUp: () => void,
): ((environment: Environment) => Value | undefined) | undefined {
  if (compiler.context.exact || !mayBeImmediate(body)) return undefined;
  let delay: Delay = (environment) => (delay = compiler.delay(body))(environment);
  let failures = 0;
  return (environment) => {
    const value = delay(environment);
    if (!(value instanceof Thunk)) {
      failures = 0;
      return value;
    }
    if (value.code === null) return value.x as Value;
    if (++failures === MOST_FAILURES) giveUp();
    return undefined;
  };
}

function mayBeImmediate(node: Expression): boolean {
  switch (node.kind) {
    case "integer":
    case "float":
    case "string":
      return true;
    case "variable":
      return node.level >= 0;
    case "select":
      return node.of.kind === "variable" && node.of.level >= 0 && node.fallback === undefined;
    case "binary":
      return (node.operator === "+" || node.operator === "-") && node.overridden === undefined;
    case "call":
      return isCheapCall(node);
    default:
      return false;
  }
}

function notYet(): never {
  throw new Error("internal error: a function without code");
}

function simpleLambda(node: Expression): LambdaNode | undefined {
  return node.kind === "lambda" && node.formals === undefined ? node : undefined;
}

function failing(compiler: Compiler, node: LambdaNode): (error: unknown) => unknown {
  return (error) => {
    if (takeArgumentFault(error)) return error;
    const name = node.name === undefined ? "anonymous lambda" : `'${symbolName(node.name)}'`;
    return addFrame(error, `while calling ${name}`, compiler.source, node.offset, true);
  };
}

function declared({ source }: Compiler, { formals, ellipsis }: FormalsNode): Formals {
  return {
    names: new Map(formals.map(({ name, fallback }) => [symbolName(name), fallback !== undefined])),
    ellipsis,
    positions: source.isFile ? formals.map(({ offset }) => new SourcePosition(source, offset)) : undefined,
  };
}

/** `x: body`. */
function taking1(compiler: Compiler, { body }: LambdaNode, info: LambdaInfo): void {
  let code: Code = (environment) => (code = compiler.compile(body))(environment);
  const { generateAfter } = compiler.context;
  let calls = 0;
  info.apply = (environment, argument) => {
    if (++calls === generateAfter) return (info.apply = compiler.generateFunction(body, 1))(environment, argument);
    return code(new Environment1(environment as Environment, argument));
  };
}

/** Calls the inner function of `x: y: body`, without making a function of it first. */
function taking2(compiler: Compiler, { body }: LambdaNode, info: LambdaInfo): void {
  let code: Code = (environment) => (code = compiler.compile(body))(environment);
  const { generateAfter } = compiler.context;
  let calls = 0;
  info.apply2 = (environment, first, second) => {
    if (++calls === generateAfter)
      return (info.apply2 = compiler.generateFunction(body, 2))(environment, first, second);
    return code(new Environment1(new Environment1(environment as Environment, first), second));
  };
}

/** Calls the innermost function of `x: y: z: body`. */
function taking3(compiler: Compiler, { body }: LambdaNode, info: LambdaInfo): void {
  let code: Code = (environment) => (code = compiler.compile(body))(environment);
  const { generateAfter } = compiler.context;
  let calls = 0;
  info.apply3 = (environment, first, second, third) => {
    if (++calls === generateAfter)
      return (info.apply3 = compiler.generateFunction(body, 3))(environment, first, second, third);
    return code(new Environment1(new Environment1(new Environment1(environment as Environment, first), second), third));
  };
}

/** The set that was passed for `{ … }`. */
function attributesOf(argument: Lazy, source: Source, offset: number): Attrs {
  let value: Value;
  try {
    value = force(argument);
  } catch (error) {
    throw blameArgument(error);
  }
  if (value instanceof Attrs) return value;
  const step = "while evaluating the value passed for the lambda argument";
  throw blameArgument(addFrame(typeMismatch("a set", value), step, source, offset));
}

/** `{ a, b ? 1, ... } @ args: body`. */
function matching(compiler: Compiler, node: LambdaNode, formals: FormalsNode): Apply {
  const { source } = compiler;
  let code: Code = (environment) => (code = compiler.compile(node.body))(environment);
  const { generateAfter } = compiler.context;
  let calls = 0;
  const body: Code = (environment) => {
    if (++calls === generateAfter) code = compiler.generateCode(node.body);
    return code(environment);
  };
  const match = matcher(compiler, node, formals);
  const defaults = formals.formals.map(({ fallback }) =>
    fallback === undefined ? undefined : compiler.delay(fallback),
  );
  const size = formals.formals.length;
  const withWhole = node.argument !== undefined;
  const small = node.shape !== 0;
  return (environment, argument) => {
    const set = attributesOf(argument, source, node.offset);
    const from = match(set.keys);
    const { values } = set;
    if (small) {
      if (node.shape === 1) {
        const inner = new Environment1(environment, size === 0 ? argument : pick(values, from[0]!));
        if (inner.v0 === undefined && size === 1) inner.v0 = defaults[0]!(inner);
        return body(inner);
      }
      const inner = new Environment4(
        environment,
        size === 0 ? argument : pick(values, from[0]!),
        size === 1 ? argument : size > 1 ? pick(values, from[1]!) : undefined,
        size === 2 ? argument : size > 2 ? pick(values, from[2]!) : undefined,
        size === 3 ? argument : size > 3 ? pick(values, from[3]!) : undefined,
      );
      if (size > 0 && inner.v0 === undefined) inner.v0 = defaults[0]!(inner);
      if (size > 1 && inner.v1 === undefined) inner.v1 = defaults[1]!(inner);
      if (size > 2 && inner.v2 === undefined) inner.v2 = defaults[2]!(inner);
      if (size > 3 && inner.v3 === undefined) inner.v3 = defaults[3]!(inner);
      return body(inner);
    }
    const slots = new Array<Slot>(withWhole ? size + 1 : size);
    let missing = false;
    for (let i = 0; i < size; i++) {
      const slot = from[i]!;
      if (slot >= 0) slots[i] = values[slot];
      else {
        slots[i] = undefined;
        missing = true;
      }
    }
    if (withWhole) slots[size] = argument;
    const inner = new EnvironmentN(environment, slots);
    if (missing) for (let i = 0; i < size; i++) if (from[i]! < 0) slots[i] = defaults[i]!(inner);
    return body(inner);
  };
}

/** The attribute in a slot, if the argument has it. */
function pick(values: readonly Lazy[], slot: number): Slot {
  return slot < 0 ? undefined : values[slot];
}

/** Finds the slot of each formal in the argument, or -1 for a default; remembers the last kind of argument. */
function matcher(
  compiler: Compiler,
  node: LambdaNode,
  { formals, ellipsis }: FormalsNode,
): (keys: KeyTable) => Int32Array {
  const ids = formals.map(({ name }) => name);
  let lastKeys: KeyTable | undefined;
  let last: Int32Array = new Int32Array(0);
  const called = (): string => (node.name === undefined ? "anonymous lambda" : symbolName(node.name));
  const fail = (message: string, advice: EvalErrorOptions = {}): never => {
    throw blameArgument(locate(new EvalError(message, advice), compiler.source, node.offset));
  };
  return (keys) => {
    if (keys === lastKeys) return last;
    const from = new Int32Array(ids.length);
    let used = 0;
    for (let i = 0; i < ids.length; i++) {
      const slot = keys.find(ids[i]!);
      from[i] = slot;
      if (slot >= 0) used++;
      else if (formals[i]!.fallback === undefined)
        fail(`function '${called()}' called without required argument '${symbolName(ids[i]!)}'`);
    }
    if (!ellipsis && used !== keys.ids.length)
      for (const id of keys.ids)
        if (!ids.includes(id)) {
          const name = symbolName(id);
          const known = ids.map(symbolName);
          fail(`function '${called()}' called with unexpected argument '${attributeName(name)}'`, {
            hint: didYouMean(name, known),
            suggestions: nearestNames(name, known),
          });
        }
    lastKeys = keys;
    last = from;
    return from;
  };
}
