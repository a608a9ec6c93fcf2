/** `lib.generators`, `lib.cli`: values as configuration files and command lines. */
import {
  AbortError,
  Attrs,
  type Evaluator,
  expectFormals,
  force,
  forceAttrs,
  forceBool,
  forceInt,
  forceList,
  forceText,
  type Formals,
  isDerivation,
  isInteger,
  isString,
  joinStrings,
  type Lazy,
  NixFloat,
  NixPath,
  type NixString,
  textOf,
  ThrownError,
  typeOf,
  type Value,
} from "../lang/index.ts";
import { recursiveUpdate, setByPath } from "./attrsets.ts";
import { toPlist } from "./plist.ts";
import { showPretty } from "./pretty.ts";
import { quoteForShell } from "./shell-strings.ts";
import { joinWith, withText } from "./strings.ts";
import { attribute, call, fn, fnWithFormals, isFunctionLike, lazyMap, type Namespace, getOr } from "./support.ts";

type ToText = (value: Lazy) => NixString;
type ToLine = (key: string, value: Lazy) => NixString;

const join = (...parts: readonly NixString[]): NixString => parts.reduce(joinStrings);
const escaped = (value: NixString, characters: readonly string[]): NixString =>
  withText(
    value,
    [...textOf(value)].map((character) => (characters.includes(character) ? `\\${character}` : character)).join(""),
  );

export function generatorsNamespace(ev: Evaluator, gvariant: Namespace): Namespace {
  const string = (value: Lazy): NixString => ev.coerceToString(value);
  const toText = (value: Lazy): NixString => ev.coerceToString(value, { coerceMore: true, copyToStore: false });
  const json = (value: Lazy): NixString => ev.coerceToString(call(ev.builtins.get("toJSON")!, value));

  const plainValue: ToText = (lazyValue) => {
    const value = force(lazyValue);
    if (isString(value)) return value;
    if (isInteger(value) || isDerivation(value) || value instanceof NixFloat) return toText(value);
    if (typeof value === "boolean" || value === null) return String(value);
    const kind = Array.isArray(value)
      ? "lists"
      : isFunctionLike(value)
        ? "functions"
        : value instanceof Attrs
          ? "attrsets"
          : "this value is";
    throw new AbortError(
      `evaluation aborted with the following error message: 'generators.mkValueStringDefault: ${kind} not supported: ${showPretty(value)}'`,
    );
  };
  const keyValue =
    (separator: string, valueText: ToText = plainValue): ToLine =>
    (key, value) =>
      join(key.replaceAll(separator, `\\${separator}`), separator, valueText(value));
  const givenLine = (args: Attrs): ToLine => {
    const given = args.get("mkKeyValue");
    return given === undefined ? keyValue("=") : (key, value) => string(call(given, key, value));
  };
  const lines = (args: Attrs, line: ToLine, attrs: Lazy): NixString => {
    const duplicate = forceBool(getOr(args, "listsAsDuplicateKeys", false));
    const indent = forceText(getOr(args, "indent", ""));
    return joinWith(
      [...forceAttrs(attrs).entries()].flatMap(([key, value]) => {
        const forced = duplicate ? force(value) : null;
        const values = Array.isArray(forced) ? (forced as readonly Lazy[]) : [value];
        return values.map((one) => join(indent, line(key, one), "\n"));
      }),
      "",
    );
  };
  const sections = (args: Attrs, attrs: Lazy, line = givenLine(args), nameOf?: (name: string) => string): NixString => {
    const given = args.get("mkSectionName");
    const title = (name: string): NixString =>
      nameOf !== undefined ? nameOf(name) : given === undefined ? escaped(name, ["[", "]"]) : string(call(given, name));
    return joinWith(
      [...forceAttrs(attrs).entries()].map(([name, values]) =>
        join("[", title(name), "]\n", lines(args, line, values)),
      ),
      "\n",
    );
  };

  const INI = { mkSectionName: true, mkKeyValue: true, listsAsDuplicateKeys: true };
  const result = (
    formals: Readonly<Record<string, boolean>>,
    name: string,
    make: (args: Attrs, value: Lazy) => Lazy,
  ): Lazy => fnWithFormals(name, formals, (args) => fn(name, 1, (value) => make(args, value)));
  const dconfLine = keyValue("=", (value) => toText(call(gvariant.mkValue!, value)));

  return {
    mkValueStringDefault: result({}, "mkValueStringDefault", (_args, value) => plainValue(value)),
    mkKeyValueDefault: fnWithFormals("mkKeyValueDefault", { mkValueString: true }, (args) => {
      const given = args.get("mkValueString");
      const valueText: ToText = given === undefined ? plainValue : (value) => string(call(given, value));
      return fn("mkKeyValueDefault", 3, (separator, key, value) =>
        keyValue(forceText(separator), valueText)(forceText(key), value),
      );
    }),
    toKeyValue: result({ mkKeyValue: true, listsAsDuplicateKeys: true, indent: true }, "toKeyValue", (args, attrs) =>
      lines(args, givenLine(args), attrs),
    ),
    toINI: result(INI, "toINI", (args, attrs) => sections(args, attrs)),
    toINIWithGlobalSection: fnWithFormals("toINIWithGlobalSection", INI, (args) =>
      fnWithFormals("toINIWithGlobalSection", { globalSection: false, sections: true }, (settings) => {
        const global = forceAttrs(attribute(settings, "globalSection"));
        const first = global.size === 0 ? "" : join(lines(args, givenLine(args), global), "\n");
        return join(first, sections(args, getOr(settings, "sections", Attrs.empty)));
      }),
    ),
    mkDconfKeyValue: fn("mkDconfKeyValue", 2, (key, value) => dconfLine(forceText(key), value)),
    toDconfINI: fn("toDconfINI", 1, (attrs) => sections(Attrs.empty, attrs, dconfLine)),
    toGitINI: fn("toGitINI", 1, (attrs) =>
      sections(Attrs.empty, flattenGit(forceAttrs(attrs)), gitLine(plainValue), gitSection),
    ),
    withRecursion: fnWithFormals("withRecursion", { depthLimit: false, throwOnDepthLimit: true }, (args) => {
      const limit = force(attribute(args, "depthLimit"));
      const fails = forceBool(getOr(args, "throwOnDepthLimit", true));
      return fn("withRecursion", 1, (value) =>
        limit === null ? value : limited(value, 0, Number(forceInt(limit)), fails),
      );
    }),
    toPretty: result({ allowPrettyValues: true, multiline: true, indent: true }, "toPretty", (args, value) =>
      showPretty(value, {
        allowPrettyValues: forceBool(getOr(args, "allowPrettyValues", false)),
        multiline: forceBool(getOr(args, "multiline", true)),
        indent: forceText(getOr(args, "indent", "")),
      }),
    ),
    toPlist: result({ escape: true }, "toPlist", (args, value) =>
      toPlist(ev, value, forceBool(getOr(args, "escape", false))),
    ),
    toDhall: result({}, "toDhall", (_args, value) => dhall(value, json)),
    toLua: result({ multiline: true, indent: true, asBindings: true }, "toLua", (args, value) =>
      lua(
        ev,
        value,
        { multiline: forceBool(getOr(args, "multiline", true)), indent: forceText(getOr(args, "indent", "")) },
        forceBool(getOr(args, "asBindings", false)),
      ),
    ),
    mkLuaInline: fn("mkLuaInline", 1, (expr) =>
      Attrs.from([
        ["_type", "lua-inline"],
        ["expr", expr],
      ]),
    ),
    toJSON: result({}, "toJSON", (_args, value) => json(value)),
    toYAML: result({}, "toYAML", (_args, value) => json(value)),
  };
}

function gitSection(name: string): string {
  const [head, ...rest] = name.split(".");
  return name.includes('"') || rest.length === 0 ? name : `${head} "${rest.join(".")}"`;
}

function gitLine(plain: ToText): ToLine {
  const codes: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\" };
  const one: ToLine = (key, lazyValue) => {
    const value = force(lazyValue);
    const text = isString(value)
      ? withText(value, `"${textOf(value).replace(/[\n\t"\\]/g, (found) => codes[found]!)}"`)
      : plain(value);
    return join("\t", key.replaceAll(" = ", "\\ = "), " = ", text);
  };
  return (key, lazyValue) => {
    const value = force(lazyValue);
    return Array.isArray(value)
      ? joinWith(
          (value as readonly Lazy[]).map((element) => one(key, element)),
          "\n",
        )
      : one(key, value);
  };
}

/** Nested sets become sections: `a.b.c = 1` is key `c` of section `a.b`. */
function flattenGit(attrs: Attrs): Attrs {
  const isPlain = (value: Value): value is Attrs => value instanceof Attrs && !isDerivation(value);
  let flat = Attrs.empty;
  const kept: [string, Lazy][] = [];
  const descend = (path: readonly string[], value: Value): void => {
    if (isPlain(value)) for (const [name, inner] of value.entries()) descend([...path, name], force(inner));
    else {
      const target = path.length > 1 ? [path.slice(0, -1).join("."), path.at(-1)!] : path;
      flat = recursiveUpdate(flat, setByPath(target, value) as Attrs);
    }
  };
  for (const [name, lazyValue] of attrs.entries()) {
    const value = force(lazyValue);
    if (value instanceof Attrs && [...value.entries()].some(([, inner]) => isPlain(force(inner))))
      descend([name], value);
    else kept.push([name, value]);
  }
  return Attrs.from([...kept, ...flat.entries()]);
}

const SPECIAL = new Set(["__functor", "__functionArgs", "__toString", "__pretty"]);

function limited(lazyValue: Lazy, depth: number, limit: number, fails: boolean): Lazy {
  const stop = (): Lazy => {
    if (!fails) return "<unevaluated>";
    throw new ThrownError(
      `Exceeded maximum eval-depth limit of ${limit} while trying to evaluate with \`generators.withRecursion'!`,
    );
  };
  const deeper = (inner: Lazy): Lazy => (depth + 1 > limit ? stop() : limited(inner, depth + 1, limit, fails));
  const value = force(lazyValue);
  if (value instanceof Attrs) return lazyMap(value, (inner, name) => (SPECIAL.has(name) ? inner : deeper(inner)));
  if (Array.isArray(value)) return lazyMap(value as readonly Lazy[], deeper);
  return depth + 1 > limit ? stop() : value;
}

function dhall(lazyValue: Lazy, json: ToText): NixString {
  const value = force(lazyValue);
  if (isFunctionLike(value))
    throw new AbortError(
      "evaluation aborted with the following error message: 'generators.toDhall: cannot convert a function to Dhall'",
    );
  if (value instanceof Attrs)
    return join(
      "{ ",
      joinWith(
        [...value.entries()].map(([key, inner]) => join(`${key} = `, dhall(inner, json))),
        ", ",
      ),
      " }",
    );
  if (Array.isArray(value))
    return join(
      "[ ",
      joinWith(
        (value as readonly Lazy[]).map((inner) => dhall(inner, json)),
        ", ",
      ),
      " ]",
    );
  if (isInteger(value)) return `${value < 0 ? "" : "+"}${value}`;
  if (typeof value === "boolean") return value ? "True" : "False";
  if (value === null)
    throw new AbortError(
      "evaluation aborted with the following error message: 'generators.toDhall: cannot convert a null to Dhall'",
    );
  return json(value);
}

interface LuaStyle {
  readonly multiline: boolean;
  readonly indent: string;
}

function lua(ev: Evaluator, lazyValue: Lazy, style: LuaStyle, asBindings: boolean): NixString {
  const value = force(lazyValue);
  const inner: LuaStyle = { ...style, indent: asBindings ? style.indent : `${style.indent}  ` };
  const json = (plain: Lazy): NixString => ev.coerceToString(call(ev.builtins.get("toJSON")!, plain));
  if (asBindings) {
    const bindings = [...forceAttrs(value).entries()];
    const bad = bindings
      .map(([name]) => name)
      .filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/.test(name));
    if (bad.length > 0) throw new ThrownError(`Bad Lua var names: ${showPretty(bad)}`);
    return joinWith(
      bindings.map(([name, bound]) => join(`${style.indent}${name} = `, lua(ev, bound, inner, false), "\n")),
      "",
    );
  }
  const table = (items: readonly NixString[]): NixString => {
    if (items.length === 0) return "{}";
    const start = style.multiline ? `\n${inner.indent}` : " ";
    return join("{", start, joinWith(items, `,${start}`), style.multiline ? `\n${style.indent}` : " ", "}");
  };
  if (value === null) return "nil";
  if (isInteger(value) || value instanceof NixFloat || isString(value) || typeof value === "boolean")
    return json(value);
  if (value instanceof NixPath || isDerivation(value)) return json(ev.coerceToString(value));
  if (Array.isArray(value)) return table((value as readonly Lazy[]).map((element) => lua(ev, element, inner, false)));
  if (value instanceof Attrs) {
    const tag = value.get("_type");
    if (tag !== undefined && force(tag) === "lua-inline")
      return join("(", ev.coerceToString(attribute(value, "expr")), ")");
    return table(
      [...value.entries()].map(([name, element]) => join("[", json(name), "] = ", lua(ev, element, inner, false))),
    );
  }
  throw new AbortError(
    `evaluation aborted with the following error message: 'generators.toLua: type ${typeOf(value)} is unsupported'`,
  );
}

/** What a command-line option's format says, see `toCommandLine`. */
function renderOption(format: Attrs, value: Value, plain: ToText): NixString[] {
  const option = forceText(attribute(format, "option"));
  const explicit = forceBool(attribute(format, "explicitBool"));
  if (value === null || (!explicit && value === false)) return [];
  if (!explicit && value === true) return [option];
  const formatArg = format.get("formatArg");
  const argument = formatArg === undefined ? plain(value) : (call(formatArg, value) as NixString);
  const separator = force(attribute(format, "sep"));
  return separator === null ? [option, argument] : [join(option, forceText(separator), argument)];
}

export function cliNamespace(ev: Evaluator, generators: Namespace): Namespace {
  const plain: ToText = (value) => ev.coerceToString(call(generators.mkValueStringDefault!, Attrs.empty, value));
  const commandLine = (format: (name: string) => Attrs, attrs: Lazy): NixString[] =>
    [...forceAttrs(attrs).entries()].flatMap(([name, lazyValue]) => {
      if (name === "") throw new ThrownError("lib.cli.toCommandLine only accepts non-empty option names.");
      const value = force(lazyValue);
      const values = Array.isArray(value) ? (value as readonly Lazy[]) : [value];
      return values.flatMap((one) => renderOption(format(name), force(one), plain));
    });
  const given = (format: Lazy) => (name: string) => forceAttrs(call(format, name));
  const gnu =
    (args: Attrs) =>
    (name: string): Attrs => {
      const isLong = args.get("isLong");
      const long = isLong === undefined ? name.length > 1 : forceBool(call(isLong, name));
      const formatArg = args.get("formatArg");
      return Attrs.from([
        ["option", long ? `--${name}` : `-${name}`],
        ["sep", long ? "=" : ""],
        ["explicitBool", getOr(args, "explicitBool", false)],
        ...(formatArg === undefined ? [] : [["formatArg", formatArg] as [string, Lazy]]),
      ]);
    };
  const oldStyle = (args: Attrs, options: Lazy): NixString[] => {
    const optional = <T>(name: string, use: (f: Lazy) => T, otherwise: () => T): T => {
      const f = args.get(name);
      return f === undefined ? otherwise() : use(f);
    };
    const optionName = (key: string): NixString =>
      optional(
        "mkOptionName",
        (f) => call(f, key) as NixString,
        () => (key.length === 1 ? `-${key}` : `--${key}`),
      );
    const strings = (list: Lazy): NixString[] => forceList(list).map((element) => ev.coerceToString(element));
    const separator = force(getOr(args, "optionValueSeparator", null));
    const option = (key: string, value: Value): NixString[] =>
      optional(
        "mkOption",
        (f) => strings(call(f, key, value)),
        () => {
          if (value === null) return [];
          return separator === null
            ? [optionName(key), plain(value)]
            : [join(optionName(key), forceText(separator), plain(value))];
        },
      );
    return [...forceAttrs(options).entries()].flatMap(([key, lazyValue]) => {
      const value = force(lazyValue);
      if (typeof value === "boolean")
        return optional(
          "mkBool",
          (f) => strings(call(f, key, value)),
          () => (value ? [optionName(key)] : []),
        );
      if (Array.isArray(value))
        return optional(
          "mkList",
          (f) => strings(call(f, key, value)),
          () => (value as readonly Lazy[]).flatMap((one) => option(key, force(one))),
        );
      return option(key, value);
    });
  };
  const shell = (words: readonly NixString[]): NixString => joinWith(words.map(quoteForShell), " ");
  const GNU = { isLong: true, explicitBool: true, formatArg: true };
  const declared = (names: Readonly<Record<string, boolean>>): Formals => ({
    names: new Map(Object.entries(names)),
    ellipsis: false,
  });
  const OLD = { mkOptionName: true, mkBool: true, mkList: true, mkOption: true, optionValueSeparator: true };
  return {
    toCommandLine: fn("toCommandLine", 2, (format, attrs) => commandLine(given(format), attrs)),
    toCommandLineShell: fn("toCommandLineShell", 2, (format, attrs) => shell(commandLine(given(format), attrs))),
    toCommandLineGNU: fnWithFormals("toCommandLineGNU", GNU, (args) =>
      fn("toCommandLineGNU", 1, (attrs) => commandLine(gnu(args), attrs)),
    ),
    toCommandLineShellGNU: fn("toCommandLineShellGNU", 2, (args, attrs) =>
      shell(commandLine(gnu(expectFormals("toCommandLineGNU", args, declared(GNU))), attrs)),
    ),
    toGNUCommandLine: fnWithFormals("toGNUCommandLine", OLD, (args) =>
      fn("toGNUCommandLine", 1, (options) => oldStyle(args, options)),
    ),
    toGNUCommandLineShell: fn("toGNUCommandLineShell", 2, (args, options) =>
      shell(oldStyle(expectFormals("toGNUCommandLine", args, declared(OLD)), options)),
    ),
  };
}
