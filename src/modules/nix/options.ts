/** `lib.options`: declaring options, merging, and what documentation is made of. */
import {
  Attrs,
  callFunction,
  force,
  forceAttrs,
  forceList,
  forceText,
  isDerivation,
  isString,
  type Lazy,
  lazy,
  nixValue,
  textOf,
  ThrownError,
  updateAttrs,
} from "../../lang/index.ts";
import {
  attribute,
  filterAttributes,
  fn,
  fnWithFormals,
  isDefinedAttr,
  mapValues,
  type Namespace,
  tagOf,
  textList,
  getOr,
} from "../../lib/index.ts";
import { documentOptions, renderValue } from "../docs.ts";
import type { EvaluationContext } from "../evaluation.ts";
import { mergeEqual, mergeOne } from "../merge.ts";
import { mergeDefault } from "../option-types/basic.ts";
import { definitionFrom } from "../option-types/define.ts";
import type { AllTypes } from "../option-types/index.ts";
import { showDefinitions, showFiles, showOption, UNKNOWN_FILE } from "../show.ts";
import { optionNotUnique } from "../errors.ts";

const OPTION_FORMALS = {
  default: true,
  defaultText: true,
  example: true,
  description: true,
  relatedPackages: true,
  type: true,
  apply: true,
  internal: true,
  visible: true,
  readOnly: true,
};

const PACKAGE_OPTION_FORMALS = {
  nullable: true,
  default: true,
  example: true,
  extraDescription: true,
  pkgsText: true,
};

function option(fields: Attrs): Attrs {
  return updateAttrs(fields, Attrs.from([["_type", "option"]]));
}

function literal(tag: string) {
  return fn(tag, 1, (text) => {
    if (!isString(force(text))) throw new ThrownError(`${tag} expects a string.`);
    return Attrs.from([
      ["_type", tag],
      ["text", text],
    ]);
  });
}

export function optionsNamespace(context: EvaluationContext, types: AllTypes): Namespace {
  const { ev } = context;
  return {
    isOption: fn("isOption", 1, (value) => tagOf(force(value)) === "option"),
    mkOption: fnWithFormals("mkOption", OPTION_FORMALS, option),
    mkEnableOption: fn("mkEnableOption", 1, (name) =>
      option(
        Attrs.from([
          ["default", false],
          ["example", true],
          ["description", lazy(() => `Whether to enable ${textOf(ev.coerceToString(name))}.`)],
          ["type", types.bool[nixValue]],
        ]),
      ),
    ),
    mkPackageOption: mkPackageOption(types),
    mkPackageOptionMD: mkPackageOption(types),
    mkSinkUndeclaredOptions: fn("mkSinkUndeclaredOptions", 1, (fields) =>
      option(
        updateAttrs(
          Attrs.from([
            ["internal", true],
            ["visible", false],
            ["default", false],
            ["description", "Sink for option definitions."],
            [
              "type",
              Attrs.from([
                ["_type", "option-type"],
                ["name", "sink"],
                ["description", "sink"],
                ["check", fn("check", 1, () => true)],
                ["merge", fn("merge", 2, () => false)],
              ]),
            ],
            [
              "apply",
              fn("apply", 1, () => {
                throw new ThrownError("Option value is not readable because the option is not declared.");
              }),
            ],
          ]),
          forceAttrs(fields),
        ),
      ),
    ),
    mergeDefaultOption: fn("mergeDefaultOption", 2, (path, definitions) =>
      mergeDefault(context, textList(path), forceList(definitions).map(definitionFrom)),
    ),
    mergeOneOption: fn("mergeOneOption", 2, (path, definitions) =>
      mergeOne(ev, textList(path), forceList(definitions).map(definitionFrom)),
    ),
    mergeUniqueOption: fnWithFormals("mergeUniqueOption", { message: false, merge: true }, (args) =>
      fn("mergeUniqueOption", 2, (path, lazyDefinitions) => {
        const definitions = forceList(lazyDefinitions);
        if (definitions.length !== 1)
          throw optionNotUnique(
            ev,
            textList(path),
            definitions.map(definitionFrom),
            forceText(attribute(args, "message")),
          );
        const merge = args.get("merge");
        return merge === undefined
          ? definitionFrom(definitions[0]!).value
          : callFunction(force(merge), path, definitions);
      }),
    ),
    mergeEqualOption: fn("mergeEqualOption", 2, (path, definitions) =>
      mergeEqual(ev, textList(path), forceList(definitions).map(definitionFrom)),
    ),
    getValues: fn("getValues", 1, (definitions) =>
      forceList(definitions).map((definition) => lazy(() => attribute(forceAttrs(definition), "value"))),
    ),
    getFiles: fn("getFiles", 1, (definitions) =>
      forceList(definitions).map((definition) => lazy(() => attribute(forceAttrs(definition), "file"))),
    ),
    showOption: fn("showOption", 1, (path) => showOption(textList(path))),
    showFiles: fn("showFiles", 1, (files) => showFiles(textList(files))),
    showDefs: fn("showDefs", 1, (definitions) => {
      const list = forceList(definitions).map(definitionFrom);
      return list.length === 0 ? "" : `\n${Buffer.from(showDefinitions(list), "utf8").toString("latin1")}`;
    }),
    showOptionWithDefLocs: fn("showOptionWithDefLocs", 1, (lazyOption) => {
      const attrs = forceAttrs(lazyOption);
      const files = textList(attribute(attrs, "files")).map((file) => `  - ${file}`);
      return `${showOption(textList(attribute(attrs, "loc")))}, with values defined in:\n${files.join("\n")}\n`;
    }),
    unknownModule: UNKNOWN_FILE,
    literalExpression: literal("literalExpression"),
    literalExample: literal("literalExpression"),
    literalMD: literal("literalMD"),
    literalCode: fn("literalCode", 2, (language, text) =>
      Attrs.from([
        ["_type", "literalMD"],
        ["text", lazy(() => `\`\`\`${forceText(language)}\n${forceText(text)}\n\`\`\`\n`)],
      ]),
    ),
    mdDoc: fn("mdDoc", 1, (text) => text),
    scrubOptionValue: fn("scrubOptionValue", 1, scrub),
    renderOptionValue: fn("renderOptionValue", 1, renderValue),
    optionAttrSetToDocList: fn("optionAttrSetToDocList", 1, (options) => documentOptions(context, options)),
    "optionAttrSetToDocList'": fn("optionAttrSetToDocList'", 2, (_prefix, options) =>
      documentOptions(context, options),
    ),
  };
}

function scrub(lazyValue: Lazy): Lazy {
  const value = force(lazyValue);
  if (isDerivation(value)) {
    const name = value.get("name")!;
    return Attrs.from([
      ["type", "derivation"],
      ["drvPath", name],
      ["outPath", name],
      ["name", name],
    ]);
  }
  if (Array.isArray(value)) return forceList(value).map((element) => lazy(() => scrub(element)));
  if (value instanceof Attrs)
    return mapValues(
      filterAttributes(value as Attrs, (name) => name !== "_args"),
      (element) => lazy(() => scrub(element)),
    );
  return value;
}

function mkPackageOption(types: AllTypes): Lazy {
  return fn("mkPackageOption", 2, (pkgs, name) =>
    fnWithFormals("mkPackageOption", PACKAGE_OPTION_FORMALS, (args) => packageOption(types, pkgs, name, args)),
  );
}

function packageOption(types: AllTypes, pkgs: Lazy, lazyName: Lazy, args: Attrs): Attrs {
  const name = force(lazyName);
  const path = Array.isArray(name) ? textList(name) : [forceText(name)];
  const nullable = args.has("nullable") && force(args.get("nullable")!) === true;
  const pkgsText = forceText(getOr(args, "pkgsText", "pkgs"));
  const given = force(getOr(args, "default", name));
  const fields: [string, Lazy][] = [];
  const code = (text: string): Lazy =>
    Attrs.from([
      ["_type", "literalExpression"],
      ["text", text],
    ]);
  if (given !== null) {
    const steps = Array.isArray(given) ? textList(given) : [forceText(given)];
    fields.push([
      "default",
      lazy(() => {
        let value: Lazy = pkgs;
        for (const step of steps) {
          const found: Lazy | undefined = forceAttrs(value).get(step);
          if (found === undefined) throw new ThrownError(`${showOption(steps)} cannot be found in ${pkgsText}`);
          value = found;
        }
        return value;
      }),
    ]);
    fields.push(["defaultText", code(`${pkgsText}.${showOption(steps)}`)]);
  } else if (nullable) fields.push(["default", null]);
  const extra = forceText(getOr(args, "extraDescription", ""));
  fields.push(["description", `The ${path.at(-1)} package to use.${extra === "" ? "" : ` ${extra}`}`]);
  fields.push(["type", (nullable ? types.nullOr(types.package) : types.package)[nixValue]]);
  if (isDefinedAttr(args, "example")) {
    const example = force(args.get("example")!);
    fields.push([
      "example",
      Array.isArray(example) ? code(`${pkgsText}.${showOption(textList(example))}`) : code(forceText(example)),
    ]);
  }
  return option(Attrs.from(fields));
}
