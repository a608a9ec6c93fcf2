/**
 * A parsed `Packages` index on disk: one line a package, sorted by name, so that a look-up is a binary search in the bytes of
 * the file and starting up costs no parsing.
 *
 * Lines: `name TAB v TAB version TAB source TAB filename TAB size TAB sha256 TAB dependencies TAB description`,
 * and for each name that a package provides `name TAB p TAB provider TAB version`.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { D2nError } from "../base/index.ts";

const HEADER = "d2n package index 1\n";

export interface PackageEntry {
  readonly name: string;
  readonly version: string;
  readonly source: string;
  readonly filename: string;
  readonly size: number;
  readonly sha256: string;
  /** `Pre-Depends` and `Depends`, joined. */
  readonly depends: string;
  readonly description: string;
}

export interface Provider {
  readonly name: string;
  /** The version that is provided, if the package says. */
  readonly version: string | undefined;
}

const wanted = new Set([
  "Package",
  "Version",
  "Source",
  "Filename",
  "Size",
  "SHA256",
  "Depends",
  "Pre-Depends",
  "Provides",
  "Description",
]);

/** One paragraph of a `Packages` file as lines of the index; latin-1 in, latin-1 out. */
function linesOf(stanza: string): string[] {
  const fields: Record<string, string> = {};
  for (const line of stanza.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon <= 0 || line.charCodeAt(0) === 0x20) continue;
    const name = line.slice(0, colon);
    if (wanted.has(name)) fields[name] = line.slice(colon + 2).replaceAll("\t", " ");
  }
  const { Package: name, Version: version, Filename: filename, Size: size, SHA256: sha256 } = fields;
  if (name === undefined) return [];
  if (
    version === undefined ||
    !/^[a-z0-9][a-z0-9+.-]*$/.test(name) ||
    !/^[0-9a-f]{64}$/.test(sha256 ?? "") ||
    !/^\d{1,12}$/.test(size ?? "") ||
    // It becomes part of an address and of a store path's name.
    !/^[A-Za-z0-9][A-Za-z0-9+.:~%_/-]*$/.test(filename ?? "") ||
    filename!.includes("..")
  )
    throw new D2nError(
      "debian-archive",
      `the archive's index describes the package '${name}' in a way that makes no sense`,
    );
  const depends = [fields["Pre-Depends"], fields.Depends].filter((field) => field !== undefined).join(", ");
  const source = (fields.Source ?? name).split(" ")[0]!;
  const lines = [[name, "v", version, source, filename, size, sha256, depends, fields.Description ?? ""].join("\t")];
  for (const provided of (fields.Provides ?? "").split(",")) {
    const match = /^\s*([a-z0-9][a-z0-9+.-]*)(?:\s*\(=\s*([^)\s]+)\s*\))?/.exec(provided);
    if (match !== null) lines.push([match[1]!, "p", name, match[2] ?? ""].join("\t"));
  }
  return lines;
}

/**
 * Turns the text of a `Packages` file, as it streams in, into the bytes of an index.
 * @throws D2nError `debian-archive` if a package's description makes no sense.
 */
export async function buildIndex(text: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const lines: string[] = [];
  let rest = "";
  for await (const chunk of text) {
    rest += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
    const end = rest.lastIndexOf("\n\n");
    if (end < 0) continue;
    for (const stanza of rest.slice(0, end).split("\n\n")) lines.push(...linesOf(stanza));
    rest = rest.slice(end + 2);
  }
  lines.push(...linesOf(rest));
  // A tab sorts before every character of a name, so that the lines of one name stay together.
  lines.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return Buffer.from(`${HEADER}${lines.join("\n")}\n`, "latin1");
}

/** Bytes that are read at once: a look-up in an index of 30 MB needs a dozen of such pages, the next one fewer. */
const PAGE = 16 << 10;

/** An index: in memory, or in a file of which only what is needed is read. */
export class PackageIndex {
  readonly #source: Buffer | number;
  readonly #size: number;
  readonly #pages = new Map<number, Buffer>();

  /** @throws Error if the bytes, or those of the open file, are not an index. */
  constructor(source: Buffer | number) {
    this.#source = source;
    this.#size = typeof source === "number" ? fstatSync(source).size : source.length;
    if (this.#text(0, HEADER.length) !== HEADER || this.#text(this.#size - 1, this.#size) !== "\n")
      throw new Error("not a package index");
  }

  /** Undefined if there is no usable file of that name. */
  static open(path: string): PackageIndex | undefined {
    let fd: number | undefined;
    try {
      fd = openSync(path, "r");
      return new PackageIndex(fd);
    } catch {
      if (fd !== undefined) closeSync(fd);
      return undefined;
    }
  }

  close(): void {
    if (typeof this.#source === "number") closeSync(this.#source);
  }

  /** The versions of a package; most often one. */
  packages(name: string): PackageEntry[] {
    return this.#lines(name, "v").map((fields) => ({
      name,
      version: fields[2]!,
      source: fields[3]!,
      filename: fields[4]!,
      size: Number(fields[5]),
      sha256: fields[6]!,
      depends: fields[7]!,
      description: Buffer.from(fields[8] ?? "", "latin1").toString("utf8"),
    }));
  }

  /** The packages that provide a name. */
  providers(name: string): Provider[] {
    return this.#lines(name, "p").map((fields) => ({
      name: fields[2]!,
      version: fields[3] === "" ? undefined : fields[3],
    }));
  }

  /** The lines of a name and kind, split into fields. */
  #lines(name: string, kind: string): string[][] {
    const key = `${name}\t${kind}\t`;
    let low = HEADER.length;
    let high = this.#size;
    // Invariant: low and high are beginnings of lines; the first line that is not below the key lies in [low, high].
    while (low < high) {
      const start = Math.max(low, this.#lineStart((low + high) >> 1));
      const end = this.#lineEnd(start);
      if (this.#text(start, Math.min(start + key.length, end - 1)) < key) low = end;
      else high = start;
    }
    const found: string[][] = [];
    while (low < this.#size && this.#text(low, Math.min(low + key.length, this.#size)) === key) {
      const end = this.#lineEnd(low);
      found.push(this.#text(low, end - 1).split("\t"));
      low = end;
    }
    return found;
  }

  #page(number: number): Buffer {
    const source = this.#source;
    const from = number * PAGE;
    if (typeof source !== "number") return source.subarray(from, from + PAGE);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = Buffer.alloc(Math.min(PAGE, this.#size - from));
      readSync(source, page, 0, page.length, from);
      this.#pages.set(number, page);
    }
    return page;
  }

  /** The bytes from one offset to another, as latin-1. */
  #text(from: number, to: number): string {
    let text = "";
    for (let at = from; at < to;) {
      const number = Math.floor(at / PAGE);
      const end = Math.min(to, (number + 1) * PAGE);
      text += this.#page(number).toString("latin1", at - number * PAGE, end - number * PAGE);
      at = end;
    }
    return text;
  }

  /** Where the line begins that an offset lies in. */
  #lineStart(offset: number): number {
    for (let number = Math.floor((offset - 1) / PAGE), before = offset - 1; number >= 0; number--) {
      const found = this.#page(number).lastIndexOf(0x0a, before - number * PAGE);
      if (found >= 0) return number * PAGE + found + 1;
      before = number * PAGE - 1;
    }
    return 0;
  }

  /** Where the next line begins. */
  #lineEnd(offset: number): number {
    for (let number = Math.floor(offset / PAGE), from = offset; from < this.#size; number++) {
      const found = this.#page(number).indexOf(0x0a, from - number * PAGE);
      if (found >= 0) return number * PAGE + found + 1;
      from = (number + 1) * PAGE;
    }
    return this.#size;
  }
}
