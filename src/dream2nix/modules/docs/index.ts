import { Attrs, force, isString, type Lazy, textOf } from "../../../lang/index.ts";
import { defineModule, mkOverride, type ModuleScope, type NativeModule, type View } from "../../../modules/index.ts";
import { later, libCall, merged, moduleFile, scriptDerivation, text } from "../../support.ts";
import { deps } from "../deps/index.ts";
import { publicModule } from "../public/index.ts";

export const docs: NativeModule = defineModule({
  file: moduleFile("docs"),
  args: ["packageSets"],
  imports: () => [deps, publicModule],
  config: (m) => ({
    deps: {
      bash: mkOverride(1400, m.packageSets.at("nixpkgs", "bash")),
      coreutils: mkOverride(1400, m.packageSets.at("nixpkgs", "coreutils")),
    },
    public: { docs: later(() => manual(m)) },
  }),
});

/** The manual of the package: every option that it has, in Markdown; `bin/docs` shows it. */
function manual(m: ModuleScope): Attrs {
  const { config, ev } = m;
  const bash = config.at("deps", "bash");
  const derivation = scriptDerivation(ev, {
    name: "docs",
    system: bash.at("system"),
    bash,
    coreutils: config.at("deps", "coreutils"),
    script: [
      'mkdir -p "$out/bin" "$out/share/doc"',
      'cp "$manualPath" "$out/share/doc/options.md"',
      `printf '#!%s\\nexec \${PAGER:-cat} %s/share/doc/options.md\\n' "$shell" "$out" > "$out/bin/docs"`,
      'chmod 555 "$out/bin/docs"',
    ].join("\n"),
    files: { manual: markdown(m) },
    variables: { shell: later(() => text(ev)`${bash}/bin/bash`) },
  });
  return merged(derivation, [["meta", Attrs.from([["mainProgram", "docs"]])]]);
}

function markdown(m: ModuleScope): string {
  const list = m.system.view(libCall(m, "optionAttrSetToDocList", m.options)).list();
  const parts = list
    .filter((option) => option.or(["visible"], true).get() !== false && option.or(["internal"], false).get() !== true)
    .map((option) => {
      const example = shown(option, "example");
      const fallback = shown(option, "default");
      return [
        `## ${option.at("name").textWithoutContext()}`,
        shown(option, "description") ?? "",
        `- Type: ${shown(option, "type") ?? "unknown"}`,
        ...(fallback === undefined ? [] : [`- Default: \`${fallback}\``]),
        ...(example === undefined ? [] : [`- Example: \`${example}\``]),
      ].join("\n\n");
    });
  return [`# Manual for ${m.config.at("name").textWithoutContext()}`, ...parts, ""].join("\n\n");
}

/** Text, or the text of `literalExpression`. */
function shown(option: View, name: string): string | undefined {
  if (!option.has(name)) return undefined;
  const value = option.at(name).get();
  const inner: Lazy = value instanceof Attrs ? (value.get("text") ?? null) : value;
  const forced = force(inner);
  return isString(forced) ? textOf(forced) : undefined;
}
