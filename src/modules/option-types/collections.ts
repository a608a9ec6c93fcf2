/** Lists, sets, and the other types that are made of types. */
import {
  Attrs,
  callFunction,
  EvalError,
  force,
  forceBool,
  forceList,
  type Lazy,
  lazy,
  type LazyPosition,
  nixValue,
  symbolName,
  typeOf,
} from "../../lang/index.ts";
import { fn, functionFormals, isFunctionLike, tagOf, isStringLike } from "../../lib/index.ts";
import { optionMixed, optionNotUnique } from "../errors.ts";
import { mergeDefinitions, mergeEqual, mergeOne, type Merged } from "../merge.ts";
import type { Definition, OptionType } from "../types.ts";
import { showDefinitions, showOption } from "../show.ts";
import { changeType, defineType, elementFunctor, phrase, type TypeContext } from "./define.ts";

export interface AttrsSettings {
  readonly elemType: OptionType;
  readonly lazy?: boolean;
  readonly placeholder?: string;
}

/** The definitions of each attribute of sets, in the order of the sets, with what is known of their places. */
export function byAttribute(definitions: readonly Definition[]): Map<string, Definition[]> {
  const found = new Map<string, Definition[]>();
  for (const { file, value } of definitions) {
    const attrs = force(value) as Attrs;
    const { ids } = attrs.keys;
    for (let slot = 0; slot < ids.length; slot++) {
      const name = symbolName(ids[slot]!);
      const definition: Definition = { file, value: attrs.values[slot]!, position: attrs.positionAt(slot) };
      const known = found.get(name);
      if (known === undefined) found.set(name, [definition]);
      else known.push(definition);
    }
  }
  return found;
}

export function collectionTypes(
  context: TypeContext,
  addCheck: (type: OptionType, check: (value: Lazy) => boolean) => OptionType,
) {
  const { ev } = context;

  const listOf = (element: OptionType): OptionType =>
    defineType(context, {
      name: "listOf",
      description: () => `list of ${phrase(element, "noun", "composite")}`,
      descriptionClass: "composite",
      check: (value) => Array.isArray(force(value)),
      merge: (path, definitions) => {
        const elements: Lazy[] = [];
        definitions.forEach((definition, n) => {
          forceList(definition.value).forEach((value, m) => {
            const entry = { file: definition.file, value, position: definition.position };
            const merged = mergeDefinitions(ev, [...path, `[definition ${n + 1}-entry ${m + 1}]`], element, [entry]);
            if (merged.isDefined()) elements.push(merged.value);
          });
        });
        return elements;
      },
      emptyValue: () => [],
      subOptions: (prefix) => element.subOptions([...prefix, "*"]),
      subModules: element.subModules,
      withSubModules: (modules) => listOf(element.withSubModules(modules)),
      nestedTypes: () => ({ elemType: element }),
      functor: elementFunctor(context, element, listOf),
    });

  const nonEmptyListOf = (element: OptionType): OptionType => {
    const list = addCheck(listOf(element), (value) => forceList(value).length > 0);
    return changeType(context, list, {
      description: () => `non-empty ${phrase(list, "noun")}`,
      emptyValue: () => undefined,
      withSubModules: (modules) => nonEmptyListOf(element.withSubModules(modules)),
    });
  };

  const attrsWith = (settings: AttrsSettings): OptionType => {
    const { elemType: element, lazy: isLazy = false, placeholder = "name" } = settings;
    const lazyValue = (merged: Merged): Lazy =>
      lazy(() => {
        if (merged.isDefined()) return merged.value;
        return element.emptyValue() ?? merged.value;
      });
    return defineType(context, {
      name: isLazy ? "lazyAttrsOf" : "attrsOf",
      description: () =>
        `${isLazy ? "lazy attribute set" : "attribute set"} of ${phrase(element, "noun", "composite")}`,
      descriptionClass: "composite",
      check: (value) => force(value) instanceof Attrs,
      merge: (path, definitions) => {
        const entries: [string, Lazy, LazyPosition][] = [];
        for (const [name, own] of byAttribute(definitions)) {
          const merged = mergeDefinitions(ev, [...path, name], element, own);
          const position = own[0]!.position;
          if (isLazy) entries.push([name, lazyValue(merged), position]);
          else if (merged.isDefined()) entries.push([name, merged.value, position]);
        }
        return Attrs.from(entries);
      },
      emptyValue: () => Attrs.empty,
      subOptions: (prefix) => element.subOptions([...prefix, `<${placeholder}>`]),
      subModules: element.subModules,
      withSubModules: (modules) => attrsWith({ ...settings, elemType: element.withSubModules(modules) }),
      nestedTypes: () => ({ elemType: element }),
      functor: {
        name: "attrsWith",
        payload: () =>
          Attrs.from([
            ["elemType", element[nixValue]],
            ["lazy", isLazy],
            ["placeholder", placeholder],
          ]),
        make: (payload) =>
          attrsWith({
            elemType: context.from(payload.get("elemType")!),
            lazy: forceBool(payload.get("lazy")!),
            placeholder: force(payload.get("placeholder")!) as string,
          }),
        join: (mine, other) => {
          const merged = context.from(mine.get("elemType")!).mergeWith(context.from(other.get("elemType")!).functor);
          if (merged === null || force(mine.get("lazy")!) !== force(other.get("lazy")!)) return null;
          const names = [force(mine.get("placeholder")!), force(other.get("placeholder")!)];
          const named = names.filter((name) => name !== "name");
          if (named.length === 2 && named[0] !== named[1]) return null;
          return Attrs.from([
            ["elemType", merged[nixValue]],
            ["lazy", mine.get("lazy")!],
            ["placeholder", named[0] ?? "name"],
          ]);
        },
      },
    });
  };
  const attrsOf = (elemType: OptionType): OptionType => attrsWith({ elemType });

  const anything: OptionType = defineType(context, {
    name: "anything",
    description: "anything",
    descriptionClass: "noun",
    merge: (path, definitions) => {
      const kinds = new Set(
        definitions.map((definition) => {
          const value = force(definition.value);
          return value instanceof Attrs && isStringLike(value) ? "stringCoercibleSet" : typeOf(value);
        }),
      );
      if (kinds.size > 1) throw optionMixed(ev, path, definitions, "has conflicting option types");
      const [kind] = kinds;
      if (kind === "set") return attrsOf(anything).merge(path, definitions);
      if (kind === "stringCoercibleSet") return mergeOne(ev, path, definitions);
      if (kind === "lambda")
        return fn("merged functions", 1, (argument) =>
          anything.merge(
            [...path, "<function body>"],
            definitions.map((definition) => ({
              ...definition,
              value: lazy(() => callFunction(force(definition.value), argument)),
            })),
          ),
        );
      return mergeEqual(ev, path, definitions);
    },
  });

  const nullOr = (element: OptionType): OptionType =>
    defineType(context, {
      name: "nullOr",
      description: () => `null or ${phrase(element, "noun", "conjunction")}`,
      descriptionClass: "conjunction",
      check: (value) => force(value) === null || element.check(value),
      merge: (path, definitions) => {
        const nulls = definitions.filter((definition) => force(definition.value) === null);
        if (nulls.length === 0) return element.merge(path, definitions);
        if (nulls.length === definitions.length) return null;
        throw optionMixed(ev, path, definitions, "is defined both null and not null");
      },
      emptyValue: () => null,
      subOptions: element.subOptions,
      subModules: element.subModules,
      withSubModules: (modules) => nullOr(element.withSubModules(modules)),
      nestedTypes: () => ({ elemType: element }),
      functor: elementFunctor(context, element, nullOr),
    });

  const unique = (message: string, element: OptionType): OptionType =>
    defineType(context, {
      name: "unique",
      description: () => element.description,
      descriptionClass: () => element.descriptionClass,
      check: element.check,
      merge: (path, definitions) => {
        if (definitions.length !== 1) throw optionNotUnique(ev, path, definitions, message);
        return element.merge(path, definitions);
      },
      emptyValue: element.emptyValue,
      subOptions: element.subOptions,
      subModules: element.subModules,
      withSubModules: (modules) => unique("", element.withSubModules(modules)),
      nestedTypes: () => ({ elemType: element }),
      functor: elementFunctor(context, element, (inner) => unique(message, inner)),
    });

  const either = (left: OptionType, right: OptionType): OptionType =>
    defineType(context, {
      name: "either",
      description: () =>
        left.descriptionClass === "nonRestrictiveClause"
          ? `${left.description}, or ${phrase(right, "noun", "conjunction")}`
          : `${phrase(left, "noun", "conjunction")} or ${phrase(right, "noun", "conjunction", "composite")}`,
      descriptionClass: "conjunction",
      check: (value) => left.check(value) || right.check(value),
      merge: (path, definitions) => {
        if (definitions.every((definition) => left.check(definition.value))) return left.merge(path, definitions);
        if (definitions.every((definition) => right.check(definition.value))) return right.merge(path, definitions);
        // Only a type around this one that checks less can lead here: a freeform type, say.
        ev.host.message(
          "warning",
          `One or more definitions did not pass the type-check of the 'either' type: the option \`${showOption(path)}\` is neither a value of type \`${left.description}\` nor \`${right.description}\`. Definition values:\n${showDefinitions(definitions)}`,
        );
        return mergeOne(ev, path, definitions);
      },
      nestedTypes: () => ({ left, right }),
      mergeWith: (other) => {
        const payload = other.payload();
        if (other.name !== "either" || payload === null) return null;
        const [otherLeft, otherRight] = forceList(payload.get("elemType")!).map((type) => context.from(type));
        const mergedLeft = left.mergeWith(otherLeft!.functor);
        const mergedRight = right.mergeWith(otherRight!.functor);
        return mergedLeft === null || mergedRight === null ? null : either(mergedLeft, mergedRight);
      },
      functor: {
        payload: () => Attrs.from([["elemType", [left[nixValue], right[nixValue]]]]),
        make: (payload) => {
          const [first, second] = forceList(payload.get("elemType")!).map((type) => context.from(type));
          return either(first!, second!);
        },
        join: () => null,
      },
    });
  const oneOf = (types: readonly OptionType[]): OptionType => {
    if (types.length === 0)
      throw new EvalError("types.oneOf needs to get at least one type in its argument", { code: "option-declaration" });
    return types.reduce(either);
  };

  const coercedTo = (from: OptionType, coerce: (value: Lazy) => Lazy, to: OptionType): OptionType => {
    if (from.subModules() !== null)
      throw new EvalError(`coercedTo: coercedType must not have submodules (it’s a ${from.description})`, {
        code: "option-declaration",
      });
    return defineType(context, {
      name: "coercedTo",
      description: () => `${phrase(to, "noun")} or ${phrase(from, "noun")} convertible to it`,
      check: (value) => (from.check(value) && to.check(lazy(() => coerce(value)))) || to.check(value),
      merge: (path, definitions) =>
        to.merge(
          path,
          definitions.map((definition) =>
            from.check(definition.value) ? { ...definition, value: lazy(() => coerce(definition.value)) } : definition,
          ),
        ),
      emptyValue: to.emptyValue,
      subOptions: to.subOptions,
      subModules: to.subModules,
      withSubModules: (modules) => coercedTo(from, coerce, to.withSubModules(modules)),
      nestedTypes: () => ({ coercedType: from, finalType: to }),
      functor: null,
    });
  };

  const functionTo = (result: OptionType): OptionType =>
    defineType(context, {
      name: "functionTo",
      description: () => `function that evaluates to a(n) ${phrase(result, "noun", "composite")}`,
      descriptionClass: "composite",
      check: (value) => isFunctionLike(force(value)),
      merge: (path, definitions) =>
        Attrs.from([
          [
            "__functionArgs",
            lazy(() => {
              const formals = new Map<string, Lazy[]>();
              for (const definition of definitions)
                for (const [name, optional] of functionFormals(force(definition.value)))
                  formals.set(name, [...(formals.get(name) ?? []), optional]);
              return Attrs.from(
                [...formals].map(([name, optional]) => [
                  name,
                  lazy(() => optional.every((one) => force(one) === true)),
                ]),
              );
            }),
          ],
          [
            "__functor",
            fn(
              "merged functions",
              2,
              (_self, argument) =>
                mergeDefinitions(
                  ev,
                  [...path, "<function body>"],
                  result,
                  definitions.map((definition) => ({
                    ...definition,
                    value: lazy(() => callFunction(force(definition.value), argument)),
                  })),
                ).value,
            ),
          ],
        ]),
      subOptions: (prefix) => result.subOptions([...prefix, "<function body>"]),
      subModules: result.subModules,
      withSubModules: (modules) => functionTo(result.withSubModules(modules)),
      nestedTypes: () => ({ elemType: result }),
      functor: elementFunctor(context, result, functionTo),
    });

  const pkgs = changeType(
    context,
    unique("A Nixpkgs pkgs set can not be merged with another pkgs set.", attrsOf(anything)),
    {
      name: "pkgs",
      description: "Nixpkgs package set",
      descriptionClass: "noun",
      check: (lazyValue) => tagOf(force(lazyValue)) === "pkgs",
      merge: (path, definitions) => mergeOne(ev, path, definitions),
    },
  );

  return {
    listOf,
    nonEmptyListOf,
    attrsWith,
    attrsOf,
    anything,
    nullOr,
    unique,
    either,
    oneOf,
    coercedTo,
    functionTo,
    pkgs,
  };
}
