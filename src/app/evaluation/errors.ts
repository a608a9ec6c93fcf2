/** Errors on their way from one thread to another. */
import { D2nError, messageOf, type SourceLocation } from "../../base/index.ts";
import type { ErrorMessage } from "./protocol.ts";

export function errorToMessage(error: unknown): ErrorMessage {
  if (error instanceof D2nError)
    return {
      code: error.code,
      message: error.message,
      hint: error.hint,
      location: plainLocation(error.location),
      trace: error.trace.map((frame) => ({
        message: frame.message,
        location: plainLocation(frame.location),
        verbose: frame.verbose,
        always: frame.always,
      })),
      suggestions: error.suggestions,
      details: error.details,
      exitCode: error.exitCode,
      stack: error.stack,
    };
  return {
    code: undefined,
    message: messageOf(error),
    hint: undefined,
    location: undefined,
    trace: [],
    suggestions: [],
    details: undefined,
    exitCode: 70,
    stack: error instanceof Error ? error.stack : undefined,
  };
}

export function messageToError(message: ErrorMessage): Error {
  const error =
    message.code === undefined
      ? new Error(message.message)
      : new D2nError(message.code, message.message, {
          hint: message.hint,
          location: message.location,
          trace: message.trace,
          suggestions: message.suggestions,
          details: message.details,
          exitCode: message.exitCode,
        });
  if (message.stack !== undefined) error.stack = message.stack;
  return error;
}

/** Field by field: places in Nix source work their fields out when asked, so that a copy of the object has none of them. */
function plainLocation(location: SourceLocation | undefined): SourceLocation | undefined {
  if (location === undefined) return undefined;
  const { location: known } = location as { location?: () => SourceLocation };
  const { file, line, column, text, previous, next } = known === undefined ? location : known.call(location);
  return { file, line, column, text, previous, next };
}
