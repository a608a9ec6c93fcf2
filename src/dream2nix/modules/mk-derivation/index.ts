import { defineModule, mkDefault, mkOption, mkOverride, type NativeModule } from "../../../modules/index.ts";
import { later, moduleFile } from "../../support.ts";
import { deps } from "../deps/index.ts";
import { env } from "../env/index.ts";
import { packageFunc } from "../package-func/index.ts";
import { ui } from "../ui/index.ts";
import { mkDerivationArguments, passedThrough } from "./arguments.ts";
import { mkDerivationOptions } from "./options.ts";

export const mkDerivation: NativeModule = defineModule({
  file: moduleFile("mkDerivation"),
  args: ["packageSets", "specialArgs"],
  imports: () => [packageFunc, deps, env, ui],
  options: (m) => ({
    mkDerivation: mkDerivationOptions(m, m.specialArgs),
    deps: {
      stdenv: mkOption({ type: m.types.raw, description: "The standard environment that the package is built in." }),
    },
  }),
  config: (m) => {
    const cfg = m.config.at("mkDerivation");
    return {
      "package-func": {
        outputs: cfg.at("outputs"),
        func: mkDefault(m.config.at("deps", "stdenv", "mkDerivation")),
        args: later(() =>
          mkDerivationArguments(m, "mkDerivation", cfg.attrs(), (name) => cfg.has(name), cfg.at("outputs")),
        ),
      },
      public: later(() => passedThrough(cfg.at("passthru"))),
      deps: { stdenv: mkOverride(1050, m.packageSets.at("nixpkgs", "stdenv")) },
    };
  },
});
