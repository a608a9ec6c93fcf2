/** Places and steps that errors collect on their way out. Nothing here runs while all goes well. */
import { D2nError, type SourceLocation, type TraceFrame } from "../../base/index.ts";
import { asEvalError, EvalError, readable } from "../errors.ts";
import { type Expression, type Source, SourcePosition } from "../syntax/index.ts";
import type { LazyPosition } from "../values/attrs.ts";

/** A step with its place, worked out when shown. */
export class SourceFrame implements TraceFrame {
  readonly message: string;
  readonly #source: Source;
  readonly #offset: number;
  /** Shown only when the whole trace is asked for. */
  readonly verbose: boolean;

  constructor(message: string, source: Source, offset: number, verbose = false) {
    this.message = message;
    this.#source = source;
    this.#offset = offset;
    this.verbose = verbose;
  }

  get location(): SourceLocation | undefined {
    return this.#offset < 0 ? undefined : this.#source.location(this.#offset);
  }
}

/** Says where an error is unless something nearer has said so. Returns what is to be thrown. */
export function locate(thrown: unknown, source: Source, offset: number): unknown {
  const error = asEvalError(thrown);
  if (error instanceof D2nError && error.location === undefined && offset >= 0)
    error.location = source.location(offset);
  return error;
}

/** The same where the error merely came out of what is there: a message can show the place, but it is not what is wrong. */
export function locateNear(thrown: unknown, source: Source, offset: number): unknown {
  const error = asEvalError(thrown);
  if (error instanceof D2nError && error.location === undefined && offset >= 0) {
    error.location = source.location(offset);
    error.nearby = true;
  }
  return error;
}

/** What is wrong for errors that say so, near to it for all others. */
function locateStep(error: unknown, source: Source, offset: number): unknown {
  return error instanceof EvalError && error.wantsPlace
    ? locate(error, source, offset)
    : locateNear(error, source, offset);
}

/**
 * The same for an operation that adds steps of its own without knowing where it is: those that have no place get this one.
 */
export function locateSteps(thrown: unknown, source: Source, offset: number): unknown {
  const error = locateStep(thrown, source, offset);
  if (error instanceof D2nError && !Object.isFrozen(error.trace)) {
    const trace = error.trace as TraceFrame[];
    for (let i = trace.length - 1; i >= 0 && trace[i]!.location === undefined && trace[i]!.always !== true; i--)
      trace[i] = new SourceFrame(trace[i]!.message, source, offset);
  }
  return error;
}

/** Adds a step. Returns what is to be thrown. */
export function addFrame(thrown: unknown, message: string, source: Source, offset: number, verbose = false): unknown {
  const error = locateStep(thrown, source, offset);
  if (error instanceof D2nError) push(error, new SourceFrame(readable(message), source, offset, verbose));
  return error;
}

/** Adds the call of a builtin, which does not know where it is called from. */
export function addBuiltinFrame(thrown: unknown, name: string, source: Source, offset: number): unknown {
  return addFrame(locateNear(thrown, source, offset), `while calling the '${name}' builtin`, source, offset);
}

/** Adds "while evaluating the attribute …" at the attribute's definition, if that is known. */
export function addAttributeFrame(thrown: unknown, name: string, position: LazyPosition): unknown {
  const error = asEvalError(thrown);
  if (position instanceof SourcePosition && error instanceof D2nError)
    push(
      error,
      new SourceFrame(readable(`while evaluating the attribute '${name}'`), position.source, position.offset),
    );
  return error;
}

function push(error: D2nError, frame: TraceFrame): void {
  if (Object.isFrozen(error.trace)) error.trace = [...error.trace, frame];
  else (error.trace as TraceFrame[]).push(frame);
}

/** Where Nix's messages say that an operand is: it does not know of literals. */
export function offsetInMessages(node: Expression): number {
  switch (node.kind) {
    case "integer":
    case "float":
    case "string":
    case "path":
    case "let":
      return -1;
    case "not":
      return offsetInMessages(node.operand);
    case "has":
      return offsetInMessages(node.of);
    case "list":
      return node.elements[0] === undefined ? -1 : offsetInMessages(node.elements[0]);
    default:
      return node.offset;
  }
}
