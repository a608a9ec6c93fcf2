import type { Native, NativeObject } from "../../../lang/index.ts";
import {
  defineModule,
  mkDefault,
  mkIf,
  mkOverride,
  type ModuleScope,
  type NativeModule,
  type View,
} from "../../../modules/index.ts";
import { pipField } from "../../../python/index.ts";
import { inheritOverride, later, moduleFile, text } from "../../support.ts";
import { pipBuilds } from "./builds.ts";
import { commonModule, dependencyModules } from "./dependencies.ts";
import { pipOption } from "./interface.ts";
import { invalidationData, pipScript } from "./locking.ts";
import { isWheelSource } from "./source-text.ts";
import { pipTargets } from "./targets.ts";

/** Python packages that pip has locked. */
export const pip: NativeModule = defineModule({
  file: moduleFile("pip"),
  args: ["packageSets", "specialArgs", "extendModules"],
  imports: (m) => {
    const metadata = m.config.at("lock", "content", pipField);
    const targets = pipTargets(m, metadata);
    const builds = pipBuilds(m, m.packageSets, m.specialArgs, m.config.at("paths", "lockFileAbs"));
    const common = commonModule(m, m.packageSets, metadata, targets, builds);
    const standard = (): boolean => {
      const cfg = m.config.at("buildPythonPackage");
      return cfg.at("pyproject").get() === true || cfg.at("format").get() === "pyproject";
    };
    const implementation = defineModule({
      file: moduleFile("pip/build"),
      config: () => ({
        // Whoever names a build system has the one that is named.
        buildPythonPackage: {
          "build-system": mkIf(
            () => m.config.at("pip", "flattenDependencies").bool() && standard() && builds.forRoot() !== undefined,
            mkDefault(later(() => builds.forRoot() ?? [])),
          ),
        },
        pip: {
          targets: later(targets.filtered),
          drvs: later(() => dependencyModules(m, metadata, common, builds)),
          rootDependencies: later(() => Object.fromEntries(targets.rootDependencies().map((name) => [name, true]))),
        },
      }),
    });
    return [common, implementation];
  },
  options: (m) => ({ pip: pipOption(m, m.specialArgs) }),
  config: (m) => ({
    deps: {
      ...inheritOverride(1002, m.packageSets.at("nixpkgs"), ["fetchgit", "fetchurl", "writeText"]),
      setuptools: mkOverride(1002, m.config.at("deps", "python", "pkgs", "setuptools")),
      fetchPipMetadataScript: mkOverride(
        1002,
        later(() => pipScript(m, m.packageSets)),
      ),
    },
    // What pip locks holds for one platform only.
    paths: { lockFile: mkDefault(later(() => text(m.ev)`lock.${m.config.at("deps", "python", "system")}.json`)) },
    lock: {
      fields: { [pipField]: { script: m.config.at("deps", "fetchPipMetadataScript") } },
      invalidationData: { pip: invalidationData(m) },
    },
    pip: {
      name: m.config.at("name"),
      paths: m.config.at("paths"),
      pyEnv: m.config.at("public", "pyEnv"),
      editables: later(() =>
        rootFromIndex(m) ? {} : { [m.config.at("name").text()]: m.config.at("paths", "package") },
      ),
      editablesDevShell: m.config.at("public", "devShell"),
      versions: later(() => editableVersions(m)),
    },
    // The root may be a locked wheel, too.
    buildPythonPackage: { format: mkIf(() => isWheelSource(m), mkDefault("wheel")) },
    mkDerivation: {
      buildInputs: later(() => rootDependencies(m, true)),
      propagatedBuildInputs: later(() => rootDependencies(m, false)),
    },
    public: {
      pyEnv: later(() => environment(m, () => builtRoot(m))),
      shellHook: later(() => m.config.at("pip", "editablesShellHook")),
      devShell: later(() => developmentShell(m)),
    },
  }),
});

/** The direct dependencies of the root that are only for building, or the others. */
function rootDependencies(m: ModuleScope, forBuilding: boolean): View[] {
  const cfg = m.config.at("pip");
  return cfg
    .at("rootDependencies")
    .entries()
    .filter(([name, wanted]) => wanted.bool() && cfg.at("buildDependencies").or([name], false).bool() === forBuilding)
    .filter(([name]) => cfg.at("drvs").has(name))
    .map(([name]) => cfg.at("drvs", name, "public", "out"));
}

/** Whether the root is a package of the index, as in the guide's first example: then there is nothing here to edit. */
function rootFromIndex(m: ModuleScope): boolean {
  if (m.config.at("pip", "flattenDependencies").bool()) return false;
  const type = m.config.at("lock", "content", pipField, "sources").or([m.config.at("name").text(), "type"], "local");
  return type.text() !== "local";
}

/** The root as it is built, where a shell cannot take it from the working tree. */
function builtRoot(m: ModuleScope): View[] {
  const editable = m.config.at("pip", "editables").has(m.config.at("name").text());
  return rootFromIndex(m) && !editable ? [m.config.at("public", "out")] : [];
}

/**
 * The interpreter with everything locked.
 * @param root the root, which is not in it where it is meant to be editable
 * @param more packages that give way to all others
 */
export function environment(
  m: ModuleScope,
  root: () => readonly View[] = () => [],
  more: () => readonly Native[] = () => [],
): View {
  const { config, ev } = m;
  const python = config.at("deps", "python");
  const packages = (): Native[] => [
    ...root(),
    ...config.at("mkDerivation", "propagatedBuildInputs").list(),
    ...config.at("mkDerivation", "buildInputs").list(),
    python.at("pkgs", "wheel"),
    ...more(),
  ];
  const env = python.at("withPackages").call(() => packages());
  const site = (): View => python.at("sitePackages");
  return env.at("override").call((old): NativeObject => ({
    // The interpreter's own sitecustomize would hide the one that makes packages editable.
    postBuild: later(
      () => text(ev)`${m.system.view(old).or(["postBuild"], "")}
if [ -e "$out/${site()}/sitecustomize.py" ]; then mv "$out/${site()}/sitecustomize.py" "$out/${site()}/_sitecustomize.py"; fi
`,
    ),
    ignoreCollisions: true,
  }));
}

function editableVersions(m: ModuleScope): NativeObject {
  const sources = m.config.at("lock", "content", pipField, "sources");
  const others = m.config
    .at("pip", "editables")
    .names()
    .filter((name) => sources.has(name, "version"))
    .map((name) => [name, sources.at(name, "version")] as const);
  return { ...Object.fromEntries(others), [m.config.at("name").text()]: m.config.at("version") };
}

function developmentShell(m: ModuleScope): View {
  const { config } = m;
  const drvs = config.at("pip", "drvs");
  const inputs = (kind: string): View[] =>
    config
      .at("pip", "editables")
      .names()
      .flatMap((name) =>
        name === config.at("name").text()
          ? [config.at("mkDerivation", kind)]
          : drvs.has(name)
            ? [drvs.at(name, "mkDerivation", kind)]
            : [],
      )
      .flatMap((list) => (list.isNull() ? [] : list.list()));
  return config.at("deps", "mkShell").call({
    packages: [config.at("public", "pyEnv")],
    shellHook: later(() => config.at("pip", "editablesShellHook")),
    buildInputs: later(() => inputs("buildInputs")),
    nativeBuildInputs: later(() => inputs("nativeBuildInputs")),
  });
}
