import { defineModule, mkOption, type NativeModule } from "../../../modules/index.ts";
import { later, moduleFile } from "../../support.ts";

/** Changes to packages that another module makes: for all, or by name. */
export const overrides: NativeModule = defineModule({
  file: moduleFile("overrides"),
  options: ({ types, config }) => {
    const override = types.deferredModuleWith({ staticModules: [later(() => config.at("overrideType"))] });
    return {
      overrideAll: mkOption({
        type: override,
        default: {},
        // What a dependency's own module has is described there; it cannot be evaluated without a package.
        visible: "shallow",
        description: "A module that is applied to every dependency.",
        example: { mkDerivation: { doCheck: false } },
      }),
      overrides: mkOption({
        type: types.attrsOf(override),
        default: {},
        visible: "shallow",
        description: "Modules that are applied to the dependency of that name.",
        example: { hello: { mkDerivation: { postPatch: "substituteInPlace Makefile --replace /usr/local /usr" } } },
      }),
      overrideType: mkOption({
        type: types.deferredModule,
        default: {},
        internal: true,
        description: "The options that an override can set.",
      }),
    };
  },
});
