/** Expressions as text, in the normal form of `nix-instantiate --parse`; messages about failed assertions quote it. */
import { formatGeneral } from "../operations/floats.ts";
import { type Symbol, symbolName } from "../values/attrs.ts";
import type { AttributeName, AttrsNode, Expression, FormalsNode } from "./ast.ts";
import { expand } from "./deferred.ts";
import { keywords } from "./tokens.ts";

const VARIABLES: Readonly<Record<string, string>> = { "-": "__sub", "*": "__mul", "/": "__div" };

export interface ShowOptions {
  /** Makes the text of a path literal absolute. */
  readonly absolute?: (text: string, home: boolean) => string;
}

export function showExpression(node: Expression, options: ShowOptions = {}): string {
  const show = (inner: Expression): string => showExpression(inner, options);
  switch (node.kind) {
    case "deferred":
      return show(expand(node));
    case "integer":
      return String(node.value);
    case "float":
      return formatGeneral(node.value);
    case "string":
      return showString(node.value);
    case "interpolation":
      return `(${node.parts.map(show).join(" + ")})`;
    case "path":
      return options.absolute?.(node.text, node.home) ?? node.text;
    case "variable":
      return showName(node.name);
    case "list":
      return `[ ${node.elements.map((element) => `(${show(element)}) `).join("")}]`;
    case "attrs":
      return `${node.recursive ? "rec " : ""}{ ${showBindings(node, options)}}`;
    case "let":
      return `(let ${showBindings(node.bindings, options)}in ${show(node.body)})`;
    case "lambda": {
      const formals = node.formals === undefined ? "" : showFormals(node.formals, options);
      const joint = node.formals !== undefined && node.argument !== undefined ? " @ " : "";
      return `(${formals}${joint}${node.argument === undefined ? "" : showName(node.argument)}: ${show(node.body)})`;
    }
    case "call":
      return `(${[node.fn, ...node.args].map(show).join(" ")})`;
    case "select": {
      const fallback = node.fallback === undefined ? "" : ` or (${show(node.fallback)})`;
      return `(${show(node.of)}).${showAttributePath(node.path, options)}${fallback}`;
    }
    case "has":
      return `((${show(node.of)}) ? ${showAttributePath(node.path, options)})`;
    case "with":
      return `(with ${show(node.scope)}; ${show(node.body)})`;
    case "if":
      return `(if ${show(node.condition)} then ${show(node.yes)} else ${show(node.no)})`;
    case "assert":
      return `assert ${show(node.condition)}; ${show(node.body)}`;
    case "not":
      return `(! ${show(node.operand)})`;
    case "negate":
      return `(__sub 0 ${show(node.operand)})`;
    case "position":
      return "__curPos";
    case "binary": {
      const left = show(node.left);
      const right = show(node.right);
      switch (node.operator) {
        case "<":
          return `(__lessThan ${left} ${right})`;
        case ">":
          return `(__lessThan ${right} ${left})`;
        case "<=":
          return `(! (__lessThan ${right} ${left}))`;
        case ">=":
          return `(! (__lessThan ${left} ${right}))`;
        case "-":
        case "*":
        case "/":
          return `(${VARIABLES[node.operator]} ${left} ${right})`;
        default:
          return `(${left} ${node.operator} ${right})`;
      }
    }
  }
}

function showBindings(attrs: AttrsNode, options: ShowOptions): string {
  const sorted = [...attrs.statics].sort(([a], [b]) => (symbolName(a) < symbolName(b) ? -1 : 1));
  const names = (of: number): string =>
    sorted
      .filter(([, binding]) => binding.inherited && binding.source === of)
      .map(([name]) => ` ${showName(name)}`)
      .join("");
  let text = "";
  const inherited = names(-1);
  if (inherited !== "") text += `inherit${inherited}; `;
  attrs.sources.forEach((source, index) => {
    const from = names(index);
    if (from !== "") text += `inherit (${showExpression(source, options)})${from}; `;
  });
  for (const [name, { value, inherited }] of sorted)
    if (!inherited && value !== undefined) text += `${showName(name)} = ${showExpression(value, options)}; `;
  for (const { name, value } of attrs.dynamics)
    text += `"\${${showExpression(name, options)}}" = ${showExpression(value, options)}; `;
  return text;
}

function showFormals({ formals, ellipsis }: FormalsNode, options: ShowOptions): string {
  const shown = [...formals]
    .sort((a, b) => (symbolName(a.name) < symbolName(b.name) ? -1 : 1))
    .map(
      ({ name, fallback }) =>
        showName(name) + (fallback === undefined ? "" : ` ? ${showExpression(fallback, options)}`),
    );
  if (ellipsis) shown.push("...");
  return `{ ${shown.join(", ")} }`;
}

/** `a.b."c d"."${e}"`. */
export function showAttributePath(path: readonly AttributeName[], options: ShowOptions = {}): string {
  return path
    .map((name) => (typeof name === "number" ? showName(name) : `"\${${showExpression(name, options)}}"`))
    .join(".");
}

/** A name as it may stand in source: quoted where it is no identifier. */
export function showName(symbol: Symbol): string {
  const name = symbolName(symbol);
  return /^[a-zA-Z_][a-zA-Z0-9_'-]*$/.test(name) && (!keywords.has(name) || name === "or") ? name : showString(name);
}

/** A string literal. */
export function showString(text: string): string {
  const escaped = text.replace(/["\\\n\r\t]|\$(?=\{)/g, (c) => {
    switch (c) {
      case "\n":
        return "\\n";
      case "\r":
        return "\\r";
      case "\t":
        return "\\t";
      default:
        return `\\${c}`;
    }
  });
  return `"${escaped}"`;
}
