/** Setup hooks as packages, and programs that carry one. */
import { Attrs, type Evaluator, force, type Lazy, lazy, updateAttrs } from "../../lang/index.ts";
import { builderFile } from "../builder-files.ts";
import { debianPackage, hasDebianPackage, type Scope } from "../scope.ts";
import { loaderName } from "../stdenv/stdenv.ts";
import { attribute, expectSet, join, set } from "../values.ts";
import type { TrivialBuilders } from "./trivial.ts";

export function createHooks(scope: Scope, trivial: TrivialBuilders): Readonly<Record<string, Lazy>> {
  const { ev } = scope;
  const hook = (name: string, script: string, head: Lazy = "", propagated: readonly Lazy[] = []): Attrs =>
    trivial.runCommand(
      name,
      set({ head, hook: builderFile(ev, script), propagatedHookInputs: [...propagated], passAsFile: ["head"] }),
      `mkdir -p $out/nix-support
cat "$headPath" "$hook" > $out/nix-support/setup-hook
if [ -n "$propagatedHookInputs" ]; then printf '%s' "$propagatedHookInputs" > $out/nix-support/propagated-build-inputs; fi
`,
      { local: true },
    );
  const libraries = (): Lazy[] =>
    ["glibc", "gccLibraries", "gcc-libs"]
      .filter((name) => hasDebianPackage(scope, name))
      .map((name) => ev.str`${debianPackage(scope, name)}/lib`);
  const autoPatchelf = (): Attrs =>
    hook(
      "auto-patchelf-hook",
      "hooks/auto-patchelf.sh",
      ev.str`autoPatchelfLoader=${debianPackage(scope, "glibc")}/lib/${loaderName(scope.system)}
autoPatchelfDefaultLibs="${join(ev, " ", libraries())}"
`,
      ["patchelf", "binutils"]
        .filter((name) => hasDebianPackage(scope, name))
        .map((name) => debianPackage(scope, name)),
    );
  const makeWrapper = lazy(() => hook("make-wrapper-hook", "hooks/make-wrapper.sh"));
  return {
    autoPatchelfHook: lazy(autoPatchelf),
    makeWrapper,
    makeShellWrapper: makeWrapper,
    makeBinaryWrapper: makeWrapper,
    cmake: lazy(() => withHook(ev, trivial, "cmake", debianPackage(scope, "cmake"), "hooks/cmake.sh")),
    ninja: lazy(() => withHook(ev, trivial, "ninja", debianPackage(scope, "ninja"), "hooks/ninja.sh")),
    meson: lazy(() => withHook(ev, trivial, "meson", mesonPackage(scope, trivial), "hooks/meson.sh")),
  };
}

/** Meson is a Python program: the archive's, for the interpreter of the set. */
function mesonPackage(scope: Scope, trivial: TrivialBuilders): Lazy {
  if (hasDebianPackage(scope, "meson")) return debianPackage(scope, "meson");
  return lazy(() => {
    const { ev } = scope;
    const python = expectSet(attribute(expectSet(scope.pkgs, "the package set"), "python3")!, "python3");
    const meson = expectSet(attribute(expectSet(attribute(python, "pkgs")!, "python3.pkgs"), "meson")!, "meson");
    const version = attribute(meson, "version") ?? "";
    const script = ev.str`#!${python}/bin/python3
import sys
sys.path.insert(0, "${meson}/${attribute(python, "sitePackages")!}")
from mesonbuild.mesonmain import main
sys.exit(main())
`;
    const program = trivial.runCommand(
      ev.str`meson-${version}`,
      set({ script, passAsFile: ["script"] }),
      `mkdir -p $out/bin; cp "$scriptPath" $out/bin/meson; chmod 755 $out/bin/meson`,
      { local: true },
    );
    return updateAttrs(program, set({ version }));
  });
}

/** A package's programs beside a setup hook. */
function withHook(ev: Evaluator, trivial: TrivialBuilders, name: string, lazyPackage: Lazy, script: string): Attrs {
  const original = expectSet(force(lazyPackage), name);
  const version = attribute(original, "version") ?? "";
  const wrapped = trivial.runCommand(
    ev.str`${name}${version === "" ? "" : "-"}${version}`,
    set({
      original,
      hook: builderFile(ev, script),
      passthru: { unwrapped: original, version },
      meta: attribute(original, "meta") ?? Attrs.empty,
    }),
    `mkdir -p $out/nix-support
for entry in "$original"/*; do
  case $entry in */nix-support) ;; *) ln -s "$entry" $out/ ;; esac
done
for file in "$original"/nix-support/*; do
  if [ -e "$file" ]; then cp "$file" $out/nix-support/; chmod u+w "$out/nix-support/\${file##*/}"; fi
done
cat "$hook" >> $out/nix-support/setup-hook
`,
    { local: true },
  );
  return updateAttrs(wrapped, set({ pname: name, version }));
}
