import { readFileSync } from "node:fs";
import { ContextString, type NixString, textOf } from "../../../lang/index.ts";
import { defineModule, mkOption, type ModuleScope, type NativeModule } from "../../../modules/index.ts";
import { builtin, later, moduleFile, text } from "../../support.ts";

/** Packages of the project that a development shell takes from the working tree instead of the store. */
export const pythonEditables: NativeModule = defineModule({
  file: moduleFile("python-editables"),
  options: ({ types }) => ({
    editables: mkOption({
      type: types.attrsOf(types.str),
      description:
        "Packages to take from the working tree in a development shell: name to folder, absolute or relative to the project's root. A string, so that nothing is copied to the store. The package itself is always among them, unless it comes from the index.",
      example: { "charset-normalizer": "/home/user/src/charset-normalizer" },
    }),
    editablesShellHook: mkOption({
      type: types.str,
      readOnly: true,
      description: "Shell code that makes the editable packages importable.",
    }),
    editablesDevShell: mkOption({
      type: types.package,
      readOnly: true,
      description: "A shell with the locked packages and the editable ones: `public.devShell`.",
    }),
    versions: mkOption({
      type: types.lazyAttrsOf(types.str),
      default: {},
      internal: true,
      description: "Versions, for packages whose build system cannot tell.",
    }),
    // Without a description, since the core declares it as well.
    name: mkOption({ type: types.str, internal: true }),
    paths: mkOption({
      // A submodule, so that the core's options of the same name fit into it where both are imported side by side.
      type: types.submodule(
        defineModule({ file: moduleFile("python-editables/paths"), freeformType: () => types.lazyAttrsOf(types.raw) }),
      ),
      default: {},
      internal: true,
      description: "The paths of the package.",
    }),
    pyEnv: mkOption({ type: types.package, internal: true, description: "The environment with the locked packages." }),
  }),
  config: (m) => ({ editablesShellHook: later(() => shellHook(m)) }),
});

/** Runs `editable.py` with what it has to know; its output are the variables of the shell. */
function shellHook(m: ModuleScope): NixString {
  const { config, ev } = m;
  const pyEnv = config.at("pyEnv");
  const settings = later(() => ({
    name: config.at("name"),
    marker: config.at("paths").or(["projectRootFile"], ".git"),
    editables: config.at("editables"),
    versions: config.at("versions"),
    environment: text(ev)`${pyEnv}`,
    sitePackages: config.at("pyEnv", "sitePackages"),
    store: ev.host.storeDir,
  }));
  const json = m.system.view(builtin(ev, "toJSON", settings)).string();
  // A shell for one command does not start with half of its world.
  return text(ev)`if _d2n_editables=$(${pyEnv}/bin/python -I -B ${program(m)} ${quoted(json)}); then
  eval "$_d2n_editables"
else
  case $- in *i*) ;; *) exit 1 ;; esac
fi
unset _d2n_editables
`;
}

function program(m: ModuleScope): ContextString {
  const path = m.ev.host.addText("editable.py", readFileSync(new URL("./editable.py", import.meta.url)), []);
  return new ContextString(path, new Set([path]));
}

/** A text as one word of a shell, with what it refers to. */
function quoted(string: NixString): NixString {
  const word = `'${textOf(string).replaceAll("'", "'\\''")}'`;
  return typeof string === "string" ? word : new ContextString(word, string.context);
}
