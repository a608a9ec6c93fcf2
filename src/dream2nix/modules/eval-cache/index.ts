import { Attrs, force, type Lazy, type Native, toNix } from "../../../lang/index.ts";
import {
  defineModule,
  mkEnableOption,
  mkIf,
  mkOption,
  mkOptionDefault,
  mkOverride,
  type ModuleScope,
  type NativeModule,
} from "../../../modules/index.ts";
import { builtin, later, moduleFile, once, scriptDerivation, text } from "../../support.ts";
import { deps } from "../deps/index.ts";
import { paths } from "../paths/index.ts";

/** Evaluated values that are kept in a file of the project. */
export const evalCache: NativeModule = defineModule({
  file: moduleFile("eval-cache"),
  args: ["packageSets"],
  imports: () => [deps, paths],
  options: ({ types }) => ({
    "eval-cache": {
      enable: mkEnableOption(types, "the evaluation cache of this package"),
      content: mkOption({
        type: types.submodule(
          defineModule({ file: moduleFile("eval-cache/content"), freeformType: () => types.anything }),
        ),
        internal: true,
        description: "The values, from the cache or computed.",
      }),
      invalidationFields: mkOption({
        type: types.attrsOf(types.anything),
        internal: true,
        default: {},
        description: "Fields whose change makes the cache stale.",
      }),
      fields: mkOption({
        type: types.attrsOf(types.anything),
        internal: true,
        default: {},
        description: "Fields to cache.",
      }),
      newFile: mkOption({
        type: types.path,
        internal: true,
        readOnly: true,
        description: "The cache as it would be written now.",
      }),
      refresh: mkOption({ type: types.path, internal: true, readOnly: true, description: "Writes the cache." }),
    },
  }),
  config: (m) => {
    const enabled = (): boolean => m.config.at("eval-cache", "enable").bool();
    const cache = cacheState(m);
    return {
      deps: {
        bash: mkOptionDefault(m.packageSets.at("nixpkgs", "bash")),
        coreutils: mkOptionDefault(m.packageSets.at("nixpkgs", "coreutils")),
      },
      "eval-cache": {
        content: later(() => (enabled() ? cache.loaded() : cache.current())),
        newFile: mkIf(enabled, later(cache.newFile)),
        refresh: mkIf(
          enabled,
          later(() => refreshProgram(m)),
        ),
      },
    };
  },
});

/** A program that writes the cache: it copies what has been evaluated. */
function refreshProgram(m: ModuleScope): Native {
  const { config, ev } = m;
  const bash = config.at("deps", "bash");
  const t = text(ev);
  return scriptDerivation(ev, {
    name: `refresh-${config.at("name").textWithoutContext()}`,
    system: bash.at("system"),
    bash,
    coreutils: config.at("deps", "coreutils"),
    script: 'cp "$programPath" "$out"; chmod 555 "$out"',
    files: {
      program: t`#!${bash}/bin/bash
set -e
root=$(${config.at("paths", "findRoot")})
cat ${config.at("eval-cache", "newFile")} > "$root"/${builtin(ev, "toJSON", t`${config.at("paths", "package")}/${config.at("paths", "cacheFile")}`)}
`,
    },
  });
}

function cacheState(m: ModuleScope): { loaded: () => Native; current: () => Native; newFile: () => Native } {
  const { ev, config } = m;
  const cfg = config.at("eval-cache");
  const current = (): Attrs => chosen(cfg.at("fields").get(), config.get());
  const hash = once((): Lazy =>
    builtin(
      ev,
      "hashString",
      "sha256",
      builtin(ev, "toJSON", [
        chosen(cfg.at("invalidationFields").get(), config.get()),
        trueOnly(cfg.at("fields").get()),
      ]),
    ),
  );
  const file = config.at("paths", "cacheFileAbs");
  return {
    current,
    newFile: () =>
      scriptDerivation(ev, {
        name: "cache.json",
        system: config.at("deps", "bash", "system"),
        bash: config.at("deps", "bash"),
        coreutils: config.at("deps", "coreutils"),
        script: 'cp "$cachePath" "$out"',
        files: { cache: builtin(ev, "toJSON", { invalidationHash: hash(), content: current() }) },
      }),
    loaded() {
      const where = config.at("paths", "cacheFile").textWithoutContext();
      const say = (what: string): void =>
        ev.host.message(
          "warning",
          `the evaluation cache ${where} of ${config.at("name").textWithoutContext()} ${what}; everything is evaluated`,
        );
      if (builtin(ev, "pathExists", file) !== true) {
        say("does not exist");
        return current();
      }
      const cache = m.system.view(builtin(ev, "fromJSON", builtin(ev, "readFile", file)), "the evaluation cache");
      if (!ev.equal(cache.or(["invalidationHash"], null).get(), hash())) {
        say("is outdated");
        return current();
      }
      // Below plain definitions, above defaults: a value that somebody sets counts.
      return Object.fromEntries(
        cache
          .at("content")
          .entries()
          .map(([name, value]) => [name, mkOverride(101, value)]),
      );
    },
  };
}

/** Keeps what is true, or a set with such inside. */
function trueOnly(value: Lazy): Attrs {
  const forced = force(value);
  const kept: [string, Lazy][] = [];
  if (forced instanceof Attrs)
    for (const [name, inner] of forced.entries()) {
      const there = force(inner);
      if (there instanceof Attrs) kept.push([name, trueOnly(there)]);
      else if (there === true) kept.push([name, true]);
    }
  return Attrs.from(kept);
}

/** The parts of `from` that `fields` marks with true. */
function chosen(fields: Lazy, from: Lazy): Attrs {
  const there = force(from);
  if (!(there instanceof Attrs)) return Attrs.empty;
  const kept: [string, Lazy][] = [];
  for (const [name, inner] of trueOnly(fields).entries()) {
    const value = there.get(name);
    if (value !== undefined) kept.push([name, inner instanceof Attrs ? later(() => nested(inner, value)) : value]);
  }
  return Attrs.from(kept);
}

function nested(fields: Attrs, value: Lazy): Lazy {
  return force(value) instanceof Attrs ? chosen(fields, value) : toNix(value);
}
