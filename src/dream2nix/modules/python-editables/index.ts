import { joinStrings, type NixString, utf8 } from "../../../lang/index.ts";
import { defineModule, mkOption, type ModuleScope, type NativeModule } from "../../../modules/index.ts";
import { later, moduleFile, text } from "../../support.ts";

/** Packages of the project that a development shell takes from the working tree instead of the store. */
export const pythonEditables: NativeModule = defineModule({
  file: moduleFile("python-editables"),
  options: ({ types }) => ({
    editables: mkOption({
      type: types.attrsOf(types.str),
      description:
        "Packages to take from the working tree in a development shell: name to folder, absolute or relative to the project's root. A string, so that nothing is copied to the store. The package itself is always among them.",
      example: { "charset-normalizer": "/home/user/src/charset-normalizer" },
    }),
    editablesShellHook: mkOption({
      type: types.str,
      readOnly: true,
      description: "Shell code that makes the editable packages importable.",
    }),
    name: mkOption({ type: types.str, internal: true, description: "The name of the package." }),
    paths: mkOption({
      type: types.lazyAttrsOf(types.raw),
      default: {},
      internal: true,
      description: "The paths of the package.",
    }),
    pyEnv: mkOption({ type: types.package, internal: true, description: "The environment with the locked packages." }),
  }),
  config: (m) => ({ editablesShellHook: later(() => shellHook(m)) }),
});

/** Puts each package's folder, or its `src`, before everything else that Python looks at. */
function shellHook(m: ModuleScope): NixString {
  let hook = text(m.ev)`_d2n_root=$(${m.config.at("paths", "findRoot")}) || _d2n_root=$PWD
`;
  for (const [, path] of m.config.at("editables").entries()) {
    const folder = path.textWithoutContext();
    const quoted = `'${folder.replaceAll("'", "'\\''")}'`;
    hook = joinStrings(hook, `_d2n_folder=${folder.startsWith("/") ? quoted : `"$_d2n_root"/${quoted}`}\n`);
    hook = joinStrings(
      hook,
      'if [ -d "$_d2n_folder/src" ]; then _d2n_folder=$_d2n_folder/src; fi\nexport PYTHONPATH="$_d2n_folder${PYTHONPATH:+:$PYTHONPATH}"\n',
    );
  }
  return joinStrings(hook, utf8("unset _d2n_root _d2n_folder\n"));
}
