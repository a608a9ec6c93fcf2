import type { Native, NativeObject } from "../../../lang/index.ts";
import {
  defineModule,
  mkForce,
  mkOption,
  type ModuleScope,
  type NativeModule,
  type OptionType,
  type View,
} from "../../../modules/index.ts";
import { later, moduleFile } from "../../support.ts";
import { overrides } from "../overrides/index.ts";

/** Several sets of packages, with what is common to all, to the packages of a set, and to a package of that name. */
export const groups: NativeModule = defineModule({
  file: moduleFile("WIP-groups"),
  args: ["specialArgs"],
  imports: () => [overrides],
  options: (m) => ({
    groups: mkOption({
      type: m.types.lazyAttrsOf(
        m.types.submoduleWith({ modules: [groupModule(m, m.specialArgs)], specialArgs: m.specialArgs }),
      ),
      visible: "shallow",
      description: "Sets of packages by name, each with overrides of its own.",
    }),
  }),
});

/** A group. `root` is the scope that has the overrides for all groups. */
function groupModule(root: ModuleScope, specialArgs: View): NativeModule {
  return defineModule({
    file: moduleFile("WIP-groups/group"),
    options: (m) => ({
      overrideAll: mkOption({
        type: m.types.deferredModule,
        default: {},
        description: "A module that is applied to every package of the group.",
      }),
      overrides: mkOption({
        type: m.types.lazyAttrsOf(m.types.deferredModule),
        default: {},
        description: "Modules that are applied to the group's package of that name.",
      }),
      packages: mkOption({
        type: m.types.lazyAttrsOf(m.types.lazyAttrsOf(packageType(root, m, specialArgs))),
        description: "The packages of the group: name, then version.",
        example: { hello: { "1.0.0": { module: { name: "hello", version: "1.0.0" } } } },
      }),
    }),
  });
}

function packageType(root: ModuleScope, group: ModuleScope, specialArgs: View): OptionType {
  const { types } = root;
  const module = defineModule({
    file: moduleFile("WIP-groups/package"),
    options: (m) => {
      const layers = [root.config.at("overrideAll"), group.config.at("overrideAll"), named(root, m), named(group, m)];
      return {
        module: mkOption({
          type: types.deferredModuleWith({ staticModules: layers }),
          default: {},
          description: "What the package is, before overrides.",
        }),
        evaluated: mkOption({
          type: types.submoduleWith({ modules: [later(() => m.config.at("module"))], specialArgs }),
          default: {},
          internal: true,
          description: "The package's configuration, overrides included.",
        }),
        public: mkOption({
          type: types.package,
          readOnly: true,
          get default(): Native {
            return m.config.at("evaluated", "public");
          },
          description: "The package.",
        }),
      };
    },
    config: (m): NativeObject => ({
      _module: { args: { name: mkForce(later(() => place(m).name)), version: later(() => place(m).version) } },
    }),
  });
  return types.submoduleWith({ modules: [module], specialArgs });
}

/** The override that one of the layers has for the package. */
function named(layer: ModuleScope, own: ModuleScope): Native {
  return later(() => layer.config.or(["overrides", place(own).name], {}));
}

/** Name and version, which are where the package is: `….packages.<name>.<version>.module`. */
function place(m: ModuleScope): { readonly name: string; readonly version: string } {
  const [name, version] = m.options.at("module", "loc").texts().slice(-3);
  return { name: name!, version: version! };
}
