export * from "./flake-file.ts";
export * from "./installable.ts";
export * from "./lock.ts";
export * from "./lock-file.ts";
export * from "./outputs.ts";
export * from "./reference.ts";
export * from "./resolution.ts";
export * from "./sources.ts";
