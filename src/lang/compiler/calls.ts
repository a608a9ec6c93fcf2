/** Calls: the commonest numbers of arguments have code of their own. */
import { callDepth } from "../call-depth.ts";
import { StackOverflowError } from "../errors.ts";
import { callFunction, notAFunction } from "../operations/index.ts";
import { type CallNode, type Source, SourcePosition } from "../syntax/index.ts";
import { Attrs, symbol } from "../values/attrs.ts";
import { force, type Lazy, Thunk } from "../values/thunk.ts";
import { Lambda, PrimOp, type Value } from "../values/value.ts";
import type { Code, Compiler } from "./compiler.ts";
import { takeArgumentFault } from "./functions.ts";
import { addBuiltinFrame, addFrame, locate, locateNear } from "./trace.ts";

const FUNCTOR = symbol("__functor");

export function compileCall(compiler: Compiler, node: CallNode): Code {
  const { source } = compiler;
  const { offset } = node;
  const fn = compiler.compile(node.fn);
  const args = node.args.map((argument) => compiler.delay(argument));
  if (args.length === 1) {
    const first = args[0]!;
    return (environment) => {
      const callee = fn(environment);
      const argument = first(environment);
      if (!(callee instanceof Lambda)) return callOther(callee, [argument], source, offset);
      const depth = callDepth.current;
      if (depth > callDepth.limit) throw locate(new StackOverflowError(), source, offset);
      callDepth.current = depth + 1;
      try {
        const result = callee.apply(callee.environment, argument);
        callDepth.current = depth;
        return result instanceof Thunk ? force(result) : result;
      } catch (error) {
        callDepth.current = depth;
        throw leaving(error, callee, source, offset);
      }
    };
  }
  if (args.length === 2) {
    const first = args[0]!;
    const second = args[1]!;
    return (environment) => {
      const callee = fn(environment);
      if (!(callee instanceof Lambda) || callee.info.apply2 === undefined)
        return callOther(callee, [first(environment), second(environment)], source, offset);
      const a = first(environment);
      const b = second(environment);
      const depth = callDepth.current;
      if (depth > callDepth.limit) throw locate(new StackOverflowError(), source, offset);
      callDepth.current = depth + 1;
      try {
        const result = callee.info.apply2(callee.environment, a, b);
        callDepth.current = depth;
        return result instanceof Thunk ? force(result) : result;
      } catch (error) {
        callDepth.current = depth;
        throw addFrame(callee.info.failed2!(error), "from call site", source, offset, true);
      }
    };
  }
  return (environment) => {
    const callee = fn(environment);
    const given = new Array<Lazy>(args.length);
    for (let i = 0; i < args.length; i++) given[i] = args[i]!(environment);
    return callOther(callee, given, source, offset);
  };
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
      if (current instanceof Lambda) current = force(current.apply(current.environment, args[next++]!));
      else if (current instanceof PrimOp) {
        const missing = current.arity - current.args.length;
        const all =
          current.args.length === 0
            ? next === 0 && args.length === missing
              ? args
              : args.slice(next, next + missing)
            : [...current.args, ...args.slice(next, next + missing)];
        next += missing;
        if (all.length < current.arity) {
          callDepth.current = depth;
          return new PrimOp(current.name, current.arity, current.run, { args: all, formals: current.formals });
        }
        const result: Lazy = current.run(...all);
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
  const position = set.keys.positions?.[slot];
  try {
    return callFunction(force(set.values[slot]!), set, argument);
  } catch (error) {
    throw position instanceof SourcePosition ? locate(error, position.source, position.offset) : error;
  }
}

/** Adds what was called, and from where, to an error. */
function leaving(error: unknown, callee: Value, source: Source, offset: number): unknown {
  if (callee instanceof Lambda) {
    if (takeArgumentFault(error)) return addFrame(error, "from call site", source, offset);
    callee.info.failed?.(error);
    return addFrame(error, "from call site", source, offset, true);
  }
  if (callee instanceof PrimOp)
    return callee.name === "addErrorContext"
      ? locateNear(error, source, offset)
      : addBuiltinFrame(error, callee.name, source, offset);
  if (callee instanceof Attrs && callee.has("__functor"))
    return addFrame(error, "while calling a functor (an attribute set with a '__functor' attribute)", source, offset);
  return locate(error, source, offset);
}
