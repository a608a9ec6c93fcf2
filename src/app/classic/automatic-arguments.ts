/** Functions that a command calls by itself, with what `--arg` and `--argstr` gave (libexpr/eval.cc, `autoCallFunction`). */
import {
  Attrs,
  EvalError,
  type Evaluator,
  force,
  Lambda,
  type Lazy,
  lazy,
  PrimOp,
  symbol,
  type Value,
} from "../../lang/index.ts";
import type { AutoArgument } from "./protocol.ts";

const FUNCTOR = symbol("__functor");

/** The arguments as an attribute set; expressions are evaluated when needed. @throws ParseError for those that are none */
export function automaticArguments(ev: Evaluator, given: readonly AutoArgument[], basePath: string): Attrs {
  for (const { value } of given) if ("expression" in value) ev.normalForm(value.expression, { basePath });
  return Attrs.from(
    given.map(({ name, value }): [string, Lazy] => [
      name,
      "string" in value ? value.string : lazy(() => ev.evaluate(value.expression, { basePath })),
    ]),
  );
}

/**
 * A function whose arguments have names is called with those that are there; any other value is left as it is.
 * @throws EvalError for an argument that has neither a value nor a default
 */
export function callWithArguments(ev: Evaluator, args: Attrs, lazy: Lazy): Value {
  const value = force(lazy);
  if (value instanceof Attrs) {
    const functor = value.getSymbol(FUNCTOR);
    return functor === undefined ? value : callWithArguments(ev, args, ev.call(functor, value));
  }
  const lambda = value instanceof Lambda ? value.info.formals : undefined;
  const formals = lambda ?? (value instanceof PrimOp ? value.formals : undefined);
  if (formals === undefined) return value;
  if (formals.ellipsis) return ev.call(value, args);
  const passed: [string, Lazy][] = [];
  [...formals.names].forEach(([name, optional], i) => {
    const argument = args.get(name);
    if (argument !== undefined) passed.push([name, argument]);
    else if (!optional) throw missing(name, lambda?.positions?.[i]);
  });
  return ev.call(value, Attrs.from(passed));
}

function missing(name: string, position: object | undefined): EvalError {
  const located = position as { location?: () => EvalError["location"] } | undefined;
  return new EvalError(
    `cannot evaluate a function that has an argument without a value ('${name}')
Nix attempted to evaluate a function as a top level expression; in
this case it must have its arguments supplied either by default
values, or passed explicitly with '--arg' or '--argstr'. See
https://nix.dev/manual/nix/stable/language/syntax.html#functions.`,
    { location: located?.location?.() },
  );
}
