/** Descriptions of store paths in binary caches: `<hash part>.narinfo` (Nix manual, "HTTP Binary Cache Store"). */
import { parseContentAddress } from "./content-address.ts";
import { FormatError } from "./errors.ts";
import { formatHash, type Hash, parseHash } from "./hash.ts";
import { parseStorePath, parseStorePathBase, storePathBase } from "./store-path.ts";

export interface NarInfo {
  readonly path: string;
  /** Where the archive lies, relative to the cache. */
  readonly url: string;
  /** `xz`, `zstd`, `bzip2`, `gzip`, `none`, … */
  readonly compression: string;
  /** Of the compressed file, if known. */
  readonly fileHash?: Hash | undefined;
  readonly fileSize?: number | undefined;
  readonly narHash: Hash;
  readonly narSize: number;
  /** Whole store paths, sorted. */
  readonly references: readonly string[];
  readonly deriver?: string | undefined;
  readonly signatures: readonly string[];
  readonly ca?: string | undefined;
}

/** The text as Nix writes it. */
export function printNarInfo(info: NarInfo): string {
  let text = `StorePath: ${info.path}\nURL: ${info.url}\nCompression: ${info.compression}\n`;
  if (info.fileHash !== undefined) text += `FileHash: ${formatHash(info.fileHash, "nix32", true)}\n`;
  if (info.fileSize !== undefined) text += `FileSize: ${info.fileSize}\n`;
  text += `NarHash: ${formatHash(info.narHash, "nix32", true)}\nNarSize: ${info.narSize}\n`;
  text += `References: ${[...info.references].sort().map(storePathBase).join(" ")}\n`;
  if (info.deriver !== undefined) text += `Deriver: ${storePathBase(info.deriver)}\n`;
  for (const signature of info.signatures) text += `Sig: ${signature}\n`;
  if (info.ca !== undefined) text += `CA: ${info.ca}\n`;
  return text;
}

/**
 * Reads one; `storeDir` is the store's directory, which the path must lie in. Unknown fields are ignored, as Nix does.
 * @throws FormatError `narinfo-malformed`
 */
export function parseNarInfo(storeDir: string, text: string): NarInfo {
  const fields = new Map<string, string>();
  const signatures: string[] = [];
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const colon = line.indexOf(": ");
    // A field without a value may have lost its blank.
    const key = colon >= 0 ? line.slice(0, colon) : line.endsWith(":") ? line.slice(0, -1) : undefined;
    if (key === undefined || key === "") throw malformed(`the line '${line.slice(0, 100)}' is no field`);
    const value = colon >= 0 ? line.slice(colon + 2).replace(/\r$/, "") : "";
    if (key === "Sig") signatures.push(value);
    else if (fields.has(key)) throw malformed(`the field '${key}' occurs twice`);
    else fields.set(key, value);
  }
  const need = (key: string): string => {
    const value = fields.get(key);
    if (value === undefined || value === "") throw malformed(`it lacks the field '${key}'`);
    return value;
  };
  const size = (key: string): number => {
    const value = need(key);
    if (!/^[0-9]{1,15}$/.test(value)) throw malformed(`the field '${key}' is no size: '${value}'`);
    return Number(value);
  };
  try {
    const path = need("StorePath");
    parseStorePath(storeDir, path);
    const base = (name: string): string => {
      parseStorePathBase(name);
      return `${storeDir}/${name}`;
    };
    const narHash = parseHash(need("NarHash"));
    if (narHash.algorithm !== "sha256") throw malformed("its NarHash is no SHA-256");
    const narSize = size("NarSize");
    if (narSize === 0) throw malformed("its NarSize is 0");
    const url = need("URL");
    const deriver = fields.get("Deriver") ?? "";
    const ca = fields.get("CA") ?? "";
    if (ca !== "") parseContentAddress(ca);
    const references = (fields.get("References") ?? "").split(" ").filter((name) => name !== "");
    return {
      path,
      url,
      compression: fields.get("Compression") || "bzip2",
      fileHash: fields.has("FileHash") ? parseHash(need("FileHash")) : undefined,
      fileSize: fields.has("FileSize") ? size("FileSize") : undefined,
      narHash,
      narSize,
      references: references.map(base).sort(),
      deriver: deriver === "" || deriver === "unknown-deriver" ? undefined : base(deriver),
      signatures,
      ca: ca === "" ? undefined : ca,
    };
  } catch (error) {
    if (error instanceof FormatError && error.code !== "narinfo-malformed") throw malformed(error.message);
    throw error;
  }
}

function malformed(message: string): FormatError {
  return new FormatError("narinfo-malformed", `bad .narinfo file: ${message}`, {
    hint: "The binary cache is damaged or something else answers at its address.",
  });
}
