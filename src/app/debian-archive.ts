/** The Debian archive for this machine: which mirror, reached how, cached where. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { writeFileAtomically } from "../base/index.ts";
import {
  type AptSourceFile,
  type Archive,
  debUrl,
  type DebPin,
  discoverMirrors,
  type IndexPin,
  type MirrorFetch,
  mirrorCandidates,
  type Mirrors,
  openArchive,
  type Suite,
} from "../debian/index.ts";
import { downloadFile, FetchError } from "../fetchers/index.ts";
import { parseHash } from "../formats/index.ts";
import type { Context } from "./context.ts";
import { cachedFile } from "./content-cache.ts";
import { makeScratchFolder } from "./scratch.ts";

/** The release whose packages d2n uses unless a package needs another. */
export const DEFAULT_SUITE: Suite = "trixie";

/** How long a mirror that was found is taken for granted, in milliseconds. */
const MIRROR_LIFETIME = 7 * 24 * 3600 * 1000;

const mirrorsSchema = v.object({ main: v.string(), security: v.optional(v.string()) });

/** @throws D2nError `debian-mirror` that says how to name one */
export async function openDebianArchive(context: Context, pinned: readonly IndexPin[] = []): Promise<Archive> {
  return openArchive({
    pinned,
    mirrors: await findMirrors(context),
    fetch: mirrorFetch(context),
    cacheDir: join(context.directories.cache, "debian"),
    now: new Date(),
    sink: context.sink,
  });
}

/** Reads files of a mirror by way of a temporary file, so that a broken connection is resumed before anybody sees a byte. */
export function mirrorFetch(context: Context): MirrorFetch {
  return async (url) => {
    const scratch = makeScratchFolder(context, "mirror");
    try {
      const destination = join(scratch, "file");
      const { environment, sink, signal } = context;
      await downloadFile({ urls: [url], destination, environment, sink, signal, offline: context.options.offline });
      return removedAfterwards(destination, scratch);
    } catch (error) {
      rmSync(scratch, { recursive: true, force: true });
      if (error instanceof FetchError && (error.status === 404 || error.status === 410)) return undefined;
      throw error;
    }
  };
}

async function* removedAfterwards(file: string, folder: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file) as AsyncIterable<Uint8Array>;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The mirrors to use: found once, then remembered for a week or until the settings change. */
export async function findMirrors(context: Context): Promise<Mirrors> {
  const { environment, configuration } = context;
  const candidates = mirrorCandidates(
    {
      main: environment["D2N_DEBIAN_MIRROR"] || configuration["debian-mirror"],
      security: environment["D2N_DEBIAN_SECURITY_MIRROR"] || configuration["debian-security-mirror"],
    },
    aptSources("/etc/apt"),
  );
  const key = createHash("sha256")
    .update(JSON.stringify([DEFAULT_SUITE, candidates]))
    .digest("hex")
    .slice(0, 16);
  const file = join(context.directories.cache, "debian", `mirrors-${key}.json`);
  if (existsSync(file) && Date.now() - statSync(file).mtimeMs < MIRROR_LIFETIME) {
    const known = v.safeParse(mirrorsSchema, tryJson(readFileSync(file, "utf8")));
    if (known.success) return { main: known.output.main, security: known.output.security };
  }
  if (context.options.offline && candidates.main[0] !== undefined)
    return { main: candidates.main[0], security: candidates.security[0] };
  const mirrors = await discoverMirrors({
    candidates,
    suite: DEFAULT_SUITE,
    fetch: mirrorFetch(context),
    now: new Date(),
    sink: context.sink,
  });
  writeFileAtomically(file, JSON.stringify(mirrors));
  return mirrors;
}

function aptSources(folder: string): AptSourceFile[] {
  const files: AptSourceFile[] = [];
  const read = (path: string): void => {
    try {
      files.push({ name: path, text: readFileSync(path, "utf8") });
    } catch {
      // Unreadable sources are as good as none.
    }
  };
  read(join(folder, "sources.list"));
  try {
    for (const name of readdirSync(join(folder, "sources.list.d")).sort()) read(join(folder, "sources.list.d", name));
  } catch {
    // A machine without apt.
  }
  return files;
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The bytes of a package's file, by way of the cache of files by hash. */
export async function* fetchDeb(context: Context, pin: DebPin): AsyncGenerator<Uint8Array> {
  let scratch: string | undefined;
  try {
    const file = await cachedFile(context, {
      hash: parseHash(pin.sha256, "sha256"),
      urls: async () => [debUrl(await findMirrors(context), pin)],
      destination: () => join((scratch = makeScratchFolder(context, "deb")), "file.deb"),
    });
    yield* createReadStream(file) as AsyncIterable<Uint8Array>;
  } finally {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  }
}
