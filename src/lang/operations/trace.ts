/** Adding to an error, while it passes, the way that led to it. */
import { D2nError, type SourceLocation, type TraceFrame } from "../../base/index.ts";
import { readable } from "../errors.ts";
import type { Position } from "../values/value.ts";

/**
 * Appends a step ("while evaluating …") to an evaluation error on its way out and returns the error, to be thrown again.
 * Whatever isn't a `D2nError` passes untouched, as does everything when there is no message.
 */
export function addTrace<E>(error: E, message: string | undefined, place?: SourceLocation | Position): E {
  if (message !== undefined) push(error, { message: readable(message), location: placeOf(place) });
  return error;
}

/** A position in a source knows the lines around it. */
export function placeOf(place: SourceLocation | Position): SourceLocation;
export function placeOf(place: SourceLocation | Position | undefined): SourceLocation | undefined;
export function placeOf(place: SourceLocation | Position | undefined): SourceLocation | undefined {
  if (place === undefined) return undefined;
  const { location } = place as { location?: () => SourceLocation };
  return location === undefined ? place : location.call(place);
}

/** Appends a step of the user's own, which is shown even where the trace is cut short; returns the error. */
export function addUserTrace<E>(error: E, message: string): E {
  push(error, { message: readable(message), always: true });
  return error;
}

function push(error: unknown, frame: TraceFrame): void {
  if (error instanceof D2nError) {
    // In place: an error may collect thousands of steps, and copying the list for each would be quadratic.
    if (Object.isFrozen(error.trace)) error.trace = [...error.trace, frame];
    else (error.trace as TraceFrame[]).push(frame);
  }
}

/** Says where an error is unless something nearer has said so; returns the error. */
export function atPosition<E>(error: E, location: SourceLocation | undefined): E {
  if (error instanceof D2nError && error.location === undefined && location !== undefined) error.location = location;
  return error;
}
