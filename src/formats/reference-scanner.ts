/**
 * Finds which store paths a stream of bytes mentions, by the hash parts of their names, as Nix does: a reference counts
 * wherever it stands, in text, binaries, file names, link targets.
 */
import { base32Alphabet } from "./base32.ts";
import { hashPartLength, storePathHashPart } from "./store-path.ts";

const isDigit = new Uint8Array(256);
for (const character of base32Alphabet) isDigit[character.charCodeAt(0)] = 1;

export class ReferenceScanner {
  /** Paths not found yet, by hash part. */
  #wanted = new Map<string, string>();
  #found = new Set<string>();
  /** The last bytes of what came before: a hash may straddle two pieces. */
  #tail: Buffer = Buffer.alloc(0);

  /** `paths` are store paths; those whose hash part turns up are found. */
  constructor(paths: Iterable<string>) {
    for (const path of paths) this.#wanted.set(storePathHashPart(path), path);
  }

  push(bytes: Uint8Array): void {
    if (this.#wanted.size === 0 || bytes.length === 0) return;
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const overlap = hashPartLength - 1;
    if (this.#tail.length > 0) this.#scan(Buffer.concat([this.#tail, chunk.subarray(0, overlap)]));
    this.#scan(chunk);
    this.#tail =
      chunk.length >= overlap
        ? Buffer.from(chunk.subarray(chunk.length - overlap))
        : Buffer.from(Buffer.concat([this.#tail, chunk]).subarray(-overlap));
  }

  /** The paths found so far, sorted. */
  found(): string[] {
    return [...this.#found].sort();
  }

  /** Looks at the last place of a window first: if no digit stands there, the window moves on by all its length. */
  #scan(bytes: Buffer): void {
    const last = bytes.length - hashPartLength;
    for (let start = 0; start <= last;) {
      let at = start + hashPartLength - 1;
      while (at >= start && isDigit[bytes[at]!] === 1) at--;
      if (at >= start) {
        start = at + 1;
        continue;
      }
      const hash = bytes.toString("latin1", start, start + hashPartLength);
      const path = this.#wanted.get(hash);
      if (path !== undefined) {
        this.#found.add(path);
        this.#wanted.delete(hash);
        if (this.#wanted.size === 0) return;
      }
      start++;
    }
  }
}
