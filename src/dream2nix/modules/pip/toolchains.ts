/**
 * What source distributions may ask for while they are locked: the tools of `stdenv`, and the inputs that the package has where
 * it is built. Which packages there will be is known after locking only, so their modules are looked at with a made-up lock.
 */
import { EvalError, type Native, type NativeObject } from "../../../lang/index.ts";
import { mkOverride, type ScopeWith, type View } from "../../../modules/index.ts";
import { pipField } from "../../../python/index.ts";
import { sourceOverrides } from "../../overrides/index.ts";
import { builtin, unique } from "../../support.ts";

/** The scope of the module `pip`. */
export type PipScope = ScopeWith<"extendModules">;

/** Tools that `stdenv` does not have anyway; cc, make and patchelf it has. */
const tools = ["pkg-config", "cmake", "ninja"];

/** Where a package says what it is built with. */
const inputLists = ["nativeBuildInputs", "buildInputs", "propagatedNativeBuildInputs", "propagatedBuildInputs"];

/** A package that no override is for, to see what `pip.overrideAll` gives to all. */
const anyPackage = "any";

/**
 * `toolchain` of a field in `src/python/lock-spec.ts`. The paths are without context, so that nothing is made before a source
 * distribution does ask.
 */
export function toolchains(m: PipScope, nixpkgs: View): Native {
  const stdenv = m.config.at("deps", "stdenv");
  if (!stdenv.has("cc", "drvPath")) return [];
  const common = tools.filter((name) => nixpkgs.has(name, "drvPath")).map((name) => nixpkgs.at(name));
  const plain = (value: Native): string => m.system.view(builtin(m.ev, "unsafeDiscardStringContext", value)).text();
  const toolchain = (name: string | null, inputs: readonly View[]): NativeObject => {
    const environment = stdenv.at("mkDerivation").call({
      pname: `${name ?? "source-distributions"}-locking-environment`,
      version: "1",
      nativeBuildInputs: [...common, ...inputs],
      buildInputs: [...inputs],
      buildCommand: "env -0 > $out\n",
      preferLocalBuild: true,
    });
    return { package: name, drvPath: plain(environment.at("drvPath")), environment: plain(environment.at("outPath")) };
  };
  const found = [toolchain(null, [])];
  for (const [name, inputs] of ownInputs(m))
    // What cannot be evaluated will not be built, and says why then.
    attempt(() => inputs.length > 0 && found.push(toolchain(name === anyPackage ? null : name, inputs)));
  // The later one of a name counts: what all packages get, where there is such a thing.
  return found.filter((one, i) => !found.slice(i + 1).some((other) => other["package"] === one["package"]));
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
  const every = (value: Native): NativeObject => Object.fromEntries(names.map((name) => [name, value]));
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
    attempt(() => found.set(name, inputsOf(name === root ? variant : variant.at("pip", "drvs", name))));
  return found;
}

function attempt(compute: () => unknown): void {
  try {
    compute();
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
  }
}
