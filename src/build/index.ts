export { realise } from "./realise.ts";
export * from "./types.ts";
