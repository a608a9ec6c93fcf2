/** The program `lock.refresh`: a small derivation that holds all that locking needs. */
import { Attrs, forceAttrs, forceText, type Lazy, type Native, type NativeObject, toNix } from "../../../lang/index.ts";
import { lockAttribute, lockSpecFile } from "../../../python/index.ts";
import type { ModuleScope, View } from "../../../modules/index.ts";
import { builtin, later, merged, scriptDerivation, text } from "../../support.ts";
import { lockFileInProject } from "../paths/index.ts";
import { fodAttribute } from "./fod-hash.ts";

/**
 * The attribute of a field's script under which the pip module keeps what d2n needs to lock by itself: `settings`; `complete`,
 * which has the toolchains as well; `toolchain`, a function that gives one of them.
 */
export const pipAttribute = "_d2nPip";

/** The same of the script with which the pdm module locks, one of `lock.extraScripts`. */
export const pdmAttribute = "_d2nPdm";

/** `$out/bin/refresh` calls `d2n lock-fields` on `$out/lock-spec.json`, whose form `src/python/lock-spec.ts` lays down. */
export function refreshProgram(m: ModuleScope, invalidationHash: string): Attrs {
  const { config, ev } = m;
  const bash = config.at("deps", "bash");
  // On its own the program cannot evaluate anything more, so it has all.
  const spec = later(() => lockSpec(m, fields(m, "complete"), invalidationHash));
  const derivation = scriptDerivation(ev, {
    name: "refresh",
    system: bash.at("system"),
    bash,
    coreutils: config.at("deps", "coreutils"),
    script: [
      'mkdir -p "$out/bin"',
      `cp "$specPath" "$out/${lockSpecFile}"`,
      `printf '#!%s\\nexec d2n lock-fields %s/${lockSpecFile} "$@"\\n' "$shell" "$out" > "$out/bin/refresh"`,
      'chmod 555 "$out/bin/refresh"',
    ].join("\n"),
    files: { spec },
    variables: { shell: later(() => text(ev)`${bash}/bin/bash`) },
  });
  return merged(derivation, [
    ["meta", toNix({ mainProgram: "refresh", description: "writes the lock file anew" })],
    [
      lockAttribute,
      toNix({
        spec: later(() => lockSpec(m, fields(m, "settings"), invalidationHash)),
        toolchain: (name: Lazy) => config.at("lock", "fields", forceText(name), "script", pipAttribute, "toolchain"),
      }),
    ],
  ]);
}

/** The spec as JSON text, with the context of every store path in it. */
export function lockSpec(m: ModuleScope, fieldList: Native, invalidationHash: string): Lazy {
  const { config, ev } = m;
  return builtin(ev, "toJSON", {
    version: 1,
    name: config.at("name"),
    projectRootFile: config.at("paths", "projectRootFile"),
    lockFile: lockFileInProject(m),
    fields: fieldList,
    invalidationHash,
    ...extraScripts(m),
    shell: later(() => text(ev)`${config.at("deps", "bash")}/bin/bash`),
  });
}

/** `extraScripts`, and `pdm` apart: d2n runs that by itself. */
function extraScripts(m: ModuleScope): NativeObject {
  const scripts = m.config.at("lock", "extraScripts").list();
  const settings = (script: View): Native => {
    const value = script.get();
    return value instanceof Attrs ? value.get(pdmAttribute) : undefined;
  };
  return {
    extraScripts: scripts.filter((script) => settings(script) === undefined).map((script) => script.coerced()),
    pdm: scripts.map(settings).find((found) => found !== undefined),
  };
}

function fields(m: ModuleScope, kind: "settings" | "complete"): Native {
  return [...forceAttrs(toNix(m.config.at("lock", "fields"))).entries()].map(([name, settings]) => {
    const script = m.system.view(settings).at("script");
    const value = script.get();
    const [pip, fod] = [pipAttribute, fodAttribute].map((key) => (value instanceof Attrs ? value.get(key) : undefined));
    if (pip !== undefined) return { kind: "pip", name, pip: m.system.view(pip).at(kind) };
    return fod === undefined ? { kind: "script", name, script: script.coerced() } : { kind: "fod", name, drvPath: fod };
  });
}
