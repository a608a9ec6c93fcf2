/** The values of marker variables for an interpreter that is not asked: locks are read for it before it is there. */
import type { MarkerEnvironment } from "./marker.ts";

export interface InterpreterDescription {
  /** `3.13.5`. */
  readonly version: string;
  /** `x86_64-linux`. */
  readonly system: string;
  /** `cpython` unless given. */
  readonly implementation?: string | undefined;
}

/** What the interpreter's own `platform`, `sys` and `os` say there, as PEP 508 names it. The kernel is not known: "". */
export function markerEnvironment({ version, system, implementation }: InterpreterDescription): MarkerEnvironment {
  const dash = system.lastIndexOf("-");
  const machine = system.slice(0, dash);
  const darwin = system.endsWith("-darwin");
  const name = implementation ?? "cpython";
  return {
    implementation_name: name,
    implementation_version: version,
    os_name: "posix",
    platform_machine: darwin && machine === "aarch64" ? "arm64" : machine,
    platform_python_implementation: name === "pypy" ? "PyPy" : "CPython",
    platform_release: "",
    platform_system: darwin ? "Darwin" : "Linux",
    platform_version: "",
    python_full_version: version,
    python_version: minorVersion(version),
    sys_platform: darwin ? "darwin" : "linux",
  };
}

/** `3.13` of `3.13.5`. */
export function minorVersion(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
