/** Order of evaluation, errors and messages (manual, "abort" … "warn"). */
import { callDepth, enterCall } from "../call-depth.ts";
import { AbortError, EvalError, readable, ThrownError } from "../errors.ts";
import { reserveElements } from "../memory.ts";
import {
  addTrace,
  addUserTrace,
  coerceToString,
  interpolated,
  forceStringNoContext,
  forceText,
  isString,
  textOf,
} from "../operations/index.ts";
import { attributeName } from "../print/literals.ts";
import { printValue } from "../print/printer.ts";
import { Attrs, positionOf, symbolName } from "../values/attrs.ts";
import { force, type Lazy } from "../values/thunk.ts";
import type { NixList, Value } from "../values/value.ts";
import type { Family, Interpreter } from "./interpreter.ts";

export function control({ host, world, traceVerbose, abortOnWarn }: Interpreter): Family {
  const trace = (message: Lazy, value: Lazy): Lazy => {
    const shown = force(message);
    host.message("trace", readable(isString(shown) ? textOf(shown) : printValue(shown)));
    return force(value);
  };
  return {
    /** Fails with a message; nothing catches it. */
    abort(message: Lazy): never {
      const text = coerceToString(
        world,
        message,
        interpolated,
        "while evaluating the error message passed to builtins.abort",
      );
      throw new AbortError(`evaluation aborted with the following error message: '${textOf(text)}'`);
    },

    /** Fails with a message; `tryEval` catches it. */
    throw(message: Lazy): never {
      const text = coerceToString(
        world,
        message,
        interpolated,
        "while evaluating the error message passed to builtin.throw",
      );
      throw new ThrownError(textOf(text));
    },

    /** The value; if it fails, the message becomes a step of the trace. */
    addErrorContext(message: Lazy, value: Lazy): Lazy {
      try {
        return force(value);
      } catch (error) {
        const text = coerceToString(
          world,
          message,
          { copyToStore: false },
          "while evaluating the error message passed to builtins.addErrorContext",
        );
        throw addUserTrace(error, textOf(text));
      }
    },

    /** The value; a debugger would stop here. */
    break: (value: Lazy): Lazy => value,

    /** Evaluates the first argument, then gives the second. */
    seq(first: Lazy, second: Lazy): Lazy {
      force(first);
      return second;
    },

    /** Evaluates the first argument with all its parts, then gives the second. */
    deepSeq(first: Lazy, second: Lazy): Lazy {
      forceDeep(first);
      return second;
    },

    /** Shows the first argument as a message, then gives the second. */
    trace,

    /** Like `trace` if that was asked for, else only the second argument. */
    traceVerbose: traceVerbose === true ? trace : (_message: Lazy, value: Lazy): Lazy => value,

    /** Shows a string as a warning, then gives the second argument; or fails after it, if that was asked for (`abort-on-warn`). */
    warn(message: Lazy, value: Lazy): Lazy {
      host.message(
        "warning",
        readable(forceText(message, "while evaluating the first argument; the message passed to builtins.warn")),
      );
      if (abortOnWarn === true)
        throw new EvalError("aborting to reveal stack trace of warning, as abort-on-warn is set");
      return force(value);
    },

    /** `{ success, value }`: false and false if evaluating (not deeply) fails by `throw` or `assert`. */
    tryEval(value: Lazy): Attrs {
      const depth = callDepth.current;
      try {
        const result = force(value);
        return Attrs.from([
          ["success", true],
          ["value", result],
        ]);
      } catch (error) {
        if (!(error instanceof ThrownError)) throw error;
        callDepth.current = depth;
        return Attrs.from([
          ["success", false],
          ["value", false],
        ]);
      }
    },

    /** An environment variable; empty if there is none, and in pure evaluation. */
    getEnv(name: Lazy): string {
      const wanted = forceStringNoContext(name, "while evaluating the first argument passed to builtins.getEnv");
      return host.pure ? "" : host.environment(wanted);
    },
  };
}

/** A container whose parts are being evaluated; `next` is the index of the part to come. */
interface Level {
  readonly parts: readonly Lazy[];
  /** Set for attribute sets, whose values the parts are. */
  readonly attrs: Attrs | undefined;
  next: number;
}

/**
 * Evaluates a value with all its parts. Not recursive, so that nesting costs no stack, but it counts as nested calls do.
 */
export function forceDeep(root: Lazy): void {
  const seen = new Set<unknown>();
  const see = (value: Value): void => {
    seen.add(value);
    // The table doubles when it is full.
    if ((seen.size & (seen.size - 1)) === 0) reserveElements(8 * seen.size);
  };
  const levels: Level[] = [];
  const enter = (lazy: Lazy): void => {
    const value = force(lazy);
    if (value instanceof Attrs) {
      if (seen.has(value)) return;
      see(value);
      if (value.size > 0) levels.push({ parts: value.values, attrs: value, next: 0 });
    } else if (Array.isArray(value)) {
      if (seen.has(value)) return;
      see(value);
      if (value.length > 0) levels.push({ parts: value as NixList, attrs: undefined, next: 0 });
    }
  };
  const depth = callDepth.current;
  try {
    enter(root);
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      if (level.next === level.parts.length) levels.pop();
      else {
        callDepth.current = depth + levels.length;
        const part = level.parts[level.next++]!;
        enterCall();
        enter(part);
      }
    }
  } catch (error) {
    for (const { attrs, next } of levels.reverse()) {
      if (attrs === undefined) addTrace(error, `while evaluating list element at index ${next - 1}`);
      else {
        const name = symbolName(attrs.keys.ids[next - 1]!);
        addTrace(
          error,
          `while evaluating the attribute '${attributeName(name)}'`,
          positionOf(attrs.positionAt(next - 1)),
        );
      }
    }
    throw error;
  }
  callDepth.current = depth;
}
