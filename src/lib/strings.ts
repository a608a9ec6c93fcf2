/** `lib.strings`: joining, searching, changing. What refers to store paths keeps doing so. */
import { levenshtein } from "../base/index.ts";
import {
  AssertionError,
  Attrs,
  contextOf,
  type Evaluator,
  EvalError,
  force,
  forceAttrs,
  forceBool,
  forceInt,
  forceList,
  forceText,
  isString,
  joinContexts,
  joinStrings,
  type Lazy,
  makeString,
  NixFloat,
  NixPath,
  type NixString,
  textOf,
  ThrownError,
  typeOf,
  type Value,
} from "../lang/index.ts";
import { isWithinDistance } from "./edit-distance.ts";
import { escapeNixIdentifier, escapeNixString } from "./identifiers.ts";
import { attribute, builtinsNamed, call, fn, fnWithFormals, functions, type Namespace, getOr } from "./support.ts";
import { shellStrings } from "./shell-strings.ts";

const LOWER = "abcdefghijklmnopqrstuvwxyz";
/** White space as `trim` and the number parsers mean it. */
const BLANK = " \t\r\n";

/** Only ASCII letters change, byte strings being what they are. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

export function upperCase(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/** The same context with another text. */
export function withText(like: NixString, text: string): NixString {
  return makeString(text, contextOf(like));
}

/** Strings with a separator between them, contexts joined. */
export function joinWith(strings: readonly NixString[], separator: string): NixString {
  let context = contextOf("");
  for (const string of strings) context = joinContexts(context, contextOf(string));
  return makeString(strings.map(textOf).join(separator), context);
}

/** Strings, paths, and sets that say how they become one. */
export function isStringLike(value: Value): boolean {
  return (
    isString(value) ||
    value instanceof NixPath ||
    (value instanceof Attrs && (value.has("outPath") || value.has("__toString")))
  );
}

function isConvertible(value: Value): boolean {
  if (isStringLike(value)) return true;
  if (Array.isArray(value)) return forceList(value).every((element) => isConvertible(force(element)));
  return (
    value === null ||
    typeof value === "boolean" ||
    typeof value === "number" ||
    typeof value === "bigint" ||
    value instanceof NixFloat
  );
}

function trim(text: string, start: boolean, end: boolean): string {
  let from = 0;
  let to = text.length;
  if (start) while (from < to && BLANK.includes(text[from]!)) from++;
  if (end) while (to > from && BLANK.includes(text[to - 1]!)) to--;
  return text.slice(from, to);
}

/** `lib.toInt`: decimal digits with blanks around them. */
function toInt(text: string, base10: boolean): number | bigint {
  const name = base10 ? "toIntBase10" : "toInt";
  const pattern = base10 ? /^[ \t\n\v\f\r]*0*(-?[0-9]+)[ \t\n\v\f\r]*$/ : /^[ \t\n\v\f\r]*(-?[0-9]+)[ \t\n\v\f\r]*$/;
  const digits = pattern.exec(text)?.[1];
  if (digits === undefined) throw new ThrownError(`${name}: Could not convert ${escapeNixString(text)} to int.`);
  if (!base10 && /^0[0-9]+$/.test(digits))
    throw new ThrownError(
      `toInt: Ambiguity in interpretation of ${escapeNixString(text)} between octal and zero padded integer.`,
    );
  const value = BigInt(digits);
  if (value >= 2n ** 63n || value < -(2n ** 63n))
    throw new ThrownError(`${name}: Could not convert ${escapeNixString(text)} to int.`);
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** A name that a derivation may have. */
function sanitizeName(text: string): string {
  if (text.length <= 207 && /^[A-Za-z0-9+_?=-][A-Za-z0-9+._?=-]*$/.test(text)) return text;
  const clean = text.replace(/^\.*/, "").replace(/[^A-Za-z0-9+._?=-]+/g, "-");
  const short = clean.slice(Math.max(clean.length - 207, 0));
  return short === "" ? "unknown" : short;
}

function commonPrefix(a: string, b: string): number {
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  return same;
}

function commonSuffix(a: string, b: string): number {
  let same = 0;
  while (same < a.length && same < b.length && a.at(-same - 1) === b.at(-same - 1)) same++;
  return same;
}

export function stringsNamespace(ev: Evaluator): Namespace {
  /** What string builtins do to their arguments. */
  const string = (value: Lazy): NixString => ev.coerceToString(value);
  const text = (value: Lazy): string => textOf(string(value));
  const strict = (value: Lazy, what: string): void => {
    if (!isString(force(value)))
      throw new ThrownError(`${what} does only accepts string values, but got ${typeOf(force(value))}`);
  };
  const mapped = (f: Lazy, list: Lazy): NixString[] => forceList(list).map((element) => string(call(f, element)));
  const numbered = (f: Lazy, list: Lazy): NixString[] =>
    forceList(list).map((element, index) => string(call(f, index + 1, element)));
  const separate = (separator: Lazy, strings: readonly NixString[]): NixString => {
    const between = string(separator);
    const joined = joinWith(strings, textOf(between));
    return makeString(textOf(joined), joinContexts(contextOf(joined), contextOf(between)));
  };
  const escape = (what: readonly string[], lazyString: Lazy, how: (found: string) => string): Lazy =>
    call(ev.builtins.get("replaceStrings")!, [...what], what.map(how), lazyString);
  const splitBy = (predicate: Lazy, keep: boolean, whole: NixString): NixString[] => {
    const all = textOf(whole);
    const parts: string[] = [];
    let current = "";
    for (let i = 0; i < all.length; i++) {
      const character = all[i]!;
      if (forceBool(call(predicate, i > 0 ? all[i - 1]! : "", character))) {
        parts.push(current);
        current = keep ? character : "";
      } else current += character;
    }
    return [...parts, current].map((part) => withText(whole, part));
  };
  const sentenceCase = (value: string): string => upperCase(value.slice(0, 1)) + lowerCase(value.slice(1));
  const packageName = (part: "name" | "version", own: string) => (value: Lazy) => {
    const parse = (name: Lazy): Lazy => attribute(forceAttrs(call(ev.builtins.get("parseDrvName")!, name)), part);
    const forced = force(value);
    if (isString(forced)) return parse(forced);
    const attrs = forceAttrs(forced);
    return attrs.get(own) ?? parse(attribute(attrs, "name"));
  };
  const versionOlder = (a: Lazy, b: Lazy): boolean => force(call(ev.builtins.get("compareVersions")!, b, a)) === 1;

  const namespace: Namespace = {
    ...builtinsNamed(ev.builtins, [
      "appendContext",
      "compareVersions",
      "concatStringsSep",
      "elem",
      "concatMap",
      "elemAt",
      "filter",
      "fromJSON",
      "genList",
      "head",
      "isAttrs",
      "isInt",
      "isList",
      "isPath",
      "isString",
      "match",
      "parseDrvName",
      "readFile",
      "replaceStrings",
      "split",
      "storeDir",
      "stringLength",
      "substring",
      "tail",
      "toJSON",
      "typeOf",
      "unsafeDiscardStringContext",
    ]),
    ...functions({
      join: (separator, list) => separate(separator, forceList(list).map(string)),
      concatStrings: (list) => joinWith(forceList(list).map(string), ""),
      concatMapStrings: (f, list) => joinWith(mapped(f, list), ""),
      concatImapStrings: (f, list) => joinWith(numbered(f, list), ""),
      concatMapStringsSep: (separator, f, list) => separate(separator, mapped(f, list)),
      concatImapStringsSep: (separator, f, list) => separate(separator, numbered(f, list)),
      concatMapAttrsStringSep: (separator, f, attrs) =>
        separate(
          separator,
          [...forceAttrs(attrs).entries()].map(([name, value]) => string(call(f, name, value))),
        ),
      concatLines: (list) =>
        joinWith(
          forceList(list).map((line) => joinStrings(string(line), "\n")),
          "",
        ),
      intersperse: (separator, list) =>
        forceList(list).flatMap((element, index) => (index === 0 ? [element] : [separator, element])),
      replaceString: (from, to, value) => call(ev.builtins.get("replaceStrings")!, [from], [to], value),
      replicate: (count, value) => {
        const repeated = string(value);
        return withText(repeated, textOf(repeated).repeat(Math.max(0, Number(forceInt(count)))));
      },
      trim: (value) => {
        const whole = string(value);
        return withText(whole, trim(textOf(whole), true, true));
      },
      normalizePath: (value) => {
        const whole = string(value);
        return withText(whole, textOf(whole).replace(/\/+/g, "/"));
      },
      optionalString: (condition, value) => (forceBool(condition) ? value : ""),
      hasPrefix: (prefix, value) => text(value).startsWith(text(prefix)),
      hasSuffix: (suffix, value) => text(value).endsWith(text(suffix)),
      hasInfix: (infix, value) => text(value).includes(text(infix)),
      stringToCharacters: (value) => {
        const whole = string(value);
        return [...textOf(whole)].map((character) => withText(whole, character));
      },
      stringAsChars: (f, value) => {
        const whole = string(value);
        return joinWith(
          [...textOf(whole)].map((character) => string(call(f, withText(whole, character)))),
          "",
        );
      },
      charToInt: (character) => {
        const one = forceText(character);
        if (one.length !== 1) throw new EvalError(`attribute '${one}' missing`);
        return one.charCodeAt(0);
      },
      escape: (list, value) =>
        escape(
          forceList(list).map((found) => forceText(found)),
          value,
          (found) => `\\${found}`,
        ),
      escapeC: (list, value) =>
        escape(
          forceList(list).map((found) => forceText(found)),
          value,
          (found) => `\\x${found.charCodeAt(0).toString(16).padStart(2, "0")}`,
        ),
      escapeRegex: (value) => escape([..."\\[{()^$?*+|."], value, (found) => `\\${found}`),
      escapeNixString: (value) => escapeString(string(value)),
      escapeNixIdentifier: (value) => {
        const name = string(value);
        return withText(name, escapeNixIdentifier(textOf(name)));
      },
      escapeXML: (value) => {
        const entities: Readonly<Record<string, string>> = {
          '"': "&quot;",
          "'": "&apos;",
          "<": "&lt;",
          ">": "&gt;",
          "&": "&amp;",
        };
        return escape(Object.keys(entities), value, (found) => entities[found]!);
      },
      escapeURL: (value) => {
        const whole = string(value);
        return withText(
          whole,
          textOf(whole).replace(
            /[^A-Za-z0-9._~-]/g,
            (found) => `%${found.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
          ),
        );
      },
      isValidPosixName: (name) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(forceText(name)),
      toLower: (value) => {
        const whole = string(value);
        return withText(whole, lowerCase(textOf(whole)));
      },
      toUpper: (value) => {
        const whole = string(value);
        return withText(whole, upperCase(textOf(whole)));
      },
      toSentenceCase: (value) => {
        strict(value, "toSentenceCase");
        const whole = string(value);
        return withText(whole, sentenceCase(textOf(whole)));
      },
      toCamelCase: (value) => {
        strict(value, "toCamelCase");
        const whole = string(value);
        const [first = "", ...rest] = textOf(whole)
          .split(/[-_ ]/)
          .flatMap((part) => part.split(/(?<=[a-z])(?=[A-Z])/));
        return withText(whole, lowerCase(first) + rest.map(sentenceCase).join(""));
      },
      addContextFrom: (from, value) => {
        const result = string(value);
        return makeString(textOf(result), joinContexts(contextOf(string(from)), contextOf(result)));
      },
      splitString: (separator, value) => {
        const whole = ev.coerceToString(value, { coerceMore: true, copyToStore: false });
        const between = forceText(ev.coerceToString(separator, { coerceMore: true, copyToStore: false }));
        const parts = between === "" ? ["", ...textOf(whole), ""] : textOf(whole).split(between);
        return parts.map((part) => withText(whole, part));
      },
      splitStringBy: (predicate, keep, value) => splitBy(predicate, forceBool(keep), string(value)),
      removePrefix: (prefix, value) => {
        const whole = string(value);
        const start = text(prefix);
        return textOf(whole).startsWith(start) ? withText(whole, textOf(whole).slice(start.length)) : value;
      },
      removeSuffix: (suffix, value) => {
        const whole = string(value);
        const end = text(suffix);
        return textOf(whole).endsWith(end)
          ? withText(whole, textOf(whole).slice(0, textOf(whole).length - end.length))
          : value;
      },
      versionOlder,
      versionAtLeast: (a, b) => !versionOlder(a, b),
      getName: packageName("name", "pname"),
      getVersion: packageName("version", "version"),
      nameFromURL: (url, separator) => {
        const file = forceText(url).split("/").at(-1)!;
        const [name = ""] = file.split(forceText(separator));
        if (name === file) throw new AssertionError("assertion 'name != filename' failed");
        return name;
      },
      fixedWidthString: (width, filler, value) => {
        const whole = string(value);
        const fill = string(filler);
        const wanted = Number(forceInt(width));
        const length = textOf(whole).length;
        const missing = wanted - length;
        const tooLong = (has: number, of: number): ThrownError =>
          new ThrownError(
            `fixedWidthString: requested string length (${of}) must not be shorter than actual length (${has})`,
          );
        if (missing < 0) throw tooLong(length, wanted);
        const each = textOf(fill).length;
        if (missing > 0 && (each === 0 || missing % each !== 0))
          throw tooLong(length, wanted - each * Math.ceil(missing / Math.max(each, 1)));
        const context = missing === 0 ? contextOf(whole) : joinContexts(contextOf(fill), contextOf(whole));
        return makeString(missing === 0 ? textOf(whole) : textOf(fill).repeat(missing / each) + textOf(whole), context);
      },
      fixedWidthNumber: (width, value) => {
        const digits = forceText(ev.coerceToString(value, { coerceMore: true }));
        const wanted = Number(forceInt(width));
        if (digits.length > wanted)
          throw new ThrownError(
            `fixedWidthString: requested string length (${wanted}) must not be shorter than actual length (${digits.length})`,
          );
        return digits.padStart(wanted, "0");
      },
      floatToString: (value) => {
        const result = ev.coerceToString(value, { coerceMore: true });
        const forced = force(value);
        if (forced instanceof NixFloat && forced.value !== Number(textOf(result)))
          ev.host.message("warning", `Imprecise conversion from float to string ${textOf(result)}`);
        return result;
      },
      isConvertibleWithToString: (value) => isConvertible(force(value)),
      isStringLike: (value) => isStringLike(force(value)),
      isStorePath: (value) => {
        const forced = force(value);
        if (!isStringLike(forced)) return false;
        const path = forceText(ev.coerceToString(forced, { copyToStore: false, coerceMore: true }));
        return (
          path.startsWith("/") &&
          (path.slice(0, path.lastIndexOf("/")) === ev.host.storeDir || /^\/[0-9a-z]{52}$/.test(path))
        );
      },
      toInt: (value) => toInt(text(value), false),
      toIntBase10: (value) => toInt(text(value), true),
      fileContents: (file) => {
        const content = force(call(ev.builtins.get("readFile")!, file)) as NixString;
        return withText(content, textOf(content).replace(/\n$/, ""));
      },
      sanitizeDerivationName: (value) => sanitizeName(text(value)),
      levenshtein: (a, b) => levenshtein(text(a), text(b)),
      levenshteinAtMost: (limit, a, b) => isWithinDistance(Number(forceInt(limit)), text(a), text(b)),
      commonPrefixLength: (a, b) => commonPrefix(text(a), text(b)),
      commonSuffixLength: (a, b) => commonSuffix(text(a), text(b)),
    }),
    lowerChars: [...LOWER],
    upperChars: [...LOWER.toUpperCase()],
    trimWith: fnWithFormals("trimWith", { start: true, end: true }, (settings) =>
      fn("trimWith", 1, (value) => {
        const whole = string(value);
        const [start, end] = ["start", "end"].map((side) => forceBool(getOr(settings, side, false)));
        return withText(whole, trim(textOf(whole), start!, end!));
      }),
    ),
    ...shellStrings(ev),
  };
  return namespace;
}

function escapeString(value: NixString): NixString {
  return withText(value, escapeNixString(textOf(value)));
}
