/** A builder's output: written to the log as it is, told line by line. */
import { closeSync, mkdirSync, openSync, readSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Activity } from "../base/index.ts";

/** Longer lines are cut in pieces: a builder must not fill the memory. */
const longestLine = 1 << 16;

export class BuildLog implements Disposable {
  readonly path: string;
  /** The phase that the builder announced last. */
  phase: string | undefined;
  readonly #activity: Activity;
  readonly #keep: number;
  readonly #tail: string[] = [];
  #fd: number | undefined;
  #rest = Buffer.alloc(0);

  /** Replaces the log at `path`. `keep`: how many of the last lines to remember. @throws system errors */
  constructor(path: string, activity: Activity, keep: number) {
    this.path = path;
    this.#activity = activity;
    this.#keep = keep;
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    this.#fd = openSync(path, "w", 0o644);
  }

  /** The last lines so far. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  /** More of the last lines, out of the file. */
  recent(): readonly string[] {
    try {
      const { size } = statSync(this.path);
      const bytes = Buffer.alloc(Math.min(size, 1 << 20));
      const fd = openSync(this.path, "r");
      try {
        readSync(fd, bytes, 0, bytes.length, size - bytes.length);
      } finally {
        closeSync(fd);
      }
      return bytes.toString("utf8").split("\n");
    } catch {
      return this.#tail;
    }
  }

  write(bytes: Buffer): void {
    if (this.#fd !== undefined) for (let done = 0; done < bytes.length;) done += writeSync(this.#fd, bytes, done);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(0x0a, start);
      if (end < 0) break;
      this.#line(
        this.#rest.length === 0 ? bytes.subarray(start, end) : Buffer.concat([this.#rest, bytes.subarray(start, end)]),
      );
      this.#rest = Buffer.alloc(0);
      start = end + 1;
    }
    this.#rest = Buffer.concat([this.#rest, bytes.subarray(start)]);
    while (this.#rest.length > longestLine) {
      this.#line(this.#rest.subarray(0, longestLine));
      this.#rest = this.#rest.subarray(longestLine);
    }
  }

  #line(bytes: Uint8Array): void {
    let line = Buffer.from(bytes).toString("utf8");
    if (line.startsWith("@nix ")) {
      if (this.#command(line.slice(5))) return;
    }
    // A progress bar draws over itself; what counts is what it would show in the end.
    line = line.replace(/\r+$/, "");
    const carriageReturn = line.lastIndexOf("\r");
    if (carriageReturn >= 0) line = line.slice(carriageReturn + 1);
    this.#tail.push(line);
    if (this.#tail.length > this.#keep) this.#tail.shift();
    this.#activity.log(line);
  }

  /** Structured messages of builders, such as stdenv's phases. False if it is none. */
  #command(json: string): boolean {
    try {
      const message = JSON.parse(json) as { action?: unknown; phase?: unknown };
      if (message.action === "setPhase" && typeof message.phase === "string") {
        this.phase = message.phase;
        this.#activity.phase(message.phase);
      }
      return typeof message.action === "string";
    } catch {
      return false;
    }
  }

  /** Writes out what has no line end, and closes the file. */
  [Symbol.dispose](): void {
    if (this.#rest.length > 0) this.#line(this.#rest);
    this.#rest = Buffer.alloc(0);
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
