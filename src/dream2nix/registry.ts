/** `dream2nix.modules.dream2nix`: every module of upstream by name, those that d2n has and those that it has not yet. */
import type { NativeModule } from "../modules/index.ts";
import { assertions } from "./modules/assertions/index.ts";
import { buildPythonPackage } from "./modules/build-python-package/index.ts";
import { buildPythonPackageMixin } from "./modules/build-python-package-mixin/index.ts";
import { builtinsDerivation } from "./modules/builtins-derivation/index.ts";
import { core } from "./modules/core/index.ts";
import { deps } from "./modules/deps/index.ts";
import { docs } from "./modules/docs/index.ts";
import { env } from "./modules/env/index.ts";
import { evalCache } from "./modules/eval-cache/index.ts";
import { flags } from "./modules/flags/index.ts";
import { groups } from "./modules/groups/index.ts";
import { lock } from "./modules/lock/index.ts";
import { mkDerivation } from "./modules/mk-derivation/index.ts";
import { mkDerivationMixin } from "./modules/mk-derivation-mixin/index.ts";
import { multiDerivationPackage } from "./modules/multi-derivation-package/index.ts";
import { nixpkgsOverrides } from "./modules/nixpkgs-overrides/index.ts";
import { overrides } from "./modules/overrides/index.ts";
import { packageFunc } from "./modules/package-func/index.ts";
import { paths } from "./modules/paths/index.ts";
import { pip } from "./modules/pip/index.ts";
import { publicModule } from "./modules/public/index.ts";
import { pythonEditables } from "./modules/python-editables/index.ts";
import { pythonPdm } from "./modules/python-pdm/index.ts";
import { pythonPyproject } from "./modules/python-pyproject/index.ts";
import { ui } from "./modules/ui/index.ts";

export const builtInModules: Readonly<Record<string, NativeModule>> = {
  "WIP-groups": groups,
  "WIP-python-pdm": pythonPdm,
  "WIP-python-pyproject": pythonPyproject,
  assertions,
  "builtins-derivation": builtinsDerivation,
  buildPythonPackage,
  "buildPythonPackage-mixin": buildPythonPackageMixin,
  core,
  deps,
  docs,
  env,
  "eval-cache": evalCache,
  flags,
  lock,
  mkDerivation,
  "mkDerivation-mixin": mkDerivationMixin,
  "multi-derivation-package": multiDerivationPackage,
  "nixpkgs-overrides": nixpkgsOverrides,
  overrides,
  "package-func": packageFunc,
  paths,
  pip,
  public: publicModule,
  "python-editables": pythonEditables,
  "python-pdm": pythonPdm,
  ui,
};

/** Modules of upstream that whoever imports is told about. */
export const missingModules: readonly string[] = [
  "WIP-haskell-cabal",
  "WIP-nodejs-builder-v3",
  "WIP-spago",
  "buildRustPackage",
  "nodejs-devshell",
  "nodejs-devshell-v3",
  "nodejs-granular",
  "nodejs-granular-v3",
  "nodejs-node-modules",
  "nodejs-node-modules-v3",
  "nodejs-package-json",
  "nodejs-package-json-v3",
  "nodejs-package-lock",
  "nodejs-package-lock-v3",
  "php-composer-lock",
  "php-granular",
  "rust-cargo-lock",
  "rust-cargo-vendor",
  "rust-crane",
];
