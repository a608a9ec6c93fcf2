/** What generated code calls: all names that it may use besides its own. */
import { callDepth } from "../call-depth.ts";
import { StackOverflowError } from "../errors.ts";
import {
  coerceToString,
  interpolated,
  refersToItself,
  concatLists,
  contextOf,
  divide,
  equalValues,
  forceAttrs,
  forceBool,
  joinContexts,
  lessThan,
  makeString,
  multiply,
  type StringWorld,
  subtract,
  textOf,
  updateAttrs,
} from "../operations/index.ts";
import type { Source } from "../syntax/index.ts";
import { Attrs, type Symbol } from "../values/attrs.ts";
import { force, Thunk } from "../values/thunk.ts";
import { type Context, ContextString, Lambda, type NixString, type Value } from "../values/value.ts";
import { call1, call2, call3, immediateCall, leaving } from "./calls.ts";
import { Environment1, Environment4, EnvironmentN } from "./environment.ts";
import { addable, expectList } from "./operators.ts";
import { forceAttribute, missing, notASet } from "./select.ts";
import { addBuiltinFrame, addFrame, locate, locateNear, locateSteps } from "./trace.ts";
import { forceVariable } from "./variables.ts";

/** Where a set has an attribute that must be there. */
function slotOf(set: Value, id: Symbol, source: Source, offset: number): number {
  if (!(set instanceof Attrs)) throw notASet(set, source, offset);
  const slot = set.keys.find(id);
  if (slot < 0) throw missing(set, id, source, offset);
  return slot;
}

function overflow(source: Source, offset: number): never {
  throw locate(new StackOverflowError(), source, offset);
}

/** Adds what was called with several arguments at once, and from where. */
function leavingInner(error: unknown, failed: (error: unknown) => unknown, source: Source, offset: number): unknown {
  return addFrame(failed(error), "from call site", source, offset, true);
}

/** An interpolated value that is no string yet. */
function coerceAt(world: StringWorld, value: Value, source: Source, offset: number): NixString {
  try {
    return coerceToString(world, value, interpolated, "while evaluating a path segment");
  } catch (error) {
    throw locateSteps(refersToItself(value) ? locate(error, source, offset) : error, source, offset);
  }
}

function joinParts(parts: readonly NixString[]): NixString {
  let text = "";
  let context: Context | undefined;
  for (const part of parts) {
    text += textOf(part);
    context = joinContexts(context, contextOf(part));
  }
  return makeString(text, context);
}

export const runtime = {
  addable,
  addBuiltinFrame,
  addFrame,
  Attrs,
  call1,
  call2,
  call3,
  coerceAt,
  concatLists,
  ContextString,
  depth: callDepth,
  divide,
  Environment1,
  Environment4,
  EnvironmentN,
  equalValues,
  expectList,
  force,
  forceAttribute,
  forceAttrs,
  forceBool,
  forceVariable,
  immediateCall,
  joinParts,
  Lambda,
  leaving,
  leavingInner,
  lessThan,
  locateNear,
  multiply,
  overflow,
  slotOf,
  subtract,
  Thunk,
  updateAttrs,
} as const;
