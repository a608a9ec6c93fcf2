import type { NativeObject } from "../../../lang/index.ts";
import {
  defineModule,
  mkOption,
  mkOptionDefault,
  type ModuleScope,
  type NativeModule,
  type View,
} from "../../../modules/index.ts";
import { later, moduleFile } from "../../support.ts";
import { deps } from "../deps/index.ts";
import { mkDerivation } from "../mk-derivation/index.ts";
import { buildPythonPackageOptions } from "./options.ts";

export const buildPythonPackage: NativeModule = defineModule({
  file: moduleFile("buildPythonPackage"),
  args: ["packageSets"],
  imports: () => [mkDerivation, deps],
  options: (m) => ({ buildPythonPackage: buildPythonPackageOptions(m), deps: pythonOption(m) }),
  config: (m) => ({
    ...pythonPackage(m, m.packageSets),
    "package-func": {
      func: m.config.at("deps", "python", "pkgs", "buildPythonPackage"),
      args: m.config.at("buildPythonPackage"),
    },
    buildPythonPackage: { format: mkOptionDefault(defaultFormat(m.config.at("buildPythonPackage", "pyproject"))) },
  }),
});

export function pythonOption({ types }: ModuleScope): NativeObject {
  return { python: mkOption({ type: types.package, description: "The Python interpreter that the package is for." }) };
}

export function defaultFormat(pyproject: View): ReturnType<typeof later> {
  return later(() => (pyproject.isNull() ? "setuptools" : null));
}

/** What makes the public package one that `withPackages` and other Python packages take. */
const pythonAttributes = ["pythonModule", "requiredPythonModules", "override", "overrideAttrs", "overridePythonAttrs"];

/** What every Python package's configuration has, with the prefix or without. */
export function pythonPackage(m: ModuleScope, packageSets: View): NativeObject {
  const result = m.config.at("package-func", "result");
  return {
    deps: { python: mkOptionDefault(packageSets.at("nixpkgs", "python3")) },
    public: Object.fromEntries(pythonAttributes.map((name) => [name, result.at(name)])),
  };
}
