/** Reading the disk for evaluation: physical paths in, what the language knows of files out. */
import { closeSync, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";
import { D2nError, isSystemError } from "../../base/index.ts";
import { bytePath, fileKind } from "../../formats/index.ts";
import { type AddPathRequest, type FileStatus, type FileType, fromUtf8 } from "../../lang/index.ts";

type PhysicalPath = string | Buffer;

export function directoryEntries(physical: PhysicalPath): ReadonlyMap<string, FileType> {
  const entries = new Map<string, FileType>();
  for (const entry of readdirSync(physical, { withFileTypes: true, encoding: "buffer" }))
    entries.set(bytePath(entry.name), fileKind(entry));
  return entries;
}

/** Undefined for what does not exist. */
export function fileStatus(physical: PhysicalPath): FileStatus | undefined {
  try {
    const status = lstatSync(physical, { throwIfNoEntry: false });
    if (status === undefined) return undefined;
    return { type: fileKind(status), executable: (status.mode & 0o100) !== 0, size: status.size };
  } catch (error) {
    if (isSystemError(error, "ENOTDIR") || isSystemError(error, "ENAMETOOLONG")) return undefined;
    throw error;
  }
}

/** More than one buffer holds; a string ends much earlier. */
const MOST = 2 ** 31 - 1;

/**
 * As much of a file as the system says that there is, and no more: devices, and what /proc holds, are empty for Nix, too.
 * @throws system errors, D2nError
 */
export function fileContent(physical: PhysicalPath): Uint8Array {
  const file = openSync(physical, "r");
  try {
    const { size } = fstatSync(file);
    if (size > MOST) throw new D2nError("file-access", `a file of ${size} bytes is too large to be read`);
    const content = Buffer.allocUnsafe(size);
    let filled = 0;
    for (;;) {
      const read = readSync(file, content, filled, size - filled, null);
      if (read === 0) return content.subarray(0, filled);
      filled += read;
    }
  } finally {
    closeSync(file);
  }
}

export function linkTarget(physical: PhysicalPath): string {
  return bytePath(readlinkSync(physical, { encoding: "buffer" }));
}

/** What a system call said of a path, in the words of evaluation; other errors as they are. */
export function explainedAccess(error: unknown, path: string): unknown {
  if (!isSystemError(error)) return error;
  const text = fromUtf8(path);
  if (error.code === "ENOENT" || error.code === "ENOTDIR")
    return new D2nError("file-missing", `path '${text}' does not exist`);
  if (error.code === "EISDIR") return new D2nError("file-access", `cannot read file '${text}': it is a directory`);
  return new D2nError("file-access", `cannot read '${text}': ${error.code}`);
}

/** What is asked about the tree that is filtered. */
interface Tree {
  readDirectory(path: string): ReadonlyMap<string, FileType>;
  status(path: string): FileStatus | undefined;
}

/** The entries below a folder that a filter lets in, relative to it. */
export function filteredEntries(tree: Tree, root: string, filter: NonNullable<AddPathRequest["filter"]>): string[] {
  const include: string[] = [];
  const walk = (folder: string, relative: string): void => {
    for (const [name, quick] of [...tree.readDirectory(folder)].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const path = folder === "/" ? `/${name}` : `${folder}/${name}`;
      const type = quick === "unknown" ? (tree.status(path)?.type ?? "unknown") : quick;
      if (!filter(path, type)) continue;
      const inner = relative === "" ? name : `${relative}/${name}`;
      include.push(inner);
      if (type === "directory") walk(path, inner);
    }
  };
  if (tree.status(root)?.type === "directory") walk(root, "");
  return include;
}
