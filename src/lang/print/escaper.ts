/** Escaping in byte strings of any length. */
import { stringTooLong } from "../errors.ts";

/** Bytes that are looked through at a time. */
const SLICE = 2 ** 20;
const BRACE = 0x7b;
/** Where the engine's strings end. */
const LONGEST = 2 ** 29 - 24;

/**
 * Replaces certain bytes, perhaps only before a `{`. The engine's own `replace` collects all that it finds before it replaces any
 * of it, in a list which ends the process when it is full, and takes long; so it is for short texts.
 */
export class Escaper {
  readonly #pattern: RegExp;
  readonly #replacement: (found: string) => string;
  /** By byte. */
  #replaced: readonly (Uint8Array | undefined)[] | undefined;

  /** @param pattern global; finds single bytes */
  constructor(pattern: RegExp, replacement: (found: string) => string) {
    this.#pattern = pattern;
    this.#replacement = replacement;
  }

  /** @throws EvalError if the result would be too long */
  escape(text: string): string {
    if (text.length <= SLICE) return text.replace(this.#pattern, this.#replacement);
    const slices: string[] = [];
    let length = 0;
    for (let from = 0; from < text.length; from += SLICE) {
      const slice = this.#slice(text.slice(from, from + SLICE + 1));
      length += slice.length;
      // Before far more is made than can be put together.
      if (length > LONGEST) throw stringTooLong();
      slices.push(slice);
    }
    return slices.join("");
  }

  /** A slice, followed by the byte after it, if there is one. */
  #slice(text: string): string {
    const bytes = Buffer.from(text, "latin1");
    const replaced = (this.#replaced ??= this.#table());
    const length = Math.min(bytes.length, SLICE);
    const longest = replaced.reduce((most, now) => Math.max(most, now?.length ?? 0), 1);
    const result = Buffer.allocUnsafe(length * longest);
    let end = 0;
    for (let i = 0; i < length; i++) {
      const byte = bytes[i]!;
      const found = replaced[byte];
      if (found === undefined || (byte === 0x24 && bytes[i + 1] !== BRACE)) result[end++] = byte;
      else for (let j = 0; j < found.length; j++) result[end++] = found[j]!;
    }
    return result.subarray(0, end).toString("latin1");
  }

  #table(): (Uint8Array | undefined)[] {
    return Array.from({ length: 256 }, (_, byte) => {
      const found = String.fromCharCode(byte);
      return `${found}{`.search(this.#pattern) === 0 ? Buffer.from(this.#replacement(found), "latin1") : undefined;
    });
  }
}
