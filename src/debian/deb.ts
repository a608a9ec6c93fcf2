/**
 * Unpacking .debs without dpkg: for the few programs that must run before the first build can.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { D2nError, isSystemError, makeFolders } from "../base/index.ts";
import { readAr, unpackTar } from "../formats/index.ts";
import type { DebPin } from "./types.ts";

/** Which files of a package to unpack, by path relative to the root (`usr/bin/busybox`), and under which name; undefined: not. */
export type FileChoice = (path: string) => string | undefined;

/** The bytes of a package's file, wherever they come from. */
export type OpenDeb = (pin: DebPin) => Promise<AsyncIterable<Uint8Array>>;

/** More than any package that is unpacked this way has. */
const MAX_SIZE = 256 << 20;

/**
 * Unpacks the data of a .deb into a folder that is empty or not there yet. Nothing leaves the folder, whatever the archive says.
 * @throws FormatError `archive-malformed` or `archive-unsafe`
 */
export async function unpackDeb(source: AsyncIterable<Uint8Array>, folder: string, choose: FileChoice): Promise<void> {
  let found = false;
  for await (const member of readAr(source)) {
    if (!/^data\.tar(\.(gz|xz|zst|bz2))?$/.test(member.name)) continue;
    found = true;
    await unpackTar(member.data, folder, {
      maxSize: MAX_SIZE,
      map: (entry) => {
        const path = choose(entry.path.replace(/^\.\//, ""));
        return path === undefined || entry.type === "directory" ? undefined : { ...entry, path };
      },
    });
  }
  if (!found) throw new D2nError("archive-malformed", "the file is no Debian package: it has no data");
}

/** Passes bytes on and throws at the end unless they are those of the pin. */
async function* verified(source: AsyncIterable<Uint8Array>, pin: DebPin): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of source) {
    hash.update(chunk);
    size += chunk.length;
    if (size > pin.size) break;
    yield chunk;
  }
  const actual = hash.digest("hex");
  if (size !== pin.size || actual !== pin.sha256)
    throw new D2nError("hash-mismatch", `the file of Debian's package '${pin.package}' is not the one that is pinned`, {
      details: `expected ${pin.sha256} (${pin.size} bytes)\n     got ${actual} (${size} bytes)`,
      hint: "The mirror is broken, or something on the way changes files: try another one (`d2n config debian-mirror URL`).",
    });
}

/**
 * Makes a folder that holds chosen files of some packages, unless it is there: all of it or nothing, also when two processes
 * make it at once.
 * @param install - moves what was unpacked of each package, one folder each, into the folder that will stay
 */
export async function unpackTogether(
  folder: string,
  pins: readonly DebPin[],
  open: OpenDeb,
  choose: FileChoice,
  install: (unpacked: string, into: string) => void,
): Promise<void> {
  makeFolders(dirname(folder));
  const work = mkdtempSync(`${folder}.`);
  try {
    const target = `${work}/all`;
    mkdirSync(target);
    for (const pin of pins) {
      const unpacked = `${work}/${pin.package}`;
      const source = verified(await open(pin), pin);
      await unpackDeb(source, unpacked, choose);
      // To the end of the file, so that its hash is known before anything of it counts.
      for await (const _ of source);
      install(unpacked, target);
    }
    try {
      renameSync(target, folder);
    } catch (error) {
      // Another process was faster.
      if (!isSystemError(error, "ENOTEMPTY") && !isSystemError(error, "EEXIST")) throw error;
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
