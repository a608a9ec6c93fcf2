/** Calls that are put off until somebody needs their result. */
import { enterCall, leaveCall } from "../call-depth.ts";
import { callFunction1, callFunction2 } from "../operations/index.ts";
import { evaluated, force, type Lazy, Thunk } from "../values/thunk.ts";
import { Lambda } from "../values/value.ts";

class Application {
  readonly fn: Lazy;
  readonly argument: Lazy;

  constructor(fn: Lazy, argument: Lazy) {
    this.fn = fn;
    this.argument = argument;
  }
}

class Application2 extends Application {
  readonly second: Lazy;

  constructor(fn: Lazy, argument: Lazy, second: Lazy) {
    super(fn, argument);
    this.second = second;
  }
}

/** These calls count as nested, like those that stand in the source. */
function run({ fn, argument }: Application): Lazy {
  const called = force(fn);
  enterCall();
  const result = callFunction1(called, argument);
  leaveCall();
  return result;
}

function run2({ fn, argument, second }: Application2): Lazy {
  const called = force(fn);
  enterCall();
  const result = callFunction2(called, argument, second);
  leaveCall();
  return result;
}

/** `fn argument`, not evaluated yet unless that takes nothing. */
export function apply(fn: Lazy, argument: Lazy): Lazy {
  const callee = evaluated(fn);
  const result = callee instanceof Lambda ? callee.info.direct?.(callee.environment, argument) : undefined;
  if (result !== undefined) return result;
  return new Thunk(run, new Application(fn, argument));
}

/** `fn first second`, not evaluated yet unless that takes nothing. */
export function apply2(fn: Lazy, first: Lazy, second: Lazy): Lazy {
  const callee = evaluated(fn);
  const result = callee instanceof Lambda ? callee.info.direct2?.(callee.environment, first, second) : undefined;
  if (result !== undefined) return result;
  return new Thunk(run2, new Application2(fn, first, second));
}
