import { defineModule, mkOption, type NativeModule } from "../../../modules/index.ts";
import { moduleFile } from "../../support.ts";

export const packageFuncInterface: NativeModule = defineModule({
  file: moduleFile("package-func/interface"),
  options: ({ types }) => ({
    "package-func": {
      outputs: mkOption({
        type: types.listOf(types.str),
        internal: true,
        description: "Outputs of the derivation that the function makes.",
      }),
      args: mkOption({
        type: types.lazyAttrsOf(types.either(types.listOf(types.raw), types.anything)),
        internal: true,
        description: "The arguments that `package-func.func` is called with.",
      }),
      func: mkOption({ type: types.raw, internal: true, description: "Makes the package out of `package-func.args`." }),
      result: mkOption({ type: types.raw, internal: true, description: "What the function returns." }),
    },
  }),
});
