/** Names of the archive's packages, for systems, too, that have none of them. */
import { D2nError } from "../base/index.ts";
import { aliases } from "./debian/aliases.ts";
import { table } from "./debian/table.ts";
import type { DebianPackages } from "./types.ts";

const toolchain = [
  "glibc",
  "gcc",
  "gcc-unwrapped",
  "gccLibraries",
  "libgcc",
  "binutils",
  "binutils-unwrapped",
  "patchelf",
];

/** Attributes that the archive provides; where there is no archive for the system, those it provides elsewhere. */
export function packageNames(debian: () => DebianPackages): readonly string[] {
  try {
    return [...debian().packages.keys()];
  } catch (error) {
    if (!(error instanceof D2nError)) throw error;
    return [...table.keys(), ...aliases.keys(), ...toolchain];
  }
}
