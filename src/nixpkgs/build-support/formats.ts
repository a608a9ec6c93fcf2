/** `pkgs.formats`: the type of a configuration file's values, and the file (nixpkgs' manual, "pkgs.formats"). */
import { Attrs, callFunction, EvalError, type Lazy, lazy, updateAttrs, type Value } from "../../lang/index.ts";
import { builderFile } from "../builder-files.ts";
import { packageOf, type Scope } from "../scope.ts";
import { attribute, expectSet, expectString, fn, given, omit, set, setFunction } from "../values.ts";
import type { TrivialBuilders } from "./trivial.ts";

/** Options of the line-based formats that are `lib.generators`' own. */
const lineOptions = {
  listsAsDuplicateKeys: true,
  listToValue: true,
  mkKeyValue: true,
  mkSectionName: true,
  indent: true,
};

export function createFormats(scope: Scope, trivial: TrivialBuilders): Attrs {
  const { ev, lib } = scope;
  const library = (name: string): Attrs => expectSet(attribute(lib, name)!, `lib.${name}`);
  const type = (name: string): Value => attribute(library("types"), name)!;
  const apply = (name: string, argument: Lazy): Lazy => lazy(() => callFunction(type(name), argument));
  const oneOf = (...types: readonly Lazy[]): Lazy => apply("oneOf", [...types]);
  const named = (description: string, of: Lazy): Lazy =>
    lazy(() => updateAttrs(expectSet(of, "a type"), set({ description })));
  const scalars = ["bool", "int", "float", "str", "path"].map((name) => lazy(() => type(name)));

  /** JSON and what is written from it: any nesting of sets and lists. */
  const tree = (form: string, title: string, nullable: boolean): Lazy => {
    const value: Lazy = named(
      `${title} value`,
      lazy(() => {
        const any = oneOf(...scalars, apply("attrsOf", value), apply("listOf", value));
        return nullable ? callFunction(type("nullOr"), any) : any;
      }),
    );
    const generate = (name: Lazy, content: Lazy): Attrs =>
      trivial.runCommand(
        expectString(name, "the name of a file"),
        set({
          content: lazy(() => callFunction(attribute(ev.builtins, "toJSON")!, content)),
          passAsFile: ["content"],
        }),
        ev.str`${packageOf(scope, "python3")}/bin/python3 ${builderFile(ev, "build-support/formats.py")} ${form} "$contentPath" "$out"`,
        { local: true },
      );
    return setFunction(`formats.${form}`, {}, () =>
      set({ type: value, generate: fn(`formats.${form}.generate`, 2, generate) }),
    );
  };

  /** Text that `lib.generators` makes of sets of lines. */
  const lines = (form: string, generator: string, typeOf: (atom: Lazy) => Lazy): Lazy =>
    setFunction(`formats.${form}`, lineOptions, (args) => {
      const listToValue = given(args, "listToValue");
      const duplicates = given(args, "listsAsDuplicateKeys") === true;
      if (duplicates && listToValue !== undefined)
        throw new EvalError(`formats.${form}: \`listsAsDuplicateKeys\` and \`listToValue\` exclude each other`);
      const atom = named("INI atom (null, bool, int, float or string)", apply("nullOr", oneOf(...scalars.slice(0, 4))));
      const value = duplicates || listToValue !== undefined ? oneOf(atom, apply("listOf", atom)) : atom;
      const generate = (name: Lazy, content: Lazy): Attrs => {
        const flat = listToValue === undefined ? content : lazy(() => joinLists(content, listToValue, generator));
        // The one generator that takes no options.
        const text = lazy(() =>
          generator === "toGitINI"
            ? callFunction(attribute(library("generators"), generator)!, flat)
            : callFunction(attribute(library("generators"), generator)!, omit(args, new Set(["listToValue"])), flat),
        );
        return trivial.writeTextFile(set({ name: expectString(name, "the name of a file"), text }));
      };
      return set({ type: typeOf(value), generate: fn(`formats.${form}.generate`, 2, generate) });
    });

  const attrsOf = (of: Lazy): Lazy => apply("attrsOf", of);
  return set({
    json: tree("json", "JSON", true),
    yaml: tree("yaml", "YAML", true),
    yaml_1_1: tree("yaml", "YAML 1.1", true),
    yaml_1_2: tree("yaml", "YAML 1.2", true),
    toml: tree("toml", "TOML", false),
    keyValue: lines("keyValue", "toKeyValue", attrsOf),
    ini: lines("ini", "toINI", (value) => attrsOf(attrsOf(value))),
    gitIni: lines("gitIni", "toGitINI", (value) => attrsOf(attrsOf(oneOf(value, attrsOf(value))))),
    iniWithGlobalSection: lines("iniWithGlobalSection", "toINIWithGlobalSection", (value) =>
      apply(
        "submodule",
        set({
          options: {
            globalSection: option(attrsOf(value)),
            sections: option(attrsOf(attrsOf(value))),
          },
        }),
      ),
    ),
  });

  function option(of: Lazy): Lazy {
    return lazy(() => callFunction(attribute(lib, "mkOption")!, set({ type: of, default: Attrs.empty })));
  }
}

/** The lists in a document's lines as single values, which `listToValue` makes. */
function joinLists(content: Lazy, listToValue: Value, generator: string): Attrs {
  const inLines = (given: Lazy): Attrs =>
    Attrs.from(
      [...expectSet(given, "a section").entries()].map(([key, item]): [string, Lazy] => [
        key,
        lazy(() => {
          const value = attribute(Attrs.from([[key, item]]), key)!;
          return Array.isArray(value) ? callFunction(listToValue, value) : value;
        }),
      ]),
    );
  const inSections = (given: Lazy): Attrs =>
    Attrs.from(
      [...expectSet(given, "the sections").entries()].map(([name, section]): [string, Lazy] => [
        name,
        lazy(() => inLines(section)),
      ]),
    );
  const document = expectSet(content, "the content of a configuration file");
  if (generator === "toKeyValue") return inLines(document);
  if (generator !== "toINIWithGlobalSection") return inSections(document);
  return set({
    globalSection: lazy(() => inLines(attribute(document, "globalSection") ?? Attrs.empty)),
    sections: lazy(() => inSections(attribute(document, "sections") ?? Attrs.empty)),
  });
}
