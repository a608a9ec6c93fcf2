export * from "./errors.ts";
export * from "./local-store.ts";
export * from "./types.ts";
