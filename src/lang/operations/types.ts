/** What values are called in messages and by `builtins.typeOf`. */
import { Attrs, symbol } from "../values/attrs.ts";
import { force } from "../values/thunk.ts";
import { ContextString, Lambda, NixFloat, NixPath, PrimOp, type Value } from "../values/value.ts";

const TYPE = symbol("type");
const FUNCTOR = symbol("__functor");

export type TypeTag = "int" | "bool" | "string" | "path" | "null" | "set" | "list" | "lambda" | "float";

/** The type as `builtins.typeOf` gives it (manual, "typeOf"). */
export function typeOf(value: Value): TypeTag {
  switch (typeof value) {
    case "number":
    case "bigint":
      return "int";
    case "string":
      return "string";
    case "boolean":
      return "bool";
    default:
  }
  if (value === null) return "null";
  if (value instanceof Attrs) return "set";
  if (Array.isArray(value)) return "list";
  if (value instanceof Lambda || value instanceof PrimOp) return "lambda";
  if (value instanceof ContextString) return "string";
  if (value instanceof NixPath) return "path";
  if (value instanceof NixFloat) return "float";
  throw new Error("internal error: not a Nix value");
}

const articles: Readonly<Record<TypeTag, string>> = {
  int: "an integer",
  bool: "a Boolean",
  string: "a string",
  path: "a path",
  null: "null",
  set: "a set",
  list: "a list",
  lambda: "a function",
  float: "a float",
};

/** The type with its article: "a set", "an integer". */
export function typeName(value: Value): string {
  return articles[typeOf(value)];
}

/** What messages call one particular value: like `typeName`, but telling strings with context and built-in functions apart. */
export function showType(value: Value): string {
  if (value instanceof ContextString) return "a string with context";
  if (value instanceof PrimOp && !isWrittenInNix(value))
    return value.args.length === 0
      ? `the built-in function '${value.name}'`
      : `the partially applied built-in function '${value.name}'`;
  return typeName(value);
}

/** Functions whose formals are known (`derivation`, say) are native here, and written in Nix there. */
export function isWrittenInNix(value: unknown): boolean {
  return value instanceof PrimOp && value.formals !== undefined;
}

export function isInteger(value: Value): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

export function isString(value: Value): value is string | ContextString {
  return typeof value === "string" || value instanceof ContextString;
}

export function isFunction(value: Value): value is Lambda | PrimOp {
  return value instanceof Lambda || value instanceof PrimOp;
}

/** A function, or a set that can be called because it has `__functor`. */
export function isCallable(value: Value): boolean {
  return isFunction(value) || (value instanceof Attrs && value.getSymbol(FUNCTOR) !== undefined);
}

/** Whether a set says that it is a derivation: `type = "derivation"`. Evaluates the attribute `type`. */
export function isDerivation(value: Value): value is Attrs {
  if (!(value instanceof Attrs)) return false;
  const type = value.getSymbol(TYPE);
  if (type === undefined) return false;
  const forced = force(type);
  return forced === "derivation" || (forced instanceof ContextString && forced.text === "derivation");
}
