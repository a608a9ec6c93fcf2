/** The part of `lib.strings` that writes shell code, search paths and flags. */
import {
  AssertionError,
  Attrs,
  type Evaluator,
  force,
  forceBool,
  forceList,
  forceText,
  isString,
  joinStrings,
  type Lazy,
  lazy,
  type NixString,
  textOf,
  ThrownError,
} from "../lang/index.ts";
import { getOutput } from "./attrsets.ts";
import { joinWith, isStringLike, upperCase, withText } from "./strings.ts";
import { fn, functions, type Namespace } from "./support.ts";

const POSIX_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const CMAKE_TYPES = ["BOOL", "FILEPATH", "PATH", "STRING", "INTERNAL", "LIST"];

/** Quotes where the shell would not take the text as it is. */
export function quoteForShell(argument: NixString): NixString {
  const text = textOf(argument);
  return /^[A-Za-z0-9,._+:@%/-]+$/.test(text) ? argument : withText(argument, `'${text.replaceAll("'", "'\\''")}'`);
}

export function shellStrings(ev: Evaluator): Namespace {
  const shown = (value: Lazy): NixString => ev.coerceToString(value, { coerceMore: true, copyToStore: false });
  const quoted = (value: Lazy): NixString => quoteForShell(shown(value));
  const string = (value: Lazy): NixString => {
    const forced = force(value);
    if (!isString(forced)) throw new AssertionError("assertion failed: a flag needs the name of a feature as a string");
    return forced;
  };
  const join = (...parts: readonly NixString[]): NixString => parts.reduce(joinStrings);
  const shellVar = (lazyName: Lazy, lazyValue: Lazy): NixString => {
    const name = forceText(lazyName);
    if (!POSIX_NAME.test(name)) throw new ThrownError(`toShellVar: ${name} is not a valid shell variable name`);
    const value = force(lazyValue);
    if (value instanceof Attrs && !isStringLike(value)) {
      const entries = [...value.entries()].map(([key, entry]) => join("[", quoteForShell(key), "]=", quoted(entry)));
      return join(`declare -A ${name}=(`, joinWith(entries, " "), ")");
    }
    if (Array.isArray(value)) return join(`declare -a ${name}=(`, joinWith(forceList(value).map(quoted), " "), ")");
    return join(`${name}=`, quoted(value));
  };
  const searchPath = (directory: Lazy, paths: readonly Lazy[]): NixString =>
    joinWith(
      paths
        .filter((path) => force(path) !== null)
        .map((path) => join(ev.coerceToString(path), "/", ev.coerceToString(directory))),
      ":",
    );
  const ofOutput = (output: Lazy, directory: Lazy, packages: Lazy): NixString => {
    const name = forceText(output);
    const chosen = forceList(packages).map((one) => lazy(() => getOutput(name, one)));
    return searchPath(directory, chosen);
  };
  const cmakeOption = (type: string, feature: Lazy, value: NixString): NixString => {
    if (!CMAKE_TYPES.includes(upperCase(type)))
      throw new AssertionError(`assertion failed: ${type} is not a type of CMake options`);
    return join("-D", string(feature), `:${upperCase(type)}=`, value);
  };
  const feature = (yes: string, no: string) => (flag: Lazy, name: Lazy) =>
    join(forceBool(flag) ? `--${yes}-` : `--${no}-`, string(name));
  const featureAs = (yes: string, no: string) => (flag: Lazy, name: Lazy, value: Lazy) => {
    const enabled = forceBool(flag);
    const option = join(enabled ? `--${yes}-` : `--${no}-`, string(name));
    return enabled ? join(option, "=", ev.coerceToString(value)) : option;
  };
  const out = (output: string, directory: string): Lazy =>
    fn(`make ${directory} path`, 1, (packages) => ofOutput(output, directory, packages));

  return {
    ...functions({
      escapeShellArg: quoted,
      escapeShellArgs: (list) => joinWith(forceList(list).map(quoted), " "),
      toShellVar: shellVar,
      toShellVars: (vars) => {
        const attrs = force(vars);
        if (!(attrs instanceof Attrs)) throw new ThrownError("toShellVars needs a set of variables");
        return joinWith(
          [...attrs.entries()].map(([name, value]) => shellVar(name, value)),
          "\n",
        );
      },
      makeSearchPath: (directory, paths) => searchPath(directory, forceList(paths)),
      makeSearchPathOutput: ofOutput,
      cmakeOptionType: (type, name, value) => cmakeOption(forceText(type), name, string(value)),
      cmakeBool: (name, flag) => cmakeOption("BOOL", name, forceBool(flag) ? "TRUE" : "FALSE"),
      cmakeFeature: (name, value) => cmakeOption("STRING", name, string(value)),
      mesonOption: (name, value) => join("-D", string(name), "=", string(value)),
      mesonBool: (name, flag) => join("-D", string(name), forceBool(flag) ? "=true" : "=false"),
      mesonEnable: (name, flag) => join("-D", string(name), forceBool(flag) ? "=enabled" : "=disabled"),
      enableFeature: feature("enable", "disable"),
      enableFeatureAs: featureAs("enable", "disable"),
      withFeature: feature("with", "without"),
      withFeatureAs: featureAs("with", "without"),
    }),
    makeLibraryPath: out("lib", "lib"),
    makeIncludePath: out("dev", "include"),
    makeBinPath: out("bin", "bin"),
  };
}
