/** Values that name files (manual, "Path"; the rules are those of Nix's `coerceToPath`). */
import { EvalError } from "../errors.ts";
import type { Host } from "../host.ts";
import {
  addTrace,
  callFunction1,
  canonicalPath,
  coerceToString,
  contextOf,
  forceFor,
  type StringWorld,
  textOf,
} from "../operations/index.ts";
import { Attrs } from "../values/attrs.ts";
import { force, type Lazy } from "../values/thunk.ts";
import { type Context, NixPath } from "../values/value.ts";

export interface PathArgument {
  /** Absolute and canonical. */
  readonly path: string;
  readonly context: Context | undefined;
}

/** A path, or a string that is absolute, with the string's context. */
export function coerceToPath(world: StringWorld, lazy: Lazy, context: string): PathArgument {
  const value = forceFor(lazy, context);
  if (value instanceof NixPath) return { path: value.path, context: undefined };
  if (value instanceof Attrs) {
    const toString = value.get("__toString");
    if (toString !== undefined) return coerceToPath(world, callFunction1(force(toString), value), context);
  }
  const string = coerceToString(world, value, { copyToStore: false }, context);
  const text = textOf(string);
  if (!text.startsWith("/"))
    throw addTrace(new EvalError(`string '${text}' doesn't represent an absolute path`), context);
  return { path: canonicalPath(text), context: contextOf(string) };
}

/** A path that is about to be read: what its context names is built if need be (import from derivation). */
export function realisePath(host: Host, world: StringWorld, lazy: Lazy): string {
  const { path, context } = coerceToPath(world, lazy, "while realising the context of a path");
  realise(host, path, context);
  return path;
}

export function realise(host: Host, path: string, context: Context | undefined): void {
  if (context === undefined) return;
  try {
    host.realise(context);
  } catch (error) {
    throw addTrace(error, `while realising the context of path '${path}'`);
  }
}

const MAX_LINKS = 64;

/** Where a path leads to if it is a symlink, and the target too, and so on. */
export function followLinks(host: Host, path: string): string {
  let at = path;
  for (let i = 0; i < MAX_LINKS; i++) {
    if (host.status(at)?.type !== "symlink") return at;
    const target = host.readLink(at);
    at = canonicalPath(target.startsWith("/") ? target : `${at}/../${target}`);
  }
  throw new EvalError(`infinite symlink recursion in path '${path}'`);
}

/** Reads something at a path; where nothing is there, the error says just that, whatever the host's says. */
export function reading<R>(host: Host, path: string, read: () => R): R {
  try {
    return read();
  } catch (error) {
    if (host.status(path) === undefined) throw new EvalError(`path '${path}' does not exist`);
    throw error;
  }
}
