/** What kind of value something is (manual, "isAttrs" … "typeOf", "functionArgs"). */
import { EvalError } from "../errors.ts";
import { isFunction, isInteger, isString, typeOf } from "../operations/index.ts";
import { Attrs } from "../values/attrs.ts";
import { force, type Lazy } from "../values/thunk.ts";
import { Lambda, NixFloat, NixPath, PrimOp } from "../values/value.ts";
import type { Family } from "./interpreter.ts";

export const kinds: Family = {
  /** Whether the value is a set. */
  isAttrs: (value: Lazy): boolean => force(value) instanceof Attrs,
  /** Whether it is a Boolean. */
  isBool: (value: Lazy): boolean => typeof force(value) === "boolean",
  /** Whether it is a floating point number. */
  isFloat: (value: Lazy): boolean => force(value) instanceof NixFloat,
  /** Whether it is a function, built in or not; a set with `__functor` is none. */
  isFunction: (value: Lazy): boolean => isFunction(force(value)),
  /** Whether it is an integer. */
  isInt: (value: Lazy): boolean => isInteger(force(value)),
  /** Whether it is a list. */
  isList: (value: Lazy): boolean => Array.isArray(force(value)),
  /** Whether it is null. */
  isNull: (value: Lazy): boolean => force(value) === null,
  /** Whether it is a path; strings that look like one are none. */
  isPath: (value: Lazy): boolean => force(value) instanceof NixPath,
  /** Whether it is a string. */
  isString: (value: Lazy): boolean => isString(force(value)),
  /** "int", "bool", "string", "path", "null", "set", "list", "lambda" or "float". */
  typeOf: (value: Lazy): string => typeOf(force(value)),

  /** The named arguments of a function, each with whether it has a default; of others, the empty set. */
  functionArgs(value: Lazy): Attrs {
    const fn = force(value);
    if (fn instanceof Lambda) return formalsOf(fn.info.formals);
    if (fn instanceof PrimOp) return formalsOf(fn.args.length === 0 ? fn.formals : undefined);
    throw new EvalError("'functionArgs' requires a function");
  },
};

function formalsOf(formals: Lambda["info"]["formals"]): Attrs {
  if (formals === undefined) return Attrs.empty;
  const { names, positions } = formals;
  return Attrs.from([...names].map(([name, optional], i) => [name, optional, positions?.[i]] as const));
}
