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
  if (fn instanceof Lambda) {
    try {
      return force(fn.apply(fn.environment, argument));
    } catch (error) {
      throw fn.info.failed === undefined ? error : fn.info.failed(error);
    }
  }
  if (fn instanceof PrimOp) {
    if (fn.arity === 1) return runPrimOp(fn, [argument]);
    const args = [...fn.args, argument];
    if (args.length === fn.arity) return runPrimOp(fn, args);
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
      current = runPrimOp(current, all);
    } else current = callFunction1(current, args[next++]!);
  }
  return current;
}

/** Calls a function with two arguments, at once if it takes both: what `foldl'` and its like do. */
export function callFunction2(fn: Value, first: Lazy, second: Lazy): Value {
  if (fn instanceof Lambda && fn.info.apply2 !== undefined) {
    try {
      return force(fn.info.apply2(fn.environment, first, second));
    } catch (error) {
      throw fn.info.failed2 === undefined ? error : fn.info.failed2(error);
    }
  }
  if (fn instanceof PrimOp && fn.arity === 2 && fn.args.length === 0) return runPrimOp(fn, [first, second]);
  return callFunction(fn, first, second);
}

/** Runs a built-in function that has all its arguments; the result is evaluated. */
export function runPrimOp(fn: PrimOp, args: readonly Lazy[]): Value {
  try {
    return force(fn.run(...args));
  } catch (error) {
    // This one adds a step of its own.
    throw fn.name === "addErrorContext" ? error : addTrace(error, `while calling the '${fn.name}' builtin`);
  }
}

export function notAFunction(value: Value): EvalError {
  return new EvalError(
    `attempt to call something which is not a function but ${showType(value)}: ${showForError(value)}`,
  );
}
