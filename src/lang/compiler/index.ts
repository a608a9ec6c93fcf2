export * from "./compiler.ts";
export { outermost } from "./environment.ts";
