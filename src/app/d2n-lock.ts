/**
 * `d2n.lock`: what d2n pins and no other lock file has a place for. It lies beside `flake.lock` and holds no address of any
 * host, so that a project is the same everywhere.
 */
import { existsSync, readFileSync } from "node:fs";
import * as v from "valibot";
import { D2nError, writeFileAtomically } from "../base/index.ts";
import { type ArchivePins, emptyPins, parsePins } from "../debian/index.ts";

const schema = v.looseObject({
  version: v.literal(1),
  /** Debian's packages; checked by the layer that knows them. */
  debian: v.optional(v.unknown()),
  /** Wheels that locking runs and no table of d2n knows, `pip==99.0` to SHA-256. */
  pip: v.optional(v.record(v.string(), v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in base 16")))),
});

/** Objects below this depth stand on one line each: one package, one line. */
const EXPANDED_DEPTH = 5;

export class D2nLock {
  readonly file: string;
  #debian: ArchivePins;
  #pip: Record<string, string>;
  #text: string | undefined;

  private constructor(file: string, text: string | undefined, debian: ArchivePins, pip: Record<string, string>) {
    this.file = file;
    this.#text = text;
    this.#debian = debian;
    this.#pip = pip;
  }

  /** @throws D2nError `d2n-lock` or `lock-malformed` for a file that is damaged */
  static read(file: string): D2nLock {
    if (!existsSync(file)) return new D2nLock(file, undefined, emptyPins, {});
    const fail = (why: string): D2nError =>
      new D2nError("d2n-lock", `\`${file}\` cannot be read: ${why}`, {
        location: { file, line: 1 },
        hint: "Restore it from version control, or delete it: it is made again with the newest packages.",
      });
    const text = readFileSync(file, "utf8");
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (error) {
      throw fail((error as Error).message);
    }
    const parsed = v.safeParse(schema, json);
    if (!parsed.success) throw fail(`${v.getDotPath(parsed.issues[0]) ?? "it"}: ${parsed.issues[0].message}`);
    const { debian, pip } = parsed.output;
    return new D2nLock(file, text, debian === undefined ? emptyPins : parsePins(debian, file), pip ?? {});
  }

  get debian(): ArchivePins {
    return this.#debian;
  }

  set debian(pins: ArchivePins) {
    this.#debian = pins;
  }

  /** Wheels that locking runs, `pip==99.0` to SHA-256. */
  recordedHashes(): ReadonlyMap<string, string> {
    return new Map(Object.entries(this.#pip));
  }

  recordHash(wheel: string, sha256: string): void {
    this.#pip[wheel] = sha256;
  }

  /** Sorted names, one package a line, so that merges and reviews are bearable. */
  format(): string {
    const data: Record<string, unknown> = { version: 1 };
    if (this.#debian.indexes.length > 0 || Object.keys(this.#debian.packages).length > 0) data["debian"] = this.#debian;
    if (Object.keys(this.#pip).length > 0) data["pip"] = this.#pip;
    return `${print(data, 0)}\n`;
  }

  get changed(): boolean {
    const text = this.format();
    return text !== this.#text && !(this.#text === undefined && text === `${print({ version: 1 }, 0)}\n`);
  }

  write(): void {
    this.#text = this.format();
    writeFileAtomically(this.file, this.#text);
  }
}

function print(value: unknown, depth: number): string {
  const indent = "  ".repeat(depth + 1);
  const close = "  ".repeat(depth);
  if (Array.isArray(value) && value.length > 0 && typeof value[0] === "object" && depth < EXPANDED_DEPTH)
    return `[\n${value.map((element) => `${indent}${JSON.stringify(element)}`).join(",\n")}\n${close}]`;
  if (typeof value !== "object" || value === null || Array.isArray(value) || depth >= EXPANDED_DEPTH) return JSON.stringify(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return "{}";
  return `{\n${entries.map(([name, inner]) => `${indent}${JSON.stringify(name)}: ${print(inner, depth + 1)}`).join(",\n")}\n${close}}`;
}
