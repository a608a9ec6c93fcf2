import { Attrs, force, isDerivation, type NativeObject, toNix } from "../../../lang/index.ts";
import { literalExpression, mkOption, type ModuleScope, type OptionType, type View } from "../../../modules/index.ts";
import { derivationOptions } from "../builtins-derivation/options.ts";
import { core } from "../core/index.ts";
import { booleans, descriptions, examples, lists, packages, sets, stringLists, strings } from "./table.ts";

/** A package module, or rather: a set that is one and no derivation, which would be a set as well. */
export function packageModuleType({ types }: ModuleScope, specialArgs: View): OptionType {
  return types.addCheck(types.submoduleWith({ modules: [core], specialArgs }), (value) => {
    const forced = force(value);
    return !isDerivation(forced);
  });
}

const made = new WeakMap<Attrs, Attrs>();

/**
 * Every option of `mkDerivation` by name: 139 upstream, and the right spelling of two. They depend on nothing but the special
 * arguments, which all packages of a lock share, so they are made once for all.
 */
export function mkDerivationOptions(m: ModuleScope, specialArgs: View): Attrs {
  const key = specialArgs.attrs();
  let options = made.get(key);
  if (options === undefined) {
    options = toNix(makeOptions(m, specialArgs)) as Attrs;
    made.set(key, options);
  }
  return options;
}

function makeOptions(m: ModuleScope, specialArgs: View): NativeObject {
  const { types } = m;
  const derivation = types.oneOf([types.str, types.path, types.package]);
  const packageOrModule = types.nullOr(types.either(derivation, packageModuleType(m, specialArgs)));
  const options: Record<string, NativeObject> = {};
  const add = (names: readonly (keyof typeof descriptions)[], type: OptionType, declaration: object = {}): void => {
    for (const name of names) {
      const example = examples[name];
      options[name] = mkOption({
        type,
        default: null,
        description: descriptions[name],
        ...(example === undefined ? {} : { example: literalExpression(example) }),
        ...declaration,
      });
    }
  };
  add(booleans, types.nullOr(types.bool));
  add(strings, types.nullOr(types.str));
  add(lists, types.nullOr(types.listOf(types.anything)));
  add(stringLists, types.nullOr(types.listOf(types.str)));
  add(sets, types.nullOr(types.attrs), { default: {} });
  add(["srcs"], types.nullOr(types.listOf(derivation)));
  add(packages, packageOrModule, {
    apply: (value: Parameters<typeof force>[0]) => {
      const forced = force(value);
      return forced instanceof Attrs ? (forced.get("public") ?? forced) : forced;
    },
  });
  return { ...options, ...derivationOptions(m) };
}

/** The names of `mkDerivationOptions`. */
export const mkDerivationNames: ReadonlySet<string> = new Set([
  ...booleans,
  ...strings,
  ...lists,
  ...stringLists,
  ...sets,
  "srcs",
  ...packages,
]);
