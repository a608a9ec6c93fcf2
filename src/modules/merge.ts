/** From definitions to values. */
import { addTrace, equal, type Evaluator, force, type Lazy, lazy } from "../lang/index.ts";
import { optionConflict, optionMissing, optionNotUnique, optionType } from "./errors.ts";
import { settle } from "./properties.ts";
import { showOption } from "./show.ts";
import type { Definition, OptionPath, OptionType } from "./types.ts";

/** What the definitions of one option, or of one element of a composite, come to. Nothing is computed before it is asked for. */
export interface Merged {
  /** The definitions that count, without properties, in order. */
  readonly definitions: () => readonly Definition[];
  readonly highestPriority: () => number;
  readonly isDefined: () => boolean;
  /** Fails where there is no definition and the type has no empty value. */
  readonly value: Lazy;
}

export function mergeDefinitions(
  ev: Evaluator,
  path: OptionPath,
  type: OptionType,
  all: readonly Definition[],
): Merged {
  const { definitions: settled, highestPriority } = settle(all);
  return {
    definitions: settled,
    highestPriority,
    isDefined: () => settled().length > 0,
    value: lazy(() => {
      const definitions = settled();
      if (definitions.length === 0) {
        const empty = type.emptyValue();
        if (empty === undefined) throw optionMissing(path);
        return empty;
      }
      const wrong = definitions.filter((definition) => !type.check(definition.value));
      if (wrong.length > 0) throw optionType(ev, path, type.description, wrong);
      return type.merge(path, definitions);
    }),
  };
}

/** The value of the only definition. @throws D2nError if there are several */
export function mergeOne(ev: Evaluator, path: OptionPath, definitions: readonly Definition[], message = ""): Lazy {
  if (definitions.length !== 1) throw optionNotUnique(ev, path, definitions, message);
  return definitions[0]!.value;
}

/** The value on which all definitions agree. @throws D2nError if they don't */
export function mergeEqual(ev: Evaluator, path: OptionPath, definitions: readonly Definition[]): Lazy {
  const first = definitions[0]!;
  for (const definition of definitions.slice(1))
    if (!equal(definition.value, first.value)) throw optionConflict(ev, path, definitions);
  return first.value;
}

/** A value whose evaluation, when it fails, says which option it was for. */
export function tracedOption(path: OptionPath, value: Lazy): Lazy {
  return lazy(() => {
    try {
      return force(value);
    } catch (error) {
      throw addTrace(error, `while evaluating the option \`${showOption(path)}':`);
    }
  });
}
