/** The value `stdenv`, and the derivation behind it whose `setup` every standard build sources. */
import { Attrs, type Evaluator, force, type Lazy, lazy, type NixString, updateAttrs } from "../../lang/index.ts";
import { builderFile, builderText } from "../builder-files.ts";
import { platform } from "../platforms.ts";
import { debianPackage, hasDebianPackage, type Scope } from "../scope.ts";
import { attribute, expectSet, expectText, fn, join, set, setFunction } from "../values.ts";
import { type DerivationContext, mkDerivation } from "./make-derivation.ts";

/** Attributes of the archive's packages whose programs every build has. */
const tools = [
  "coreutils",
  "findutils",
  "diffutils",
  "gnused",
  "gnugrep",
  "gawk",
  "gnutar",
  "gzip",
  "bzip2",
  "gnumake",
  "bash",
  "patch",
  "xz",
  "file",
  "patchelf",
];

const hooks = ["hooks/multiple-outputs.sh", "hooks/environment.sh", "hooks/fixup.sh", "hooks/make-wrapper.sh"];

export interface StdenvOptions {
  readonly name: string;
  /** The compiler, wrapped; undefined for an environment without one. */
  readonly cc: Lazy | undefined;
  readonly extraNativeBuildInputs?: readonly Lazy[];
  readonly extraBuildInputs?: readonly Lazy[];
}

/** A standard environment. */
export function createStdenv(scope: Scope, options: StdenvOptions): Attrs {
  const { ev } = scope;
  const shellPackage = debianPackage(scope, "bash");
  const shell = lazy(() => ev.str`${shellPackage}/bin/bash`);
  const initialPath = lazy(() =>
    tools.filter((name) => hasDebianPackage(scope, name)).map((name) => debianPackage(scope, name)),
  );
  const hookFiles = lazy(() => [
    ...hooks.map((name) => builderFile(ev, name)),
    ...(options.cc === undefined ? [] : [builderFile(ev, "hooks/cc-environment.sh"), options.cc, ...binutils(scope)]),
  ]);
  const extraNative = options.extraNativeBuildInputs ?? [];
  const extraBuild = options.extraBuildInputs ?? [];
  const head = lazy(
    () => ev.str`initialPath="${join(ev, " ", force(initialPath) as readonly Lazy[])}"
shell=${shell}
defaultNativeBuildInputs="${join(ev, " ", [...(force(hookFiles) as readonly Lazy[]), ...extraNative])}"
defaultBuildInputs="${join(ev, " ", extraBuild)}"
export GCONV_PATH=\${GCONV_PATH-${debianPackage(scope, "glibc")}/lib/gconv} LOCPATH=\${LOCPATH-${debianPackage(scope, "glibc")}/lib/locale}
`,
  );
  const derivation = lazy(() => stdenvDerivation(ev, scope, options.name, force(shell) as NixString, head));
  const host = platform(scope.system);
  const context = (): DerivationContext => ({
    scope,
    stdenv: derivation,
    shell: force(shell) as NixString,
    platformConfig: expectText(attribute(host, "config") as Lazy, "config"),
    extraNativeBuildInputs: [],
  });
  const fields = set({
    name: options.name,
    type: "derivation",
    outputName: "out",
    outputs: ["out"],
    outPath: lazy(() => expectSet(derivation, "stdenv").get("outPath")!),
    drvPath: lazy(() => expectSet(derivation, "stdenv").get("drvPath")!),
    out: derivation,
    system: scope.system,
    buildPlatform: host,
    hostPlatform: host,
    targetPlatform: host,
    shell,
    shellPackage,
    initialPath,
    defaultNativeBuildInputs: hookFiles,
    defaultBuildInputs: [...extraBuild],
    extraNativeBuildInputs: [...extraNative],
    extraBuildInputs: [...extraBuild],
    preHook: "",
    allowedRequisites: null,
    hasCC: options.cc !== undefined,
    cc:
      options.cc === undefined ? lazy(() => null) : lazy(() => compiler(scope, expectSet(options.cc!, "the compiler"))),
    libc: debianPackage(scope, "glibc"),
    mkDerivation: fn("mkDerivation", 1, (argument) => mkDerivation(context(), argument)),
    overrides: fn("overrides", 2, () => Attrs.empty),
    fetchurlBoot: lazy(() => expectSet(scope.pkgs, "the package set").get("fetchurl")!),
    tests: Attrs.empty,
    meta: { description: "The standard build environment" },
    override: setFunction("override", {}, (changes) => overridden(scope, options, changes)),
    passthru: Attrs.empty,
  });
  // `stdenv.isLinux` and the like: the host's.
  const predicates = Attrs.from(
    [...host.entries()].filter(([name]) => name.startsWith("is") && name !== "isCompatible"),
  );
  return updateAttrs(predicates, fields);
}

function binutils(scope: Scope): Lazy[] {
  return hasDebianPackage(scope, "binutils") ? [debianPackage(scope, "binutils")] : [];
}

/** The parts of the environment in one file. Part of what every build depends on. */
function stdenvDerivation(ev: Evaluator, scope: Scope, name: string, shell: NixString, head: Lazy): Attrs {
  const parts = ["core", "text", "phases", "start"].map((part) => builderText(`stdenv/${part}.sh`)).join("\n");
  return ev.derivation(
    set({
      name,
      system: scope.system,
      builder: shell,
      args: [
        "-c",
        ev.str`PATH=${debianPackage(scope, "coreutils")}/bin; mkdir $out; cat "$headPath" "$partsPath" > $out/setup`,
      ],
      head,
      parts,
      passAsFile: ["head", "parts"],
      preferLocalBuild: true,
    }),
  );
}

/** `stdenv.cc`: the wrapper, with what people ask it for. */
function compiler(scope: Scope, cc: Attrs): Attrs {
  const named = (name: string): Lazy => debianPackage(scope, name);
  const has = (name: string): boolean => hasDebianPackage(scope, name);
  const libraries = ["gcc-libs", "gccLibraries", "libgcc"].find(has);
  const unwrapped = lazy(() => {
    const base = ["gcc-unwrapped", "gccUnwrapped"].find(has);
    const inner = base === undefined ? cc : expectSet(named(base), base);
    const library = libraries === undefined ? {} : { lib: named(libraries), libgcc: named(libraries) };
    return updateAttrs(inner, set({ ...library, isGNU: true, isClang: false, langC: true, langCC: true }));
  });
  return updateAttrs(
    cc,
    set({
      isGNU: true,
      isClang: false,
      targetPrefix: "",
      suffixSalt: "",
      cc: unwrapped,
      libc: named("glibc"),
      libc_dev: named("glibc"),
      libc_bin: named("glibc"),
      libc_lib: named("glibc"),
      bintools: lazy(() =>
        updateAttrs(
          expectSet(has("binutils") ? named("binutils") : cc, "binutils"),
          set({
            libc: named("glibc"),
            targetPrefix: "",
            dynamicLinker: lazy(() => scope.ev.str`${named("glibc")}/lib/${loaderName(scope.system)}`),
          }),
        ),
      ),
      nativeTools: false,
      nativeLibc: false,
    }),
  );
}

/** File name of the dynamic linker, in glibc's `lib`. */
export function loaderName(system: string): string {
  return system.startsWith("aarch64") ? "ld-linux-aarch64.so.1" : "ld-linux-x86-64.so.2";
}

function overridden(scope: Scope, options: StdenvOptions, changes: Attrs): Attrs {
  const cc = attribute(changes, "cc");
  const list = (name: string, old: readonly Lazy[] | undefined): readonly Lazy[] => {
    const value = attribute(changes, name);
    return Array.isArray(value) ? (value as readonly Lazy[]) : (old ?? []);
  };
  return createStdenv(scope, {
    name: options.name,
    cc: cc === undefined ? options.cc : cc === null ? undefined : cc,
    extraNativeBuildInputs: list("extraNativeBuildInputs", options.extraNativeBuildInputs),
    extraBuildInputs: list("extraBuildInputs", options.extraBuildInputs),
  });
}
