/** `lib.systems`, `lib.platforms`: the platforms that flakes are written for, described as compilers and packages ask. */
import {
  Attrs,
  equal,
  force,
  forceAttrs,
  forceText,
  type Lazy,
  lazy,
  ThrownError,
  toNix,
  updateAttrs,
  type Native,
} from "../lang/index.ts";
import { attribute, call, fn, functions, type Namespace } from "./support.ts";

interface Platform {
  readonly system: string;
  readonly config: string;
  readonly cpu: {
    readonly name: string;
    readonly family: string;
    readonly bits: number;
    readonly arch: string;
    readonly version?: string;
  };
  readonly kernel: "linux" | "darwin";
  readonly vendor: string;
  readonly abi: string;
}

const CPUS = {
  x86_64: { name: "x86_64", family: "x86", bits: 64, arch: "x86-64" },
  aarch64: { name: "aarch64", family: "arm", bits: 64, arch: "armv8-a", version: "8" },
} as const;

/** The platforms that can be elaborated. Others exist by name only. */
const PLATFORMS: readonly Platform[] = [
  {
    system: "x86_64-linux",
    config: "x86_64-unknown-linux-gnu",
    cpu: CPUS.x86_64,
    kernel: "linux",
    vendor: "unknown",
    abi: "gnu",
  },
  {
    system: "aarch64-linux",
    config: "aarch64-unknown-linux-gnu",
    cpu: CPUS.aarch64,
    kernel: "linux",
    vendor: "unknown",
    abi: "gnu",
  },
  {
    system: "x86_64-darwin",
    config: "x86_64-apple-darwin",
    cpu: CPUS.x86_64,
    kernel: "darwin",
    vendor: "apple",
    abi: "unknown",
  },
  {
    system: "aarch64-darwin",
    config: "arm64-apple-darwin",
    cpu: CPUS.aarch64,
    kernel: "darwin",
    vendor: "apple",
    abi: "unknown",
  },
];

const FLAKE_EXPOSED = [
  "x86_64-linux",
  "aarch64-linux",
  "x86_64-darwin",
  "armv6l-linux",
  "armv7l-linux",
  "i686-linux",
  "aarch64-darwin",
  "powerpc64le-linux",
  "riscv64-linux",
  "x86_64-freebsd",
];

/** Systems by kernel, as `lib.platforms` lists them. */
const CPU_NAMES: Readonly<Record<string, string>> = {
  cygwin: "i686 x86_64",
  darwin: "x86_64 aarch64",
  freebsd: "i686 x86_64 aarch64",
  genode: "aarch64 i686 x86_64",
  solaris: "x86_64",
  ghcjs: "javascript",
  linux:
    "aarch64 arc armv5tel armv6l armv7a armv7l i686 loongarch64 m68k sh4 microblaze microblazeel mips mips64 mips64el mipsel powerpc powerpc64 powerpc64le riscv32 riscv64 s390 s390x x86_64",
  mmixware: "mmix",
  netbsd: "aarch64 armv6l armv7a armv7l i686 m68k mipsel powerpc riscv32 riscv64 x86_64",
  none: "aarch64_be aarch64 arm armv6l avr i686 microblaze microblazeel mips mips64 msp430 or1k m68k powerpc powerpcle riscv32 riscv64 rx s390 s390x vc4 x86_64",
  openbsd: "i686 x86_64",
  redox: "x86_64",
  wasi: "wasm64 wasm32",
  windows: "aarch64 x86_64 i686",
  uefi: "aarch64 x86_64",
};
/** Kernels whose systems go by another name in `lib.platforms`. */
const KERNEL_GROUPS: Readonly<Record<string, string>> = {
  solaris: "illumos",
  ghcjs: "js",
  mmixware: "mmix",
  none: "embedded",
};
const BIG_ENDIAN = /^(m68k|microblaze|mips|mips64|powerpc|powerpc64|s390|s390x|mmix|aarch64_be|or1k)-/;
const UNIX = ["cygwin", "darwin", "freebsd", "solaris", "linux", "netbsd", "openbsd", "redox"];

/** Every question that a platform answers with yes or no. */
const PREDICATES =
  "aesSupport avx2Support avx512Support avxSupport fma4Support fmaSupport hasSharedLibraries is32bit is64bit isAarch isAarch32 isAarch64 isAbiElfv1 isAbiElfv2 isAlpha isAndroid isArc isArmv7 isAvr isBSD isBigEndian isCygwin isDarwin isEabi isEfi isElf isFreeBSD isGenode isGhcjs isGnu isILP32 isJavaScript isLinux isLittleEndian isLoongArch64 isM68k isMacOS isMacho isMicroBlaze isMinGW isMips isMips32 isMips64 isMips64n32 isMips64n64 isMmix isMsp430 isMsvc isMusl isNetBSD isNone isOpenBSD isOr1k isPE isPower isPower64 isRedox isRiscV isRiscV32 isRiscV64 isRx isS390 isS390x isSh4 isSparc isSparc64 isStatic isSunOS isUClibc isUefi isUnix isVc4 isWasi isWasm isWindows isi686 isiOS isx86 isx86_32 isx86_64 lasxSupport lsxSupport sse3Support sse4_1Support sse4_2Support sse4_aSupport ssse3Support useAndroidPrebuilt useLLVM useiOSPrebuilt".split(
    " ",
  );

function holds(platform: Platform): ReadonlySet<string> {
  const common = ["hasSharedLibraries", "is64bit", "isEfi", "isLittleEndian", "isUnix"];
  const cpu = platform.cpu.name === "x86_64" ? ["isx86", "isx86_64"] : ["isAarch", "isAarch64"];
  const kernel = platform.kernel === "linux" ? ["isElf", "isGnu", "isLinux"] : ["isDarwin", "isMacOS", "isMacho"];
  return new Set([...common, ...cpu, ...kernel]);
}

function parsed(platform: Platform): Native {
  const { cpu, kernel } = platform;
  return {
    _type: "system",
    abi: { _type: "abi", name: platform.abi },
    cpu: {
      _type: "cpu-type",
      arch: cpu.arch,
      bits: cpu.bits,
      family: cpu.family,
      name: cpu.name,
      significantByte: { _type: "significant-byte", name: "littleEndian" },
      version: cpu.version,
    },
    kernel: {
      _type: "kernel",
      execFormat: { _type: "exec-format", name: kernel === "linux" ? "elf" : "macho" },
      families: kernel === "darwin" ? { darwin: { _type: "exec-format", name: "darwin" } } : {},
      name: kernel,
    },
    vendor: { _type: "vendor", name: platform.vendor },
  };
}

function description(platform: Platform): Attrs {
  const { cpu, config, kernel } = platform;
  const x86 = cpu.name === "x86_64";
  const linux = kernel === "linux";
  const yes = holds(platform);
  const shared = linux ? ".so" : ".dylib";
  const appleGcc = { arch: "armv8.3-a+crypto+sha2+aes+crc+fp16+lse+simd+ras+rdm+rcpc", cpu: "apple-a13" };
  const rustTarget = `${cpu.name}-${platform.vendor}-${kernel}${linux ? "-gnu" : ""}`;
  return toNix({
    ...Object.fromEntries(PREDICATES.map((name) => [name, yes.has(name)])),
    system: platform.system,
    config,
    parsed: parsed(platform),
    androidNdkVersion: null,
    androidSdkVersion: null,
    darwinArch: x86 ? "x86_64" : "arm64",
    darwinMinVersion: "14.0",
    darwinMinVersionVariable: linux ? null : "MACOSX_DEPLOYMENT_TARGET",
    darwinPlatform: linux ? null : "macos",
    darwinSdkVersion: "14.4",
    efiArch: x86 ? "x64" : "aa64",
    extensions: { executable: "", library: shared, sharedLibrary: shared, staticLibrary: ".a" },
    gcc: x86 ? {} : linux ? { arch: "armv8-a" } : appleGcc,
    go: { GOARCH: x86 ? "amd64" : "arm64", GOARM: "", GOOS: kernel },
    libDir: linux ? (x86 ? "lib64" : "lib") : null,
    libc: linux ? "glibc" : "libSystem",
    linker: linux ? "bfd" : "cctools",
    linuxArch: x86 ? "x86_64" : "arm64",
    nim: { cpu: x86 ? "amd64" : "arm64", os: linux ? "Linux" : "MacOSX" },
    node: { arch: x86 ? "x64" : "arm64", platform: kernel },
    qemuArch: cpu.name,
    rust: {
      cargoEnvVarTarget: rustTarget.replaceAll("-", "_").toUpperCase(),
      cargoShortTarget: rustTarget,
      isNoStdTarget: false,
      platform: { arch: cpu.name, os: linux ? "linux" : "macos", "target-family": ["unix"], vendor: platform.vendor },
      rustcTarget: rustTarget,
      rustcTargetSpec: rustTarget,
    },
    rustc: {},
    ubootArch: x86 ? "x86_64" : "arm64",
    uname: { processor: linux || x86 ? cpu.name : "arm64", release: null, system: linux ? "Linux" : "Darwin" },
  }) as Attrs;
}

function find(name: string): Platform {
  const found = PLATFORMS.find(({ system, config }) => name === system || name === config);
  if (found === undefined)
    throw new ThrownError(`The platform \`${name}' is not known here`, {
      hint: `d2n knows ${PLATFORMS.map(({ system }) => `\`${system}\``).join(", ")}.`,
    });
  return found;
}

/** `lib.systems.elaborate`: all that is known of a platform, given by its system or by attributes that override. */
function elaborate(lazySystem: Lazy): Attrs {
  const value = force(lazySystem);
  const given = value instanceof Attrs ? value : Attrs.from([["system", value]]);
  const name = given.get("config") ?? attribute(given, "system");
  const plain = description(find(forceText(name)));
  const own = Attrs.from(
    [...given.entries()].filter(([key]) => !["parsed", "system", "_withoutFunctions"].includes(key)),
  );
  const known = updateAttrs(plain, own);
  const canExecute = fn("canExecute", 1, (other) => {
    const platform = forceAttrs(other);
    return equal(attribute(known, "system"), attribute(platform, "system"));
  });
  const emulator = (pkgs: Lazy): Lazy => {
    const host = forceAttrs(attribute(forceAttrs(attribute(forceAttrs(pkgs), "stdenv")), "hostPlatform"));
    return call(attribute(host, "canExecute"), final) === true ? final : null;
  };
  const final: Attrs = updateAttrs(
    known,
    Attrs.from([
      ["_withoutFunctions", known],
      ["canExecute", canExecute],
      ["emulatorAvailable", fn("emulatorAvailable", 1, (pkgs) => emulator(pkgs) !== null)],
      ["staticEmulatorAvailable", fn("staticEmulatorAvailable", 1, (pkgs) => emulator(pkgs) !== null)],
      [
        "emulator",
        fn("emulator", 1, () => {
          throw new ThrownError(`There is no emulator for ${forceText(attribute(known, "config"))} executables here`);
        }),
      ],
    ]),
  );
  return final;
}

function doubles(kernels: readonly string[]): string[] {
  return kernels.flatMap((kernel) => CPU_NAMES[kernel]!.split(" ").map((cpu) => `${cpu}-${kernel}`));
}

export function platformsNamespace(): Namespace {
  const all = doubles(Object.keys(CPU_NAMES));
  const withCpu = (pattern: RegExp): string[] => all.filter((system) => pattern.test(system));
  return {
    all,
    none: [],
    ...Object.fromEntries(Object.keys(CPU_NAMES).map((kernel) => [KERNEL_GROUPS[kernel] ?? kernel, doubles([kernel])])),
    bigEndian: withCpu(BIG_ENDIAN),
    littleEndian: all.filter((system) => !BIG_ENDIAN.test(system)),
    unix: doubles(UNIX),
    x86_64: withCpu(/^x86_64-/),
    i686: withCpu(/^i686-/),
    x86: withCpu(/^(i686|x86_64)-/),
    aarch64: withCpu(/^aarch64/),
    aarch: withCpu(/^(aarch64|arm)/),
    arm: withCpu(/^arm/),
    armv7: withCpu(/^armv7/),
    riscv: withCpu(/^riscv/),
    riscv32: withCpu(/^riscv32-/),
    riscv64: withCpu(/^riscv64-/),
    power: withCpu(/^powerpc/),
    mips: withCpu(/^mips/),
    loongarch64: withCpu(/^loongarch64-/),
    ...Object.fromEntries(
      ["arc", "m68k", "microblaze", "or1k", "rx", "sh4", "vc4"].map((cpu) => [cpu, withCpu(new RegExp(`^${cpu}`))]),
    ),
    s390x: withCpu(/^s390x-/),
    s390: withCpu(/^s390/),
    gnu: doubles(["linux"]),
  };
}

export function systemsNamespace(): Namespace {
  const byName: Native = {
    gnu64: { config: "x86_64-unknown-linux-gnu" },
    "aarch64-multiplatform": { config: "aarch64-unknown-linux-gnu" },
    "x86_64-darwin": { config: "x86_64-apple-darwin" },
    "aarch64-darwin": { config: "arm64-apple-darwin" },
  };
  return {
    flakeExposed: FLAKE_EXPOSED,
    functionNames: ["canExecute", "emulator", "emulatorAvailable", "staticEmulatorAvailable"],
    doubles: lazy(() => Attrs.from(Object.entries(platformsNamespace()))),
    examples: toNix(byName),
    parse: Attrs.from([
      ["mkSystemFromString", fn("mkSystemFromString", 1, (name) => toNix(parsed(find(forceText(name)))))],
      ["doubleFromSystem", fn("doubleFromSystem", 1, (system) => `${part(system, "cpu")}-${part(system, "kernel")}`)],
      [
        "tripleFromSystem",
        fn("tripleFromSystem", 1, (system) => find(`${part(system, "cpu")}-${part(system, "kernel")}`).config),
      ],
    ]),
    ...functions({
      elaborate,
      equals: (a, b) =>
        equal(attribute(forceAttrs(a), "_withoutFunctions"), attribute(forceAttrs(b), "_withoutFunctions")),
      systemToAttrs: (system) => (force(system) instanceof Attrs ? system : Attrs.from([["system", system]])),
    }),
  };
}

function part(system: Lazy, name: string): string {
  return forceText(attribute(forceAttrs(attribute(forceAttrs(system), name)), "name"));
}
