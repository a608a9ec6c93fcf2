import type { Lazy, Native } from "../../../lang/index.ts";
import type { ModuleScope } from "../../../modules/index.ts";
import { builtin, later, merged, scriptDerivation, text } from "../../support.ts";

/** The attribute of such a script under which d2n finds what to fetch: it does so in its own process. */
export const fodAttribute = "_d2nFod";

/**
 * `lock.lib.computeFODHash`: a script of a field. Nothing is fetched to make it, so the derivation is named without context. It
 * may be part of a greater script, too, and calls d2n then.
 */
export function computeFODHash(m: ModuleScope): (fod: Lazy) => Native {
  const { config, ev } = m;
  return (fod) => {
    const bash = config.at("deps", "bash");
    const drvPath = later((): Native => builtin(ev, "unsafeDiscardStringContext", m.system.view(fod).at("drvPath")));
    const program = scriptDerivation(ev, {
      name: `update-FOD-hash-${config.at("name").textWithoutContext()}`,
      system: bash.at("system"),
      bash,
      coreutils: config.at("deps", "coreutils"),
      script: 'cp "$programPath" "$out"; chmod 555 "$out"',
      files: { program: later(() => text(ev)`#!${bash}/bin/bash\nexec d2n lock-fields --fod-hash ${drvPath}\n`) },
    });
    return merged(program, [[fodAttribute, drvPath]]);
  };
}
