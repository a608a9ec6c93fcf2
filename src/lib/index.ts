export { recursiveUpdate, storePathDerivation } from "./attrsets.ts";
export * from "./identifiers.ts";
export * from "./library.ts";
export * from "./pretty.ts";
export { isStringLike, joinWith } from "./strings.ts";
export * from "./support.ts";
