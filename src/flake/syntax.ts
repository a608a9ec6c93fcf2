/** The part of this layer that needs no evaluator, so that commands which evaluate nothing start at once. */
export * from "./format.ts";
export * from "./installable.ts";
export * from "./reference.ts";
export * from "./registry-file.ts";
