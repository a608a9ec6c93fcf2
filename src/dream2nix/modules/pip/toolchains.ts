/**
 * What source distributions may ask for while they are locked: the tools of `stdenv`, and the inputs that the package has where
 * it is built. Which packages there will be is known after locking only, so their modules are looked at with a made-up lock.
 * All of it is evaluated when it is asked for: what is looked at is pinned in d2n.lock.
 */
import { EvalError, forceText, type Lazy, type Native, nativeFunction } from "../../../lang/index.ts";
import { mkOverride, type ScopeWith, type View } from "../../../modules/index.ts";
import { everyPackage, noPackage, pipField, type RareTools } from "../../../python/index.ts";
import { sourceOverrides } from "../../overrides/index.ts";
import { builtin, once, unique } from "../../support.ts";

/** The scope of the module `pip`. */
export type PipScope = ScopeWith<"extendModules">;

/** Tools that `stdenv` does not have anyway; cc, make and patchelf it has. */
const usualTools = ["pkg-config"];

/** Those that bring much, and are asked for by name. */
const rareTools: Readonly<Record<RareTools, readonly string[]>> = {
  cmake: ["cmake", "ninja"],
  rust: ["rustc", "cargo"],
};

/** Where a package says what it is built with. */
const inputLists = ["nativeBuildInputs", "buildInputs", "propagatedNativeBuildInputs", "propagatedBuildInputs"];

/** A package that no override is for, to see what `pip.overrideAll` gives to all. */
const anyPackage = "any";

export interface Toolchains {
  /** `toolchains` of a field in `src/python/lock-spec.ts`. The paths are without context: nothing is made before it is asked for. */
  readonly all: () => Native;
  /** A function of the package's canonical name (or `noPackage`, `everyPackage`) and of what it is to have beyond the usual ("" for nothing); null without a compiler. */
  readonly of: Lazy;
}

export function toolchains(m: PipScope, nixpkgs: View): Toolchains {
  const stdenv = m.config.at("deps", "stdenv");
  const own = once(() => ownInputs(m));
  const inputsOf = (name: string): readonly View[] =>
    name === everyPackage ? [...own().values()].flat() : (own().get(name) ?? own().get(anyPackage) ?? []);
  const there = (): boolean => stdenv.has("cc", "drvPath");
  const toolchain = (name: string, rare: string): View => {
    const inputs = inputsOf(name);
    const tools = [...usualTools, ...(rareTools[rare as RareTools] ?? [])];
    return stdenv.at("mkDerivation").call({
      pname: `${/^[a-z]/.test(name) ? name : "source-distributions"}-locking-environment`,
      version: "1",
      nativeBuildInputs: [
        ...tools.filter((tool) => nixpkgs.has(tool, "drvPath")).map((tool) => nixpkgs.at(tool)),
        ...inputs,
      ],
      buildInputs: [...inputs],
      buildCommand: "env -0 > $out\n",
      preferLocalBuild: true,
    });
  };
  const plain = (value: Native): string => m.system.view(builtin(m.ev, "unsafeDiscardStringContext", value)).text();
  return {
    all: () => {
      if (!there()) return [];
      const found: Native[] = [];
      for (const name of [noPackage, everyPackage, ...[...own().keys()].filter((one) => one !== anyPackage)])
        // What cannot be evaluated will not be built, and says why then.
        attempt(() => {
          const made = toolchain(name, "cmake");
          found.push({ package: name, drvPath: plain(made.at("drvPath")), environment: plain(made.at("outPath")) });
        });
      return found;
    },
    of: nativeFunction("toolchain", 2, (name, rare) => {
      if (!there()) return null;
      const made = toolchain(forceText(name), forceText(rare));
      return { drvPath: made.at("drvPath"), environment: made.at("outPath") };
    }),
  };
}

/** Of every package that has a module of its own, and of the root: its inputs but those in Python, which pip brings. */
function ownInputs(m: PipScope): Map<string, View[]> {
  const root = m.config.at("name").text();
  const wanted = m.config.at("pip", "requirementsList").texts().join("\n").toLowerCase();
  const names = unique([
    anyPackage,
    root,
    ...m.config.at("pip", "overrides").names(),
    // Not all of them: what is looked at here is pinned in d2n.lock.
    ...sourceOverrides.filter((name) => wanted.includes(name)),
  ]);
  const source = { is_direct: false, type: "url", url: "source.tar.gz", sha256: "0".repeat(64), version: "0" };
  const every = (value: Native) => Object.fromEntries(names.map((name) => [name, value]));
  const flat = m.config.at("pip", "flattenDependencies").bool();
  const content = { sources: every(source), targets: { default: flat ? {} : { [root]: [] } } };
  const variant = m.extendModules
    .call({ modules: [{ lock: { content: mkOverride(10, { [pipField]: content }) } }] })
    .at("config");
  const usual = new Set(["unzip"]);
  const inputsOf = (config: View): View[] =>
    inputLists
      .map((list) => config.at("mkDerivation", list))
      .flatMap((list) => (list.isNull() ? [] : list.list()))
      .map((input) => m.system.view(input))
      .filter(
        (input) => input.has("drvPath") && !input.has("pythonModule") && !usual.has(input.or(["pname"], "").text()),
      );
  const found = new Map<string, View[]>();
  for (const name of names)
    attempt(() => {
      const inputs = inputsOf(name === root ? variant : variant.at("pip", "drvs", name));
      if (inputs.length > 0) found.set(name, inputs);
    });
  return found;
}

function attempt(compute: () => unknown): void {
  try {
    compute();
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
  }
}
