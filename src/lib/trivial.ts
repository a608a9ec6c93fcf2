/** `lib.trivial`, `lib.versions`, `lib.asserts`, `lib.fixedPoints`. */
import {
  AssertionError,
  Attrs,
  callDepth,
  equal,
  type Evaluator,
  force,
  forceAttrs,
  forceBool,
  forceInt,
  forceList,
  forceStringNoContext,
  forceText,
  isInteger,
  type Lazy,
  lazy,
  lessThan,
  StackOverflowError,
  ThrownError,
  updateAttrs,
} from "../lang/index.ts";
import { parseFile } from "./files.ts";
import { showPretty } from "./pretty.ts";
import {
  attribute,
  builtinsNamed,
  call,
  fn,
  functionFormals,
  functions,
  isFunctionLike,
  type Namespace,
  textList,
} from "./support.ts";

/** The release of nixpkgs whose library this is one of. */
const RELEASE = "25.11";
/** From when on things that are to go away say so, as `YYMM`. */
const OLDEST_SUPPORTED_RELEASE = 2505;

const identity = fn("id", 1, (value) => value);

/** `{ __functor = _: f; __functionArgs = args; }` */
export function withFormals(f: Lazy, formals: Lazy): Attrs {
  return Attrs.from([
    ["__functor", fn("__functor", 1, () => f)],
    ["__functionArgs", formals],
  ]);
}

export function formalsOf(f: Lazy): Attrs {
  return Attrs.from(functionFormals(force(f)));
}

export function trivialNamespace(ev: Evaluator): Namespace {
  const warn = (message: Lazy, value: Lazy): Lazy => call(ev.builtins.get("warn")!, message, value);
  const warning = (message: Lazy): Lazy => fn("warn", 1, (value) => warn(message, value));
  const throwing = (message: Lazy): Lazy =>
    lazy(() => {
      throw new ThrownError(forceText(message));
    });
  const outdated = (release: Lazy): boolean => Number(forceInt(release)) <= OLDEST_SUPPORTED_RELEASE;
  return {
    ...builtinsNamed(ev.builtins, [
      "pathExists",
      "readFile",
      "isBool",
      "isInt",
      "isFloat",
      "add",
      "sub",
      "mul",
      "div",
      "lessThan",
      "seq",
      "deepSeq",
      "genericClosure",
      "bitAnd",
      "bitOr",
      "bitXor",
      "ceil",
      "floor",
      "warn",
    ]),
    id: identity,
    release: RELEASE,
    version: `${RELEASE}pre-d2n`,
    versionSuffix: "pre-d2n",
    nixpkgsVersion: `${RELEASE}pre-d2n`,
    codeName: "Xantusia",
    oldestSupportedRelease: OLDEST_SUPPORTED_RELEASE,
    inNixShell: lazy(() => !ev.host.pure && ev.host.environment("IN_NIX_SHELL") !== ""),
    inPureEvalMode: ev.host.pure,
    ...functions({
      const: (value, _ignored) => value,
      pipe: (value, list) => forceList(list).reduce<Lazy>((result, f) => call(f, result), value),
      concat: (left, right) => [...forceList(left), ...forceList(right)],
      or: (a, b) => forceBool(a) || forceBool(b),
      and: (a, b) => forceBool(a) && forceBool(b),
      xor: (a, b) => forceBool(a) !== forceBool(b),
      bitNot: (value) => call(ev.builtins.get("sub")!, -1, value),
      boolToString: (value) => (forceBool(value) ? "true" : "false"),
      boolToYesNo: (value) => (forceBool(value) ? "yes" : "no"),
      mergeAttrs: (left, right) => updateAttrs(forceAttrs(left), forceAttrs(right)),
      flip: (f, a, b) => call(f, b, a),
      defaultTo: (otherwise, value) => (force(value) === null ? otherwise : value),
      mapNullable: (f, value) => (force(value) === null ? null : call(f, value)),
      revisionWithDefault: (otherwise) => otherwise,
      oldestSupportedReleaseIsAtLeast: (release) => outdated(release),
      isInOldestRelease: (release) => outdated(release),
      min: (a, b) => (lessThan(force(a), force(b)) ? a : b),
      max: (a, b) => (lessThan(force(b), force(a)) ? a : b),
      mod: (base, by) => {
        const a = forceInt(base);
        const b = forceInt(by);
        if (Number(b) === 0) return call(ev.builtins.get("div")!, a, b);
        return typeof a === "number" && typeof b === "number" ? (a % b) + 0 : Number(BigInt(a) % BigInt(b));
      },
      compare: (a, b) => (lessThan(force(a), force(b)) ? -1 : lessThan(force(b), force(a)) ? 1 : 0),
      splitByAndCompare: (split, yes, no, a, b) => {
        const first = forceBool(call(split, a));
        const second = forceBool(call(split, b));
        if (first !== second) return first ? -1 : 1;
        return call(first ? yes : no, a, b);
      },
      importJSON: (path) => parseFile(ev, path, "fromJSON"),
      importTOML: (path) => parseFile(ev, path, "fromTOML"),
      warnIf: (condition, message) => (forceBool(condition) ? warning(message) : identity),
      warnIfNot: (condition, message) => (forceBool(condition) ? identity : warning(message)),
      throwIf: (condition, message) => (forceBool(condition) ? throwing(message) : identity),
      throwIfNot: (condition, message) => (forceBool(condition) ? identity : throwing(message)),
      checkListOfEnum: (message, valid, given) => {
        const known = forceList(valid);
        const unexpected = forceList(given).filter((value) => !known.some((one) => equal(one, value)));
        if (unexpected.length === 0) return identity;
        const shown = (values: readonly Lazy[]): string =>
          values
            .map((value) => forceText(ev.coerceToString(value, { coerceMore: true, copyToStore: false })))
            .join(", ");
        throw new ThrownError(`${forceText(message)}: ${shown(unexpected)} unexpected; valid ones: ${shown(known)}`);
      },
      info: (message, value) =>
        call(
          ev.builtins.get("trace")!,
          lazy(() => `INFO: ${forceText(message)}`),
          value,
        ),
      showWarnings: (warnings, value) =>
        forceList(warnings).reduceRight<Lazy>((result, message) => lazy(() => warn(message, result)), value),
      setFunctionArgs: (f, formals) => withFormals(f, formals),
      functionArgs: (f) => formalsOf(f),
      isFunction: (value) => isFunctionLike(force(value)),
      mirrorFunctionArgs: (f, g) =>
        withFormals(
          g,
          lazy(() => formalsOf(f)),
        ),
      toFunction: (value) => {
        const forced = force(value);
        return isFunctionLike(forced) ? forced : fn("const", 1, () => forced);
      },
      fromHexString: (text) => {
        const digits = forceStringNoContext(text).replace(/^0x/i, "");
        if (!/^[0-9a-f]+$/i.test(digits) || BigInt(`0x${digits}`) >= 2n ** 63n)
          throw new ThrownError(
            `fromHexString: ${showPretty(text)} is not a valid input: a hexadecimal number below 2^63 is needed`,
          );
        const value = BigInt(`0x${digits}`);
        return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
      },
      toHexString: (value) => positive(value, "toHexString").toString(16).toUpperCase(),
      toBaseDigits: (base, value) => {
        const radix = Number(forceInt(base));
        if (radix < 2) throw new AssertionError("assertion failed: toBaseDigits needs a base of at least 2");
        const digits: number[] = [];
        let left = BigInt(positive(value, "toBaseDigits"));
        do {
          digits.unshift(Number(left % BigInt(radix)));
          left /= BigInt(radix);
        } while (left > 0n);
        return digits;
      },
    }),
  };
}

function positive(value: Lazy, what: string): number | bigint {
  const forced = force(value);
  if (!isInteger(forced) || forced < 0)
    throw new AssertionError(`assertion failed: ${what} needs an integer that is not negative`);
  return forced;
}

export function versionsNamespace(ev: Evaluator): Namespace {
  const split = (version: Lazy): readonly Lazy[] => forceList(call(ev.builtins.get("splitVersion")!, version));
  const part = (index: number) => (version: Lazy) => {
    const found = split(version)[index];
    if (found === undefined) throw new ThrownError(`the version "${forceText(version)}" has no component ${index + 1}`);
    return found;
  };
  return {
    ...builtinsNamed(ev.builtins, ["compareVersions", "splitVersion"]),
    ...functions({
      major: part(0),
      minor: part(1),
      patch: part(2),
      majorMinor: (version) => textList(split(version).slice(0, 2)).join("."),
      pad: (count, version) => {
        const text = forceText(version);
        const numeric = text.split("-")[0]!;
        const wanted = Number(forceInt(count));
        const parts = [...textList(split(numeric)), ...new Array<string>(wanted).fill("0")].slice(0, wanted);
        return parts.join(".") + text.slice(numeric.length);
      },
    }),
  };
}

export function assertsNamespace(ev: Evaluator): Namespace {
  const assertMsg = (holds: boolean, message: string): boolean => {
    if (!holds) throw new ThrownError(message);
    return true;
  };
  const oneOf = (value: Lazy, list: readonly Lazy[]): boolean => list.some((known) => equal(known, value));
  return functions({
    assertMsg: (condition, message) => assertMsg(forceBool(condition), forceBool(condition) ? "" : forceText(message)),
    assertOneOf: (name, value, valid) =>
      oneOf(value, forceList(valid)) ||
      assertMsg(false, `${forceText(name)} must be one of ${showPretty(valid)}, but is: ${showPretty(value)}`),
    assertEachOneOf: (name, values, valid) =>
      forceList(values).every((value) => oneOf(value, forceList(valid))) ||
      assertMsg(
        false,
        `each element in ${forceText(name)} must be one of ${showPretty(valid)}, but is: ${showPretty(values)}`,
      ),
    checkAssertWarn: (assertions, warnings, value) => {
      const failed = forceList(assertions)
        .map((assertion) => forceAttrs(assertion))
        .filter((assertion) => !forceBool(attribute(assertion, "assertion")))
        .map((assertion) => `- ${forceText(attribute(assertion, "message"))}`);
      if (failed.length > 0) throw new ThrownError(`\nFailed assertions:\n${failed.join("\n")}`);
      for (const warning of forceList(warnings)) ev.host.message("warning", forceText(warning));
      return value;
    },
  });
}

/** A value that the function is given itself. */
function fixpoint(f: Lazy, more?: (self: Lazy) => Attrs): Lazy {
  const self: Lazy = lazy(() => {
    const value = call(f, self);
    return more === undefined ? value : updateAttrs(forceAttrs(value), more(self));
  });
  return self;
}

/** `extends overlay f`: what `f` makes, with the overlay on top. */
export function extend(overlay: Lazy, f: Lazy): Lazy {
  return fn("extends", 1, (final) => {
    const previous = forceAttrs(call(f, final));
    return updateAttrs(previous, forceAttrs(call(overlay, final, previous)));
  });
}

function compose(f: Lazy, g: Lazy): Lazy {
  return fn("composeExtensions", 2, (final, previous) => {
    const applied = forceAttrs(call(f, final, previous));
    const both = updateAttrs(forceAttrs(previous), applied);
    return updateAttrs(applied, forceAttrs(call(g, final, both)));
  });
}

function makeExtensible(name: string, f: Lazy): Lazy {
  return fixpoint(f, () =>
    Attrs.from([
      [name, fn(name, 1, (overlay) => makeExtensible(name, extend(overlay, f)))],
      ["__unfix__", f],
    ]),
  );
}

/** `toExtension`: a set, or a function of one or of two arguments, as an overlay. */
function toExtension(lazyOverlay: Lazy): Lazy {
  const overlay = force(lazyOverlay);
  if (!isFunctionLike(overlay)) return fn("extension", 2, () => overlay);
  return fn("extension", 2, (final, previous) => {
    const one = call(overlay, previous);
    return isFunctionLike(one) ? call(overlay, final, previous) : one;
  });
}

export function fixedPointsNamespace(): Namespace {
  return functions({
    fix: (f) => fixpoint(f),
    "fix'": (f) => fixpoint(f, () => Attrs.from([["__unfix__", f]])),
    converge: (f, start) => {
      let value = start;
      // In Nix each step is a call within the one before: what never ends, ends where calls nest too deeply.
      for (let steps = callDepth.current; ; steps++) {
        if (steps > callDepth.limit) throw new StackOverflowError();
        const next = call(f, value);
        if (equal(next, value)) return value;
        value = next;
      }
    },
    extends: (overlay, f, final) => call(extend(overlay, f), final),
    composeExtensions: compose,
    composeManyExtensions: (overlays) =>
      forceList(overlays).reduceRight<Lazy>(
        (rest, overlay) => compose(overlay, rest),
        fn("no extension", 2, () => Attrs.empty),
      ),
    makeExtensible: (f) => makeExtensible("extend", f),
    makeExtensibleWithCustomName: (name, f) => makeExtensible(forceStringNoContext(name), f),
    toExtension,
  });
}
