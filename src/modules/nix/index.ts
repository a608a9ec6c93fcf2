/** The `lib` that Nix code sees: the library's functions, and types, options and modules on top. */
import { Attrs, callFunction, force, forceAttrs, type Lazy, lazy, updateAttrs } from "../../lang/index.ts";
import { fn, libraryNamespaces, type Namespace } from "../../lib/index.ts";
import type { EvaluationContext } from "../evaluation.ts";
import type { AllTypes } from "../option-types/index.ts";
import { modulesNamespace } from "./modules.ts";
import { optionsNamespace } from "./options.ts";
import { typesNamespace } from "./types.ts";

/** Names of `lib.types` that are in `lib` itself too. */
const FROM_TYPES = ["isType", "setType", "defaultTypeMerge", "defaultFunctor", "isOptionType", "mkOptionType"];

/** What namespaces have and `lib` itself, in no release of nixpkgs, does not. */
const ONLY_IN_NAMESPACES = new Set(
  [
    "assertEachOneOf charToInt checkAssertWarn closePropagationFast closePropagationSlow codeName commonPrefix",
    "commonPrefixLength commonSuffixLength defaultOrderPriority defaultOverridePriority defaultPriority escapeC",
    "escapeNixIdentifier escapeNixString filterOverrides' findFirstIndex floatToString isConvertibleWithToString",
    "levenshtein levenshteinAtMost listFilesRecursive literalCode locateDominatingFile longestValidPathPrefix",
    "mapDefinitionValue mergeAttrDefinitionsWithPrio mkAliasAndWrapDefsWithPriority mkAliasIfDef normalizePath",
    "oldestSupportedRelease release renderOptionValue resolveDefaultNix revisionWithDefault sanitizeDerivationName",
    "showDefs storeDir throwTestFailures unionOfDisjoint versionSuffix",
  ].flatMap((names) => names.split(" ")),
);

/**
 * @param overlays functions of the final and the previous `lib`, in order
 * @param extend the `lib` with one overlay more
 */
export function createModuleLib(
  context: EvaluationContext,
  types: () => AllTypes,
  overlays: readonly Lazy[],
  extend: (overlay: Lazy) => Attrs,
): Attrs {
  const { namespaces, top } = libraryNamespaces(context.ev, () => context.lib());
  const typeValues = typesNamespace(context, types());
  const options = optionsNamespace(context, types());
  const modules = modulesNamespace(context, types);
  const own = (functions: Namespace): [string, Lazy][] =>
    Object.entries(functions).filter(([name]) => !ONLY_IN_NAMESPACES.has(name));
  let lib: Attrs = Attrs.from([
    ...own(top),
    ...Object.entries(namespaces).map(([name, functions]): [string, Lazy] => [
      name,
      Attrs.from(Object.entries(functions)),
    ]),
    ...own(options),
    // `importJSON` and `importTOML` of `lib.modules` make modules; those of `lib` give the content.
    ...own(modules).filter(([name]) => !name.startsWith("import")),
    ...FROM_TYPES.map((name): [string, Lazy] => [name, typeValues[name]!]),
    ["types", Attrs.from(Object.entries(typeValues))],
    ["options", Attrs.from(Object.entries(options))],
    ["modules", Attrs.from(Object.entries(modules))],
  ]);
  const self = lazy(() => context.lib());
  for (const overlay of overlays) lib = updateAttrs(lib, forceAttrs(callFunction(force(overlay), self, lib)));
  return updateAttrs(
    lib,
    Attrs.from([
      ["extend", fn("extend", 1, extend)],
      ["__unfix__", fn("__unfix__", 1, () => lib)],
    ]),
  );
}
