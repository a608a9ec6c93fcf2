export { type DebianOptions, mainSuite, platformOf } from "./context.ts";
export { createDebianPackages, type DebianExtras } from "./packages.ts";
export { defaultMinor, interpreterAttribute } from "./python.ts";
