import type { NativeObject } from "../../../lang/index.ts";
import {
  defineModule,
  literalExpression,
  mkOption,
  type ModuleScope,
  type OptionType,
  type Types,
  type View,
} from "../../../modules/index.ts";
import { moduleFile } from "../../support.ts";
import { buildPythonPackage } from "../build-python-package/index.ts";
import { overrides } from "../overrides/index.ts";
import { pythonEditables } from "../python-editables/index.ts";

/** `options.pdm`. */
export function pdmOption(m: ModuleScope, specialArgs: View): NativeObject {
  const { types } = m;
  const options = defineModule({
    file: moduleFile("python-pdm/interface"),
    imports: () => [overrides, pythonEditables],
    config: () => ({ overrideType: { imports: [m.system.module(buildPythonPackage)] } }),
    options: () => ({
      lockfile: mkOption({
        type: types.path,
        description: "The file `pdm.lock`.",
        example: literalExpression("./pdm.lock"),
      }),
      pyproject: mkOption({
        type: types.path,
        description: "The project's file `pyproject.toml`.",
        example: literalExpression("./pyproject.toml"),
      }),
      useUvResolver: mkOption({
        type: types.bool,
        default: false,
        description: "Let uv find the versions when pdm locks.",
      }),
      pdmVersion: mkOption({
        type: types.nullOr(types.str),
        default: null,
        description:
          "The version of pdm that locks; null takes the newest that the index has. Either way its files are pinned in `d2n.lock` when it is first used. An option of d2n.",
        example: "2.29.4",
      }),
      group: mkOption({
        type: types.str,
        default: "default",
        description:
          "The group of requirements to build with: `default`, or one of `project.optional-dependencies`, `dependency-groups` or `tool.pdm.dev-dependencies`, together with `default`.",
        example: "dev",
      }),
      sourceSelector: sourceSelectorOption(types),
    }),
  });
  return mkOption({
    type: types.submoduleWith({ modules: [options], specialArgs }),
    description: "Building what pdm has locked.",
  });
}

/** Which file of a release to take: for all packages, and in each one's module for it. */
export function sourceSelectorOption(types: Types): NativeObject {
  const type: OptionType = types.either(types.enum(["wheel", "sdist"]), types.functionTo(types.str));
  return mkOption({
    type,
    description:
      "Which file of a release to take: `wheel` rather than source, `sdist` the other way around, or a function from the list of file names to one of them.",
    example: literalExpression('names: lib.findFirst (lib.hasSuffix "-none-any.whl") (builtins.head names) names'),
  });
}
