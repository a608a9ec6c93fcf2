import type { Native } from "../../../lang/index.ts";
import { defineModule, mkOption, type NativeModule, type OptionDeclaration } from "../../../modules/index.ts";
import { moduleFile } from "../../support.ts";

/** What `evalModules` returns: looks like a derivation, and holds whatever else belongs to the package. */
export const publicModule: NativeModule = defineModule({
  file: moduleFile("public"),
  options: ({ types }) => {
    const internal = (declaration: OptionDeclaration): Native => mkOption({ ...declaration, internal: true });
    const fields = defineModule({
      file: moduleFile("public/interface"),
      freeformType: () => types.lazyAttrsOf(types.anything),
      options: () => ({
        name: internal({ type: types.str, description: "The name of the package." }),
        version: internal({ type: types.str, description: "The version of the package." }),
        meta: internal({ type: types.attrs, default: {}, description: "Information about the package." }),
        outputs: internal({
          type: types.listOf(types.str),
          description: "Names of the outputs, `out` or `lib` for instance.",
        }),
        tests: internal({ type: types.attrs, default: {}, description: "Tests of the package." }),
        drvPath: internal({ type: types.path, description: "The path of the derivation." }),
        outPath: internal({ type: types.path, description: "The path of the first output." }),
        outputName: internal({ type: types.str, description: "The name of the first output." }),
        type: internal({ type: types.str, default: "derivation", description: "Always `derivation`." }),
        config: internal({ type: types.raw, readOnly: true, description: "The configuration that made the package." }),
        extendModules: internal({ type: types.raw, description: "Makes the package anew with more modules." }),
      }),
    });
    return {
      public: mkOption({
        type: types.submoduleWith({ modules: [fields], shorthandOnlyDefinesConfig: true }),
        description:
          "The package: everything that Nix wants of a derivation (`name`, `outputs`, `drvPath`, `outPath`, …), and more.",
      }),
    };
  },
});
