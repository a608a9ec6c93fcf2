/**
 * The set that stands for a derivation (manual, "Derivations"): one per output, each with all the attributes that the
 * derivation was made of. Nothing of it is computed before it is needed.
 */
import { enterCall, leaveCall } from "../call-depth.ts";
import type { Derivation } from "../../formats/index.ts";
import { EvalError } from "../errors.ts";
import {
  callFunction1,
  forceAttrs,
  forceList,
  forceStringNoContext,
  makeString,
  shape,
  updateAttrs,
} from "../operations/index.ts";
import type { Attrs } from "../values/attrs.ts";
import { type Lazy, lazy, type Thunk } from "../values/thunk.ts";
import { PrimOp, type Value } from "../values/value.ts";
import { requireAttr } from "./attrsets.ts";
import { closureElement, outputElement } from "./contexts.ts";

/** The function `derivation`, given `derivationStrict`. */
export function derivationFunction(derivationStrict: Value): PrimOp {
  return new PrimOp("derivation", 1, (argument) => derivationSet(forceAttrs(argument), derivationStrict), {
    formals: { names: new Map([["outputs", true]]), ellipsis: true },
  });
}

const derivationOutput = shape("outPath", "drvPath", "type", "outputName");
const derivationCommon = shape("all", "drvAttrs");
const importedOutput = shape("outPath", "outputName");
const importedCommon = shape("all", "drvPath", "name", "type");

function derivationSet(drvAttrs: Attrs, derivationStrict: Value): Lazy {
  const strict = lazy(() => {
    // In Nix a call of its own, by which derivations that depend on derivations without end come to one.
    enterCall();
    const outputs = callFunction1(derivationStrict, drvAttrs);
    leaveCall();
    return outputs;
  });
  const computed = (name: string): Lazy => lazy(() => requireAttr(forceAttrs(strict), name, undefined));
  const drvPath = computed("drvPath");
  return outputSets(
    outputNames(drvAttrs.get("outputs") ?? ["out"]),
    (named, all) =>
      updateAttrs(
        updateAttrs(drvAttrs, named),
        derivationCommon(
          lazy(() => all),
          drvAttrs,
        ),
      ),
    (name) => derivationOutput(computed(name), drvPath, "derivation", name),
  );
}

/** What `import` gives for a .drv file in the store. */
export function importedDerivation(path: string, derivation: Derivation): Attrs {
  const drvPath = makeString(path, new Set([closureElement(path)]));
  const name = derivation.env.get("name") ?? "";
  const outPath = (output: string): Lazy =>
    makeString(derivation.outputs.get(output)!.path, new Set([outputElement(path, output)]));
  return forceAttrs(
    outputSets(
      [...derivation.outputs.keys()].sort(),
      (named, all) => updateAttrs(named, importedCommon(all, drvPath, name, "derivation")),
      (output) => importedOutput(outPath(output), output),
    ),
  );
}

function outputNames(outputs: Lazy): string[] {
  const names = forceList(outputs).map((output) => forceStringNoContext(output));
  if (names.length === 0) throw new EvalError("'builtins.head' called on an empty list");
  return names;
}

const shapes = new Map<string, ReturnType<typeof shape>>();

/** The table of the sets `{ out = …; dev = …; }` is shared by all derivations with these outputs. */
function shapeOf(names: readonly string[]): ReturnType<typeof shape> {
  const key = names.join("\0");
  let found = shapes.get(key);
  if (found === undefined) {
    found = shape(...names);
    shapes.set(key, found);
  }
  return found;
}

/**
 * One set per output, made of what is common to all, which holds the sets again by name and as a list, and of attributes of
 * its own. The first output's is given.
 */
function outputSets(
  names: readonly string[],
  common: (named: Attrs, all: readonly Lazy[]) => Attrs,
  own: (name: string) => Attrs,
): Lazy {
  const shared: Thunk = lazy(() => {
    // Of outputs with the same name, the first counts.
    const distinct = [...new Set(names)];
    const named = shapeOf(distinct)(...distinct.map((name) => all[names.indexOf(name)]!));
    return common(named, all);
  });
  const all: Lazy[] = names.map((name) => lazy(() => updateAttrs(forceAttrs(shared), own(name))));
  return all[0]!;
}
