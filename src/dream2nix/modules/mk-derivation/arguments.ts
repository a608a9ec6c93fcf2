import type { Attrs, Lazy } from "../../../lang/index.ts";
import type { Native } from "../../../lang/index.ts";
import type { ModuleScope, View } from "../../../modules/index.ts";
import { Dream2nixError, later, merged, unique, givenOptions } from "../../support.ts";

/** The variables of `env`, none of which may be an attribute that has an option. */
export function checkedEnvironment(
  m: ModuleScope,
  options: string,
  hasOption: (name: string) => boolean,
): [string, Lazy][] {
  return m.config
    .at("env")
    .entries()
    .map(([name, value]) => {
      if (hasOption(name))
        throw new Dream2nixError(
          "evaluation",
          `the environment variable \`env.${name}\` of ${m.config.at("name").textWithoutContext()} collides with the option \`${options}.${name}\``,
          { hint: `Set \`${options}.${name}\` instead, or rename the variable.` },
        );
      return [name, later(() => value)];
    });
}

/** What `mkDerivation` is called with: variables, options that are set, name and version. */
export function mkDerivationArguments(
  m: ModuleScope,
  options: string,
  set: Attrs,
  hasOption: (name: string) => boolean,
  outputs: View,
): Native {
  return merged(checkedEnvironment(m, options, hasOption), givenOptions(set), [
    ["outputs", unique(outputs.texts())],
    ["version", later(() => m.config.at("public", "version"))],
    ["pname", later(() => m.config.at("name"))],
  ]);
}

/** `meta` and `tests` of `passthru`, which become the package's own. */
export function passedThrough(passthru: View): Native {
  const found: Record<string, View> = {};
  for (const name of ["meta", "tests"]) if (passthru.has(name)) found[name] = passthru.at(name);
  return found;
}
