import { escapeBytes, type SourceLocation } from "../../base/index.ts";
import type { Positions } from "../values/positions.ts";
import type { Position } from "../values/value.ts";

const LF = 10;
const CR = 13;

/**
 * A text in the Nix language: its name and its bytes, one code unit a byte. Places in it are byte offsets; line and column
 * are worked out when somebody asks.
 */
export class Source {
  /** Path of the file, or something in `«…»` for text that has none. */
  readonly name: string;
  readonly text: string;
  /** Whether `name` is a path, so that positions in this source name a file. */
  readonly isFile: boolean;
  #lines: number[] | undefined;

  constructor(name: string, text: string, isFile = true) {
    this.name = name;
    this.text = text;
    this.isFile = isFile;
  }

  position(offset: number): Position {
    const starts = this.#lineStarts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { file: this.name, line: low + 1, column: offset - starts[low]! + 1 };
  }

  /** The place with the text of its line, as messages show it. */
  location(offset: number): SourceLocation {
    const { file, line, column } = this.position(offset);
    const { length } = this.#lineStarts();
    return {
      // Names of what is no file are text.
      file: file.startsWith("«") ? file : shown(file),
      line,
      column,
      text: shown(this.line(line)),
      previous: line > 1 ? shown(this.line(line - 1)) : undefined,
      next: line < length ? shown(this.line(line + 1)) : undefined,
    };
  }

  /** The text of a line, counted from 1, without its end. */
  line(number: number): string {
    const starts = this.#lineStarts();
    const from = starts[number - 1] ?? this.text.length;
    const to = starts[number] ?? this.text.length;
    return this.text.slice(from, to).replace(/\r?\n?$/, "");
  }

  /** A line ends with LF, CR LF or CR, as Nix counts. */
  #lineStarts(): number[] {
    if (this.#lines === undefined) {
      const { text } = this;
      const starts = [0];
      for (let i = 0; i < text.length; i++) {
        const c = text.charCodeAt(i);
        if (c === LF || (c === CR && text.charCodeAt(i + 1) !== LF)) starts.push(i + 1);
      }
      this.#lines = starts;
    }
    return this.#lines;
  }
}

/** A text with a semicolon that nobody wrote at its end: messages do not show it. */
export class CompletedSource extends Source {
  constructor(name: string, text: string) {
    super(name, `${text};`, false);
  }

  override line(number: number): string {
    const line = super.line(number);
    return this.position(this.text.length).line === number ? line.slice(0, -1) : line;
  }
}

/** A place in a source, as a `Position` that is worked out when read. */
export class SourcePosition implements Position {
  readonly source: Source;
  readonly offset: number;

  constructor(source: Source, offset: number) {
    this.source = source;
    this.offset = offset;
  }

  get file(): string {
    return this.source.name;
  }

  get inFile(): boolean {
    return this.source.isFile;
  }

  get line(): number {
    return this.source.position(this.offset).line;
  }

  get column(): number {
    return this.source.position(this.offset).column;
  }

  location(): SourceLocation {
    return this.source.location(this.offset);
  }
}

/** Where the attributes of a set stand in a source. */
export class SourcePositions implements Positions {
  readonly #source: Source;
  readonly #offsets: readonly number[];
  #made: SourcePosition[] | undefined;
  readonly depth = 0;

  constructor(source: Source, offsets: readonly number[]) {
    this.#source = source;
    this.#offsets = offsets;
  }

  at(slot: number): SourcePosition {
    return ((this.#made ??= [])[slot] ??= new SourcePosition(this.#source, this.#offsets[slot]!));
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Bytes as text for people; bytes that are no UTF-8 stay apart from the others. */
function shown(bytes: string): string {
  if (!/[\x80-\xff]/.test(bytes)) return bytes;
  try {
    return decoder.decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0)));
  } catch {
    return escapeBytes(bytes);
  }
}
