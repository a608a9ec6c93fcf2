import { type Attrs, forceAttrs, type Lazy, type Native, toNix } from "../../../lang/index.ts";
import { defineModule, mkOverride, type ModuleScope, type NativeModule } from "../../../modules/index.ts";
import { builtin, inheritOverride, later, moduleFile, once } from "../../support.ts";
import { assertions } from "../assertions/index.ts";
import { deps } from "../deps/index.ts";
import { paths } from "../paths/index.ts";
import { computeFODHash } from "./fod-hash.ts";
import { lockOptions } from "./interface.ts";
import { lockErrors } from "./errors.ts";
import { refreshProgram } from "./refresh.ts";

export const lock: NativeModule = defineModule({
  file: moduleFile("lock"),
  args: ["packageSets"],
  imports: (m) => [
    assertions,
    deps,
    paths,
    removed(m, "repoRoot", "Use paths.projectRoot instead."),
    removed(m, "lockFileRel", "Use paths.package instead."),
  ],
  options: (m) => ({ lock: lockOptions(m) }),
  config: (m) => {
    const state = lockState(m);
    return {
      lock: {
        refresh: later(() => refreshProgram(m, state.currentHash())),
        // The priority of a plain definition, as a value of its own: replacing `lock.content` does not read the file.
        content: mkOverride(100, later(state.content)),
        isValid: later(state.isValid),
        lib: { computeFODHash: computeFODHash(m) },
      },
      deps: inheritOverride(1004, m.packageSets.at("nixpkgs"), ["bash", "coreutils", "writeScriptBin"]),
    };
  },
});

/** An option of older versions: whoever sets it is told what to use. */
function removed(m: ModuleScope, name: string, instead: string): Native {
  return m.lib.at("mkRemovedOptionModule").call(["lock", name], instead);
}

interface LockState {
  readonly currentHash: () => string;
  readonly isValid: () => boolean;
  readonly content: () => Native;
}

function lockState(m: ModuleScope): LockState {
  const { ev, config } = m;
  const file = (): Lazy => toNix(config.at("paths", "lockFileAbs"));
  const errors = lockErrors(m);

  const exists = once(() => builtin(ev, "pathExists", file()) === true);
  const data = once((): Attrs => {
    if (!exists()) throw errors.missing();
    const content = builtin(ev, "readFile", file());
    let value: Lazy;
    try {
      value = builtin(ev, "fromJSON", content);
    } catch (error) {
      throw errors.malformed(error);
    }
    return errors.expectSet(value);
  });
  const currentHash = once(() =>
    m.system
      .view(builtin(ev, "hashString", "sha256", builtin(ev, "toJSON", config.at("lock", "invalidationData"))))
      .textWithoutContext(),
  );
  const lockedHash = once(() => {
    const hash = data().get("invalidationHash");
    return hash === undefined ? undefined : m.system.view(hash).get();
  });
  const isValid = (): boolean => lockedHash() === currentHash();

  const field = (name: string, settings: Lazy): Native => {
    if (exists() && !isValid()) throw errors.stale(data());
    const found = exists() ? data().get(name) : undefined;
    if (found !== undefined) return found;
    const fallback = m.system.view(settings).at("default");
    if (!fallback.isNull()) return fallback;
    if (!exists()) throw errors.missing();
    throw errors.fieldMissing(name);
  };
  const content = (): Native =>
    Object.fromEntries(
      [...forceAttrs(toNix(config.at("lock", "fields"))).entries()].map(([name, settings]) => [
        name,
        later(() => field(name, settings)),
      ]),
    );
  return { currentHash, isValid, content };
}
