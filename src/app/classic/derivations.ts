/** The derivations that an expression means: one, or those in a set or list (libexpr/get-drvs.cc). */
import {
  addTrace,
  Attrs,
  EvalError,
  type Evaluator,
  force,
  forceBool,
  forceStringNoContext,
  isDerivation,
  type Lazy,
  positionOf,
  symbol,
  textOf,
} from "../../lang/index.ts";
import { callWithArguments } from "./automatic-arguments.ts";
import type { FoundDerivation } from "./protocol.ts";

const COMPONENT = /^[A-Za-z_][A-Za-z0-9_+-]*$/;

/** Calls back for each derivation in order, each once. Sets within sets count if they have `recurseForDerivations = true`. */
export function findDerivations(
  ev: Evaluator,
  root: Lazy,
  args: Attrs,
  found: (derivation: FoundDerivation, value: Attrs) => void,
): void {
  const done = new Set<Attrs>();
  /** Whether the value is something else, which may hold derivations. */
  const take = (lazy: Lazy): boolean => {
    const value = force(lazy);
    if (!isDerivation(value)) return true;
    if (!done.has(value)) {
      done.add(value);
      found(describe(ev, value), value);
    }
    return false;
  };
  const visit = (lazy: Lazy): void => {
    const value = callWithArguments(ev, args, lazy);
    if (!take(value)) return;
    if (value instanceof Attrs) {
      const combine = value.has("_combineChannels");
      for (const [name, attribute] of value.entries()) {
        if (!COMPONENT.test(name)) continue;
        try {
          if (combine) visit(attribute);
          else if (take(attribute) && recurses(attribute)) visit(attribute);
        } catch (error) {
          throw addTrace(
            error,
            `while evaluating the attribute '${name}'`,
            positionOf(value.positionAt(value.keys.find(symbol(name)))),
          );
        }
      }
    } else if (Array.isArray(value)) {
      for (const element of value as Lazy[]) if (take(element)) visit(element);
    } else throw new EvalError("expression does not evaluate to a derivation (or a set or list of those)");
  };
  visit(root);
}

/** The outputs that are meant where none is named (libexpr/get-drvs.cc, `queryOutputs`). */
export function outputsToInstall(derivation: Attrs): string[] {
  const name = "while evaluating the output name of a derivation";
  const specified = derivation.get("outputSpecified");
  if (
    specified !== undefined &&
    forceBool(specified, "while evaluating the 'outputSpecified' attribute of a derivation")
  ) {
    const output = derivation.get("outputName");
    return output === undefined ? [] : [forceStringNoContext(output, name)];
  }
  const meta = derivation.get("meta");
  const wanted = meta === undefined ? undefined : force(meta);
  const list = (wanted instanceof Attrs ? wanted.get("outputsToInstall") : undefined) ?? derivation.get("outputs");
  const value = list === undefined ? undefined : force(list);
  return Array.isArray(value) && value.length > 0
    ? (value as Lazy[]).map((output) => forceStringNoContext(output, name))
    : ["out"];
}

function recurses(lazy: Lazy): boolean {
  const value = force(lazy);
  const recurse = value instanceof Attrs ? value.get("recurseForDerivations") : undefined;
  return recurse !== undefined && forceBool(recurse, "while evaluating the attribute `recurseForDerivations`");
}

function describe(ev: Evaluator, derivation: Attrs): FoundDerivation {
  const name = derivation.get("name");
  if (name === undefined) throw new EvalError("derivation name missing");
  forceStringNoContext(name, "while evaluating the 'name' attribute of a derivation");
  const drvPath = derivation.get("drvPath");
  if (drvPath === undefined) throw new EvalError("derivation does not contain a 'drvPath' attribute");
  const path = textOf(ev.coerceToString(drvPath, { copyToStore: false }));
  if (!path.startsWith(`${ev.host.storeDir}/`)) throw new EvalError(`path '${path}' is not in the Nix store`);
  const output = derivation.get("outputName");
  const named =
    output === undefined ? "" : forceStringNoContext(output, "while evaluating the output name of a derivation");
  if (named === "") throw new EvalError(`derivation '${path}' lacks an 'outputName' attribute`);
  return { drvPath: path, output: named };
}
