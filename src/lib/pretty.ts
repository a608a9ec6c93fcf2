/** `lib.generators.toPretty`, natively: values as Nix code, for people. */
import type { Attrs } from "../lang/index.ts";
import {
  ContextString,
  EvalError,
  force,
  isDerivation,
  jsonFloat,
  type Lazy,
  NixFloat,
  NixPath,
  textOf,
  type Value,
} from "../lang/index.ts";
import { escapeNixIdentifier } from "./identifiers.ts";
import { call, functionFormals, isFunctionLike } from "./support.ts";

export interface PrettyOptions {
  /** One attribute or element a line. Default true. */
  readonly multiline?: boolean;
  /** Sets with `__pretty` and `val` show as the function says. */
  readonly allowPrettyValues?: boolean;
  readonly indent?: string;
  /** Levels below which nothing is evaluated any more. */
  readonly depthLimit?: number;
  /** What shows in place of what lies too deep, or fails; errors pass on if it is not set. */
  readonly unevaluated?: string;
}

/** @throws what evaluation of the value throws, unless `unevaluated` is set */
export function showPretty(value: Lazy, options: PrettyOptions = {}): string {
  return show(value, options.indent ?? "", 0, options);
}

function show(lazy: Lazy, indent: string, depth: number, options: PrettyOptions): string {
  if (options.depthLimit !== undefined && depth > options.depthLimit) {
    if (options.unevaluated !== undefined) return options.unevaluated;
    throw new EvalError(
      `Exceeded maximum eval-depth limit of ${options.depthLimit} while trying to evaluate with \`generators.withRecursion'!`,
    );
  }
  if (options.unevaluated === undefined) return showForced(force(lazy), indent, depth, options);
  try {
    return showForced(force(lazy), indent, depth, options);
  } catch (error) {
    if (error instanceof EvalError) return options.unevaluated;
    throw error;
  }
}

function showForced(value: Value, indent: string, depth: number, options: PrettyOptions): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (value instanceof NixFloat) return jsonFloat(value.value);
  if (typeof value === "string" || value instanceof ContextString) return showString(textOf(value), indent, options);
  if (value instanceof NixPath) return value.path;
  if (Array.isArray(value))
    return bracket(
      "[",
      "]",
      value as readonly Lazy[],
      (element) => show(element, `${indent}  `, depth + 1, options),
      indent,
      options,
    );
  if (isFunctionLike(value)) {
    const formals = [...functionFormals(value)].sort(([a], [b]) => (a < b ? -1 : 1));
    const shown = formals.map(([name, optional]) => (force(optional) === true ? `${name}?` : name)).join(", ");
    return formals.length === 0 ? "<function>" : `<function, args: {${shown}}>`;
  }
  return showAttrs(value as Attrs, indent, depth, options);
}

function showString(text: string, indent: string, options: PrettyOptions): string {
  const lines = text.split("\n");
  if (options.multiline === false || lines.length < 2)
    return `"${lines.map((line) => line.replace(/\\|"|\$\{/g, "\\$&")).join("\\n")}"`;
  const escaped = lines.map((line) => line.replace(/\$\{|''/g, (found) => (found === "''" ? "'''" : "''${")));
  // The end of text that ends with a line end is the closing quotes' own line.
  const ends = escaped.at(-1) === "";
  const inner = `${indent}  `;
  const body = (ends ? escaped.slice(0, -1) : escaped).join(`\n${inner}`);
  return `''\n${inner}${body}${ends ? `\n${indent}''` : "''"}`;
}

function showAttrs(value: Attrs, indent: string, depth: number, options: PrettyOptions): string {
  const pretty = value.get("__pretty");
  const inner = value.get("val");
  if (options.allowPrettyValues === true && pretty !== undefined && inner !== undefined) {
    const text = call(pretty, inner);
    return typeof text === "string" || text instanceof ContextString
      ? textOf(text)
      : showForced(text, indent, depth, options);
  }
  if (value.size === 0) return "{ }";
  if (isDerivation(value)) {
    const name = value.get("name");
    const text = name === undefined ? "???" : force(name);
    return `<derivation ${typeof text === "string" || text instanceof ContextString ? textOf(text) : "???"}>`;
  }
  return bracket(
    "{",
    "}",
    [...(value as Attrs).entries()],
    ([name, attribute]) => `${escapeNixIdentifier(name)} = ${show(attribute, `${indent}  `, depth + 1, options)};`,
    indent,
    options,
  );
}

function bracket<T>(
  open: string,
  close: string,
  items: readonly T[],
  showItem: (item: T) => string,
  indent: string,
  options: PrettyOptions,
): string {
  if (items.length === 0) return `${open} ${close}`;
  const multiline = options.multiline !== false;
  const start = multiline ? `\n${indent}  ` : " ";
  const end = multiline ? `\n${indent}` : " ";
  return `${open}${start}${items.map(showItem).join(start)}${end}${close}`;
}
