/**
 * Python packages that projects take from `python.pkgs` and Debian does not have: wheels from the index that pip is configured
 * with, with what they need out of the archive.
 */
import { type Attrs, callFunction, force, type Lazy, lazy } from "../../lang/index.ts";
import { packageOf, type Scope } from "../scope.ts";
import { set } from "../values.ts";
import { onIndex } from "./programs.ts";

interface IndexModule {
  /** As it stands in the wheel's name, unless it is the attribute. */
  readonly project?: string;
  readonly version: string;
  /** Between version and `.whl` in the wheel's name: for any Python 3 and platform unless it says otherwise. */
  readonly tags?: string;
  /** Base 16. */
  readonly sha256: string;
  /** Attributes of the same set. */
  readonly dependencies?: readonly string[];
}

const modules: Readonly<Record<string, IndexModule>> = {
  // The last one that is content with what Debian's interpreters have.
  hatch: {
    version: "1.14.1",
    sha256: "39cdaa59e47ce0c5505d88a951f4324a9c5aafa17e4a877e2fde79b36ab66c21",
    dependencies: (
      "click hatchling httpx hyperlink keyring packaging pexpect platformdirs rich shellingham tomli-w tomlkit userpath " +
      "uv virtualenv zstandard"
    ).split(" "),
  },
  "hatch-jupyter-builder": {
    project: "hatch_jupyter_builder",
    version: "0.10.0",
    sha256: "0f9ce0416614d217f6e474b1d14829e23503b32700453f0c48289f8f67eb1554",
    dependencies: ["hatchling"],
  },
  "hatch-nodejs-version": {
    project: "hatch_nodejs_version",
    version: "0.4.0",
    sha256: "37ac31fce33ede0b47a59c4c8ffed232e11113bda9618a95bd07ec716260d5c7",
    dependencies: ["hatchling"],
  },
  "nvidia-ml-py": {
    project: "nvidia_ml_py",
    version: "13.615.71",
    sha256: "959bf4adf6fe1308e4bd739e722236b0d1ec8392e2cefad33ff70c311380b9b6",
  },
  "pdm-pep517": {
    project: "pdm_pep517",
    version: "1.1.4",
    sha256: "c9fe65d06cf193f864ac2b38372a355450ff7f847aefc9b59e89fe2cf19f32b9",
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
  "setuptools-git-versioning": {
    project: "setuptools_git_versioning",
    version: "3.2.0",
    sha256: "99ba418d3e5b790ffd6347c89c8c9da92d917b73f5a918e4eb10622358ae9c48",
    dependencies: ["packaging", "setuptools"],
  },
  "uv-build": {
    project: "uv_build",
    version: "0.13.6",
    tags: "py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64",
    sha256: "b23bbf1393acb47c1bd434f79daa91c158a14a504894485b5a9948f68d63170b",
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
  const wheel = (pname: string, module: IndexModule): Lazy =>
    lazy(() => {
      const { project = pname, version, tags = "py3-none-any", sha256, dependencies = [] } = module;
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
    ...Object.entries(modules).map(([name, module]): [string, Lazy] => [name, wheel(name, module)]),
    ...programs.map((name): [string, Lazy] => [name, wheel(name, onIndex[name]!)]),
  ];
}
