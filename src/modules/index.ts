export * from "./define.ts";
export { type OptionDocumentation, optionDocs } from "./docs.ts";
export { createLib, createModuleSystem } from "./system.ts";
export * from "./types.ts";
export * from "./view.ts";
