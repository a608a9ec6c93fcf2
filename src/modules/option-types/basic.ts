/** Types of single values: booleans, numbers, strings, paths, packages, enumerations. */
import type { ContextString } from "../../lang/index.ts";
import {
  Attrs,
  callFunction,
  equal,
  force,
  forceBool,
  forceList,
  forceString,
  isDerivation,
  isInteger,
  isString,
  type Lazy,
  lazy,
  makeString,
  contextOf,
  NixFloat,
  NixPath,
  textOf,
  toNix,
  typeOf,
  updateAttrs,
  type Native,
  type Value,
  EvalError,
} from "../../lang/index.ts";
import {
  call,
  fn,
  isFunctionLike,
  jsonString,
  tagOf,
  getOr,
  isStringLike,
  joinWith,
  storePathDerivation,
} from "../../lib/index.ts";
import { optionMixed } from "../errors.ts";
import { mergeEqual, mergeOne } from "../merge.ts";
import type { Definition, OptionPath, OptionType } from "../types.ts";
import { changeType, defineType, phrase, type TypeContext } from "./define.ts";

/** nixpkgs' `mergeDefaultOption`: what merging means where the type does not say. */
export function mergeDefault(context: TypeContext, path: OptionPath, definitions: readonly Definition[]): Lazy {
  const { ev } = context;
  if (definitions.length === 1) return definitions[0]!.value;
  const values = definitions.map((definition) => force(definition.value));
  if (values.every(isFunctionLike))
    return fn("merged functions", 1, (argument) =>
      mergeDefault(
        context,
        path,
        definitions.map((definition) => ({
          ...definition,
          value: lazy(() => callFunction(force(definition.value), argument)),
        })),
      ),
    );
  if (values.every((value) => Array.isArray(value))) return values.flatMap((value) => forceList(value));
  if (values.every((value) => value instanceof Attrs)) return values.reduce((a, b) => updateAttrs(a, b));
  if (values.every((value) => typeof value === "boolean")) return values.includes(true);
  if (values.every(isString)) return joinWith(values, "");
  if (values.every((value) => isInteger(value) && equal(value, values[0]!))) return values[0]!;
  throw optionMixed(ev, path, definitions, "has definitions that cannot be merged");
}

export interface PathWanted {
  readonly inStore?: boolean | null;
  readonly absolute?: boolean | null;
}

export function basicTypes(context: TypeContext) {
  const { ev } = context;
  const equalOnly = (path: OptionPath, definitions: readonly Definition[]): Lazy => mergeEqual(ev, path, definitions);
  const one = (path: OptionPath, definitions: readonly Definition[]): Lazy => mergeOne(ev, path, definitions);
  const noun = "noun";

  const raw = defineType(context, { name: "raw", description: "raw value", descriptionClass: noun, merge: one });
  const unspecified = defineType(context, {
    name: "unspecified",
    description: "unspecified value",
    descriptionClass: noun,
    merge: (path, definitions) => mergeDefault(context, path, definitions),
  });
  const bool = defineType(context, {
    name: "bool",
    description: "boolean",
    descriptionClass: noun,
    check: (value) => typeof force(value) === "boolean",
    merge: equalOnly,
  });
  const boolByOr = defineType(context, {
    name: "boolByOr",
    description: "boolean (merged using or)",
    descriptionClass: noun,
    check: (value) => typeof force(value) === "boolean",
    merge: (_path, definitions) => definitions.some((definition) => forceBool(definition.value)),
  });
  const int = defineType(context, {
    name: "int",
    description: "signed integer",
    descriptionClass: noun,
    check: (value) => isInteger(force(value)),
    merge: equalOnly,
  });
  const float = defineType(context, {
    name: "float",
    description: "floating point number",
    descriptionClass: noun,
    check: (value) => force(value) instanceof NixFloat,
    merge: equalOnly,
  });
  const str = defineType(context, {
    name: "str",
    description: "string",
    descriptionClass: noun,
    check: (value) => isString(force(value)),
    merge: equalOnly,
  });
  const nonEmptyStr = defineType(context, {
    name: "nonEmptyStr",
    description: "non-empty string",
    descriptionClass: noun,
    check: (value) => {
      const forced = force(value);
      return isString(forced) && !/^[ \t\n]*$/.test(textOf(forced));
    },
    merge: equalOnly,
  });
  const singleLineStr = defineType(context, {
    name: "singleLineStr",
    description: "(optionally newline-terminated) single-line string",
    descriptionClass: noun,
    check: (value) => {
      const forced = force(value);
      return isString(forced) && /^[^\n\r]*\n?$/.test(textOf(forced)) && !/\n\n$/.test(textOf(forced));
    },
    merge: (path, definitions) => {
      const value = force(equalOnly(path, definitions)) as string | ContextString;
      return makeString(textOf(value).replace(/\n$/, ""), contextOf(value));
    },
  });

  /** The regular expressions of `builtins.match`. */
  const matches = (pattern: string, text: string): boolean => call(ev.builtins.get("match")!, pattern, text) !== null;
  const strMatching = (pattern: string): OptionType =>
    defineType(context, {
      name: `strMatching ${jsonString(pattern).replaceAll("$", "\\$")}`,
      description: `string matching the pattern ${pattern}`,
      descriptionClass: noun,
      check: (value) => {
        const forced = force(value);
        return isString(forced) && matches(pattern, textOf(forced));
      },
      merge: equalOnly,
      functor: {
        name: "strMatching",
        payload: () => Attrs.from([["pattern", pattern]]),
        make: (payload) => strMatching(textOf(force(payload.get("pattern")!) as string)),
        join: (mine, other) => (equal(mine, other) ? mine : null),
      },
    });
  const separatedString = (separator: string): OptionType =>
    defineType(context, {
      name: "separatedString",
      description: `strings concatenated with ${jsonString(separator)}`,
      descriptionClass: noun,
      check: (value) => isString(force(value)),
      merge: (_path, definitions) =>
        joinWith(
          definitions.map((definition) => forceString(definition.value)),
          separator,
        ),
      functor: {
        payload: () => Attrs.from([["sep", separator]]),
        make: (payload) => separatedString(textOf(force(payload.get("sep")!) as string)),
        join: (mine, other) => (equal(mine, other) ? mine : null),
      },
    });

  const attrs = defineType(context, {
    name: "attrs",
    description: "attribute set",
    check: (value) => force(value) instanceof Attrs,
    merge: (_path, definitions) =>
      definitions
        .map((definition) => force(definition.value) as Attrs)
        .reduce((a, b) => updateAttrs(a, b), Attrs.empty),
    emptyValue: () => Attrs.empty,
  });

  const inStore = (path: string): boolean => {
    const { storeDir } = ev.host;
    if (!path.startsWith(`${storeDir}/`)) return false;
    const [base = ""] = path.slice(storeDir.length + 1).split("/");
    return base !== ".links" && /^.{32}-./s.test(base);
  };
  const asText = (value: Value): string => textOf(ev.coerceToString(value, { copyToStore: false, coerceMore: true }));
  const pathWith = (wanted: PathWanted): OptionType => {
    const store = wanted.inStore ?? null;
    const absolute = wanted.absolute ?? null;
    if (store === true && absolute === false)
      throw new EvalError("In pathWith, inStore means the path must be absolute", { code: "option-declaration" });
    const kind = absolute === null ? "" : absolute ? "absolute " : "relative ";
    const place = store === null ? "" : store ? " in the Nix store" : " not in the Nix store";
    return defineType(context, {
      name: "path",
      description: `${kind}path${place}`,
      descriptionClass: noun,
      check: (lazyValue) => {
        const value = force(lazyValue);
        // A true path could end up in the store later on, so "not in the store" wants a string.
        if (store === false ? !isString(value) : !isStringLike(value)) return false;
        const text = asText(value);
        if (store !== null && inStore(text) !== store) return false;
        return absolute === null || text.startsWith("/") === absolute;
      },
      merge: equalOnly,
      functor: {
        payload: () =>
          Attrs.from([
            ["absolute", absolute],
            ["inStore", store],
          ]),
        make: (payload) =>
          pathWith({
            absolute: force(getOr(payload, "absolute", null)) as boolean | null,
            inStore: force(getOr(payload, "inStore", null)) as boolean | null,
          }),
        join: (mine, other) => (equal(mine, other) ? mine : null),
      },
    });
  };

  const isStorePath = (value: Value): boolean => {
    if (!isStringLike(value)) return false;
    const text = asText(value);
    return text.slice(0, text.lastIndexOf("/")) === ev.host.storeDir;
  };
  const packageType = defineType(context, {
    name: "package",
    descriptionClass: noun,
    check: (lazyValue) => {
      const value = force(lazyValue);
      return isDerivation(value) || isStorePath(value);
    },
    merge: (path, definitions) => {
      const value = force(one(path, definitions));
      return value instanceof NixPath || typeof value === "string" ? storePathDerivation(ev, value) : value;
    },
  });
  const shellPackage = changeType(context, packageType, {
    check: (lazyValue) => {
      const value = force(lazyValue);
      return isDerivation(value) && value.has("shellPath");
    },
  });

  const show = (lazyValue: Lazy): string => {
    const value = force(lazyValue);
    if (isString(value)) return `"${textOf(value)}"`;
    if (isInteger(value) || typeof value === "boolean") return String(value);
    return `<${typeOf(value)}>`;
  };
  const enumeration = (values: readonly Lazy[]): OptionType =>
    defineType(context, {
      name: "enum",
      description: () =>
        values.length === 0
          ? "impossible (empty enum)"
          : values.length === 1
            ? `value ${show(values[0]!)} (singular enum)`
            : `one of ${values.map(show).join(", ")}`,
      descriptionClass: values.length < 2 ? noun : "conjunction",
      check: (value) => values.some((candidate) => equal(candidate, value)),
      merge: equalOnly,
      functor: {
        payload: () => Attrs.from([["values", values]]),
        make: (payload) => enumeration(forceList(payload.get("values")!)),
        join: (mine, other) => {
          const all: Lazy[] = [];
          for (const value of [...forceList(mine.get("values")!), ...forceList(other.get("values")!)])
            if (!all.some((known) => equal(known, value))) all.push(value);
          return Attrs.from([["values", all]]);
        },
      },
    });

  const addCheck = (type: OptionType, check: (value: Lazy) => boolean): OptionType =>
    changeType(context, type, { check: (value) => type.check(value) && check(value) });

  const optionDeclaration = defineType(context, {
    name: "optionDeclaration",
    description: "option declaration",
    descriptionClass: noun,
    check: (lazyValue) => {
      const value = force(lazyValue);
      return tagOf(value) === "option" && !(value as Attrs).has("value");
    },
    merge: (path, definitions) => mergeDefault(context, path, definitions),
  });
  const luaInline = defineType(context, {
    name: "luaInline",
    description: "inline lua",
    descriptionClass: noun,
    check: (value) => tagOf(force(value)) === "lua-inline",
    merge: equalOnly,
  });
  const passwdEntry = (type: OptionType): OptionType =>
    changeType(
      context,
      addCheck(type, (value) => !/[:\n]/.test(textOf(force(value) as string))),
      {
        name: `passwdEntry ${type.name}`,
        description: `${phrase(type, noun)}, not containing newlines or colons`,
        descriptionClass: "nonRestrictiveClause",
      },
    );

  return {
    raw,
    unspecified,
    bool,
    boolByOr,
    int,
    float,
    str,
    nonEmptyStr,
    singleLineStr,
    strMatching,
    separatedString,
    lines: separatedString("\n"),
    commas: separatedString(","),
    envVar: separatedString(":"),
    attrs,
    pathWith,
    path: pathWith({ absolute: true }),
    pathInStore: pathWith({ inStore: true }),
    externalPath: pathWith({ absolute: true, inStore: false }),
    package: packageType,
    shellPackage,
    enumeration,
    enum: (values: readonly Native[]): OptionType => enumeration(values.map((value) => toNix(value))),
    addCheck,
    optionDeclaration,
    luaInline,
    passwdEntry,
  };
}
