export * from "./ast.ts";
export * from "./errors.ts";
export { type ParserOptions, parse } from "./parser.ts";
export * from "./resolver.ts";
export * from "./show.ts";
export * from "./source.ts";
