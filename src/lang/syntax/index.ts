export * from "./ast.ts";
export { expand } from "./deferred.ts";
export * from "./errors.ts";
export { isOutline, type Outline, OutlineRecorder } from "./outline.ts";
export { parse } from "./parser.ts";
export * from "./resolver.ts";
export * from "./show.ts";
export * from "./source.ts";
export type { LintedLiteral, ParserOptions } from "./token-reader.ts";
