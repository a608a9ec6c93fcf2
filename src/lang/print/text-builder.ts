/** A long text made of many small pieces. */
import { reserveBytes } from "../memory.ts";

/** So many pieces are put together at a time: a list of all of them would take many times the memory of the text. */
const PIECES = 2 ** 14;

export class TextBuilder {
  #pieces: string[] = [];
  readonly #chunks: string[] = [];
  #length = 0;

  push(...pieces: readonly string[]): void {
    for (let i = 0; i < pieces.length; i++) this.#pieces.push(pieces[i]!);
    if (this.#pieces.length >= PIECES) this.#join();
  }

  /** All that was pushed. @throws OutOfMemoryError; RangeError where strings end */
  text(): string {
    if (this.#chunks.length === 0) return this.#pieces.join("");
    this.#join();
    reserveBytes(this.#length);
    return this.#chunks.join("");
  }

  #join(): void {
    const chunk = this.#pieces.join("");
    reserveBytes(chunk.length);
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    this.#pieces = [];
  }
}
