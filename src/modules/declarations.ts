/** Option declarations: merging those of one option, and evaluating it. */
import {
  Attrs,
  callFunction,
  force,
  type Lazy,
  lazy,
  type LazyPosition,
  nixValue,
  updateAttrs,
} from "../lang/index.ts";
import { fn, tagOf } from "../lib/index.ts";
import { optionReadOnly, optionRedeclared } from "./errors.ts";
import { mergeDefinitions, tracedOption } from "./merge.ts";
import { once } from "./once.ts";
import { type TypeContext, definitionValue } from "./option-types/define.ts";
import { makeOverride } from "./properties.ts";
import { showFiles, showOption } from "./show.ts";
import type { Definition, OptionPath, OptionType } from "./types.ts";

/** One place where an option is declared. `options` is a set made by `mkOption`, or a tree of such. */
export interface Declaration {
  readonly file: string;
  readonly options: Lazy;
  readonly position: LazyPosition;
}

/** An option as all its declarations together describe it. */
export interface DeclaredOption {
  /** The declared attributes, with `loc`, `declarations`, `declarationPositions` and `type`. */
  readonly attrs: Attrs;
  readonly type: OptionType;
  readonly declarations: readonly string[];
}

/** Kinds of things that only one declaration of an option may say. */
const EXCLUSIVE = ["default", "example", "description", "apply"];

export interface OptionContext extends TypeContext {
  readonly unspecified: OptionType;
  warn(message: string): void;
}

/** `{ _file = file; imports = [ module ]; }`: a module that is known by the file that brought it in. */
export function setDefaultModuleLocation(file: Lazy, module: Lazy): Attrs {
  return Attrs.from([
    ["_file", file],
    ["imports", [module]],
  ]);
}

/** Makes one option of its declarations. @throws D2nError if they contradict each other */
export function mergeDeclarations(
  context: OptionContext,
  path: OptionPath,
  declarations: readonly Declaration[],
): DeclaredOption {
  let merged = Attrs.empty;
  let type: OptionType | undefined;
  const files: string[] = [];
  const positions: Lazy[] = [];
  let subModules: Lazy[] = [];
  for (const { file, options, position } of declarations) {
    const attrs = force(options) as Attrs;
    const ownType = attrs.get("type");
    if (files.length > 0 && EXCLUSIVE.some((field) => attrs.has(field) && merged.has(field)))
      throw optionRedeclared(path, file, files);
    if (ownType !== undefined) {
      const own = context.from(ownType);
      if (type === undefined) type = own;
      else {
        const joined = type.mergeWith(own.functor);
        if (joined === null) throw optionRedeclared(path, file, files);
        type = joined;
      }
      const modules = own.subModules();
      if (modules !== null)
        subModules = [...modules.map((module) => setDefaultModuleLocation(file, module)), ...subModules];
    }
    merged = updateAttrs(attrs, merged);
    files.push(file);
    positions.push(positionValue(file, position));
  }
  const effective =
    type === undefined ? context.unspecified : type.subModules() === null ? type : type.withSubModules(subModules);
  const attrs = updateAttrs(
    merged,
    Attrs.from([
      ["loc", [...path]],
      ["declarations", files],
      ["declarationPositions", positions],
      ["options", type?.subModules() === null || type === undefined ? subModules : []],
      ["type", lazy(() => effective[nixValue])],
    ]),
  );
  return { attrs, type: effective, declarations: files };
}

/** A position as Nix code sees it; without one, the file alone. */
export function positionValue(file: string, position: LazyPosition): Lazy {
  return lazy(() => {
    const found = typeof position === "function" ? position() : position;
    return Attrs.from([
      ["file", found?.file ?? file],
      ["line", found?.line ?? null],
      ["column", found?.column ?? null],
    ]);
  });
}

export interface EvaluatedOption {
  /** What `options.<path>` is. */
  readonly attrs: Attrs;
  readonly value: Lazy;
}

/** The value of an option, and all that Nix code may ask of it, none of it computed yet. */
export function evaluateOption(
  context: OptionContext,
  path: OptionPath,
  option: DeclaredOption,
  definitions: () => readonly Definition[],
): EvaluatedOption {
  const { ev } = context;
  const declared = option.attrs.get("default");
  const merged = once(() => {
    const all: readonly Definition[] =
      declared === undefined
        ? definitions()
        : [{ file: option.declarations[0] ?? "", value: makeOverride(1500, declared) }, ...definitions()];
    const readOnly = option.attrs.get("readOnly");
    if (readOnly !== undefined && force(readOnly) === true && all.length > 1)
      throw optionReadOnly(ev, path, all.map(unwrapped));
    return mergeDefinitions(ev, path, option.type, all);
  });
  const apply = option.attrs.get("apply");
  const value = tracedOption(
    path,
    lazy(() => (apply === undefined ? merged().value : callFunction(force(apply), merged().value))),
  );
  const deprecation = option.type.deprecationMessage;
  if (deprecation !== null)
    context.warn(
      `The type \`types.${option.type.name}' of option \`${showOption(path)}' defined in ${showFiles(option.declarations)} is deprecated. ${deprecation}`,
    );
  const attrs = updateAttrs(
    option.attrs,
    Attrs.from([
      ["value", value],
      ["highestPrio", lazy(() => merged().highestPriority())],
      [
        "definitions",
        lazy(() =>
          merged()
            .definitions()
            .map((definition) => definition.value),
        ),
      ],
      [
        "files",
        lazy(() =>
          merged()
            .definitions()
            .map((definition) => definition.file),
        ),
      ],
      ["definitionsWithLocations", lazy(() => merged().definitions().map(definitionValue))],
      ["isDefined", lazy(() => merged().isDefined())],
      ["__toString", fn("__toString", 1, () => showOption(path))],
    ]),
  );
  return { attrs, value };
}

/** For a message: what a definition says beneath its priority. */
function unwrapped(definition: Definition): Definition {
  try {
    const value = force(definition.value);
    const content = tagOf(value) === "override" ? (value as Attrs).get("content") : undefined;
    return content === undefined ? definition : { ...definition, value: content };
  } catch {
    return definition;
  }
}
