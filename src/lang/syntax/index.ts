export * from "./ast.ts";
export * from "./errors.ts";
export { parse } from "./parser.ts";
export * from "./resolver.ts";
export * from "./show.ts";
export * from "./source.ts";
export type { LintedLiteral, ParserOptions } from "./token-reader.ts";
