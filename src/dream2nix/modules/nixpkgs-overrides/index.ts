import { Attrs, nativeFunction, toNix } from "../../../lang/index.ts";
import {
  defineModule,
  mkIf,
  mkOption,
  type ModuleScope,
  type NativeModule,
  type View,
} from "../../../modules/index.ts";
import { later, merged, moduleFile, once } from "../../support.ts";
import { buildPythonPackage } from "../build-python-package/index.ts";

const alwaysExcluded = ["all", "args", "builder", "name", "pname", "version", "src", "outputs"];

/** Takes the attributes of the package of the same name in the package set. */
export const nixpkgsOverrides: NativeModule = defineModule({
  file: moduleFile("nixpkgs-overrides"),
  imports: () => [buildPythonPackage],
  options: ({ types, config }) => ({
    "nixpkgs-overrides": {
      enable: mkOption({
        type: types.bool,
        default: true,
        example: true,
        description: "Whether to copy attributes from the package of the same name in nixpkgs.",
      }),
      exclude: mkOption({ type: types.listOf(types.str), description: "Attributes that are not copied." }),
      from: mkOption({
        type: types.nullOr(types.package),
        default: later(() => config.at("deps", "python", "pkgs").or([config.at("name").text()], null)),
        defaultText: "config.deps.python.pkgs.${config.name} or null",
        description: "The package to copy from.",
      }),
      lib: {
        extractOverrideAttrs: mkOption({
          type: types.functionTo(types.attrs),
          readOnly: true,
          description: "Attributes out of an override function.",
        }),
        extractPythonAttrs: mkOption({
          type: types.functionTo(types.attrs),
          readOnly: true,
          description: "Arguments of a Python package in nixpkgs.",
        }),
      },
    },
  }),
  config: (m) => {
    const cfg = m.config.at("nixpkgs-overrides");
    const enabled = (): boolean => cfg.at("enable").bool();
    const extracted = once((): Attrs => (cfg.at("from").isNull() ? Attrs.empty : pythonAttrs(m, cfg.at("from"))));
    const matching = (option: string): Attrs => pick(extracted(), (name) => m.options.has(option, name));
    return {
      mkDerivation: mkIf(
        enabled,
        later(() => matching("mkDerivation")),
      ),
      buildPythonPackage: mkIf(
        enabled,
        later(() => matching("buildPythonPackage")),
      ),
      env: mkIf(
        enabled,
        later(() => {
          const rest = pick(
            extracted(),
            (name) =>
              name !== "env" && !m.options.has("mkDerivation", name) && !m.options.has("buildPythonPackage", name),
          );
          const env = extracted().get("env");
          return env === undefined ? rest : merged(rest, m.system.view(env).attrs());
        }),
      ),
      "nixpkgs-overrides": {
        exclude: alwaysExcluded,
        lib: {
          extractOverrideAttrs: nativeFunction("extractOverrideAttrs", 1, (override) =>
            overriddenAttrs(m, m.system.view(override, "override")),
          ),
          extractPythonAttrs: nativeFunction("extractPythonAttrs", 1, (pkg) =>
            pythonAttrs(m, m.system.view(pkg, "package")),
          ),
        },
      },
    };
  },
});

/** What an override function hands to its argument. */
function overriddenAttrs(m: ModuleScope, override: View): Attrs {
  const keep = nativeFunction("old", 1, (old) => ({ passthru: { old } }));
  return m.system.view(toNix(override.call(keep).at("old"))).attrs();
}

function pythonAttrs(m: ModuleScope, pkg: View): Attrs {
  const excluded = new Set(m.config.at("nixpkgs-overrides", "exclude").texts());
  const override = pkg.has("overridePythonAttrs") ? pkg.at("overridePythonAttrs") : pkg.at("overrideAttrs");
  return pick(overriddenAttrs(m, override), (name) => !excluded.has(name));
}

function pick(attrs: Attrs, wanted: (name: string) => boolean): Attrs {
  return Attrs.from([...attrs.entries()].filter(([name]) => wanted(name)));
}
