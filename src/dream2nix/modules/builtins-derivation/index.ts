import { defineModule, mkDefault, mkOption, type NativeModule } from "../../../modules/index.ts";
import { later, merged, moduleFile, unique, givenOptions } from "../../support.ts";
import { core } from "../core/index.ts";
import { packageFunc } from "../package-func/index.ts";
import { checkedEnvironment } from "../mk-derivation/arguments.ts";
import { derivationOptions } from "./options.ts";

export const builtinsDerivation: NativeModule = defineModule({
  file: moduleFile("builtins-derivation"),
  imports: () => [core, packageFunc],
  options: (m) => ({
    "builtins-derivation": {
      ...derivationOptions(m),
      builder: mkOption({
        type: m.types.oneOf([m.types.str, m.types.path, m.types.package]),
        description: "The program that builds.",
      }),
      system: mkOption({ type: m.types.str, description: "The system to build on." }),
    },
  }),
  config: (m) => {
    const cfg = m.config.at("builtins-derivation");
    return {
      "package-func": {
        outputs: cfg.at("outputs"),
        func: mkDefault(later(() => m.ev.builtins.get("derivation"))),
        args: later(() =>
          merged(
            checkedEnvironment(m, "builtins-derivation", (name) => cfg.or([name], null).get() !== null),
            givenOptions(cfg.attrs()),
            [
              ["outputs", unique(cfg.at("outputs").texts())],
              ["name", later(() => m.config.at("public", "name"))],
            ],
          ),
        ),
      },
    };
  },
});
