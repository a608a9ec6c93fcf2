import { forceText, type Native } from "../../../lang/index.ts";
import { defineModule, type ModuleScope, type NativeModule, type View } from "../../../modules/index.ts";
import { canonicalName } from "../../../python/index.ts";
import { builtin, later, moduleFile, once, text } from "../../support.ts";
import { pip } from "../pip/index.ts";

/** A project with a `pyproject.toml`: its name, version and requirements are taken from there. */
export const pythonPyproject: NativeModule = defineModule({
  file: moduleFile("WIP-python-pyproject"),
  imports: () => [pip],
  config: (m) => {
    const project = once(() => readProject(m));
    return {
      name: later(() => project().at("project", "name")),
      version: later(() => project().at("project", "version")),
      buildPythonPackage: { pyproject: true },
      mkDerivation: {
        buildInputs: later(() => buildRequirements(m, project())),
      },
      pip: { requirementsList: later(() => project().at("project", "dependencies")), flattenDependencies: true },
    };
  },
});

/**
 * What the project is built with, out of the package set or the lock, where locking has not found it. (Upstream puts the
 * requirements themselves there, texts that no build can use.)
 */
function buildRequirements(m: ModuleScope, project: View): Native[] {
  const { config } = m;
  if (config.at("buildPythonPackage", "build-system").list().length > 0) return [];
  const pkgs = config.at("deps", "python", "pkgs");
  const drvs = config.at("pip", "drvs");
  const names = project.or(["build-system", "requires"], ["setuptools"]).texts().map(requirementName);
  return names.flatMap((name): View[] =>
    drvs.has(name) ? [drvs.at(name, "public", "out")] : pkgs.has(name) ? [pkgs.at(name)] : [],
  );
}

/** The canonical name in a requirement. */
function requirementName(text: string): string {
  return canonicalName(/^\s*([A-Za-z0-9._-]*)/.exec(text)![1]!);
}

function readProject(m: ModuleScope): View {
  const file = text(m.ev)`${m.config.at("mkDerivation", "src")}/pyproject.toml`;
  return m.system.view(builtin(m.ev, "fromTOML", forceText(builtin(m.ev, "readFile", file))), "pyproject.toml");
}
