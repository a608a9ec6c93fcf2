/** Derivations with attributes that are no part of how they are built: passthru, meta, one set per output. */
import { Attrs, type Evaluator, force, type Lazy, lazy, updateAttrs } from "../../lang/index.ts";
import { attribute, expectSet } from "../values.ts";

/**
 * Adds attributes to a derivation and to each of its outputs (nixpkgs' `lib.extendDerivation`). `check` runs before anybody
 * gets the path of an output or of the derivation: it throws if the package must not be used.
 */
export function extendDerivation(derivation: Attrs, passthru: Attrs, check: () => void): Attrs {
  const checked = (name: string, from: Attrs): Lazy =>
    lazy(() => {
      check();
      return from.get(name)!;
    });
  const outputs = outputNames(derivation);
  const common = updateAttrs(updateAttrs(derivation, Attrs.from([["outputSpecified", false]])), passthru);
  const box: { common?: Attrs } = {};
  const outputSets = new Map(
    outputs.map((name) => [
      name,
      lazy(() => {
        const own = expectSet(derivation.get(name)!, `the output ${name}`);
        return updateAttrs(
          box.common!,
          Attrs.from([
            ["type", "derivation"],
            ["outputName", name],
            ["outputSpecified", true],
            ["drvPath", checked("drvPath", own)],
            ["outPath", checked("outPath", own)],
          ]),
        );
      }),
    ]),
  );
  const first = outputs[0] ?? "out";
  box.common = updateAttrs(
    common,
    Attrs.from([
      ...outputSets,
      ["all", lazy(() => outputs.map((name) => outputSets.get(name)!))],
      ["drvPath", checked("drvPath", derivation)],
      ["outPath", checked("outPath", derivation)],
      ["outputName", first],
      ["type", "derivation"],
    ]),
  );
  return box.common;
}

function outputNames(derivation: Attrs): string[] {
  const outputs = attribute(derivation, "outputs");
  if (!Array.isArray(outputs)) return ["out"];
  return outputs.map((name: Lazy) => force(name) as string);
}

/** Raw derivations as the package set has them: with `override`, `overrideAttrs` and the names of outputs that they don't have. */
export function finishRawDerivation(
  ev: Evaluator,
  derivation: Attrs,
  overrideAttrs: (change: Lazy, self: Attrs) => Lazy,
  makeFunction: (name: string, run: (argument: Lazy) => Lazy) => Lazy,
): Attrs {
  void ev;
  const box: { self?: Attrs } = {};
  const self = lazy(() => box.self!);
  const alias: [string, Lazy][] = ["dev", "lib", "bin", "out", "static", "man", "doc", "info"]
    .filter((name) => !derivation.has(name))
    .map((name) => [name, self]);
  box.self = updateAttrs(
    Attrs.from(alias),
    updateAttrs(
      derivation,
      Attrs.from([
        ["override", makeFunction("override", () => self)],
        ["overrideAttrs", makeFunction("overrideAttrs", (change) => overrideAttrs(change, box.self!))],
        ["overrideDerivation", makeFunction("overrideDerivation", (change) => overrideAttrs(change, box.self!))],
      ]),
    ),
  );
  return box.self;
}
