/** A long text made of many small pieces. */
import { reserveBytes } from "../memory.ts";

/** So many pieces are put together at a time: a list of all of them would take many times the memory of the text. */
const PIECES = 2 ** 14;

export class TextBuilder {
  /** The first `count` are waiting; what lies behind them is in a chunk already. */
  readonly #pieces: string[] = [];
  #count = 0;
  readonly #chunks: string[] = [];
  #length = 0;

  push(...pieces: readonly string[]): void {
    for (let i = 0; i < pieces.length; i++) this.#pieces[this.#count++] = pieces[i]!;
    if (this.#count >= PIECES) this.#join();
  }

  /** All that was pushed. @throws OutOfMemoryError; RangeError where strings end */
  text(): string {
    if (this.#chunks.length === 0) return this.#waiting();
    this.#join();
    reserveBytes(this.#length);
    return this.#chunks.join("");
  }

  #join(): void {
    const chunk = this.#waiting();
    reserveBytes(chunk.length);
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    this.#count = 0;
  }

  #waiting(): string {
    const all = this.#count === this.#pieces.length;
    return (all ? this.#pieces : this.#pieces.slice(0, this.#count)).join("");
  }
}
