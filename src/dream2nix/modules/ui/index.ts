import { defineModule, mkDefault, mkIf, mkOption, type NativeModule } from "../../../modules/index.ts";
import { later, moduleFile } from "../../support.ts";
import { publicModule } from "../public/index.ts";

export const ui: NativeModule = defineModule({
  file: moduleFile("ui"),
  imports: () => [publicModule],
  options: ({ types }) => ({
    name: mkOption({ type: types.str, description: "The name of the package.", example: "pillow" }),
    version: mkOption({ type: types.str, description: "The version of the package.", example: "10.4.0" }),
    drvPath: mkOption({ type: types.path, internal: true, description: "The path of the package's derivation." }),
    type: mkOption({
      type: types.str,
      internal: true,
      description: "Always `derivation`: what Nix knows packages by.",
    }),
  }),
  config: ({ config, options }) => ({
    public: {
      name: mkDefault(config.at("name")),
      version: mkDefault(config.at("version")),
      // Without the module `lock` there is nothing to refresh.
      lock: mkIf(
        () => options.has("lock"),
        later(() => config.at("lock", "refresh")),
      ),
    },
    type: "derivation",
    drvPath: config.at("public", "drvPath"),
  }),
});
