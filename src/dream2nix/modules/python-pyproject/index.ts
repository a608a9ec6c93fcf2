import { forceText, type Native } from "../../../lang/index.ts";
import { defineModule, type ModuleScope, type NativeModule, type View } from "../../../modules/index.ts";
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
        buildInputs: later((): Native =>
          project().or(["build-system", "requires"], [m.config.at("deps", "python", "pkgs", "setuptools")]),
        ),
      },
      pip: { requirementsList: later(() => project().at("project", "dependencies")), flattenDependencies: true },
    };
  },
});

function readProject(m: ModuleScope): View {
  const file = text(m.ev)`${m.config.at("mkDerivation", "src")}/pyproject.toml`;
  return m.system.view(builtin(m.ev, "fromTOML", forceText(builtin(m.ev, "readFile", file))), "pyproject.toml");
}
