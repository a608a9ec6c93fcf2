import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { bytePath, fsPath } from "./nar-writer.ts";
import type { NarReceiver } from "./nar-reader.ts";

export interface UnpackOptions {
  /**
   * "store" gives files the times and modes of a store: one second past 1970; 0444, 0555 for directories and executables.
   * "user" leaves times alone and files writable: 0644, 0755. Default "user".
   */
  readonly metadata?: "store" | "user" | undefined;
}

/**
 * Writes what it is told to disk. Nothing may exist at `path` beforehand. Names come checked (`NarParser`), nothing is
 * followed and nothing overwritten, so an archive cannot reach anything outside.
 */
export class TreeUnpacker implements NarReceiver, Disposable {
  #root: string;
  #store: boolean;
  /** Byte strings. */
  #open: string[] = [];
  #fd: number | undefined;
  #executable = false;

  constructor(path: string | Uint8Array, options: UnpackOptions = {}) {
    this.#root = bytePath(path);
    this.#store = options.metadata === "store";
  }

  directory(name: string): void {
    const path = this.#path(name);
    mkdirSync(fsPath(path), 0o755);
    this.#open.push(path);
  }

  leave(): void {
    const path = this.#open.pop()!;
    if (!this.#store) return;
    const place = fsPath(path);
    chmodSync(place, 0o555);
    utimesSync(place, 1, 1);
  }

  symlink(name: string, target: string): void {
    const place = fsPath(this.#path(name));
    symlinkSync(fsPath(target), place);
    if (this.#store) lutimesSync(place, 1, 1);
  }

  file(name: string, executable: boolean, _size: number): void {
    this.#fd = openSync(
      fsPath(this.#path(name)),
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    this.#executable = executable;
  }

  data(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) done += writeSync(this.#fd!, bytes, done);
  }

  endFile(): void {
    const fd = this.#fd!;
    fchmodSync(fd, this.#store ? (this.#executable ? 0o555 : 0o444) : this.#executable ? 0o755 : 0o644);
    if (this.#store) futimesSync(fd, 1, 1);
    this.#fd = undefined;
    closeSync(fd);
  }

  /** Closes what an error left open; what has been written stays. */
  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #path(name: string): string {
    const parent = this.#open.at(-1);
    return parent === undefined ? this.#root : `${parent}/${name}`;
  }
}
