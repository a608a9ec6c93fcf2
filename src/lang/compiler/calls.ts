/** Calls: the commonest numbers of arguments have code of their own. */
import { callDepth } from "../call-depth.ts";
import { StackOverflowError } from "../errors.ts";
import { addsNoStep, callFunction, notAFunction, partial, runAll, runWith } from "../operations/index.ts";
import { type CallNode, type Source, SourcePosition, type VariableNode } from "../syntax/index.ts";
import { Attrs, symbol } from "../values/attrs.ts";
import { evaluated, force, type Lazy, Thunk } from "../values/thunk.ts";
import { Lambda, PrimOp, type Value } from "../values/value.ts";
import type { Code, Compiler, Delay } from "./compiler.ts";
import type { Slot } from "./environment.ts";
import { takeArgumentFault } from "./functions.ts";
import { addBuiltinFrame, addFrame, locate, locateNear } from "./trace.ts";
import { delayVariable, reader } from "./variables.ts";

const FUNCTOR = symbol("__functor");

export function compileCall(compiler: Compiler, node: CallNode): Code {
  const { source } = compiler;
  const { offset } = node;
  const fn = compiler.compile(node.fn);
  const args = node.args.map((argument) => compiler.delay(argument));
  const [first, second, third] = args as [Delay, Delay, Delay];
  switch (args.length) {
    case 1:
      return (environment) => call1(fn(environment), first(environment), source, offset);
    case 2:
      return (environment) => call2(fn(environment), first(environment), second(environment), source, offset);
    case 3:
      return (environment) =>
        call3(fn(environment), first(environment), second(environment), third(environment), source, offset);
    default:
      return (environment) => {
        const callee = fn(environment);
        const given = new Array<Lazy>(args.length);
        for (let i = 0; i < args.length; i++) given[i] = args[i]!(environment);
        return callOther(callee, given, source, offset);
      };
  }
}

/**
 * `head list` and its like need no thunk where function and argument have been evaluated already; see `builtins/immediate.ts`.
 */
export function cheapCall(compiler: Compiler, node: CallNode): Delay | undefined {
  if (!isCheapCall(node)) return undefined;
  const {
    fn,
    args: [argument],
  } = node;
  const thunk = compiler.thunk(node);
  let runs = 0;
  let failures = 0;
  let callee: Delay | undefined;
  let read: ReturnType<typeof reader> | undefined;
  return (environment) => {
    // Most code runs a few times.
    if (failures === MOST_FAILURES || ++runs < FEW) return thunk(environment);
    callee ??= delayVariable(compiler, fn);
    read ??= reader(argument);
    const result = immediateCall(callee(environment), read(environment));
    if (result === undefined) {
      failures++;
      return thunk(environment);
    }
    failures = 0;
    return result;
  };
}

/** Runs without trying. */
const FEW = 4;

/** So often in a row may a call have needed a thunk before nobody tries any more: most functions are not of this kind. */
export const MOST_FAILURES = 8;

/** A variable called with another one. */
interface CheapCallNode extends CallNode {
  readonly fn: VariableNode;
  readonly args: [VariableNode];
}

export function isCheapCall(node: CallNode): node is CheapCallNode {
  const [argument] = node.args;
  return node.fn.kind === "variable" && node.args.length === 1 && argument?.kind === "variable" && argument.level >= 0;
}

/** The result of a call if it takes next to nothing. */
export function immediateCall(fn: Slot, argument: Slot): Lazy | undefined {
  const callee = evaluated(fn);
  if (!(callee instanceof PrimOp) || callee.immediate === undefined) return undefined;
  const value = evaluated(argument);
  return value === undefined ? undefined : callee.immediate(value);
}

/** Calls whatever it is with one argument. */
export function call1(callee: Value, a: Lazy, source: Source, offset: number): Value {
  const isLambda = callee instanceof Lambda;
  if (!isLambda && !(callee instanceof PrimOp && callee.arity === callee.args.length + 1))
    return callOther(callee, [a], source, offset);
  const depth = callDepth.current;
  if (depth > callDepth.limit) throw locate(new StackOverflowError(), source, offset);
  callDepth.current = depth + 1;
  try {
    const result = isLambda ? callee.info.apply(callee.environment, a) : runWith(callee, a);
    callDepth.current = depth;
    return result instanceof Thunk ? force(result) : result;
  } catch (error) {
    callDepth.current = depth;
    throw leaving(error, callee, source, offset);
  }
}

/** … with two, at once if it takes them so. */
export function call2(callee: Value, a: Lazy, b: Lazy, source: Source, offset: number): Value {
  const isLambda = callee instanceof Lambda;
  if (isLambda ? callee.info.apply2 === undefined : !takes(callee, 2)) return callOther(callee, [a, b], source, offset);
  const depth = callDepth.current;
  if (depth > callDepth.limit) throw locate(new StackOverflowError(), source, offset);
  callDepth.current = depth + 1;
  try {
    const result = isLambda ? callee.info.apply2!(callee.environment, a, b) : (callee as PrimOp).run(a, b);
    callDepth.current = depth;
    return result instanceof Thunk ? force(result) : result;
  } catch (error) {
    callDepth.current = depth;
    throw isLambda
      ? addFrame(callee.info.failed2!(error), "from call site", source, offset, true)
      : leaving(error, callee, source, offset);
  }
}

/** … with three. */
export function call3(callee: Value, a: Lazy, b: Lazy, c: Lazy, source: Source, offset: number): Value {
  const isLambda = callee instanceof Lambda;
  if (isLambda ? callee.info.apply3 === undefined : !takes(callee, 3))
    return callOther(callee, [a, b, c], source, offset);
  const depth = callDepth.current;
  if (depth > callDepth.limit) throw locate(new StackOverflowError(), source, offset);
  callDepth.current = depth + 1;
  try {
    const result = isLambda ? callee.info.apply3!(callee.environment, a, b, c) : (callee as PrimOp).run(a, b, c);
    callDepth.current = depth;
    return result instanceof Thunk ? force(result) : result;
  } catch (error) {
    callDepth.current = depth;
    throw isLambda
      ? addFrame(callee.info.failed3!(error), "from call site", source, offset, true)
      : leaving(error, callee, source, offset);
  }
}

/** Whether it is a builtin that has been given nothing yet and wants so many arguments. */
function takes(callee: Value, count: number): boolean {
  return callee instanceof PrimOp && callee.arity === count && callee.args.length === 0;
}

/** Calls whatever it is with any number of arguments. */
function callOther(fn: Value, args: readonly Lazy[], source: Source, offset: number): Value {
  const depth = callDepth.current;
  if (depth > callDepth.limit) throw locate(new StackOverflowError(), source, offset);
  callDepth.current = depth + 1;
  let current = fn;
  let next = 0;
  while (next < args.length) {
    try {
      if (current instanceof Lambda) current = force(current.info.apply(current.environment, args[next++]!));
      else if (current instanceof PrimOp) {
        const missing = current.arity - current.args.length;
        const given = next === 0 && args.length === missing ? args : args.slice(next, next + missing);
        next += missing;
        if (given.length < missing) {
          callDepth.current = depth;
          return partial(current, given);
        }
        const result = runAll(current, current.args.length === 0 ? given : [...current.args, ...given]);
        current = result instanceof Thunk ? force(result) : result;
      } else if (current instanceof Attrs && current.has("__functor")) {
        current = callFunctor(current, args[next++]!);
      } else throw notAFunction(current);
    } catch (error) {
      callDepth.current = depth;
      throw leaving(error, current, source, offset);
    }
  }
  callDepth.current = depth;
  return current;
}

/** `__functor` gets the set itself and the argument; the call is where the attribute is. */
function callFunctor(set: Attrs, argument: Lazy): Value {
  const slot = set.keys.find(FUNCTOR);
  const position = set.positionAt(slot);
  const functor = force(set.values[slot]!);
  if (position instanceof SourcePosition) return callOther(functor, [set, argument], position.source, position.offset);
  return callFunction(functor, set, argument);
}

/** Adds what was called, and from where, to an error. */
export function leaving(error: unknown, callee: Value, source: Source, offset: number): unknown {
  if (callee instanceof Lambda) {
    if (takeArgumentFault(error)) return addFrame(error, "from call site", source, offset);
    callee.info.failed?.(error);
    return addFrame(error, "from call site", source, offset, true);
  }
  if (callee instanceof PrimOp)
    return addsNoStep(callee) ? locateNear(error, source, offset) : addBuiltinFrame(error, callee.name, source, offset);
  if (callee instanceof Attrs && callee.has("__functor"))
    return addFrame(error, "while calling a functor (an attribute set with a '__functor' attribute)", source, offset);
  return locate(error, source, offset);
}
