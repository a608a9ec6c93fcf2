import type { NativeObject } from "../../../lang/index.ts";
import { mkOption, type ModuleScope } from "../../../modules/index.ts";

/** The attributes of `builtins.derivation` that have a meaning of their own. */
export function derivationOptions({ types }: ModuleScope): NativeObject {
  const nullOrBool = types.nullOr(types.bool);
  const nullOrText = types.nullOr(types.str);
  const nullOrTexts = types.nullOr(types.listOf(types.str));
  const graph = types.nullOr(types.listOf(types.either(types.str, types.package)));
  return {
    args: mkOption({
      type: types.nullOr(types.listOf(types.oneOf([types.str, types.path]))),
      default: null,
      description: "Arguments of the builder.",
    }),
    outputs: mkOption({ type: nullOrTexts, default: ["out"], description: "Names of the outputs." }),
    __contentAddressed: mkOption({
      type: nullOrBool,
      default: null,
      description: "Whether the outputs are addressed by their content.",
    }),
    __structuredAttrs: mkOption({
      type: nullOrBool,
      default: null,
      description: "Whether the attributes are passed as JSON.",
    }),
    allowedReferences: mkOption({
      type: nullOrTexts,
      default: null,
      description: "The only store paths that an output may refer to.",
    }),
    allowedRequisites: mkOption({
      type: nullOrTexts,
      default: null,
      description: "The only store paths that may be in an output's closure.",
    }),
    disallowedReferences: mkOption({
      type: nullOrTexts,
      default: null,
      description: "Store paths that an output must not refer to.",
    }),
    disallowedRequisites: mkOption({
      type: nullOrTexts,
      default: null,
      description: "Store paths that must not be in an output's closure.",
    }),
    exportReferenceGraph: mkOption({
      type: graph,
      default: null,
      description: "Upstream's spelling of `exportReferencesGraph`; the same here.",
    }),
    exportReferencesGraph: mkOption({
      type: graph,
      default: null,
      description: "File names, each followed by the store path whose closure is described there.",
    }),
    impureEnvVars: mkOption({
      type: nullOrTexts,
      default: null,
      description: "Variables of the building machine that a fixed-output build may see.",
    }),
    outputHash: mkOption({ type: nullOrText, default: null, description: "The hash that the output must have." }),
    outputHashAlgo: mkOption({ type: nullOrText, default: null, description: "The algorithm of `outputHash`." }),
    outputHashMode: mkOption({
      type: nullOrText,
      default: null,
      description: "What `outputHash` is computed over: `flat` or `recursive`.",
    }),
    passAsFile: mkOption({ type: nullOrTexts, default: null, description: "Attributes that are passed in files." }),
    // Upstream's type is the list, a slip: Nix wants a boolean.
    preferLocalBuild: mkOption({
      type: types.nullOr(types.either(types.bool, types.listOf(types.str))),
      default: null,
      description: "Whether to build on this machine rather than elsewhere.",
    }),
    allowSubstitutes: mkOption({
      type: nullOrBool,
      default: null,
      description: "Whether the outputs may be fetched from caches.",
    }),
  };
}

/** The names of `derivationOptions`. */
export const derivationNames: ReadonlySet<string> = new Set([
  "args",
  "outputs",
  "__contentAddressed",
  "__structuredAttrs",
  "allowedReferences",
  "allowedRequisites",
  "disallowedReferences",
  "disallowedRequisites",
  "exportReferenceGraph",
  "exportReferencesGraph",
  "impureEnvVars",
  "outputHash",
  "outputHashAlgo",
  "outputHashMode",
  "passAsFile",
  "preferLocalBuild",
  "allowSubstitutes",
]);
