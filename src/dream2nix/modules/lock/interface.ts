import type { NativeObject } from "../../../lang/index.ts";
import { defineModule, literalExpression, mkOption, type ModuleScope } from "../../../modules/index.ts";
import { moduleFile } from "../../support.ts";

export function lockOptions(m: ModuleScope): NativeObject {
  const { types } = m;
  const field = defineModule({
    file: moduleFile("lock/field"),
    options: () => ({
      script: mkOption({
        type: types.path,
        description: "A program that writes the field's value, as JSON, to the file `$out`.",
      }),
      default: mkOption({
        type: types.nullOr(types.anything),
        default: null,
        description: "The value while there is no lock file, or none with this field.",
      }),
    }),
  });
  return {
    content: mkOption({
      type: types.submodule(defineModule({ file: moduleFile("lock/content"), freeformType: () => types.anything })),
      description: "The content of the lock file: one attribute for each of `lock.fields`.",
    }),
    extraScripts: mkOption({
      type: types.listOf(types.path),
      default: [],
      description: "Programs that `d2n run .#<package>.lock` runs after it has written the lock file.",
    }),
    fields: mkOption({
      type: types.attrsOf(types.submodule(field)),
      default: {},
      description: "The fields of the lock file.",
      example: literalExpression("{ weights.script = ./fetch-weights.sh; }"),
    }),
    invalidationData: mkOption({
      type: types.anything,
      default: {},
      description: "What the lock file depends on: when any of it changes, the lock file is stale.",
      example: { pip: { requirements: ["requests", "pillow"] } },
    }),
    refresh: mkOption({
      type: types.package,
      readOnly: true,
      description: "The program that writes the lock file anew.",
    }),
    isValid: mkOption({
      type: types.bool,
      readOnly: true,
      description: "Whether the lock file belongs to the present `invalidationData`.",
    }),
    lib: {
      computeFODHash: mkOption({
        type: types.functionTo(types.path),
        readOnly: true,
        description:
          "Makes a field's script of a fixed-output derivation: a program that fetches it and writes the hash of what it got to `$out`.",
        example: literalExpression(
          "lock.fields.source.script = config.lock.lib.computeFODHash config.mkDerivation.src",
        ),
      }),
    },
  };
}
