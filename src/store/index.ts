export * from "./errors.ts";
export * from "./local-store.ts";
export type { LocalStoreOptions } from "./opening.ts";
export * from "./types.ts";
export * from "./optimise.ts";
