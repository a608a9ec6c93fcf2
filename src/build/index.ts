export { type BuilderFiles, builderFiles } from "./environment.ts";
export { realise } from "./realise.ts";
export * from "./types.ts";
