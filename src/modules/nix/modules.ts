/** `lib.modules`: evaluation and properties, as Nix code calls them. */
import type { PrimOp } from "../../lang/index.ts";
import {
  Attrs,
  callFunction,
  force,
  forceAttrs,
  forceInt,
  forceList,
  forceText,
  type Lazy,
  lazy,
  ThrownError,
  updateAttrs,
} from "../../lang/index.ts";
import { attribute, call, fn, fnWithFormals, type Namespace, tagOf, textList, getOr } from "../../lib/index.ts";
import { mergeDeclarations, evaluateOption, setDefaultModuleLocation, type Declaration } from "../declarations.ts";
import { argumentsFrom, type EvaluationContext, evaluateModules } from "../evaluation.ts";
import { mergeDefinitions } from "../merge.ts";
import { definitionFrom, definitionValue } from "../option-types/define.ts";
import {
  DEFAULT_ORDER,
  DEFAULT_PRIORITY,
  discharge,
  makeIf,
  makeMerge,
  makeOrder,
  makeOverride,
  property,
  pushDown,
  strongest,
} from "../properties.ts";
import type { AllTypes } from "../option-types/index.ts";
import { byAttribute } from "../option-types/collections.ts";
import { renames } from "./renames.ts";

function override(priority: number): PrimOp {
  return fn("mkOverride", 1, (content) => makeOverride(priority, content));
}

export function modulesNamespace(context: EvaluationContext, types: () => AllTypes): Namespace {
  const { ev } = context;
  const mkIf = fn("mkIf", 2, makeIf);
  const namespace: Namespace = {
    evalModules: fnWithFormals(
      "evalModules",
      { modules: false, prefix: true, specialArgs: true, class: true, args: true, check: true },
      (args) => evaluateModules(context, argumentsFrom(args)).value,
    ),
    mkIf,
    mkMerge: fn("mkMerge", 1, makeMerge),
    mkAssert: fn("mkAssert", 3, (assertion, message, content) =>
      makeIf(
        lazy(() => {
          if (force(assertion) !== true) throw new ThrownError(`\nFailed assertion: ${forceText(message)}`);
          return true;
        }),
        content,
      ),
    ),
    mkOverride: fn("mkOverride", 2, makeOverride),
    mkOptionDefault: override(1500),
    mkDefault: override(1000),
    mkImageMediaOverride: override(60),
    mkForce: override(50),
    mkVMOverride: override(10),
    defaultOverridePriority: DEFAULT_PRIORITY,
    defaultPriority: DEFAULT_PRIORITY,
    defaultOrderPriority: DEFAULT_ORDER,
    mkOrder: fn("mkOrder", 2, makeOrder),
    mkBefore: fn("mkBefore", 1, (content) => makeOrder(500, content)),
    mkAfter: fn("mkAfter", 1, (content) => makeOrder(1500, content)),
    mkFixStrictness: fn("mkFixStrictness", 1, (value) => {
      context.warn(
        "lib.mkFixStrictness has no effect and will be removed. It returns its argument unmodified, so you can just remove any calls.",
      );
      return value;
    }),
    mkDefinition: fnWithFormals(
      "mkDefinition",
      { value: false, file: false },
      (args) => updateAttrs(args, property("definition", [])),
      true,
    ),
    setDefaultModuleLocation: fn("setDefaultModuleLocation", 2, setDefaultModuleLocation),
    importApply: fn("importApply", 2, (path, argument) =>
      setDefaultModuleLocation(
        path,
        lazy(() => callFunction(call(ev.builtins.get("import")!, path), argument)),
      ),
    ),
    importJSON: fn("importJSON", 1, (file) => imported(file, "importJSON")),
    importTOML: fn("importTOML", 1, (file) => imported(file, "importTOML")),
    fixMergeModules: fn(
      "fixMergeModules",
      2,
      (modules, args) =>
        evaluateModules(
          context,
          argumentsFrom(
            Attrs.from([
              ["modules", modules],
              ["args", args],
              ["check", false],
            ]),
          ),
        ).value,
    ),
    mergeDefinitions: fn("mergeDefinitions", 3, (path, type, definitions) => {
      const merged = mergeDefinitions(
        ev,
        textList(path),
        context.from(type),
        forceList(definitions).map(definitionFrom),
      );
      const values = lazy(() => merged.definitions().map(definitionValue));
      return Attrs.from([
        [
          "defsFinal'",
          lazy(() =>
            Attrs.from([
              ["values", values],
              ["highestPrio", merged.highestPriority()],
            ]),
          ),
        ],
        ["defsFinal", values],
        ["isDefined", lazy(() => merged.isDefined())],
        ["mergedValue", merged.value],
        ["optionalValue", lazy(() => (merged.isDefined() ? Attrs.from([["value", merged.value]]) : Attrs.empty))],
      ]);
    }),
    mergeAttrDefinitionsWithPrio: fn("mergeAttrDefinitionsWithPrio", 1, (lazyOption) => {
      const option = forceAttrs(lazyOption);
      const path = textList(attribute(option, "loc"));
      const element = context.from(attribute(option, "type")).nestedTypes.elemType!;
      const definitions = forceList(attribute(option, "definitionsWithLocations"))
        .map(definitionFrom)
        .flatMap((definition) => pushDown(definition.value).map((value) => ({ ...definition, value })));
      return Attrs.from(
        [...byAttribute(definitions)].map(([name, own]) => {
          const merged = mergeDefinitions(ev, [...path, name], element, own);
          return [
            name,
            Attrs.from([
              ["value", merged.value],
              ["highestPrio", lazy(() => merged.highestPriority())],
            ]),
          ];
        }),
      );
    }),
    mergeOptionDecls: fn(
      "mergeOptionDecls",
      2,
      (path, declarations) =>
        mergeDeclarations(context, textList(path), forceList(declarations).map(declarationFrom)).attrs,
    ),
    // Our merged declarations have their final type already.
    fixupOptionType: fn("fixupOptionType", 2, (_path, option) => option),
    evalOptionValue: fn("evalOptionValue", 3, (lazyPath, lazyOption, definitions) => {
      const attrs = forceAttrs(lazyOption);
      const type = attrs.get("type");
      const declared = {
        attrs,
        type: type === undefined ? types().unspecified : context.from(type),
        declarations: textList(getOr(attrs, "declarations", [])),
      };
      return evaluateOption(context, textList(lazyPath), declared, () => forceList(definitions).map(definitionFrom))
        .attrs;
    }),
    mapDefinitionValue: fn("mapDefinitionValue", 2, mapDefinitionValue),
    filterOverrides: fn("filterOverrides", 1, (definitions) =>
      strongest(forceList(definitions).map(definitionFrom)).definitions.map(definitionValue),
    ),
    "filterOverrides'": fn("filterOverrides'", 1, (list) => {
      const { definitions, highestPriority } = strongest(forceList(list).map(definitionFrom));
      return Attrs.from([
        ["values", definitions.map(definitionValue)],
        ["highestPrio", highestPriority],
      ]);
    }),
    sortProperties: fn("sortProperties", 1, (list) => sortProperties(forceList(list))),
    dischargeProperties: fn("dischargeProperties", 1, (value) =>
      discharge({ file: "", value }).map((definition) => definition.value),
    ),
    pushDownProperties: fn("pushDownProperties", 1, pushDown),
    mkAliasIfDef: fn("mkAliasIfDef", 2, (option, content) =>
      makeIf(
        lazy(() => attribute(forceAttrs(option), "isDefined")),
        content,
      ),
    ),
    mkDerivedConfig: fn("mkDerivedConfig", 2, (lazyOption, change) => {
      const option = forceAttrs(lazyOption);
      return makeOverride(
        getOr(option, "highestPrio", DEFAULT_PRIORITY),
        lazy(() => callFunction(force(change), attribute(option, "value"))),
      );
    }),
    ...renames(context),
  };
  return namespace;

  function imported(file: Lazy, how: string): Attrs {
    return Attrs.from([
      ["_file", file],
      ["config", lazy(() => call((force(context.lib().get("trivial")!) as Attrs).get(how)!, file))],
    ]);
  }
}

function declarationFrom(value: Lazy): Declaration {
  const attrs = forceAttrs(value);
  return {
    file: forceText(getOr(attrs, "_file", "")),
    options: getOr(attrs, "options", Attrs.empty),
    position: undefined,
  };
}

function sortProperties(list: readonly Lazy[]): Lazy {
  const ranked = list.map((lazyDefinition) => {
    const definition = forceAttrs(lazyDefinition);
    const value = force(attribute(definition, "value"));
    if (tagOf(value) !== "order") {
      const priority = definition.get("priority");
      return { definition, order: priority === undefined ? DEFAULT_ORDER : Number(forceInt(priority)) };
    }
    const priority = (value as Attrs).get("priority")!;
    const stripped = updateAttrs(
      definition,
      Attrs.from([
        ["value", (value as Attrs).get("content")!],
        ["priority", priority],
      ]),
    );
    return { definition: stripped, order: Number(forceInt(priority)) };
  });
  return ranked.sort((a, b) => a.order - b.order).map(({ definition }) => definition);
}

function mapDefinitionValue(change: Lazy, lazyValue: Lazy): Lazy {
  const value = force(lazyValue);
  const inner: Readonly<Record<string, string>> = {
    if: "content",
    override: "content",
    order: "content",
    definition: "value",
  };
  const tag = tagOf(value);
  if (value instanceof Attrs && tag === "merge") {
    const contents = forceList(value.get("contents")!).map((content) =>
      lazy(() => mapDefinitionValue(change, content)),
    );
    return updateAttrs(value, Attrs.from([["contents", contents]]));
  }
  const field = tag === undefined ? undefined : inner[tag];
  if (value instanceof Attrs && field !== undefined)
    return updateAttrs(value, Attrs.from([[field, lazy(() => mapDefinitionValue(change, value.get(field)!))]]));
  return callFunction(force(change), value);
}
