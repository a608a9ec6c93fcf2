/**
 * How deeply calls nest. There is one JavaScript stack per thread, so there is one counter.
 *
 * Who counts up needs no `finally`: whoever catches an error and goes on (`tryEval`, the evaluator's entries, each call that
 * adds its trace frame) puts the counter back to what it was.
 */
import { StackOverflowError } from "./errors.ts";

export const callDepth = { current: 0, limit: 10_000 };

/** Counts one call more; `leaveCall` counts it back. @throws StackOverflowError past the limit */
export function enterCall(): void {
  if (callDepth.current++ > callDepth.limit) throw new StackOverflowError();
}

export function leaveCall(): void {
  callDepth.current--;
}
