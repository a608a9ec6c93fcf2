/** Platforms as nixpkgs describes them: `stdenv.hostPlatform` and the like. */
import type { Attrs, Lazy, Native } from "../lang/index.ts";
import { attribute, expectSet, expectText, fn, set } from "./values.ts";

interface Cpu {
  readonly name: string;
  readonly bits: number;
  readonly family: "x86" | "arm" | "riscv" | "power" | "s390" | "loongarch";
  readonly linux: string;
  readonly go: string;
}

const cpus: Readonly<Record<string, Cpu>> = {
  x86_64: { name: "x86_64", bits: 64, family: "x86", linux: "x86_64", go: "amd64" },
  i686: { name: "i686", bits: 32, family: "x86", linux: "i386", go: "386" },
  aarch64: { name: "aarch64", bits: 64, family: "arm", linux: "arm64", go: "arm64" },
  armv7l: { name: "armv7l", bits: 32, family: "arm", linux: "arm", go: "arm" },
  armv6l: { name: "armv6l", bits: 32, family: "arm", linux: "arm", go: "arm" },
  riscv64: { name: "riscv64", bits: 64, family: "riscv", linux: "riscv", go: "riscv64" },
  powerpc64le: { name: "powerpc64le", bits: 64, family: "power", linux: "powerpc", go: "ppc64le" },
  s390x: { name: "s390x", bits: 64, family: "s390", linux: "s390", go: "s390x" },
  loongarch64: { name: "loongarch64", bits: 64, family: "loongarch", linux: "loongarch", go: "loong64" },
};

const elaborated = new Map<string, Attrs>();

/** The description of a platform such as `x86_64-linux`. One value per platform, so that comparing them is cheap. */
export function platform(system: string): Attrs {
  let found = elaborated.get(system);
  if (found === undefined) {
    found = describe(system);
    elaborated.set(system, found);
  }
  return found;
}

function describe(system: string): Attrs {
  const dash = system.indexOf("-");
  const cpuName = dash < 0 ? system : system.slice(0, dash);
  const kernel = dash < 0 ? "unknown" : system.slice(dash + 1);
  const cpu = cpus[cpuName] ?? { name: cpuName, bits: 64, family: "x86", linux: cpuName, go: cpuName };
  const linux = kernel === "linux";
  const darwin = kernel === "darwin";
  const vendor = darwin ? "apple" : "unknown";
  const abi = linux ? "gnu" : "unknown";
  const config = darwin
    ? `${cpu.name === "aarch64" ? "arm64" : cpu.name}-apple-darwin`
    : `${cpu.name}-${vendor}-${kernel}${linux ? "-gnu" : ""}`;
  const uname = {
    system: linux ? "Linux" : darwin ? "Darwin" : kernel,
    processor: darwin && cpu.name === "aarch64" ? "arm64" : cpu.name,
    release: null,
  };
  const never = (names: string): Record<string, Native> =>
    Object.fromEntries(names.split(" ").map((name) => [name, false]));
  const self: Attrs = set({
    ...never(
      "isMusl isStatic isWindows isCygwin isMinGW isFreeBSD isOpenBSD isNetBSD isBSD isSunOS isGenode isWasi isRedox isGhcjs isJavaScript isNone isAvr isMips isMips32 isMips64 isMips64n32 isMips64n64 isSparc isSparc64 isWasm isVc4 isOr1k isM68k isAlpha isAndroid isUClibc isEfi isiOS isLLVMLibc isMsp430 isMicroBlaze isArmv7 isNewlib isBigEndian useAndroidPrebuilt useiOSPrebuilt",
    ),
    system,
    config,
    parsed: {
      _type: "system",
      cpu: {
        _type: "cpu-type",
        name: cpu.name,
        bits: cpu.bits,
        family: cpu.family,
        significantByte: { name: "littleEndian" },
      },
      vendor: { _type: "vendor", name: vendor },
      kernel: { _type: "kernel", name: kernel, families: linux ? {} : darwin ? { darwin: {} } : {} },
      abi: { _type: "abi", name: abi },
    },
    uname,
    libc: linux ? "glibc" : darwin ? "libSystem" : "unknown",
    isLinux: linux,
    isDarwin: darwin,
    isMacOS: darwin,
    isUnix: linux || darwin,
    isGnu: linux,
    isElf: linux,
    isMacho: darwin,
    isx86: cpu.family === "x86",
    isx86_32: cpu.name === "i686",
    isi686: cpu.name === "i686",
    isx86_64: cpu.name === "x86_64",
    isAarch: cpu.family === "arm",
    isAarch32: cpu.family === "arm" && cpu.bits === 32,
    isAarch64: cpu.name === "aarch64",
    isArmv7: cpu.name === "armv7l",
    isRiscV: cpu.family === "riscv",
    isRiscV64: cpu.name === "riscv64",
    isPower: cpu.family === "power",
    isPower64: cpu.family === "power",
    isS390: cpu.family === "s390",
    isS390x: cpu.name === "s390x",
    isLoongArch64: cpu.name === "loongarch64",
    is64bit: cpu.bits === 64,
    is32bit: cpu.bits === 32,
    isLittleEndian: cpu.name !== "s390x",
    isCompatible: fn("isCompatible", 1, (other) => sameSystem(other, system)),
    canExecute: fn("canExecute", 1, (other) => sameSystem(other, system)),
    hasSharedLibraries: true,
    emulatorAvailable: fn("emulatorAvailable", 1, () => true),
    emulator: fn("emulator", 1, () => ""),
    linuxArch: cpu.linux,
    qemuArch: cpu.name,
    darwinArch: cpu.name === "aarch64" ? "arm64" : cpu.name,
    ubootArch: cpu.linux,
    go: { GOARCH: cpu.go, GOOS: kernel },
    node: { platform: kernel, arch: cpu.name === "x86_64" ? "x64" : cpu.name === "aarch64" ? "arm64" : cpu.name },
    extensions: {
      sharedLibrary: darwin ? ".dylib" : ".so",
      staticLibrary: ".a",
      library: darwin ? ".dylib" : ".so",
      executable: "",
    },
    gcc: {},
    rustc: {},
    "linux-kernel": linux
      ? { name: cpu.linux, target: cpu.name === "x86_64" ? "bzImage" : "Image", autoModules: true }
      : {},
    ...(darwin ? { darwinMinVersion: "11.0", darwinSdkVersion: "11.3", darwinPlatform: "macos" } : {}),
  });
  return self;
}

function sameSystem(other: Lazy, system: string): boolean {
  const name = attribute(expectSet(other, "a platform"), "system");
  return name !== undefined && expectText(name, "system") === system;
}
