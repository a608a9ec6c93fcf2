import { D2nError, escapeBytes, type D2nErrorOptions, type ErrorCode } from "../base/index.ts";

export interface EvalErrorOptions extends D2nErrorOptions {
  /** A code of its own for messages that users search for; "evaluation" unless set. */
  readonly code?: ErrorCode | undefined;
  /** Whichever operator or construct of the source the error comes out of first is what is wrong, not merely near it. */
  readonly wantsPlace?: boolean | undefined;
}

/** Evaluation failed. `addErrorContext` and the evaluator add trace frames on the way out. */
export class EvalError extends D2nError {
  override readonly name: string = "EvalError";
  readonly wantsPlace: boolean;

  constructor(message: string, options: EvalErrorOptions = {}) {
    const { hint, suggestions } = options;
    super(options.code ?? "evaluation", readable(message), {
      ...options,
      ...(hint === undefined ? {} : { hint: readable(hint) }),
      ...(suggestions === undefined ? {} : { suggestions: suggestions.map(readable) }),
    });
    this.wantsPlace = options.wantsPlace === true;
  }
}

/**
 * A message for people: what it quotes of Nix strings, which are bytes, becomes text where it is UTF-8. (A character above
 * U+00FF is text already.)
 */
export function readable(message: string): string {
  if (!/[\x80-\xff]/.test(message)) return message;
  return message.replace(/[\x80-\xff]+/g, (bytes) => {
    const text = Buffer.from(bytes, "latin1").toString("utf8");
    return text.includes("\ufffd") ? escapeBytes(bytes).replace(/[\udcab\udcbb]/g, asText) : text;
  });
}

/** Guillemets of our own, which are text, stand beside bytes. */
function asText(escaped: string): string {
  return escaped === "\udcab" ? "«" : "»";
}

/** `throw`, and what behaves like it: `builtins.tryEval` catches it. */
export class ThrownError extends EvalError {
  override readonly name: string = "ThrownError";
}

/** A failed `assert`: `builtins.tryEval` catches it. */
export class AssertionError extends ThrownError {
  override readonly name = "AssertionError";
}

/** Pure or restricted evaluation may not look there. */
export class RestrictedPathError extends EvalError {
  override readonly name = "RestrictedPathError";
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

/** Calls nest too deeply, for the limit that was set or for the JavaScript stack. */
export class StackOverflowError extends EvalError {
  override readonly name = "StackOverflowError";

  constructor() {
    super("stack overflow; max-call-depth exceeded", {
      hint: "An endless recursion is the usual reason; look at the functions in the trace.",
    });
  }
}

/** What is to be made does not fit into the memory that evaluation may use. */
export class OutOfMemoryError extends EvalError {
  override readonly name = "OutOfMemoryError";

  constructor() {
    super("out of memory", { hint: "An expression builds something without end, or something enormous." });
  }
}

/**
 * JavaScript's own errors that a Nix expression can cause become evaluation errors; any other passes through. Safe to call
 * when the stack is nearly used up: should it overflow again, the next frame out converts that.
 */
export function asEvalError(error: unknown): unknown {
  // Of a file's content.
  if (error instanceof Error && "code" in error && error.code === "ERR_STRING_TOO_LONG") return stringTooLong();
  if (!(error instanceof RangeError)) return error;
  if (error.message.startsWith("Maximum call stack")) return new StackOverflowError();
  if (error.message.startsWith("Invalid string length")) return stringTooLong();
  if (error.message.startsWith("Array buffer allocation failed")) return new OutOfMemoryError();
  if (error.message.startsWith("Invalid array length")) return new EvalError("the list is too long");
  if (/^(Map|Set) maximum size exceeded/.test(error.message)) return new EvalError("more than 2^24 different values");
  return error;
}

export function stringTooLong(): EvalError {
  return new EvalError("the string is too long: strings end at 2^29 - 24 bytes");
}
