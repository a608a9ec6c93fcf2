/** The contents of trees: `nix store ls`, `nix store cat`, and the same of a NAR (Nix: `ls.cc`, `cat.cc`). All names are byte strings. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { D2nError } from "../../base/index.ts";
import { fsPath, type NarTree, treeOfNar } from "../../formats/index.ts";

/** A place in a tree, which may be on disk or in an archive. */
export interface Entry {
  readonly type: "regular" | "directory" | "symlink";
  readonly executable: boolean;
  readonly size: number;
  /** Of a symlink. */
  readonly target: string;
  names(): string[];
  entry(name: string): Entry;
  contents(): Uint8Array;
}

/** @throws D2nError `file-missing` */
export function entryOnDisk(path: string, shown = path): Entry {
  const status = lstatSync(fsPath(path), { throwIfNoEntry: false });
  if (status === undefined) throw new D2nError("file-missing", `path '${shown}' does not exist`);
  return {
    type: status.isDirectory() ? "directory" : status.isSymbolicLink() ? "symlink" : "regular",
    executable: (status.mode & 0o100) !== 0,
    size: status.size,
    target: status.isSymbolicLink() ? readlinkSync(fsPath(path), { encoding: "latin1" }) : "",
    names: () => readdirSync(fsPath(path), { encoding: "latin1" }).sort(),
    entry: (name) => entryOnDisk(`${path}/${name}`, `${shown}/${name}`),
    contents: () => readFileSync(fsPath(path)),
  };
}

/** @throws FormatError if it is no NAR; D2nError `file-missing` if it has no such path */
export function entryOfNar(file: string, path: string): Entry {
  let tree: NarTree | undefined = treeOfNar(readFileSync(file));
  for (const name of path.split("/").filter((part) => part !== ""))
    tree = tree?.type === "directory" ? tree.entries.get(name) : undefined;
  if (tree === undefined) throw new D2nError("file-missing", `path '${path}' does not exist in NAR`);
  return entryOf(tree);
}

function entryOf(tree: NarTree): Entry {
  const none = (): never => {
    throw new Error("internal error: not a folder");
  };
  return {
    type: tree.type,
    executable: tree.type === "regular" && tree.executable,
    size: tree.type === "regular" ? tree.contents.length : 0,
    target: tree.type === "symlink" ? tree.target : "",
    names: () => (tree.type === "directory" ? [...tree.entries.keys()].sort() : []),
    entry: (name) => (tree.type === "directory" ? entryOf(tree.entries.get(name)!) : none()),
    contents: () => (tree.type === "regular" ? tree.contents : none()),
  };
}

export interface ListOptions {
  readonly long: boolean;
  readonly recursive: boolean;
  /** The folder itself in place of what is in it. */
  readonly self: boolean;
}

/** One line for each entry. @param name the last part of the path that was asked for */
export function list(entry: Entry, name: string, { long, recursive, self }: ListOptions): string {
  let text = "";
  const line = (one: Entry, path: string): void => {
    if (!long) {
      text += `${path}\n`;
      return;
    }
    const kind = one.type === "directory" ? "d" : one.type === "symlink" ? "l" : "-";
    const mode = one.type === "symlink" ? "rwxrwxrwx" : one.executable || kind === "d" ? "r-xr-xr-x" : "r--r--r--";
    const size = one.type === "regular" ? one.size : 0;
    text += `${kind}${mode} ${String(size).padStart(20)} ${path}${one.type === "symlink" ? ` -> ${one.target}` : ""}\n`;
  };
  const visit = (folder: Entry, prefix: string): void => {
    for (const one of folder.names()) {
      const below = folder.entry(one);
      line(below, `${prefix}/${one}`);
      if (recursive && below.type === "directory") visit(below, `${prefix}/${one}`);
    }
  };
  if (entry.type === "directory" && !self) visit(entry, ".");
  else line(entry, `./${name}`);
  return text;
}

/** The entry as JSON. */
export function listAsJson(entry: Entry, recursive: boolean, top = true): unknown {
  if (entry.type === "symlink") return { target: text(entry.target), type: "symlink" };
  if (entry.type === "regular")
    return { ...(entry.executable ? { executable: true } : {}), size: entry.size, type: "regular" };
  if (!top && !recursive) return { type: "directory" };
  const entries = entry
    .names()
    .map((name) => [text(name), top || recursive ? listAsJson(entry.entry(name), recursive, false) : {}] as const);
  return { entries: Object.fromEntries(entries), type: "directory" };
}

function text(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
