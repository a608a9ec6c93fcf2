import {
  forceString,
  type Lazy,
  NixPath,
  canonicalPath,
  joinStrings,
  type NixString,
  textOf,
} from "../../../lang/index.ts";
import {
  defineModule,
  literalExpression,
  mkOption,
  mkOverride,
  type ModuleScope,
  type NativeModule,
} from "../../../modules/index.ts";
import { later, moduleFile, scriptDerivation, text } from "../../support.ts";
import { Dream2nixError } from "../../support.ts";
import { deps } from "../deps/index.ts";

export const paths: NativeModule = defineModule({
  file: moduleFile("paths"),
  args: ["packageSets"],
  imports: () => [deps],
  options: (m) => ({ paths: pathOptions(m) }),
  config: (m) => {
    const nixpkgs = m.packageSets.at("nixpkgs");
    const absolute = (file: string): Lazy => later(() => inPackage(m, m.config.at("paths", file).string()));
    return {
      deps: { bash: mkOverride(1003, nixpkgs.at("bash")), coreutils: mkOverride(1003, nixpkgs.at("coreutils")) },
      paths: {
        lockFileAbs: absolute("lockFile"),
        cacheFileAbs: absolute("cacheFile"),
        findRoot: later(() => findRoot(m)),
      },
    };
  },
});

function pathOptions({ types, config, ev }: ModuleScope) {
  return {
    projectRoot: mkOption({
      type: types.path,
      description:
        "The root of the project. It must hold the file that `paths.projectRootFile` names. Lock files are found from here.",
      example: literalExpression("./."),
    }),
    package: mkOption({
      type: types.either(types.path, types.str),
      description: "The folder of the package, relative to `paths.projectRoot`: where the lock file is.",
      apply: (value) => {
        const root = textOf(
          ev.coerceToString(config.at("paths", "projectRoot").get(), { coerceMore: true, copyToStore: false }),
        );
        const path = textOf(ev.coerceToString(value, { coerceMore: true, copyToStore: false }));
        if (path === root) return ".";
        return relativeSubpath(path.startsWith(root) ? path.slice(root.length) : path);
      },
    }),
    projectRootFile: mkOption({
      type: types.str,
      default: ".git",
      example: "flake.nix",
      description: "A file that marks the root of the project: scripts look for it from the current directory upwards.",
    }),
    lockFile: mkOption({
      type: types.str,
      default: "lock.json",
      description: "The lock file of the package, relative to `paths.package`.",
    }),
    cacheFile: mkOption({
      type: types.str,
      default: "cache.json",
      description: "The evaluation cache of the package, relative to `paths.package`.",
    }),
    lockFileAbs: mkOption({ internal: true, type: types.path, description: "Where the lock file is." }),
    cacheFileAbs: mkOption({ internal: true, type: types.path, description: "Where the evaluation cache is." }),
    findRoot: mkOption({
      internal: true,
      type: types.str,
      description: "A program that prints the root of the live project.",
    }),
  };
}

/** `./a/b` for `a//b`, `/a/./b`; `..` is refused, as in `lib.path.subpath.normalise`. */
function relativeSubpath(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes(".."))
    throw new Dream2nixError("evaluation", `paths.package leads out of the project: ${path}`, {
      hint: "Give the folder of the package relative to paths.projectRoot, without `..`.",
    });
  return `./${parts.length === 0 ? "." : parts.join("/")}`;
}

/** `projectRoot + "/package/file"`: a path where the root is one, else a string. */
function inPackage(m: ModuleScope, file: NixString): Lazy {
  const root = m.config.at("paths", "projectRoot").get();
  const rest = joinStrings(text(m.ev)`/${m.config.at("paths", "package")}/`, file);
  if (root instanceof NixPath) return new NixPath(canonicalPath(root.path + textOf(rest)));
  return joinStrings(m.ev.coerceToString(root), rest);
}

/** `$lockFile` relative to the project's root, `lock.json` or `packages/a/lock.json`. */
export function lockFileInProject(m: ModuleScope): string {
  const folder = m.config.at("paths", "package").textWithoutContext();
  const file = m.config.at("paths", "lockFile").textWithoutContext();
  return `${folder}/${file}`.replace(/^(?:\.\/+)+/, "");
}

function findRoot(m: ModuleScope): NixString {
  const { config } = m;
  const program = text(m.ev)`#!${config.at("deps", "bash")}/bin/bash
marker=${quote(forceString(config.at("paths", "projectRootFile").get()))}
path=$PWD
while [ ! -e "$path/$marker" ]; do
  if [ -z "$path" ] || [ "$path" = / ]; then
    echo "Could not find the project's root: no folder from $PWD upwards holds $marker" >&2
    exit 1
  fi
  path=\${path%/*}
done
echo "\${path:-/}"
`;
  const script = scriptDerivation(m.ev, {
    name: "find-root",
    system: config.at("deps", "bash", "system"),
    bash: config.at("deps", "bash"),
    coreutils: config.at("deps", "coreutils"),
    script: 'cp "$programPath" "$out"; chmod 555 "$out"',
    files: { program },
  });
  return m.ev.coerceToString(script);
}

/** A text as one word of a shell script. */
function quote(string: NixString): NixString {
  return joinStrings(joinStrings("'", textOf(string).replaceAll("'", "'\\''")), "'");
}
