/** What the pip module asks of the lock. */
import { type Attrs, type Native, type NativeObject, toNix } from "../../../lang/index.ts";
import type { ModuleScope, View } from "../../../modules/index.ts";
import { lockingWheelVersion, pipField } from "../../../python/index.ts";
import { builtin, later, merged, scriptDerivation, text } from "../../support.ts";
import { lockSpec, pipAttribute } from "../lock/refresh.ts";
import { type PipScope, toolchains } from "./toolchains.ts";

/** `lock.invalidationData`: when any of it changes, the lock is stale. */
export function invalidationData(m: ModuleScope): Native {
  const cfg = m.config.at("pip");
  const names = ["pypiSnapshotDate", "pipFlags", "pipVersion", "requirementsList", "requirementsFiles"];
  // The last number of the version does not matter.
  const python = (): Native =>
    m.system
      .view(builtin(m.ev, "splitVersion", m.config.at("deps", "python", "version")))
      .list()
      .slice(0, -1);
  return later(() =>
    merged(
      names.map((name) => [name, later(() => cfg.at(name))] as const),
      [["pythonVersion", later(python)]],
      cfg.at("env").attrs(),
    ),
  );
}

/** What d2n needs to know to lock with pip: `pip` of a field in `src/python/lock-spec.ts`. */
function pipSettings(m: PipScope): NativeObject {
  const { config, ev } = m;
  const cfg = config.at("pip");
  const python = config.at("deps", "python");
  const t = text(ev);
  return {
    interpreter: later(() => t`${python}/bin/python`),
    pythonVersion: later(() => python.at("version")),
    bootstrapPip: later(() => t`${python.at("pkgs", "pip")}/${python.at("sitePackages")}`),
    pipVersion: cfg.at("pipVersion"),
    pipFlags: cfg.at("pipFlags"),
    requirementsList: cfg.at("requirementsList"),
    requirementsFiles: cfg.at("requirementsFiles"),
    env: cfg.at("env"),
    path: later(() =>
      [...cfg.at("nativeBuildInputs").list(), config.at("deps", "coreutils"), config.at("deps", "bash")].map(
        (pkg) => t`${m.system.view(m.lib.at("getBin").call(pkg))}/bin`,
      ),
    ),
    buildFlags: cfg.at("buildRequirementFlags"),
    // One that is locked has its place in the lock.
    rootFolder: later(() => (cfg.at("flattenDependencies").bool() ? config.at("paths", "package") : null)),
  };
}

/**
 * The script of the field `fetchPipMetadata`. d2n itself locks in its own process, by the settings that the attribute holds;
 * whoever runs the program has them on disk.
 */
export function pipScript(m: PipScope, packageSets: View): Attrs {
  const { config, ev } = m;
  const bash = config.at("deps", "bash");
  const settings = pipSettings(m);
  const tools = toolchains(m, packageSets.at("nixpkgs"));
  const complete = { ...settings, toolchains: later(tools.all) };
  const hash = builtin(ev, "hashString", "sha256", builtin(ev, "toJSON", config.at("lock", "invalidationData")));
  // The type of the option looks at its path, so toolchains would be evaluated (and pinned) wherever something is locked.
  const spec = later(() =>
    lockSpec(m, [{ kind: "pip", name: pipField, pip: settings }], m.system.view(hash).textWithoutContext()),
  );
  const derivation = scriptDerivation(ev, {
    name: "fetch-pip-metadata",
    system: bash.at("system"),
    bash,
    coreutils: config.at("deps", "coreutils"),
    script: [
      'mkdir "$spec"',
      'cp "$specTextPath" "$spec/lock-spec.json"',
      `printf '#!%s\\nexec d2n lock-fields --print-field ${pipField} %s/lock-spec.json\\n' "$shell" "$spec" > "$out"`,
      'chmod 555 "$out"',
    ].join("\n"),
    files: { specText: spec },
    variables: {
      shell: later(() => text(ev)`${bash}/bin/bash`),
      outputs: ["out", "spec"],
      wheelVersion: lockingWheelVersion,
    },
  });
  return merged(derivation, [[pipAttribute, toNix({ settings, complete, toolchain: tools.of })]]);
}
