/**
 * A parsed `Packages` index on disk: one line a package, sorted by name, so that a look-up is a binary search in the bytes of
 * the file and starting up costs no parsing.
 *
 * Lines: `name TAB v TAB version TAB source TAB filename TAB size TAB sha256 TAB dependencies TAB description`,
 * and for each name that a package provides `name TAB p TAB provider TAB version`.
 */
import { readFileSync } from "node:fs";
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

/** An index in memory, as bytes. */
export class PackageIndex {
  readonly #bytes: Buffer;

  /** @throws Error if the bytes are not an index. */
  constructor(bytes: Buffer) {
    if (bytes.toString("latin1", 0, HEADER.length) !== HEADER || bytes.at(-1) !== 0x0a)
      throw new Error("not a package index");
    this.#bytes = bytes;
  }

  /** Undefined if there is no usable file of that name. */
  static open(path: string): PackageIndex | undefined {
    try {
      return new PackageIndex(readFileSync(path));
    } catch {
      return undefined;
    }
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
    const bytes = this.#bytes;
    const key = Buffer.from(`${name}\t${kind}\t`, "latin1");
    let low = HEADER.length;
    let high = bytes.length;
    // Invariant: low and high are beginnings of lines; the first line that is not below the key lies in [low, high].
    while (low < high) {
      const middle = (low + high) >> 1;
      let start = bytes.lastIndexOf(0x0a, middle - 1) + 1;
      if (start < low) start = low;
      const end = bytes.indexOf(0x0a, start) + 1;
      const compared = bytes.compare(key, 0, key.length, start, Math.min(start + key.length, end - 1));
      if (compared < 0) low = end;
      else high = start;
    }
    const found: string[][] = [];
    while (low < bytes.length && bytes.compare(key, 0, key.length, low, low + key.length) === 0) {
      const end = bytes.indexOf(0x0a, low);
      found.push(bytes.toString("latin1", low, end).split("\t"));
      low = end + 1;
    }
    return found;
  }
}
