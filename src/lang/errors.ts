import { D2nError, type D2nErrorOptions } from "../base/index.ts";

/** Evaluation failed. `addErrorContext` and the evaluator add trace frames on the way out. */
export class EvalError extends D2nError {
  override readonly name: string = "EvalError";

  constructor(message: string, options: D2nErrorOptions = {}) {
    super("evaluation", message, options);
  }
}

/** `throw`, and what behaves like it: `builtins.tryEval` catches it. */
export class ThrownError extends EvalError {
  override readonly name: string = "ThrownError";
}

/** A failed `assert`: `builtins.tryEval` catches it. */
export class AssertionError extends ThrownError {
  override readonly name = "AssertionError";
}

/** `abort`: nothing catches it. */
export class AbortError extends EvalError {
  override readonly name = "AbortError";
}

export class InfiniteRecursionError extends EvalError {
  override readonly name = "InfiniteRecursionError";

  constructor() {
    super("infinite recursion encountered");
  }
}
