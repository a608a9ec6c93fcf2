/** Lists, interpolated strings, paths, `__curPos`. */
import {
  coerceToString,
  interpolated,
  refersToItself,
  contextOf,
  extendPath,
  joinContexts,
  makeString,
  textOf,
} from "../operations/index.ts";
import type { CurrentPositionNode, InterpolationNode, ListNode, PathNode } from "../syntax/index.ts";
import { Attrs } from "../values/attrs.ts";
import type { Lazy } from "../values/thunk.ts";
import { type Context, ContextString, NixPath, type NixString, type Value } from "../values/value.ts";
import type { Code, Compiler } from "./compiler.ts";
import { outermost } from "./environment.ts";
import { locate, locateSteps } from "./trace.ts";

export function compileList(compiler: Compiler, node: ListNode): Code {
  if (isConstant(node)) {
    const list = node.elements.map((element) => compiler.delay(element)(outermost));
    return () => list;
  }
  const delays = node.elements.map((element) => compiler.delay(element));
  const size = delays.length;
  return (environment) => {
    const list = new Array<Lazy>(size);
    for (let i = 0; i < size; i++) list[i] = delays[i]!(environment);
    return list;
  };
}

/** Whether a list is the same each time: then one serves for all, and builtins can remember what they made of it. */
export function isConstant({ elements }: ListNode): boolean {
  return elements.every(({ kind }) => kind === "string" || kind === "integer" || kind === "float");
}

/** A path literal; resolved when first used, for `~` may be nobody's home. */
export function compilePath(compiler: Compiler, { text, home, offset }: PathNode): () => NixPath {
  let path: NixPath | undefined;
  return () => {
    if (path !== undefined) return path;
    try {
      const absolute = compiler.context.absolutePath(text, home);
      path = new NixPath(absolute.length > 1 && absolute.endsWith("/") ? absolute.slice(0, -1) : absolute);
      return path;
    } catch (error) {
      throw locate(error, compiler.source, offset);
    }
  };
}

export function compileInterpolation(compiler: Compiler, node: InterpolationNode): Code {
  return node.path ? compileInterpolatedPath(compiler, node) : compileInterpolatedString(compiler, node);
}

function compileInterpolatedString(compiler: Compiler, node: InterpolationNode): Code {
  const parts = node.parts.map((part) => (part.kind === "string" ? part.value : compiler.compile(part)));
  const { source } = compiler;
  const { world } = compiler.context;
  const coerce = (value: Value, place: number): NixString => {
    try {
      return coerceToString(world, value, interpolated, "while evaluating a path segment");
    } catch (error) {
      throw locateSteps(refersToItself(value) ? locate(error, source, place) : error, source, place);
    }
  };
  return (environment) => {
    let text = "";
    let context: Context | undefined;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i]!;
      if (typeof part === "string") {
        text += part;
        continue;
      }
      let value = part(environment);
      if (typeof value === "string") {
        text += value;
        continue;
      }
      if (!(value instanceof ContextString)) value = coerce(value, node.starts[i]!);
      text += textOf(value);
      context = joinContexts(context, contextOf(value));
    }
    return makeString(text, context);
  };
}

function compileInterpolatedPath(compiler: Compiler, node: InterpolationNode): Code {
  const [first, ...rest] = node.parts;
  const { text, home } = first as PathNode;
  const parts = rest.map((part) => compiler.compile(part));
  const { source } = compiler;
  const { world } = compiler.context;
  return (environment) => {
    try {
      return extendPath(world, [compiler.context.absolutePath(text, home), ...parts.map((part) => part(environment))]);
    } catch (error) {
      throw locate(error, source, node.offset);
    }
  };
}

/** `__curPos`: the place where it stands. */
export function compilePosition(compiler: Compiler, { offset }: CurrentPositionNode): Code {
  const { source } = compiler;
  let value: Value | undefined;
  return () => {
    if (value === undefined) {
      const { file, line, column } = source.position(offset);
      value = source.isFile
        ? Attrs.from([
            ["file", file],
            ["line", line],
            ["column", column],
          ])
        : null;
    }
    return value;
  };
}
