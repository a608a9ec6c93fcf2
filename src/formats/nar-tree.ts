/** A file tree in memory, as NAR serialises it. Names and link targets are byte strings: one code unit a byte. */
export type NarTree = NarFile | NarSymlink | NarDirectory;

export interface NarFile {
  readonly type: "regular";
  readonly executable: boolean;
  readonly contents: Uint8Array;
}

export interface NarSymlink {
  readonly type: "symlink";
  readonly target: string;
}

export interface NarDirectory {
  readonly type: "directory";
  readonly entries: ReadonlyMap<string, NarTree>;
}

export type FileKind = "regular" | "directory" | "symlink" | "unknown";

/**
 * Decides whether a file goes into a serialisation. `path` is the absolute path on disk, a byte string. Never asked about
 * the root; a directory that is refused is not entered.
 */
export type PathFilter = (path: string, kind: FileKind) => boolean;
