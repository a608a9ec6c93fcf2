import { defineModule, mkOption, type NativeModule } from "../../../modules/index.ts";
import { moduleFile } from "../../support.ts";

export const env: NativeModule = defineModule({
  file: moduleFile("env"),
  options: ({ types }) => {
    const single = [types.bool, types.int, types.str, types.path, types.package];
    return {
      env: mkOption({
        type: types.attrsOf(types.nullOr(types.oneOf([...single, types.listOf(types.oneOf(single))]))),
        default: {},
        description: "Environment variables of the build. Names that are options of `mkDerivation` are set there.",
        example: { PYO3_USE_ABI3_FORWARD_COMPATIBILITY: 1 },
      }),
    };
  },
});
