export { callDepth } from "./call-depth.ts";
export { forceDeep } from "./builtins/control.ts";
export { nixVersion } from "./builtins/index.ts";
export { type BuiltinDocumentation, builtinDocumentation } from "./documentation.ts";
export * from "./errors.ts";
export * from "./evaluator.ts";
export * from "./host.ts";
export type { LintLevel, Lints } from "./lints.ts";
export { watchHeap } from "./memory.ts";
export type { KeptTrees, TreeCache } from "./loader.ts";
export { TREE_FORMAT } from "./syntax/index.ts";
export * from "./native.ts";
export * from "./operations/index.ts";
export * from "./print/index.ts";
export {
  docComments,
  functionComment,
  ParseError,
  parse,
  showExpression,
  Source,
  SourcePosition,
} from "./syntax/index.ts";
export * from "./values/absence.ts";
export * from "./values/attrs.ts";
export * from "./values/thunk.ts";
export * from "./values/value.ts";
