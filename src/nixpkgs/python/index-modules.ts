/**
 * Python packages that projects take from `python.pkgs` and Debian does not have: wheels from the index that pip is configured
 * with, with what they need out of the archive.
 */
import { type Attrs, callFunction, force, type Lazy, lazy } from "../../lang/index.ts";
import { packageOf, type Scope } from "../scope.ts";
import { set } from "../values.ts";
import { type IndexProgram, onIndex } from "./programs.ts";

interface IndexModule {
  /** As it stands in the wheel's name, unless it is the attribute. */
  readonly project?: string;
  readonly version: string;
  /** Base 16. */
  readonly sha256: string;
  /** Attributes of the same set. */
  readonly dependencies?: readonly string[];
}

/** For any Python and platform: `<project>-<version>-py3-none-any.whl`. */
const pure: Readonly<Record<string, IndexModule>> = {
  // The last one that is content with what Debian's interpreters have.
  hatch: {
    version: "1.14.1",
    sha256: "39cdaa59e47ce0c5505d88a951f4324a9c5aafa17e4a877e2fde79b36ab66c21",
    dependencies: (
      "click hatchling httpx hyperlink keyring packaging pexpect platformdirs rich shellingham tomli-w tomlkit userpath " +
      "uv virtualenv zstandard"
    ).split(" "),
  },
  "nvidia-ml-py": {
    project: "nvidia_ml_py",
    version: "13.615.71",
    sha256: "959bf4adf6fe1308e4bd739e722236b0d1ec8392e2cefad33ff70c311380b9b6",
  },
  pynvml: {
    version: "13.0.1",
    sha256: "e2b20e0a501eeec951e2455b7ab444759cf048e0e13a57b08049fa2775266aa8",
    dependencies: ["nvidia-ml-py"],
  },
  "python-lsp-ruff": {
    project: "python_lsp_ruff",
    version: "2.3.4",
    sha256: "d2b60546f52cb19cdb4402f65c2f417e883b21c116a973eb52992d512e345083",
    dependencies: ["cattrs", "lsprotocol", "python-lsp-server", "ruff"],
  },
};

/** Programs of the package set that are also modules, so that `python -m` finds them. */
const programs = ["ruff", "uv"];

/** By attribute. @param build `buildPythonPackage` of the interpreter */
export function indexModules(
  scope: Scope,
  self: (name: string) => Lazy,
  build: (args: Attrs) => Lazy,
): [string, Lazy][] {
  const wheel = (pname: string, module: IndexModule, tags: string): Lazy =>
    lazy(() => {
      const { project = pname, version, sha256, dependencies = [] } = module;
      const file = `${project}-${version}-${tags}.whl`;
      return build(
        set({
          pname,
          version,
          format: "wheel",
          src: lazy(() =>
            callFunction(
              force(packageOf(scope, "fetchurl")),
              set({ url: `mirror://pypi/wheels/${project[0]}/${project}/${file}`, sha256 }),
            ),
          ),
          dependencies: dependencies.map((name) => lazy(() => self(name))),
          nativeBuildInputs: tags.endsWith("-any") ? [] : [packageOf(scope, "autoPatchelfHook")],
          // Debian's versions are what they are.
          dontCheckRuntimeDeps: true,
          doCheck: false,
        }),
      );
    });
  return [
    ...Object.entries(pure).map(([name, module]): [string, Lazy] => [name, wheel(name, module, "py3-none-any")]),
    ...programs.map((name): [string, Lazy] => {
      const program: IndexProgram = onIndex[name]!;
      return [name, wheel(name, program, program.tags)];
    }),
  ];
}
