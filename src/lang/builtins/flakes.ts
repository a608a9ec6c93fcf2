/** Flakes (manual, "getFlake", "parseFlakeRef", "flakeRefToString"). What a reference means, the host knows. */
import { EvalError } from "../errors.ts";
import { forceAttrs, forceStringNoContext, isInteger, isString, showType, textOf } from "../operations/index.ts";
import { Attrs } from "../values/attrs.ts";
import { force, type Lazy } from "../values/thunk.ts";
import type { Family, Interpreter } from "./interpreter.ts";

export function flakes({ host }: Interpreter): Family {
  return {
    /** The outputs and inputs of a flake, with its source's attributes. */
    getFlake(reference: Lazy): Lazy {
      const wanted = forceStringNoContext(reference, "while evaluating the argument passed to builtins.getFlake");
      if (host.getFlake === undefined) throw unsupported("getFlake");
      return host.getFlake(wanted);
    },

    /** A URL-like flake reference as a set of attributes. */
    parseFlakeRef(reference: Lazy): Attrs {
      const wanted = forceStringNoContext(reference, "while evaluating the argument passed to builtins.parseFlakeRef");
      if (host.parseFlakeReference === undefined) throw unsupported("parseFlakeRef");
      return Attrs.from(host.parseFlakeReference(wanted));
    },

    /** The URL-like form of a flake reference given as attributes. */
    flakeRefToString(attributes: Lazy): string {
      const attrs = forceAttrs(attributes, "while evaluating the argument passed to builtins.flakeRefToString");
      const plain = new Map<string, string | number | boolean>();
      for (const [key, lazy] of attrs.entries()) {
        const value = force(lazy);
        if (isInteger(value)) {
          if (value < 0) throw new EvalError(`negative value given for flake ref attr ${key}: ${value}`);
          plain.set(key, Number(value));
        } else if (typeof value === "boolean") plain.set(key, value);
        else if (isString(value)) plain.set(key, textOf(value));
        else
          throw new EvalError(
            `flake reference attribute sets may only contain integers, Booleans, and strings, but attribute '${key}' is ${showType(value)}`,
          );
      }
      if (host.showFlakeReference === undefined) throw unsupported("flakeRefToString");
      return host.showFlakeReference(plain);
    },
  };
}

function disabled(_: Lazy): never {
  throw new EvalError(
    "experimental Nix feature 'flakes' is disabled; add '--extra-experimental-features flakes' to enable it",
  );
}

/** What stands for them where flakes are off. */
export const flakesOff: Family = { getFlake: disabled, parseFlakeRef: disabled, flakeRefToString: disabled };

function unsupported(name: string): EvalError {
  return new EvalError(`'builtins.${name}' is not available here: no flakes are known to this evaluator`);
}
