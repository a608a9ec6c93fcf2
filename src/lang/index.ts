export * from "./errors.ts";
export * from "./evaluator.ts";
export * from "./host.ts";
export * from "./native.ts";
export * from "./values/attrs.ts";
export * from "./values/thunk.ts";
export * from "./values/value.ts";
