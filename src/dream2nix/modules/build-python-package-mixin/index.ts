import { defineModule, keepGetters, mkOptionDefault, type NativeModule } from "../../../modules/index.ts";
import { later, moduleFile } from "../../support.ts";
import { defaultFormat, pythonOption, pythonPackage } from "../build-python-package/index.ts";
import { buildPythonPackageNames, buildPythonPackageOptions } from "../build-python-package/options.ts";
import { deps } from "../deps/index.ts";
import { mkDerivationMixin, only } from "../mk-derivation-mixin/index.ts";

/** The options of `buildPythonPackage` and `mkDerivation` without the prefix. */
export const buildPythonPackageMixin: NativeModule = defineModule({
  file: moduleFile("buildPythonPackage-mixin"),
  args: ["packageSets"],
  imports: () => [mkDerivationMixin, deps],
  options: (m) => keepGetters(buildPythonPackageOptions(m), { deps: pythonOption(m) }),
  config: (m) => ({
    ...pythonPackage(m, m.packageSets),
    "package-func": {
      func: m.config.at("deps", "python", "pkgs", "buildPythonPackage"),
      args: later(() => only(m.config.attrs(), (name) => buildPythonPackageNames.has(name))),
    },
    format: mkOptionDefault(defaultFormat(m.config.at("pyproject"))),
  }),
});
