/**
 * `lib.gvariant`: values of GLib's serialisation format, as dconf takes them. Each is a set that says its type and turns into the text
 * form (the GVariant text format of GLib's reference manual) where a string is wanted.
 */
import {
  Attrs,
  equal,
  type Evaluator,
  force,
  forceAttrs,
  forceBool,
  forceList,
  isInteger,
  isString,
  joinStrings,
  type Lazy,
  lazy,
  NixFloat,
  type NixString,
  textOf,
  ThrownError,
  typeOf,
  utf8,
} from "../lang/index.ts";
import { joinWith, withText } from "./strings.ts";
import { attribute, fn, functions, getOr, type Namespace, tagOf } from "./support.ts";

/** Integers have many types and say by themselves not which: constructor, type, smallest and largest value. */
const INTEGERS: readonly (readonly [string, string, number | null, number | null])[] = [
  ["mkInt32", "i", -(2 ** 31), 2 ** 31 - 1],
  ["mkUint32", "u", 0, 2 ** 32 - 1],
  ["mkInt64", "x", null, null],
  ["mkUint64", "t", 0, null],
  ["mkInt16", "n", -(2 ** 15), 2 ** 15 - 1],
  ["mkUint16", "q", 0, 2 ** 16 - 1],
  ["mkUchar", "y", 0, 255],
];

const TYPES = {
  string: "s",
  boolean: "b",
  uchar: "y",
  int16: "n",
  uint16: "q",
  int32: "i",
  uint32: "u",
  int64: "x",
  uint64: "t",
  double: "d",
  variant: "v",
} as const;

const join = (...parts: readonly NixString[]): NixString => parts.reduce(joinStrings);

export function gvariantNamespace(ev: Evaluator): Namespace {
  const toText = (value: Lazy): NixString => ev.coerceToString(value, { coerceMore: true, copyToStore: false });
  const interpolated = (value: Lazy): NixString => ev.coerceToString(value);
  const valueOf = (self: Attrs): Lazy => attribute(self, "value");
  /** The text of a value whose type has to be said. */
  const typed = (self: Attrs, text: NixString): NixString =>
    join("@", interpolated(attribute(self, "type")), " ", text);
  const plain = (self: Attrs): NixString => typed(self, toText(valueOf(self)));
  const make = (type: Lazy, value: Lazy, show: (self: Attrs) => NixString = plain): Attrs =>
    Attrs.from([
      ["_type", "gvariant"],
      ["type", type],
      ["value", value],
      ["__toString", fn("__toString", 1, (self) => show(forceAttrs(self)))],
    ]);
  const typeText = (value: Lazy): NixString => interpolated(attribute(forceAttrs(value), "type"));
  const list = (self: Attrs): NixString => joinWith(forceList(valueOf(self)).map(toText), ",");
  const prefixed =
    (prefix: string) =>
    (type: Lazy): NixString =>
      join(prefix, interpolated(type));
  const arrayOf = prefixed("a");
  const maybeOf = prefixed("m");
  const tupleOf = (types: readonly Lazy[]): NixString => join("(", ...types.map(interpolated), ")");
  const entryOf = (name: Lazy, value: Lazy): NixString => join("{", interpolated(name), interpolated(value), "}");
  const escaped = (text: NixString, pattern: RegExp): NixString =>
    withText(text, textOf(text).replace(pattern, "\\$&").replaceAll("\n", "\\n"));
  const text = (value: Lazy): NixString => force(value) as NixString;

  const mkBoolean = (value: Lazy): Attrs =>
    make(TYPES.boolean, value, (self) => (forceBool(valueOf(self)) ? "true" : "false"));
  const mkDouble = (value: Lazy): Attrs => make(TYPES.double, value, (self) => toText(valueOf(self)));
  const mkString = (value: Lazy): Attrs =>
    make(TYPES.string, value, (self) => join("'", escaped(interpolated(valueOf(self)), /['\\]/g), "'"));
  const mkArray = (elements: Lazy): Attrs => {
    const values = lazy(() => {
      const given = forceList(elements);
      if (given.length === 0) throw new ThrownError("Please create empty array with mkEmptyArray.");
      return given.map((element) => lazy(() => mkValue(element)));
    });
    const type = lazy(() => {
      const types = forceList(values).map((value) => attribute(forceAttrs(value), "type"));
      if (types.some((one) => !equal(one, types[0]!)))
        throw new ThrownError("Elements in a list should have same type.");
      return arrayOf(types[0]!);
    });
    return make(type, values, (self) => typed(self, join("[", list(self), "]")));
  };
  const mkMaybe = (type: Lazy, element: Lazy): Attrs =>
    make(
      lazy(() => maybeOf(type)),
      element,
      (self) => (force(valueOf(self)) === null ? typed(self, "nothing") : join("just ", toText(valueOf(self)))),
    );

  function mkValue(lazyValue: Lazy): Attrs {
    const value = force(lazyValue);
    if (typeof value === "boolean") return mkBoolean(value);
    if (value instanceof NixFloat) return mkDouble(value);
    if (isString(value)) return mkString(value);
    if (Array.isArray(value)) return mkArray(value);
    if (value instanceof Attrs) {
      if (tagOf(value) === "gvariant") return value;
      throw new ThrownError(
        "Cannot construct GVariant value from an attribute set. If you want to construct a dictionary, you will need to create an array containing items constructed with `lib.gvariant.mkDictionaryEntry`.",
      );
    }
    if (!isInteger(value)) throw new ThrownError(utf8(`The GVariant type of “${typeOf(value)}” can't be inferred.`));
    const fitting = INTEGERS.filter(
      ([, , min, max]) => (min === null || min <= value) && (max === null || value <= max),
    );
    throw new ThrownError(
      utf8(
        `The GVariant type for number “${value}” is unclear.\nPlease wrap the value with one of the following, depending on the value type in GSettings schema:\n\n${fitting.map(([name, type]) => `- \`lib.gvariant.${name}\` for \`${type}\``).join("\n")}\n`,
      ),
    );
  }

  return {
    type: Attrs.from([
      ...Object.entries(TYPES),
      ["arrayOf", fn("arrayOf", 1, arrayOf)],
      ["maybeOf", fn("maybeOf", 1, maybeOf)],
      ["tupleOf", fn("tupleOf", 1, (types) => tupleOf(forceList(types)))],
      ["dictionaryEntryOf", fn("dictionaryEntryOf", 2, entryOf)],
    ]),
    intConstructors: INTEGERS.map(([name, type, min, max]) =>
      Attrs.from([
        ["name", name],
        ["type", type],
        ["min", min],
        ["max", max],
      ]),
    ),
    ...functions({
      isGVariant: (value) => {
        const attrs = force(value);
        return attrs instanceof Attrs && equal(getOr(attrs, "_type", ""), "gvariant");
      },
      mkValue,
      mkArray,
      mkEmptyArray: (type) =>
        make(
          lazy(() => arrayOf(type)),
          [],
          (self) => typed(self, "[]"),
        ),
      mkVariant: (element) =>
        make(
          TYPES.variant,
          lazy(() => mkValue(element)),
          (self) => join("<", toText(valueOf(self)), ">"),
        ),
      mkDictionaryEntry: (name, value) => {
        const key = lazy(() => mkValue(name));
        const content = lazy(() => mkValue(value));
        return make(
          lazy(() => entryOf(typeText(key), typeText(content))),
          Attrs.from([
            ["name", name],
            ["value", value],
          ]),
          (self) => typed(self, join("{", interpolated(key), ",", interpolated(content), "}")),
        );
      },
      mkMaybe,
      mkNothing: (type) => mkMaybe(type, null),
      mkJust: (element) => {
        const value = lazy(() => mkValue(element));
        return mkMaybe(
          lazy(() => attribute(forceAttrs(value), "type")),
          value,
        );
      },
      mkTuple: (elements) => {
        const values = lazy(() => forceList(elements).map((element) => lazy(() => mkValue(element))));
        return make(
          lazy(() => tupleOf(forceList(values).map((value) => attribute(forceAttrs(value), "type")))),
          values,
          (self) => typed(self, join("(", list(self), ")")),
        );
      },
      mkBoolean,
      mkString,
      mkObjectpath: (value) =>
        make(TYPES.string, value, (self) => {
          const path = text(valueOf(self));
          return join("objectpath '", withText(path, textOf(path).replaceAll("'", "\\'")), "'");
        }),
      mkUchar: (value) => make(TYPES.uchar, value),
      mkInt16: (value) => make(TYPES.int16, value),
      mkUint16: (value) => make(TYPES.uint16, value),
      mkInt32: (value) => make(TYPES.int32, value, (self) => toText(valueOf(self))),
      mkUint32: (value) => make(TYPES.uint32, value),
      mkInt64: (value) => make(TYPES.int64, value),
      mkUint64: (value) => make(TYPES.uint64, value),
      mkDouble,
    }),
  };
}
