/**
 * How native code is offered to Nix code: plain values, arrays and objects become Nix values, lazily.
 */
import { EvalError } from "./errors.ts";
import { Attrs, type LazyPosition } from "./values/attrs.ts";
import { force, lazy, Thunk, type Lazy } from "./values/thunk.ts";
import { ContextString, type Formals, Lambda, NixFloat, NixPath, PrimOp } from "./values/value.ts";

/** What `toNix` takes. In objects, `undefined` leaves the attribute out, a getter is a lazy attribute. */
export type Native = Lazy | undefined | readonly Native[] | NativeObject | NativeValue | ((argument: Lazy) => Native);

/** The property under which an object of a higher layer (an option type, a view of `config`) keeps the Nix value that it stands for. */
export const nixValue: unique symbol = Symbol("nixValue");

export interface NativeValue {
  readonly [nixValue]: Lazy;
}

export interface NativeObject {
  readonly [name: string]: Native;
}

/**
 * Converts a native definition. Strings are taken as they are: byte strings, one code unit a byte (`utf8()` encodes others).
 * A plain object becomes an attribute set whose getters are evaluated when first selected; a function becomes a Nix function
 * of one argument; Nix values pass through.
 */
export function toNix(native: Native, position?: LazyPosition): Lazy {
  if (native === undefined) return null;
  if (typeof native === "function") return new PrimOp("function", 1, (argument) => toNix(native(argument)));
  if (typeof native !== "object" || native === null) return native;
  if (
    native instanceof Attrs ||
    native instanceof Thunk ||
    native instanceof ContextString ||
    native instanceof NixPath ||
    native instanceof NixFloat ||
    native instanceof Lambda ||
    native instanceof PrimOp
  )
    return native;
  if (Array.isArray(native)) return native.map((element: Native) => toNix(element));
  if (nixValue in native) return native[nixValue];
  const object = native as NativeObject;
  const entries: [string, Lazy, LazyPosition][] = [];
  for (const name of Object.keys(object)) {
    const descriptor = Object.getOwnPropertyDescriptor(object, name)!;
    if (descriptor.get !== undefined) entries.push([name, lazy(() => toNix(object[name])), position]);
    else if (descriptor.value !== undefined) entries.push([name, toNix(descriptor.value as Native), position]);
  }
  return Attrs.from(entries);
}

/** A curried native function: `nativeFunction("genAttrs", 2, (names, f) => …)`. */
export function nativeFunction(name: string, arity: number, run: (...args: Lazy[]) => Native): PrimOp {
  return new PrimOp(name, arity, (...args) => toNix(run(...args)));
}

/** A native function of one attribute set whose formals `builtins.functionArgs` reports; true marks those with a default. */
export function nativeFormals(
  name: string,
  formals: Readonly<Record<string, boolean>>,
  run: (args: Attrs) => Native,
  { ellipsis = false }: { readonly ellipsis?: boolean } = {},
): PrimOp {
  const declared: Formals = { names: new Map(Object.entries(formals)), ellipsis };
  return new PrimOp(name, 1, (argument) => toNix(run(expectFormals(name, argument, declared))), { formals: declared });
}

/** The argument of a function with named parameters. @throws EvalError in Nix's words where it does not fit */
export function expectFormals(name: string, argument: Lazy, formals: Formals): Attrs {
  const args = force(argument);
  if (!(args instanceof Attrs)) throw new EvalError(`function '${name}' wants a set as its argument`);
  for (const [wanted, optional] of formals.names)
    if (!optional && !args.has(wanted))
      throw new EvalError(`function '${name}' called without required argument '${wanted}'`);
  if (!formals.ellipsis)
    for (const given of args.names())
      if (!formals.names.has(given))
        throw new EvalError(`function '${name}' called with unexpected argument '${given}'`);
  return args;
}

/** The bytes of a text as a Nix string. */
export function utf8(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The text of a Nix string's bytes; invalid UTF-8 becomes replacement characters. */
export function fromUtf8(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** Plain attributes with their texts turned from bytes to text (`fromUtf8`) or back (`utf8`). */
export function textsOf<T>(attributes: Iterable<readonly [string, T]>, turn: (text: string) => string): Map<string, T> {
  const entries = [...attributes].map(
    ([name, value]) => [name, typeof value === "string" ? (turn(value) as T & string) : value] as const,
  );
  return new Map(entries);
}
