/** Calling whatever can be called. */
import { EvalError } from "../errors.ts";
import { showForError } from "../print/printer.ts";
import { Attrs, symbol } from "../values/attrs.ts";
import { force, type Lazy } from "../values/thunk.ts";
import { Lambda, PrimOp, type Value } from "../values/value.ts";
import { addTrace } from "./trace.ts";
import { showType } from "./types.ts";

const FUNCTOR = symbol("__functor");

/** Calls a function with one argument; the result is evaluated. */
export function callFunction1(fn: Value, argument: Lazy): Value {
  if (fn instanceof Lambda) return force(fn.apply(fn.environment, argument));
  if (fn instanceof PrimOp) {
    if (fn.arity === 1) return force(runPrimOp(fn, [argument]));
    const args = [...fn.args, argument];
    if (args.length === fn.arity) return force(runPrimOp(fn, args));
    return new PrimOp(fn.name, fn.arity, fn.run, { args, formals: fn.formals });
  }
  if (fn instanceof Attrs) {
    const functor = fn.getSymbol(FUNCTOR);
    if (functor !== undefined) {
      try {
        return callFunction(force(functor), fn, argument);
      } catch (error) {
        throw addTrace(error, "while calling a functor (an attribute set with a '__functor' attribute)");
      }
    }
  }
  throw notAFunction(fn);
}

/** Calls a function with one argument after the other, or a built-in one at once; the result is evaluated. */
export function callFunction(fn: Value, ...args: Lazy[]): Value {
  let current = fn;
  let next = 0;
  while (next < args.length) {
    if (current instanceof PrimOp && current.arity > 1) {
      const missing = current.arity - current.args.length;
      const given = args.slice(next, next + missing);
      next += given.length;
      const all = current.args.length === 0 ? given : [...current.args, ...given];
      if (all.length < current.arity)
        return new PrimOp(current.name, current.arity, current.run, { args: all, formals: current.formals });
      current = force(runPrimOp(current, all));
    } else current = callFunction1(current, args[next++]!);
  }
  return current;
}

/** Runs a built-in function that has all its arguments. */
export function runPrimOp(fn: PrimOp, args: readonly Lazy[]): Lazy {
  try {
    return fn.run(...args);
  } catch (error) {
    throw addTrace(error, `while calling the '${fn.name}' builtin`);
  }
}

export function notAFunction(value: Value): EvalError {
  return new EvalError(
    `attempt to call something which is not a function but ${showType(value)}: ${showForError(value)}`,
  );
}
