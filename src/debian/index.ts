export { debUrl, fetchInRelease, fetchWhole, openArchive, type OpenArchiveOptions } from "./archive.ts";
export * from "./bootstrap.ts";
export { type FileChoice, type OpenDeb, unpackDeb } from "./deb.ts";
export * from "./dependencies.ts";
export * from "./mirrors.ts";
export * from "./pins.ts";
export { archiveKeys, parseRelease, type Release, verifyInRelease } from "./release.ts";
export * from "./types.ts";
export * from "./version.ts";
