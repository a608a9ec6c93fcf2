import { Attrs, type Lazy } from "../../../lang/index.ts";
import {
  defineModule,
  keepGetters,
  mkDefault,
  mkOption,
  mkOverride,
  type NativeModule,
} from "../../../modules/index.ts";
import { later, moduleFile } from "../../support.ts";
import { derivationNames } from "../builtins-derivation/options.ts";
import { deps } from "../deps/index.ts";
import { env } from "../env/index.ts";
import { mkDerivationArguments, passedThrough } from "../mk-derivation/arguments.ts";
import { mkDerivationNames, mkDerivationOptions } from "../mk-derivation/options.ts";
import { packageFunc } from "../package-func/index.ts";
import { ui } from "../ui/index.ts";

const isOption = (name: string): boolean => mkDerivationNames.has(name) || derivationNames.has(name);

/** The options of `mkDerivation` without the prefix. */
export const mkDerivationMixin: NativeModule = defineModule({
  file: moduleFile("mkDerivation-mixin"),
  args: ["packageSets", "specialArgs"],
  imports: () => [packageFunc, deps, env, ui],
  options: (m) =>
    keepGetters(Object.fromEntries(mkDerivationOptions(m, m.specialArgs).entries()), {
      deps: {
        stdenv: mkOption({ type: m.types.raw, description: "The standard environment that the package is built in." }),
      },
    }),
  config: (m) => ({
    "package-func": {
      outputs: m.config.at("outputs"),
      func: mkDefault(m.config.at("deps", "stdenv", "mkDerivation")),
      args: later(() =>
        mkDerivationArguments(m, "mkDerivation", only(m.config.attrs(), isOption), isOption, m.config.at("outputs")),
      ),
    },
    public: later(() => passedThrough(m.config.at("passthru"))),
    deps: { stdenv: mkOverride(1050, m.packageSets.at("nixpkgs", "stdenv")) },
  }),
});

/** Those attributes of a set whose names are wanted. */
export function only(attrs: Attrs, wanted: (name: string) => boolean): Attrs {
  const kept: [string, Lazy][] = [...attrs.entries()].filter(([name]) => wanted(name));
  return Attrs.from(kept);
}
