/** Options as plain data, for generated documentation. */
import { Attrs, force, forceList, forceText, fromUtf8, type Lazy, lazy, nixValue } from "../lang/index.ts";
import { attribute, showPretty, tagOf, textList, getOr } from "../lib/index.ts";
import type { TypeContext } from "./option-types/define.ts";
import { showOption, UNKNOWN_FILE } from "./show.ts";
import type { ModuleSystem, OptionType } from "./types.ts";
import type { View } from "./view.ts";

/** One option as documentation shows it. Texts are Markdown or Nix code. */
export interface OptionDocumentation {
  /** `pip.overrides.<name>` */
  readonly name: string;
  readonly path: readonly string[];
  readonly type: string;
  readonly description: string | null;
  /** Nix code, or Markdown if `default.markdown`. */
  readonly default: { readonly text: string; readonly markdown: boolean } | null;
  readonly example: { readonly text: string; readonly markdown: boolean } | null;
  readonly readOnly: boolean;
  readonly internal: boolean;
  readonly visible: boolean;
  readonly declarations: readonly string[];
}

/** All options of an evaluation, those of submodules included, sorted by name within each level. */
export function optionDocs(system: ModuleSystem, options: View): OptionDocumentation[] {
  return forceList(documentOptions(system.types, options[nixValue])).map((entry) => {
    const attrs = force(entry) as Attrs;
    const text = (name: string): string => fromUtf8(forceText(attrs.get(name)!));
    const flag = (name: string): boolean => force(attrs.get(name)!) === true;
    const rendered = (name: string): OptionDocumentation["default"] => {
      const value = attrs.get(name);
      if (value === undefined) return null;
      const literal = force(value);
      return { text: fromUtf8(forceText((literal as Attrs).get("text")!)), markdown: tagOf(literal) === "literalMD" };
    };
    const description = force(attrs.get("description")!);
    return {
      name: text("name"),
      path: textList(attribute(attrs, "loc")).map(fromUtf8),
      type: text("type"),
      description:
        description === null
          ? null
          : fromUtf8(forceText(description instanceof Attrs ? description.get("text")! : description)),
      default: rendered("default"),
      example: rendered("example"),
      readOnly: flag("readOnly"),
      internal: flag("internal"),
      visible: flag("visible"),
      declarations: textList(attribute(attrs, "declarations")).map(fromUtf8),
    };
  });
}

/** nixpkgs' `optionAttrSetToDocList`: a list of sets that describe the options. */
export function documentOptions(context: Pick<TypeContext, "from">, options: Lazy): Lazy {
  const found: Lazy[] = [];
  collect(context, options, found);
  return found;
}

function collect(context: Pick<TypeContext, "from">, lazyOptions: Lazy, found: Lazy[]): void {
  const options = force(lazyOptions);
  if (!(options instanceof Attrs)) return;
  if (tagOf(options) !== "option") {
    for (const [, value] of options.entries()) collect(context, value, found);
    return;
  }
  const typeValue = options.get("type");
  const type = typeValue === undefined ? undefined : context.from(typeValue);
  const visible = force(getOr(options, "visible", true));
  found.push(describe(options, type, visible === true || visible === "shallow"));
  if (type === undefined || !(visible === true || visible === "transparent")) return;
  collect(context, type.subOptions(textList(attribute(options, "loc"))), found);
}

function describe(option: Attrs, type: OptionType | undefined, visible: boolean): Attrs {
  const path = textList(attribute(option, "loc"));
  const flag = (name: string): boolean => force(getOr(option, name, false)) === true;
  const entries: [string, Lazy][] = [
    ["loc", path],
    ["name", showOption(path)],
    ["description", getOr(option, "description", null)],
    ["declarations", textList(getOr(option, "declarations", [])).filter((file) => file !== UNKNOWN_FILE)],
    ["internal", flag("internal")],
    ["visible", visible],
    ["readOnly", flag("readOnly")],
    ["type", type?.description ?? "unspecified"],
  ];
  const example = option.get("example");
  if (example !== undefined) entries.push(["example", lazy(() => renderValue(example))]);
  const shown = option.has("defaultText") ? option.get("defaultText") : option.get("default");
  const fallback = shown === undefined && type?.subModules() === null ? type.emptyValue() : shown;
  if (fallback !== undefined) entries.push(["default", lazy(() => renderValue(fallback))]);
  const related = option.get("relatedPackages");
  if (related !== undefined && force(related) !== null) entries.push(["relatedPackages", related]);
  return Attrs.from(entries);
}

/** A value as documentation shows it: text that was given for it, else Nix code. */
export function renderValue(lazyValue: Lazy): Lazy {
  const value = force(lazyValue);
  if (value instanceof Attrs && value.has("_type") && value.has("text")) return value;
  return Attrs.from([
    ["_type", "literalExpression"],
    ["text", lazy(() => showPretty(value, { multiline: true, allowPrettyValues: true }))],
  ]);
}
