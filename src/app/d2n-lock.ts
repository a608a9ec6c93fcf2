/**
 * `d2n.lock`: what d2n pins and no other lock file has a place for. It lies beside `flake.lock`. Packages of the archive have
 * no address in it, so that every mirror will do; build requirements have the one that pip found, as those in a lock file.
 */
import { existsSync, readFileSync } from "node:fs";
import * as v from "valibot";
import { D2nError, writeFileAtomically } from "../base/index.ts";
import { type ArchivePins, emptyPins, parsePins } from "../debian/index.ts";
import { type BuildSystemsLock, buildSystemsSchema } from "../python/index.ts";

const schema = v.looseObject({
  version: v.literal(1),
  /** Debian's packages; checked by the layer that knows them. */
  debian: v.optional(v.unknown()),
  /** Wheels that locking runs and no table of d2n knows, `pip==99.0` to SHA-256. */
  pip: v.optional(v.record(v.string(), v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in base 16")))),
  /** How source distributions are built, by lock file (relative to the folder of this file). */
  python: v.optional(v.record(v.string(), buildSystemsSchema)),
});

/** Objects below this depth stand on one line each: one package, one line. */
const EXPANDED_DEPTH = 5;
const PYTHON_DEPTH = 4;

export class D2nLock {
  readonly file: string;
  #debian: ArchivePins;
  #pip: Record<string, string>;
  #python: Record<string, BuildSystemsLock>;
  #text: string | undefined;

  private constructor(
    file: string,
    text: string | undefined,
    debian: ArchivePins,
    pip: Record<string, string>,
    python: Record<string, BuildSystemsLock>,
  ) {
    this.file = file;
    this.#text = text;
    this.#debian = debian;
    this.#pip = pip;
    this.#python = python;
  }

  /** @throws D2nError `d2n-lock` or `lock-malformed` for a file that is damaged */
  static read(file: string): D2nLock {
    if (!existsSync(file)) return new D2nLock(file, undefined, emptyPins, {}, {});
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
    const { debian, pip, python } = parsed.output;
    return new D2nLock(file, text, debian === undefined ? emptyPins : parsePins(debian, file), pip ?? {}, python ?? {});
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

  /** How source distributions are built, by lock file. */
  get buildSystems(): Readonly<Record<string, BuildSystemsLock>> {
    return this.#python;
  }

  /** @param lockFile relative to the folder of this file; nothing is kept for one without source distributions */
  setBuildSystems(lockFile: string, systems: BuildSystemsLock | undefined): void {
    const others = Object.entries(this.#python).filter(([file]) => file !== lockFile);
    const all =
      systems === undefined || Object.keys(systems.sources).length === 0
        ? others
        : [...others, [lockFile, systems] as const];
    this.#python = Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Drops what belongs to lock files that are gone. */
  keepBuildSystems(wanted: (lockFile: string) => boolean): void {
    this.#python = Object.fromEntries(Object.entries(this.#python).filter(([file]) => wanted(file)));
  }

  /** Sorted names, one package a line, so that merges and reviews are bearable. */
  format(): string {
    const data: Record<string, unknown> = { version: 1 };
    if (this.#debian.indexes.length > 0 || Object.keys(this.#debian.packages).length > 0) data["debian"] = this.#debian;
    if (Object.keys(this.#pip).length > 0) data["pip"] = this.#pip;
    if (Object.keys(this.#python).length > 0) data["python"] = this.#python;
    return `${print(data, 0, EXPANDED_DEPTH)}\n`;
  }

  get changed(): boolean {
    const text = this.format();
    return (
      text !== this.#text && !(this.#text === undefined && text === `${print({ version: 1 }, 0, EXPANDED_DEPTH)}\n`)
    );
  }

  write(): void {
    this.#text = this.format();
    writeFileAtomically(this.file, this.#text);
  }
}

function print(value: unknown, depth: number, expanded: number): string {
  const indent = "  ".repeat(depth + 1);
  const close = "  ".repeat(depth);
  if (Array.isArray(value) && value.length > 0 && typeof value[0] === "object" && depth < expanded)
    return `[\n${value.map((element) => `${indent}${JSON.stringify(element)}`).join(",\n")}\n${close}]`;
  if (typeof value !== "object" || value === null || Array.isArray(value) || depth >= expanded)
    return JSON.stringify(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return "{}";
  const below = (name: string): number => (depth === 0 && name === "python" ? PYTHON_DEPTH : expanded);
  return `{\n${entries.map(([name, inner]) => `${indent}${JSON.stringify(name)}: ${print(inner, depth + 1, below(name))}`).join(",\n")}\n${close}}`;
}
