export * from "./byte-text.ts";
export { keepCompiledCode } from "./compiled-code.ts";
export * from "./errors.ts";
export * from "./error-codes.ts";
export * from "./events.ts";
export * from "./files.ts";
export * from "./guard.ts";
export * from "./redact.ts";
export * from "./suggest.ts";
