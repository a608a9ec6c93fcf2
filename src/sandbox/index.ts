export { runBuild, sandboxBuildDirectory } from "./build-sandbox.ts";
export { quoteShell } from "./enter-script.ts";
export { checkSandbox, type SandboxMode } from "./check.ts";
export * from "./errors.ts";
export * from "./launcher.ts";
export * from "./types.ts";
