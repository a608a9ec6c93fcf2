export * from "./debian/index.ts";
export { gitTreeName } from "./build-support/fetchers.ts";
export { adviceOnMissing } from "./missing.ts";
export { createPackageSet } from "./package-set.ts";
export type { DebianInterpreter, DebianPackages, DebianPythonPackage, PackageSetOptions } from "./types.ts";
