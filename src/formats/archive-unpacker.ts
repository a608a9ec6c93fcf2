/**
 * Unpacks archives to disk so that nothing in them can reach outside: paths are relative and without `..`, a symlink of the
 * archive is never written through, devices are refused, sizes bounded.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { FormatError } from "./errors.ts";
import type { ByteSource } from "./nar-reader.ts";
import { bytePath, fsPath } from "./nar-writer.ts";
import { decompress } from "./decompression.ts";
import { readTar, type TarEntry } from "./tar-reader.ts";

export interface UnpackLimits {
  /** Largest sum of all files, in bytes; 64 GiB unless said otherwise. */
  readonly maxSize?: number | undefined;
  /** Most entries; two million unless said otherwise. */
  readonly maxEntries?: number | undefined;
}

/** One thing to write; paths and targets are byte strings. */
export interface UnpackEntry {
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "hardlink";
  readonly executable: boolean;
  readonly link: string;
  readonly data: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/**
 * An archive's path made relative and canonical; "" for its root.
 * @throws FormatError `archive-unsafe` for absolute paths, `..`, NUL
 */
export function safeArchivePath(path: string): string {
  if (path.startsWith("/")) throw unsafe(path, "is absolute");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") throw unsafe(path, "contains '..'");
    if (part.includes("\0")) throw unsafe(path, "contains a NUL byte");
    parts.push(part);
  }
  return parts.join("/");
}

/** Writes entries below a folder, which it creates and which must be empty. Files become 0644 or 0755, folders 0755. */
export class ArchiveUnpacker {
  #root: string;
  #limits: UnpackLimits;
  /** What has been written, by relative path. */
  #kinds = new Map<string, "file" | "directory" | "symlink">([["", "directory"]]);
  #size = 0;
  #count = 0;

  constructor(folder: string | Uint8Array, limits: UnpackLimits = {}) {
    this.#root = bytePath(folder);
    this.#limits = limits;
    mkdirSync(fsPath(this.#root), { recursive: true, mode: 0o755 });
    if (readdirSync(fsPath(this.#root)).length > 0)
      throw new FormatError("archive-unsafe", `cannot unpack to '${this.#root}': it is not empty`);
  }

  /** The names directly below the folder. */
  topLevel(): string[] {
    return [...this.#kinds.keys()].filter((path) => path !== "" && !path.includes("/")).sort();
  }

  async add(entry: UnpackEntry): Promise<void> {
    const { maxEntries = 2_000_000, maxSize = 2 ** 36 } = this.#limits;
    if (++this.#count > maxEntries)
      throw new FormatError("archive-unsafe", `the archive has more than ${maxEntries} entries`);
    const path = safeArchivePath(entry.path);
    if (entry.type === "directory") {
      this.#directory(path);
      return;
    }
    if (path === "") throw unsafe(entry.path, "names the root of the archive, but is no directory");
    this.#prepare(path);
    const place = fsPath(`${this.#root}/${path}`);
    if (entry.type === "symlink") {
      symlinkSync(fsPath(entry.link), place);
      this.#kinds.set(path, "symlink");
      return;
    }
    if (entry.type === "hardlink") {
      const target = safeArchivePath(entry.link);
      if (this.#kinds.get(target) !== "file")
        throw unsafe(entry.path, `is a hard link to '${entry.link}', which is no file before it`);
      this.#insideDirectory(target);
      linkSync(fsPath(`${this.#root}/${target}`), place);
      this.#kinds.set(path, "file");
      return;
    }
    const fd = openSync(place, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
    try {
      for await (const bytes of entry.data) {
        this.#size += bytes.length;
        if (this.#size > maxSize)
          throw new FormatError("archive-unsafe", `the archive unpacks to more than ${maxSize} bytes`);
        for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
      }
      fchmodSync(fd, entry.executable ? 0o755 : 0o644);
    } finally {
      closeSync(fd);
    }
    this.#kinds.set(path, "file");
  }

  #directory(path: string): void {
    const kind = this.#kinds.get(path);
    if (kind === "directory") return;
    this.#prepare(path);
    mkdirSync(fsPath(`${this.#root}/${path}`), 0o755);
    this.#kinds.set(path, "directory");
  }

  /** Makes the way to a path and removes what an earlier entry put there; the later one counts, as with any tar. */
  #prepare(path: string): void {
    const slash = path.lastIndexOf("/");
    if (slash > 0) {
      const parent = path.slice(0, slash);
      const kind = this.#kinds.get(parent);
      if (kind === undefined) this.#directory(parent);
      else if (kind === "symlink") throw unsafe(path, `would be written through the symlink '${parent}'`);
      else if (kind === "file") throw unsafe(path, `lies below '${parent}', which is a file`);
      else this.#insideDirectory(path);
    }
    const kind = this.#kinds.get(path);
    if (kind === "directory") throw unsafe(path, "replaces a directory");
    if (kind !== undefined) rmSync(fsPath(`${this.#root}/${path}`));
  }

  /** Every directory on the way is one that this unpacker made. */
  #insideDirectory(path: string): void {
    for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
      const parent = path.slice(0, slash);
      if (this.#kinds.get(parent) !== "directory") throw unsafe(path, `'${parent}' is no directory`);
    }
  }
}

export interface UnpackTarOptions extends UnpackLimits {
  /** Leaves entries out, or changes them. */
  readonly map?: ((entry: TarEntry) => TarEntry | undefined) | undefined;
}

export interface UnpackedTar {
  /** Names directly below the folder, sorted. */
  readonly topLevel: readonly string[];
  /** The newest time of any entry, in seconds since 1970. */
  readonly lastModified: number;
}

/** Unpacks a tar archive, compressed or not, to a folder that must be empty or not there yet. */
export async function unpackTar(
  source: ByteSource,
  folder: string | Uint8Array,
  options: UnpackTarOptions = {},
): Promise<UnpackedTar> {
  const unpacker = new ArchiveUnpacker(folder, options);
  let lastModified = 0;
  for await (const read of readTar(decompress(source))) {
    const entry = options.map === undefined ? read : options.map(read);
    if (entry === undefined) continue;
    const { type } = entry;
    if (type === "character-device" || type === "block-device" || type === "pipe")
      throw unsafe(entry.path, `is a ${type.replace("-", " ")}`);
    lastModified = Math.max(lastModified, entry.modified);
    await unpacker.add({
      path: entry.path,
      type,
      executable: (entry.mode & 0o100) !== 0,
      link: entry.link,
      data: entry.data,
    });
  }
  return { topLevel: unpacker.topLevel(), lastModified };
}

function unsafe(path: string, why: string): FormatError {
  return new FormatError("archive-unsafe", `the archive's entry '${path}' ${why}`, {
    hint: "Nothing outside of the target folder was touched. Don't trust this archive.",
  });
}
