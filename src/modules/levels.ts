/** Matching definitions with declarations, level by level of the option tree, each level when it is looked at. */
import { Attrs, force, type Lazy, lazy, symbolName, typeOf, fromUtf8 } from "../lang/index.ts";
import { tagOf } from "../lib/index.ts";
import {
  type Declaration,
  evaluateOption,
  type EvaluatedOption,
  mergeDeclarations,
  type OptionContext,
} from "./declarations.ts";
import { declarationInvalid, definitionNotSet } from "./errors.ts";
import { once } from "./once.ts";
import { pushDown } from "./properties.ts";
import { showOption } from "./show.ts";
import type { Definition, OptionPath } from "./types.ts";

/** A definition that no option takes; its path counts from the level that was asked. */
export interface Unmatched extends Definition {
  readonly path: OptionPath;
}

/** One level of the tree of options: the root, or a set of options. */
export interface Level {
  /** `options` as Nix code sees it. */
  readonly options: Attrs;
  /** The values of the declared options. */
  readonly config: Attrs;
  unmatched(): readonly Unmatched[];
}

type Entry = { readonly option: () => EvaluatedOption } | { readonly level: Level };

export interface LevelContext extends OptionContext {
  /** An option of submodule type whose only declarations are those below it. */
  submoduleOption(options: Lazy): Attrs;
}

/** @param configs one set of definitions a module, properties pushed down into it; looked at when one of the values is */
export function mergeLevel(
  context: LevelContext,
  path: OptionPath,
  trees: readonly Declaration[],
  configs: () => readonly Definition[],
): Level {
  const declarations = declarationsByName(context, path, trees);
  const sets = once(() =>
    configs().map((definition) => ({ file: definition.file, set: definitionSet(context, path, definition) })),
  );

  /** The definitions of an attribute as the modules write them, or with properties pushed down into what they hold. */
  const definitionsOf = (name: string): Definition[] => {
    const found: Definition[] = [];
    for (const { file, set } of sets()) {
      const value = set.get(name);
      if (value !== undefined) found.push({ file, value, position: positionIn(set, name) });
    }
    return found;
  };

  const entries = new Map<string, () => Entry>();
  for (const [name, declared] of declarations)
    entries.set(
      name,
      once(() => makeEntry(context, [...path, name], declared, () => definitionsOf(name))),
    );

  const names = [...entries.keys()];
  const tree = (select: (entry: Entry) => Lazy): Attrs =>
    Attrs.from(names.map((name) => [name, lazy(() => select(entries.get(name)!()))]));
  return {
    options: tree((entry) => ("option" in entry ? entry.option().attrs : entry.level.options)),
    config: tree((entry) => ("option" in entry ? entry.option().value : entry.level.config)),
    unmatched: () => {
      if (configs().length === 0) return [];
      const all = new Set(names);
      for (const { set } of sets()) for (const name of set.names()) all.add(name);
      return [...all].sort().flatMap((name): Unmatched[] => {
        const entry = entries.get(name)?.();
        if (entry === undefined) return definitionsOf(name).map((definition) => ({ ...definition, path: [name] }));
        if ("option" in entry) return [];
        return entry.level.unmatched().map((definition) => ({ ...definition, path: [name, ...definition.path] }));
      });
    },
  };
}

function positionIn(set: Attrs, name: string): Definition["position"] {
  return set.positions === undefined ? undefined : () => set.position(name);
}

function declarationsByName(
  context: LevelContext,
  path: OptionPath,
  trees: readonly Declaration[],
): Map<string, Declaration[]> {
  const found = new Map<string, Declaration[]>();
  for (const { file, options, position } of trees) {
    const tree = force(options);
    if (!(tree instanceof Attrs))
      throw declarationInvalid(
        context.ev,
        `An option declaration for \`${fromUtf8(showOption(path))}' in module \`${fromUtf8(file)}' has type \`${typeOf(tree)}' rather than an attribute set`,
        position,
        "Did you mean to define this outside of `options'?",
      );
    const { ids } = tree.keys;
    for (let slot = 0; slot < ids.length; slot++) {
      const name = symbolName(ids[slot]!);
      const declaration: Declaration = { file, options: tree.values[slot]!, position: tree.positionAt(slot) };
      const known = found.get(name);
      if (known === undefined) found.set(name, [declaration]);
      else known.push(declaration);
    }
  }
  return found;
}

function definitionSet(context: LevelContext, path: OptionPath, definition: Definition): Attrs {
  const value = force(definition.value);
  if (!(value instanceof Attrs)) throw definitionNotSet(context.ev, path, definition, typeOf(value));
  return value;
}

function makeEntry(
  context: LevelContext,
  path: OptionPath,
  declared: readonly Declaration[],
  definitions: () => Definition[],
): Entry {
  const options = declared.filter((declaration) => isOptionDeclaration(context, path, declaration));
  // Which options there are is known without looking at what they are.
  const option = (all: () => readonly Declaration[]): Entry => ({
    option: once(() => evaluateOption(context, path, mergeDeclarations(context, path, all()), definitions)),
  });
  if (options.length === declared.length) return option(() => declared);
  if (options.length > 0) {
    const first = options[0]!;
    const isSubmodule = (declaration: Declaration): boolean => {
      const type = (force(declaration.options) as Attrs).get("type");
      return type !== undefined && context.from(type).name === "submodule";
    };
    if (!options.every(isSubmodule)) throw nestedOptions(context, path, first, declared);
    return option(() =>
      declared.map((declaration) =>
        options.includes(declaration)
          ? declaration
          : { ...declaration, options: context.submoduleOption(declaration.options) },
      ),
    );
  }
  const pushed = once(() =>
    definitions().flatMap((definition) =>
      pushDown(definition.value).map((value): Definition => ({ ...definition, value })),
    ),
  );
  return { level: mergeLevel(context, path, declared, pushed) };
}

function isOptionDeclaration(
  context: LevelContext,
  path: OptionPath,
  { file, options, position }: Declaration,
): boolean {
  const value = force(options);
  if (!(value instanceof Attrs) || !value.has("_type")) return false;
  const tag = tagOf(value);
  if (tag === "option") return true;
  throw declarationInvalid(
    context.ev,
    `In module \`${fromUtf8(file)}': expected an option declaration at option path \`${fromUtf8(showOption(path))}' but got an attribute set with type ${tag ?? "unknown"}`,
    position,
    tag === "option-type"
      ? "Wrap the type in a `mkOption` call: `lib.mkOption { type = …; description = …; }`."
      : undefined,
  );
}

function nestedOptions(
  context: LevelContext,
  path: OptionPath,
  option: Declaration,
  all: readonly Declaration[],
): Error {
  const type = (force(option.options) as Attrs).get("type");
  const description = type === undefined ? "unspecified value" : context.from(type).description;
  const below = all
    .filter((declaration) => tagOf(force(declaration.options)) !== "option")
    .flatMap((declaration) =>
      (force(declaration.options) as Attrs)
        .names()
        .map((name) => `\`${showOption([...path, name])}' in \`${declaration.file}'`),
    );
  return declarationInvalid(
    context.ev,
    `The option \`${fromUtf8(showOption(path))}' in module \`${fromUtf8(option.file)}' would be a parent of the following options, but its type \`${fromUtf8(description)}' does not support nested options: ${fromUtf8(below.sort().join(", "))}`,
    option.position,
  );
}
