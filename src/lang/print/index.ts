export * from "./classic.ts";
export * from "./json.ts";
export * from "./literals.ts";
export * from "./printer.ts";
export * from "./xml.ts";
