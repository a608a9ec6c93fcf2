/**
 * Built-in functions whose result for an evaluated argument costs less than a thunk that would compute it later. Each gives
 * undefined where it cannot tell at once, above all where the call is going to fail: then it fails when it is needed, in the
 * place where it belongs.
 */
import type { Lazy } from "../values/thunk.ts";
import { ContextString, type NixList, type Value } from "../values/value.ts";
import { kinds } from "./kinds.ts";

type Immediate = (argument: Value) => Lazy | undefined;

/** Longer lists are copied only if somebody needs it. */
const SHORT = 32;

function isList(value: Value): value is NixList {
  return Array.isArray(value);
}

export const immediate: ReadonlyMap<string, Immediate> = new Map<string, Immediate>([
  ...Object.entries(kinds as Readonly<Record<string, Immediate>>).filter(([name]) => name !== "functionArgs"),
  ["head", (value) => (isList(value) ? value[0] : undefined)],
  ["length", (value) => (isList(value) ? value.length : undefined)],
  [
    "stringLength",
    (value) =>
      typeof value === "string" ? value.length : value instanceof ContextString ? value.text.length : undefined,
  ],
  ["tail", (value) => (isList(value) && value.length > 0 && value.length <= SHORT ? value.slice(1) : undefined)],
]);
