export * from "./identifiers.ts";
export * from "./pretty.ts";
export * from "./support.ts";
export * from "./library.ts";
