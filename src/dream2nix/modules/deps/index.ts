import { Attrs, type Lazy } from "../../../lang/index.ts";
import { defineModule, literalExpression, mkOption, type NativeModule } from "../../../modules/index.ts";
import { later, moduleFile } from "../../support.ts";

export const deps: NativeModule = defineModule({
  file: moduleFile("deps"),
  args: ["packageSets"],
  options: ({ types, packageSets }) => ({
    deps: mkOption({
      type: types.submoduleWith({
        modules: [
          defineModule({ file: moduleFile("deps/freeform"), freeformType: () => types.lazyAttrsOf(types.raw) }),
        ],
        specialArgs: packageSets,
      }),
      default: {},
      description:
        "Packages and functions that the package takes from outside: a set, or a function of the package sets. Whoever uses the package can replace each by name, so give them one by one rather than a whole package set.",
      example: literalExpression("{nixpkgs, ...}: {\n  inherit (nixpkgs) stdenv;\n}"),
    }),
  }),
  config: ({ config, packageSets }) => ({
    _module: {
      args: {
        pkgs: later(() => {
          const own = config.at("deps").attrs();
          const entries: [string, Lazy][] = [];
          if (packageSets.has("nixpkgs"))
            for (const [name, pkg] of packageSets.at("nixpkgs").attrs().entries())
              entries.push([name, own.get(name) ?? pkg]);
          return Attrs.from([...entries, ...own.entries()]);
        }),
      },
    },
  }),
});
