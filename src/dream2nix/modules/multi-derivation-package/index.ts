import { defineModule, mkOption, type NativeModule } from "../../../modules/index.ts";
import { later, moduleFile } from "../../support.ts";
import { core } from "../core/index.ts";
import { packageModuleType } from "../mk-derivation/options.ts";

/** A package whose outputs are packages of their own; `out` stands for the whole. */
export const multiDerivationPackage: NativeModule = defineModule({
  file: moduleFile("multi-derivation-package"),
  args: ["specialArgs", "extendModules"],
  imports: () => [core],
  options: (m) => ({
    out: mkOption({
      type: packageModuleType(m, m.specialArgs),
      description: "The package that the default output is.",
    }),
  }),
  config: ({ config, extendModules }) => {
    const out = config.at("out", "public");
    const mirrored = ["config", "drvPath", "name", "outPath", "outputName", "outputs", "type", "version"];
    return {
      name: config.at("out", "name"),
      version: config.at("out", "version"),
      public: { ...Object.fromEntries(mirrored.map((name) => [name, later(() => out.at(name))])), extendModules, out },
    };
  },
});
