export * from "./content-cache.ts";
export { downloadFile, nameOf } from "./download.ts";
export { FetchError, HashMismatchError, shown as shownUrl } from "./errors.ts";
export * from "./stream.ts";
export * from "./tarball.ts";
export * from "./types.ts";
export * from "./git.ts";
