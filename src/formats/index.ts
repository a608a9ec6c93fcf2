export * from "./derivation.ts";
