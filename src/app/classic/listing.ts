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
  /** Where the contents of a file begin in the archive that it is in. */
  readonly narOffset?: number;
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

/** What a file in a NAR holds. @throws FormatError if it is no NAR; D2nError `file-missing` if it has no such file */
export function contentsInNar(file: string, path: string): Uint8Array {
  const tree = treeInNar(file, path);
  if (tree?.type === "regular") return tree.contents;
  const whole = `/${partsOf(path).join("/")}`;
  throw new D2nError("file-missing", `NAR does not contain regular file '${text(whole)}'`);
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

function treeInNar(file: string, path: string): NarTree | undefined {
  let tree: NarTree | undefined = treeOfNar(readFileSync(file));
  for (const name of partsOf(path)) tree = tree?.type === "directory" ? tree.entries.get(name) : undefined;
  return tree;
}

/** @throws FormatError if it is no NAR; D2nError `file-missing` if it has no such path */
export function entryOfNar(file: string, path: string): Entry {
  let entry = entryOf(treeOfNar(readFileSync(file)), narString("nix-archive-1"));
  for (const name of partsOf(path)) {
    if (entry.type !== "directory" || !entry.names().includes(name))
      throw new D2nError("file-missing", `path '${path}' does not exist in NAR`);
    entry = entry.entry(name);
  }
  return entry;
}

/** Bytes that a string takes in a NAR: its length, and itself up to a multiple of eight. */
function narString(text: { readonly length: number }): number {
  return 8 + Math.ceil(text.length / 8) * 8;
}

/** Bytes before the contents of a file, before the target of a symlink, before the entries of a folder. */
function narHead(tree: NarTree): number {
  const head = narString("(") + narString("type") + narString(tree.type);
  if (tree.type === "directory") return head;
  if (tree.type === "symlink") return head + narString("target");
  return head + (tree.executable ? narString("executable") + narString("") : 0) + narString("contents") + 8;
}

/** Bytes of an entry of a folder before its node. */
function narEntryHead(name: string): number {
  return narString("entry") + narString("(") + narString("name") + narString(name) + narString("node");
}

function narSize(tree: NarTree): number {
  const ends = narHead(tree) + narString(")");
  if (tree.type === "symlink") return ends + narString(tree.target);
  if (tree.type === "regular") return ends + narString(tree.contents) - 8;
  let size = ends;
  for (const [name, entry] of tree.entries) size += narEntryHead(name) + narSize(entry) + narString(")");
  return size;
}

/** Where the node of an entry of a folder begins. */
function narPlace(tree: NarTree, offset: number, name: string): number {
  let place = offset + narHead(tree);
  for (const [other, entry] of tree.type === "directory" ? tree.entries : []) {
    if (other === name) return place + narEntryHead(name);
    place += narEntryHead(other) + narSize(entry) + narString(")");
  }
  throw new Error(`internal error: there is no '${name}'`);
}

/** @param offset where the node begins in its archive */
function entryOf(tree: NarTree, offset: number): Entry {
  const none = (): never => {
    throw new Error("internal error: not a folder");
  };
  return {
    type: tree.type,
    executable: tree.type === "regular" && tree.executable,
    size: tree.type === "regular" ? tree.contents.length : 0,
    target: tree.type === "symlink" ? tree.target : "",
    names: () => (tree.type === "directory" ? [...tree.entries.keys()].sort() : []),
    ...(tree.type === "regular" ? { narOffset: offset + narHead(tree) } : {}),
    entry: (name) =>
      tree.type === "directory" ? entryOf(tree.entries.get(name)!, narPlace(tree, offset, name)) : none(),
    contents: () => (tree.type === "regular" ? tree.contents : none()),
  };
}

export interface ListOptions {
  readonly long: boolean;
  readonly recursive: boolean;
  /** The folder itself in place of what is in it. */
  readonly self: boolean;
}

/** One line for each entry; a folder is ".". @param path the place that was asked for: its last part names a file */
export function list(entry: Entry, path: string, { long, recursive, self }: ListOptions): string {
  let text = "";
  const show = (one: Entry, name: string): void => {
    text += long ? longLine(one, name) : `${name}\n`;
    if (recursive && one.type === "directory") below(one, name);
  };
  const below = (folder: Entry, prefix: string): void => {
    for (const name of folder.names()) show(folder.entry(name), `${prefix}/${name}`);
  };
  if (entry.type !== "directory") show(entry, /([^/]*)\/*$/.exec(path)![1]!);
  else if (self) show(entry, ".");
  else below(entry, ".");
  return text;
}

function longLine({ type, executable, size, target }: Entry, name: string): string {
  const mode =
    type === "directory" ? "dr-xr-xr-x" : type === "symlink" ? "lrwxrwxrwx" : executable ? "-r-xr-xr-x" : "-r--r--r--";
  const bytes = String(type === "regular" ? size : 0).padStart(20);
  return `${mode} ${bytes} ${name}${type === "symlink" ? ` -> ${target}` : ""}\n`;
}

/** The entry as JSON; unless recursive, a folder says no more than the names in it. */
export function listAsJson(entry: Entry, recursive: boolean): unknown {
  if (entry.type === "symlink") return { target: text(entry.target), type: "symlink" };
  if (entry.type === "regular")
    return {
      ...(entry.executable ? { executable: true } : {}),
      ...(entry.narOffset === undefined ? {} : { narOffset: entry.narOffset }),
      size: entry.size,
      type: "regular",
    };
  const entries = entry
    .names()
    .map((name) => [text(name), recursive ? listAsJson(entry.entry(name), true) : {}] as const);
  return { entries: Object.fromEntries(entries), type: "directory" };
}

function text(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
