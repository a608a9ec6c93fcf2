import type { NativeObject } from "../../../lang/index.ts";
import { defineModule, mkOption, type NativeModule } from "../../../modules/index.ts";
import { moduleFile } from "../../support.ts";

/** Switches of a package: offered by its author, chosen by whoever uses it. */
export const flags: NativeModule = defineModule({
  file: moduleFile("flags"),
  options: ({ types, config }) => {
    const offered = defineModule({
      file: moduleFile("flags/offered"),
      options: () =>
        Object.fromEntries(
          config
            .at("flagsOffered")
            .entries()
            .map(([name, description]): [string, NativeObject] => [
              name,
              mkOption({ type: types.bool, default: false, description: description.textWithoutContext() }),
            ]),
        ),
    });
    return {
      flagsOffered: mkOption({
        type: types.attrsOf(types.str),
        default: {},
        description: "The flags that there are: name to description.",
        example: { enableFoo: "builds with foo" },
      }),
      flags: mkOption({
        type: types.submodule(offered),
        default: {},
        description: "Switches the flags of `flagsOffered` on or off.",
      }),
    };
  },
});
