/** Calling whatever can be called. */
import { enterCall, leaveCall } from "../call-depth.ts";
import { EvalError } from "../errors.ts";
import { showForError } from "../print/printer.ts";
import { Attrs, symbol } from "../values/attrs.ts";
import { force, type Lazy } from "../values/thunk.ts";
import { Lambda, PrimOp, type Value } from "../values/value.ts";
import { addTrace, atPosition } from "./trace.ts";
import { isCallable, showType } from "./types.ts";

const FUNCTOR = symbol("__functor");

/** Calls a function with one argument; the result is evaluated. */
export function callFunction1(fn: Value, argument: Lazy): Value {
  if (fn instanceof Lambda) {
    try {
      return force(fn.info.apply(fn.environment, argument));
    } catch (error) {
      throw fn.info.failed(error);
    }
  }
  if (fn instanceof PrimOp) {
    if (fn.arity - fn.args.length > 1) return partial(fn, [argument]);
    try {
      return force(runWith(fn, argument));
    } catch (error) {
      throw leavingBuiltin(error, fn);
    }
  }
  if (fn instanceof Attrs) {
    const functor = fn.getSymbol(FUNCTOR);
    if (functor !== undefined) {
      try {
        // A functor that returns itself calls itself for ever.
        enterCall();
        const called = force(functor);
        if (!isCallable(called)) throw atPosition(notAFunction(called), fn.place("__functor"));
        const result = callFunction(called, fn, argument);
        leaveCall();
        return result;
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
      if (all.length < current.arity) return partial(current, given);
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
      throw fn.info.failed2!(error);
    }
  }
  if (fn instanceof PrimOp && fn.arity === 2 && fn.args.length === 0) return runPrimOp(fn, [first, second]);
  return callFunction(fn, first, second);
}

/** Runs a built-in function that has all its arguments; the result is evaluated. */
export function runPrimOp(fn: PrimOp, args: readonly Lazy[]): Value {
  try {
    return force(runAll(fn, args));
  } catch (error) {
    throw leavingBuiltin(error, fn);
  }
}

/** `addErrorContext` adds a step of its own, and `break` has given its argument before that is evaluated. */
export function addsNoStep({ name }: PrimOp): boolean {
  return name === "addErrorContext" || name === "break";
}

function leavingBuiltin(error: unknown, fn: PrimOp): unknown {
  return addsNoStep(fn) ? error : addTrace(error, `while calling the '${fn.name}' builtin`);
}

/** The function with more of its arguments, but not all. */
export function partial(fn: PrimOp, args: readonly Lazy[]): PrimOp {
  const all = fn.args.length === 0 ? args : [...fn.args, ...args];
  return new PrimOp(fn.name, fn.arity, fn.run, { args: all, formals: fn.formals });
}

/** Runs a built-in function given its last argument. */
export function runWith(fn: PrimOp, last: Lazy): Lazy {
  const { args } = fn;
  switch (args.length) {
    case 0:
      return fn.run(last);
    case 1:
      return fn.run(args[0]!, last);
    case 2:
      return fn.run(args[0]!, args[1]!, last);
    default:
      return fn.run(...args, last);
  }
}

/** Runs a built-in function; spreading arguments costs several times what a plain call does. */
export function runAll(fn: PrimOp, args: readonly Lazy[]): Lazy {
  switch (args.length) {
    case 1:
      return fn.run(args[0]!);
    case 2:
      return fn.run(args[0]!, args[1]!);
    case 3:
      return fn.run(args[0]!, args[1]!, args[2]!);
    default:
      return fn.run(...args);
  }
}

export function notAFunction(value: Value): EvalError {
  return new EvalError(
    `attempt to call something which is not a function but ${showType(value)}: ${showForError(value)}`,
  );
}
