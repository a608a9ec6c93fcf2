/**
 * Attribute definitions while a set is being parsed: `a.b = 1; a.c = 2;` and `a = { b = 1; }; a.c = 2;` define one set `a`;
 * anything else that is defined twice is an error.
 */
import type { Symbol } from "../values/attrs.ts";
import type { AttributeName, AttrsNode, Binding, Expression } from "./ast.ts";
import { ParseError } from "./errors.ts";
import { showAttributePath } from "./show.ts";
import type { Source } from "./source.ts";

export function emptyAttrs(offset: number): AttrsNode {
  return { kind: "attrs", offset, recursive: false, statics: new Map(), dynamics: [], sources: [] };
}

function plain(value: Expression, offset: number): Binding {
  return { offset, value, inherited: false, source: -1, slot: 0 };
}

/** `path = value;`, which begins at `offset`. */
export function define(
  source: Source,
  attrs: AttrsNode,
  path: readonly AttributeName[],
  value: Expression,
  offset: number,
): void {
  let target = attrs;
  for (let i = 0; i + 1 < path.length; i++) {
    const name = path[i]!;
    if (typeof name === "number") {
      const existing = target.statics.get(name);
      if (existing === undefined) {
        const nested = emptyAttrs(-1);
        target.statics.set(name, plain(nested, offset));
        target = nested;
      } else if (existing.value?.kind === "attrs") target = existing.value;
      else throw duplicate(source, path.slice(0, i + 1), offset, existing.offset);
    } else {
      const nested = emptyAttrs(-1);
      target.dynamics.push({ offset, name, value: nested });
      target = nested;
    }
  }
  const last = path[path.length - 1]!;
  if (typeof last === "number") merge(source, target, path, last, plain(value, offset));
  else target.dynamics.push({ offset, name: last, value });
}

/** `inherit x;`, or `inherit (…) x;` with the index of the expression. */
export function inherit(source: Source, attrs: AttrsNode, name: Symbol, offset: number, from: number): void {
  const existing = attrs.statics.get(name);
  if (existing !== undefined) throw duplicate(source, [name], offset, existing.offset);
  const value: Expression | undefined =
    from < 0 ? { kind: "variable", offset, name, level: -1, slot: 0, shape: 1, withs: [] } : undefined;
  attrs.statics.set(name, { offset, value, inherited: true, source: from, slot: 0 });
}

/**
 * Two literal sets under one name become one. A `rec` of the second is lost and one of the first holds for both: Nix's
 * behaviour, kept because code depends on it.
 */
function merge(
  source: Source,
  target: AttrsNode,
  path: readonly AttributeName[],
  name: Symbol,
  binding: Binding,
): void {
  const existing = target.statics.get(name);
  if (existing === undefined) {
    target.statics.set(name, binding);
    if (binding.value !== undefined) nameFunction(binding.value, name);
    return;
  }
  const into = existing.value;
  const from = binding.value;
  if (into?.kind !== "attrs" || from?.kind !== "attrs") throw duplicate(source, path, binding.offset, existing.offset);
  const shift = into.sources.length;
  for (const [inner, value] of from.statics) {
    if (value.source >= 0) value.source += shift;
    merge(source, into, [...path, inner], inner, value);
  }
  into.dynamics.push(...from.dynamics);
  into.sources.push(...from.sources);
}

/** A function is called after what it is bound to; so are the functions that it returns at once. */
function nameFunction(value: Expression, name: Symbol): void {
  for (let node = value; node.kind === "lambda"; node = node.body) node.name = name;
}

function duplicate(source: Source, path: readonly AttributeName[], offset: number, before: number): ParseError {
  const { file, line, column } = source.position(before);
  return new ParseError(
    `attribute '${showAttributePath(path)}' already defined at ${file}:${line}:${column}`,
    source,
    offset,
    {
      hint: "Remove one of the two definitions; only definitions of nested attributes are joined.",
    },
  );
}
