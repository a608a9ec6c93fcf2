/** A Python interpreter as nixpkgs has it: the derivation with `pkgs`, `withPackages`, `buildEnv` and what code asks it for. */
import { Attrs, callFunction, EvalError, force, type Lazy, lazy } from "../../lang/index.ts";
import type { TrivialBuilders } from "../build-support/trivial.ts";
import type { Scope } from "../scope.ts";
import type { DebianInterpreter } from "../types.ts";
import { attribute, expectSet, fn, merge, set, setFunction } from "../values.ts";
import { createPythonEnvironment, withPackages } from "./environment.ts";
import { createPythonPackages } from "./package-set.ts";

export interface InterpreterContext {
  readonly scope: Scope;
  readonly trivial: TrivialBuilders;
  readonly stdenv: Lazy;
  readonly overrideRaw: (derivation: Attrs) => Attrs;
}

/** Attributes of the derivation that must not be forced before they are asked for: not every interpreter can be had. */
const derivationAttributes = ["outPath", "drvPath", "all", "drvAttrs", "builder", "args", "debs"];

export function createInterpreter(
  context: InterpreterContext,
  debian: DebianInterpreter,
  overrides: readonly Lazy[] = [],
): Attrs {
  const { scope } = context;
  const { ev } = scope;
  const [major = "3", minor = "0", patch = "0"] = debian.version.split(".");
  const executable = `python${debian.pythonVersion}`;
  const libPrefix = executable;
  const sitePackages = `lib/${libPrefix}/site-packages`;
  const box: { self?: Attrs } = {};
  const self = lazy(() => box.self!);
  const derivation = lazy(() => expectSet(debian.derivation, "the interpreter"));
  const fromDerivation = (name: string): Lazy =>
    lazy(() => {
      const value = expectSet(derivation, "the interpreter").get(name);
      if (value === undefined) throw new EvalError(`attribute '${name}' missing`);
      return value;
    });
  const packages = lazy(() =>
    createPythonPackages({ ...context, python: self, executable, sitePackages, debian, overrides }),
  );
  const numbers = [Number(major), Number(minor)] as const;
  const compare = (other: Lazy): number => {
    const text = ev.coerceToString(other);
    const [a = 0, b = 0] = (typeof text === "string" ? text : text.text).split(".").map(Number);
    return numbers[0] - a || numbers[1] - b;
  };
  const flags = Object.fromEntries(
    ["27", "35", "36", "37", "38", "39", "310", "311", "312", "313", "314", "315"].map((name) => [
      `isPy${name}`,
      `${major}${minor}` === name,
    ]),
  );
  const buildEnv = lazy(() =>
    createPythonEnvironment({
      scope,
      trivial: context.trivial,
      python: self,
      executable,
      sitePackages,
      version: debian.version,
      passthru: () => passthru,
    }),
  );
  const passthru: Attrs = set({
    executable,
    libPrefix,
    sitePackages,
    implementation: "cpython",
    pythonVersion: debian.pythonVersion,
    sourceVersion: { major, minor, patch, suffix: "" },
    pythonAttr: debian.attribute,
    interpreter: lazy(() => ev.str`${self}/bin/${executable}`),
    pkgs: packages,
    pythonPackages: packages,
    buildEnv,
    withPackages: fn("withPackages", 1, (choose) => withPackages(buildEnv, packages, choose)),
    pythonOnBuildForHost: self,
    pythonOnBuildForBuild: self,
    pythonForBuild: self,
    pythonOnHostForHost: self,
    pythonAtLeast: fn("pythonAtLeast", 1, (other) => compare(other) >= 0),
    pythonOlder: fn("pythonOlder", 1, (other) => compare(other) < 0),
    hasDistutilsCxxPatch: false,
    isPy2: false,
    isPy3: true,
    isPy3k: true,
    isPyPy: false,
    ...flags,
    stdenv: context.stdenv,
  });
  box.self = merge(
    Attrs.from(derivationAttributes.map((name) => [name, fromDerivation(name)])),
    passthru,
    set({
      type: "derivation",
      name: `python3-${debian.version}`,
      pname: "python3",
      version: debian.version,
      system: scope.system,
      outputs: ["out"],
      outputName: "out",
      passthru,
      out: self,
      dev: self,
      lib: self,
      bin: self,
      meta: {
        name: `python3-${debian.version}`,
        mainProgram: executable,
        description: "Interpreter of the programming language Python",
        outputsToInstall: ["out"],
        available: lazy(() => isAvailable(debian)),
      },
      override: setFunction("override", { packageOverrides: true, self: true }, (changes) => {
        const added = attribute(changes, "packageOverrides");
        return createInterpreter(
          context,
          debian,
          added === undefined || added === null ? overrides : [...overrides, added],
        );
      }),
      overrideAttrs: fn("overrideAttrs", 1, (change) => {
        const raw = context.overrideRaw(expectSet(derivation, "the interpreter"));
        return createInterpreter(
          context,
          { ...debian, packages: debian.packages, derivation: callFunction(attribute(raw, "overrideAttrs")!, change) },
          overrides,
        );
      }),
    }),
  );
  return box.self;
}

function isAvailable(debian: DebianInterpreter): boolean {
  try {
    force(debian.derivation);
    return true;
  } catch {
    return false;
  }
}
