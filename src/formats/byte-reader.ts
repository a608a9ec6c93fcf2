import { FormatError } from "./errors.ts";
import type { ByteSource } from "./nar-reader.ts";

/** Reads a stream in the amounts that a format wants. */
export class ByteReader {
  #next: () => Promise<IteratorResult<Uint8Array, unknown>> | IteratorResult<Uint8Array, unknown>;
  #stop: () => Promise<void>;
  #chunk: Buffer = Buffer.alloc(0);
  #ended = false;
  /** Bytes taken so far. */
  offset = 0;
  readonly #what: string;

  /** `what` names the thing in messages. */
  constructor(source: ByteSource, what: string) {
    this.#what = what;
    if (Symbol.asyncIterator in source) {
      const iterator = source[Symbol.asyncIterator]();
      this.#next = () => iterator.next();
      this.#stop = async () => void (await iterator.return?.());
    } else {
      const iterator = source[Symbol.iterator]();
      this.#next = () => iterator.next();
      this.#stop = async () => void iterator.return?.();
    }
  }

  /** Fetches more; false at the end. */
  async #more(): Promise<boolean> {
    while (!this.#ended) {
      const step: IteratorResult<Uint8Array, unknown> = await this.#next();
      if (step.done === true) {
        this.#ended = true;
        break;
      }
      const { value } = step;
      if (value.length > 0) {
        const fresh = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
        this.#chunk = this.#chunk.length === 0 ? fresh : Buffer.concat([this.#chunk, fresh]);
        return true;
      }
    }
    return false;
  }

  /** Whether nothing follows. */
  async atEnd(): Promise<boolean> {
    return this.#chunk.length === 0 && !(await this.#more());
  }

  /** Exactly so many bytes. @throws FormatError if the stream ends before. */
  async read(count: number): Promise<Buffer> {
    while (this.#chunk.length < count) if (!(await this.#more())) throw this.#truncated();
    return this.#take(count);
  }

  /** At least one byte and at most so many, without copying. @throws FormatError at the end. */
  async readSome(most: number): Promise<Buffer> {
    if (this.#chunk.length === 0 && !(await this.#more())) throw this.#truncated();
    return this.#take(Math.min(most, this.#chunk.length));
  }

  /** Looks at the next bytes without taking them; fewer at the end. */
  async peek(count: number): Promise<Buffer> {
    while (this.#chunk.length < count && (await this.#more()));
    return this.#chunk.subarray(0, count);
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0;) left -= (await this.readSome(left)).length;
  }

  /** What is left, piece by piece. */
  async *rest(): AsyncGenerator<Uint8Array, void, void> {
    while (!(await this.atEnd())) yield await this.readSome(Number.MAX_SAFE_INTEGER);
  }

  /** Reads to the end for its effect: checks of the stream below run. */
  async drain(): Promise<void> {
    for await (const _ of this.rest());
  }

  /** Tells the source that no more is wanted. */
  async stop(): Promise<void> {
    this.#ended = true;
    this.#chunk = Buffer.alloc(0);
    await this.#stop();
  }

  #take(count: number): Buffer {
    const taken = this.#chunk.subarray(0, count);
    this.#chunk = this.#chunk.subarray(count);
    this.offset += count;
    return taken;
  }

  #truncated(): FormatError {
    return new FormatError("archive-malformed", `${this.#what} ends in the middle, at byte ${this.offset}`, {
      hint: "It was not downloaded or copied completely; fetch it again.",
    });
  }
}
