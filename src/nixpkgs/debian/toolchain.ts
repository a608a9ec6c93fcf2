/**
 * The bottom of the package set: the C library, the compiler, the linker, all by themselves, and what relocates the rest.
 */
import type { Lazy } from "../../lang/index.ts";
import { lazy } from "../../lang/index.ts";
import { scriptText, type DebianContext } from "./context.ts";
import { describe, relocate, type Relocate } from "./relocation.ts";
import { upstreamVersion } from "../../debian/index.ts";

/** The major version of the main suite's compiler, a part of the names of its packages. */
const GCC = "14";

/** What the toolchain is made of besides its own packages. */
export interface ToolchainInputs {
  /** A package by attribute name, made when it is needed. */
  package(attribute: string): Lazy;
}

export interface Toolchain {
  readonly raw: Lazy;
  readonly glibc: Lazy;
  /** The compiler's run-time libraries: libstdc++, libgomp and the like. */
  readonly gccLibraries: Lazy;
  readonly sysroot: Lazy;
  readonly binutilsUnwrapped: Lazy;
  readonly gccUnwrapped: Lazy;
  readonly binutils: Lazy;
  readonly gcc: Lazy;
  /** Our editor of ELF files, with the options of the real one. */
  readonly patchelf: Lazy;
  /** Relocates on this toolchain's glibc, with bash for the scripts. */
  readonly relocate: Relocate;
}

/** Debian packages whose contents are part of the toolchain. */
export const toolchainDebs: ReadonlyMap<string, "glibc" | "gccLibraries" | "nothing"> = new Map([
  ...["libc6", "libc-bin", "libgcc-s1", "libcrypt1"].map((name) => [name, "glibc"] as const),
  ...["libstdc++6", "libgomp1", "libatomic1", "libquadmath0", "libitm1", "libgfortran5"].map(
    (name) => [name, "gccLibraries"] as const,
  ),
  // Part of every compiler: whoever builds with a library's headers has them.
  ...["libc6-dev", "libc-dev-bin", "linux-libc-dev", "libcrypt-dev", "rpcsvc-proto", `libgcc-${GCC}-dev`].map(
    (name) => [name, "nothing"] as const,
  ),
  ...[`libstdc++-${GCC}-dev`, `gcc-${GCC}-base`, `gcc-${GCC}`, `g++-${GCC}`, `cpp-${GCC}`, "gcc", "g++", "cpp"].map(
    (name) => [name, "nothing"] as const,
  ),
]);

export function createToolchain(context: DebianContext, inputs: ToolchainInputs): Toolchain {
  const { platform } = context;
  const once = (make: () => Lazy): Lazy => lazy(make);
  const existing = (names: readonly string[]) =>
    names.filter((name) => context.pins.lookup("trixie", platform.architecture, name) !== undefined);

  const raw = once(() =>
    context.shellDerivation("bootstrap-perl", "unpack.sh", {
      debs: ["libc6", "perl-base", "libcrypt1"].map((name) => context.fetchDeb(context.pin(name))),
    }),
  );
  const tools = { raw };

  const glibc = once(() =>
    relocate(context, tools, undefined, {
      pname: "glibc",
      debs: ["libc6", "libc-bin", "libgcc-s1", "libcrypt1"],
      drop: [
        "bin/ldconfig*",
        "bin/ld.so",
        "bin/tzselect",
        "share/libc-bin",
        "etc",
        "lib/libmemusage.so",
        "lib/libpcprofile.so",
      ],
      postFix: scriptText("post-glibc.sh"),
    }),
  );

  const withGlibc: Relocate = (options) => relocate(context, tools, glibc, options);
  const relocateWithBash: Relocate = (options) => withGlibc({ shells: [inputs.package("bash")], ...options });

  const gccLibraries = once(() =>
    withGlibc({
      pname: "gcc-libs",
      debs: existing(["libstdc++6", "libgomp1", "libatomic1", "libquadmath0", "libitm1", "libgfortran5"]),
      drop: ["share"],
      // Links for the linker, which Debian has in the compiler's own folder.
      postFix: `cd lib; for file in lib*.so.[0-9]*; do link=\${file%%.so.*}.so; [ -e $link ] || ln -s $file $link; done`,
    }),
  );

  const sysroot = once(() =>
    withGlibc({
      pname: "sysroot",
      debs: ["libc6-dev", "linux-libc-dev", "libcrypt-dev"],
      drop: ["lib/audit", "share", "lib/libg.a"],
      // The kernel's headers come for all architectures; ours is a link into their folder.
      preFix: `for folder in lib/linux/uapi/*; do case $folder in */${platform.architecture === "amd64" ? "x86" : "arm64"}) ;; *) rm -rf "$folder" ;; esac; done
for folder in include/*-linux-*; do [ -L "$folder" ] || rm -rf "$folder"; done`,
      // Linker scripts name /usr/lib; run-time libraries are found beside what they are linked with. The linker looks for what
      // libraries need along their run paths, below the system root: there must be the store.
      postFix: `mkdir -p ".\${NIX_STORE%/*}"; ln -s "$NIX_STORE" ".$NIX_STORE"
ln -s . usr; [ -e lib64 ] || ln -s lib lib64
for file in "$glibc"/lib/*.so.*; do [ -e "lib/\${file##*/}" ] || ln -s "$file" lib/; done
[ -e include/asm/unistd.h ] && [ -e include/linux/limits.h ]`,
    }),
  );

  const binutilsUnwrapped = once(() =>
    withGlibc({
      pname: "binutils-unwrapped",
      debs: [
        "binutils",
        "binutils-common",
        `binutils-${platform.tripleName}`,
        "libbinutils",
        "libctf0",
        "libctf-nobfd0",
        "libgprofng0",
        "libjansson4",
        "libsframe1",
      ],
      deps: [inputs.package("zlib"), inputs.package("zstd"), gccLibraries],
      // Its viewer is perl.
      drop: ["bin/*gprofng*", "lib/gprofng", "etc", "share"],
    }),
  );

  const gccUnwrapped = once(() =>
    withGlibc({
      pname: "gcc-unwrapped",
      debs: [
        `gcc-${GCC}-${platform.tripleName}`,
        `cpp-${GCC}-${platform.tripleName}`,
        `g++-${GCC}-${platform.tripleName}`,
        `libgcc-${GCC}-dev`,
        `libstdc++-${GCC}-dev`,
      ],
      deps: [...["zlib", "zstd", "gmp", "mpfr", "libmpc", "isl"].map((name) => inputs.package(name)), gccLibraries],
      // include/<triple>/c++ and include/c++ have files of the same names.
      keepMultiarch: true,
      drop: [
        "bin/*lto-dump*",
        "share",
        ...["lib*san*", "plugin", "libcc1*"].map((name) => `lib/gcc/${platform.triple}/${GCC}/${name}`),
      ],
    }),
  );

  const binutils = once(() => {
    const version = upstreamVersion(context.pin("binutils").version);
    return describe(
      context.shellDerivation(`binutils-${version}`, "wrapper-binutils.sh", {
        pname: "binutils",
        version,
        binutilsUnwrapped,
        gccUnwrapped,
        sysroot,
        glibc,
        bash: inputs.package("bash"),
        ldWrapper: context.script("wrapper-ld.sh"),
      }),
      "binutils",
      version,
    );
  });

  const gcc = once(() => {
    const version = upstreamVersion(context.pin(`gcc-${GCC}-${platform.tripleName}`).version);
    return describe(
      context.shellDerivation(`gcc-${version}`, "wrapper-gcc.sh", {
        pname: "gcc",
        version,
        gccUnwrapped,
        gccLibraries,
        binutils,
        sysroot,
        glibc,
        bash: inputs.package("bash"),
        ccWrapper: context.script("wrapper-cc.sh"),
        gccVersion: GCC,
      }),
      "gcc",
      version,
    );
  });

  // For tools of ours that are written in perl; the package `perl` is ten times as large.
  const perlBase = once(() =>
    withGlibc({ pname: "perl-base", debs: ["perl-base"], drop: ["etc", "share", "bin/perl5*"], lenient: true }),
  );

  const patchelf = once(() =>
    describe(
      context.shellDerivation("patchelf-0.18.0", "patchelf-install.sh", {
        pname: "patchelf",
        version: "0.18.0",
        elfEditor: context.script("elf-edit.pl"),
        perl: perlBase,
      }),
      "patchelf",
      "0.18.0",
    ),
  );

  return {
    raw,
    patchelf,
    glibc,
    gccLibraries,
    sysroot,
    binutilsUnwrapped,
    gccUnwrapped,
    binutils,
    gcc,
    relocate: relocateWithBash,
  };
}
