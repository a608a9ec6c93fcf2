/** `nix-store --export`, `--import`, `--restore`, `--dump-db`, `--load-db`: store paths on their way from one store to another. */
import { statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { D2nError, isSystemError } from "../../base/index.ts";
import {
  equalHashes,
  exportMark,
  exportTrailer,
  formatHash,
  generateSecretKey,
  type Hash,
  Hasher,
  hashNarSync,
  NarParser,
  parseHash,
  printPublicKey,
  printSecretKey,
  readExport,
  TreeUnpacker,
} from "../../formats/index.ts";
import type { NewPathInfo } from "../../store/index.ts";
import type { Context } from "../context.ts";
import { referencesFirst } from "./store-arguments.ts";

/** Paths as a stream, what they refer to first. @throws D2nError `store-corrupt` for one that is not what it was */
export async function* exportPaths(context: Context, paths: readonly string[]): AsyncGenerator<Uint8Array, void, void> {
  const store = await context.store();
  for (const path of await referencesFirst(context, paths)) {
    const info = await store.queryPathInfo(path);
    yield exportMark(true);
    const hasher = new Hasher("sha256");
    for await (const bytes of store.narFromPath(path)) {
      hasher.update(bytes);
      yield bytes;
    }
    const hash = hasher.finish();
    if (!equalHashes(hash, info.narHash))
      throw new D2nError(
        "store-corrupt",
        `hash of path '${path}' has changed from '${formatHash(info.narHash, "nix32", true)}' to '${formatHash(hash, "nix32", true)}'!`,
      );
    yield exportTrailer({ path, references: [...info.references].sort(), deriver: info.deriver });
  }
  yield exportMark(false);
}

/** Adds the paths of such a stream, one after the other. */
export async function* importPaths(
  context: Context,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<string, void, void> {
  const store = await context.store();
  for await (const { path, references, deriver, nar } of readExport(source)) {
    const hasher = new Hasher("sha256");
    for (const bytes of nar) hasher.update(bytes);
    const { size } = hasher;
    await store.addNar({ path, references, deriver, narHash: hasher.finish(), narSize: size }, nar);
    yield path;
  }
}

/** Writes what a NAR holds to a place where nothing is. @throws FormatError `nar-malformed`; system errors */
export async function restoreNar(context: Context, source: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  const place = resolve(context.cwd, path);
  using unpacker = new TreeUnpacker(place, { metadata: "user" });
  const parser = new NarParser(unpacker);
  try {
    for await (const bytes of source) parser.push(bytes);
    parser.finish();
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw error;
    const folders = error.syscall === "mkdir" && statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
    throw new D2nError(
      "file-access",
      folders ? `path '${place}' already exists` : `creating file '${place}': File exists`,
    );
  }
}

/** What the database says of a path, as `--load-db` reads it. */
export async function registrationOf(context: Context, path: string): Promise<string> {
  const { narHash, narSize, deriver, references } = await (await context.store()).queryPathInfo(path);
  return [
    path,
    formatHash(narHash, "base16"),
    narSize,
    deriver ?? "",
    references.length,
    ...[...references].sort(),
    "",
  ].join("\n");
}

export interface RegistrationOptions {
  /** Hash and size stand in the text; else they are worked out. */
  readonly hashGiven: boolean;
  /** What is valid already is registered again. */
  readonly reregister: boolean;
  readonly canonicalise: boolean;
}

/** Registers paths that lie in the store already. @throws D2nError `store-database` if the text is not of that form */
export async function registerPaths(context: Context, text: string, options: RegistrationOptions): Promise<void> {
  const store = await context.store();
  const lines = text.split("\n");
  let at = 0;
  const next = (): string => {
    const line = lines[at++];
    if (line === undefined)
      throw new D2nError("store-database", "missing input: the registration of a path is not complete");
    return line;
  };
  const infos: NewPathInfo[] = [];
  while (at < lines.length && lines[at] !== "") {
    const path = next();
    let known: { readonly narHash: Hash; readonly narSize: number } | undefined;
    if (options.hashGiven) {
      const narHash = parseHash(next(), "sha256");
      known = { narHash, narSize: count(next(), "size") };
    }
    const deriver = next();
    const references = Array.from({ length: count(next(), "number of references") }, next);
    if ((await store.isValidPath(path)) && !options.reregister) continue;
    if (options.canonicalise) store.canonicalise(store.toPhysical(path));
    if (known === undefined) {
      const { hash, size } = hashNarSync(store.toPhysical(path));
      known = { narHash: hash, narSize: size };
    }
    infos.push({ path, ...known, references, deriver: deriver === "" ? undefined : deriver });
  }
  await store.registerValidPaths(infos);
}

function count(text: string, what: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new D2nError("store-database", `'${text}' is not the ${what} of a path`);
}

/** Writes a key to sign with and the key to check with. */
export function writeKeyPair(
  context: Context,
  { name, secretFile, publicFile }: { readonly name: string; readonly secretFile: string; readonly publicFile: string },
): void {
  const secret = generateSecretKey(name);
  writeFileSync(resolve(context.cwd, publicFile), printPublicKey(secret.publicKey));
  writeFileSync(resolve(context.cwd, secretFile), printSecretKey(secret), { mode: 0o600 });
}

/** Shares equal files among all valid paths. */
export async function optimise(
  context: Context,
): Promise<{ readonly filesLinked: number; readonly bytesFreed: number }> {
  const { optimiseStore } = await import("../../store/index.ts");
  const store = await context.store();
  const places: string[] = [];
  for (const path of [...(await store.queryAllValidPaths())].sort()) {
    // From now on no collector takes it.
    await store.addTempRoot(path);
    if (await store.isValidPath(path)) places.push(store.toPhysical(path));
  }
  return optimiseStore(store.physicalStoreDir, places);
}
