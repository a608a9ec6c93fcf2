/**
 * Running a bundle: one file of JavaScript that `scripts/bundle.mjs` made of many modules, with the engine's code cache.
 *
 * To compile d2n takes as long as many an evaluation. V8 can keep what it has compiled; Node has a door to that only for
 * scripts, not for modules (`module.enableCompileCache` came with Node 22), so bundles are scripts. What was compiled is kept
 * in d2n's cache folder. It is only a cache: whatever is wrong with it, the bundle is compiled as if there were none.
 *
 * Loaded before everything else, so it imports nothing of d2n.
 */
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { crc32 } from "node:zlib";
import { onKeepCompiledCode } from "./compiled-code.ts";

export interface Bundle {
  /**
   * The file: ASCII only, a function body in CommonJS's manner, with `importModule(name)` for packages that are loaded late. It
   * requires Node's own modules, and native addons, which no bundle can hold.
   */
  readonly file: URL;
  /** Changes whenever the content does; a part of a file name. */
  readonly id: string;
  /** Says where caches lie. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly importModule: (name: string) => Promise<unknown>;
}

const MAGIC = 0x64_32_6e_01;
/** Magic, checksum, length of the code; milliseconds of CPU that the run behind it took. */
const HEADER = 16;

/** Other versions of a bundle's code that stay. */
const OTHERS = 3;

/** Milliseconds. After a run that took much longer than the one behind the cache, more has been compiled; up to this. */
const LONG = 5_000;

/** Folder for compiled code by the usual variables of the environment. */
export function codeCacheFolder(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const { XDG_CACHE_HOME: cache, HOME: home } = environment;
  if (cache?.startsWith("/")) return join(cache, "d2n/code");
  return home?.startsWith("/") ? join(home, ".cache/d2n/code") : undefined;
}

/** Runs a bundle and returns its exports. */
export function loadBundle({ file, id, environment, importModule }: Bundle): Record<string, unknown> {
  const path = fileURLToPath(file);
  const folder = codeCacheFolder(environment);
  const place = folder === undefined ? undefined : join(folder, cacheName(path, id, environment["NODE_OPTIONS"]));
  const kept = place === undefined ? undefined : readCode(place);
  const source = readFileSync(path, "latin1");
  const parameters = "exports, require, module, __filename, __dirname, importModule";
  const script = new Script(`(function (${parameters}) {${source}\n})`, { filename: path, cachedData: kept?.code });
  if (place !== undefined) {
    const known = kept === undefined || script.cachedDataRejected === true ? 0 : kept.milliseconds;
    onKeepCompiledCode(() => {
      const taken = cpuMilliseconds();
      if (known === 0 || (taken > 2 * known && known < LONG)) writeCode(place, script.createCachedData(), taken);
    });
  }
  const module = { exports: {} };
  const run = script.runInThisContext() as (...parts: unknown[]) => void;
  const require = (name: string): unknown => process.getBuiltinModule(name) ?? createRequire(path)(name);
  run(module.exports, require, module, path, dirname(path), importModule);
  return module.exports;
}

function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return Math.round((user + system) / 1000);
}

/** V8 would refuse code of another version or other flags; with names of their own, such do not drive each other out. */
function cacheName(file: string, id: string, options = ""): string {
  const engine = [process.version, process.arch, ...process.execArgv, options].join(" ");
  return `${basename(dirname(file))}-${basename(file, ".cjs")}-${id}-${crc32(engine).toString(16)}`;
}

/** Code that the same user has kept, whole. What others may write could be anything, and it would be run. */
function readCode(place: string): { readonly code: Buffer; readonly milliseconds: number } | undefined {
  let fd: number;
  try {
    fd = openSync(place, "r");
  } catch {
    return undefined;
  }
  try {
    const { size, uid, mode } = fstatSync(fd);
    if (size <= HEADER || uid !== process.geteuid?.() || (mode & 0o022) !== 0) return undefined;
    const content = Buffer.allocUnsafeSlow(size);
    if (readSync(fd, content, 0, size, 0) !== size || content.readUInt32LE(0) !== MAGIC) return undefined;
    const code = content.subarray(HEADER);
    if (content.readUInt32LE(8) !== code.length || content.readUInt32LE(4) !== crc32(code)) return undefined;
    return { code, milliseconds: Math.max(1, content.readUInt32LE(12)) };
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

function writeCode(place: string, code: Buffer, milliseconds: number): void {
  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(crc32(code), 4);
  header.writeUInt32LE(code.length, 8);
  header.writeUInt32LE(milliseconds, 12);
  const temporary = `${place}.${process.pid}-${process.hrtime.bigint()}.tmp`;
  try {
    makeFolder(dirname(place));
    writeFileSync(temporary, Buffer.concat([header, code]), { flag: "wx", mode: 0o644 });
    renameSync(temporary, place);
    removeOthers(place);
  } catch {
    try {
      unlinkSync(temporary);
    } catch {
      // It was never there, or somebody else removes it.
    }
  }
}

/** As `makeFolders` does, which lives among modules that would have to be loaded for it. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    mkdirSync(path);
  }
}

/** Code of versions that nobody runs any more. */
function removeOthers(place: string): void {
  const folder = dirname(place);
  const start = `${basename(place).split("-").slice(0, -2).join("-")}-`;
  const others = readdirSync(folder)
    .filter((name) => name.startsWith(start) && name !== basename(place))
    .map((name) => ({ path: join(folder, name), time: statSync(join(folder, name)).mtimeMs }))
    .sort((a, b) => b.time - a.time);
  for (const { path } of others.slice(OTHERS)) unlinkSync(path);
}
