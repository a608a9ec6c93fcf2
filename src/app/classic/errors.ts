/** Errors of classic commands on their way to the main thread. */
import { D2nError, type TraceFrame } from "../../base/index.ts";
import { errorToMessage } from "../evaluation/errors.ts";
import type { ErrorMessage } from "../evaluation/protocol.ts";

/** Of these many steps in a row, those in between that repeat say nothing new. */
const MAX_FRAMES = 50_000;

/**
 * An error as plain data. Steps that only the full trace has are left out unless it is wanted, so that an endless recursion does
 * not carry thousands of places along.
 */
export function classicErrorMessage(error: unknown, showTrace: boolean): ErrorMessage {
  if (!(error instanceof D2nError)) return errorToMessage(error);
  const trace = error.trace.filter((frame) => showTrace || frame.verbose !== true);
  const kept = trace.length > MAX_FRAMES ? trace.slice(-MAX_FRAMES) : trace;
  const plain = new D2nError(error.code, error.message, {
    hint: error.hint,
    location: error.nearby ? undefined : error.location,
    details: error.details,
    suggestions: error.suggestions,
    exitCode: error.exitCode,
    trace: showTrace ? kept : firstSteps(kept),
  });
  if (error.stack !== undefined) plain.stack = error.stack;
  return errorToMessage(plain);
}

/** Without `--show-trace`, few of the outermost steps are shown, and those that are always shown. */
function firstSteps(trace: readonly TraceFrame[]): TraceFrame[] {
  const near = Math.max(0, trace.length - 12);
  return trace.filter((frame, i) => i >= near || frame.always === true || i === 0);
}
