/**
 * The archive as a whole: verified indexes of the suites that are asked for, and look-ups in them.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { Activity, D2nError, messageOf, warn, writeFileAtomically } from "../base/index.ts";
import { decompress } from "../formats/index.ts";
import { parseDependencies, resolveClauses, type Candidates } from "./dependencies.ts";
import { buildIndex, type PackageEntry, PackageIndex, type Provider } from "./package-index.ts";
import { type Release, verifyInRelease } from "./release.ts";
import type {
  Architecture,
  Archive,
  ArchiveName,
  ArchiveOptions,
  DebPin,
  IndexPin,
  MirrorFetch,
  Suite,
} from "./types.ts";
import { compareVersions } from "./version.ts";

/** The parts of a suite, in the order in which equal versions are preferred. */
const distributions: readonly { readonly suffix: string; readonly archive: ArchiveName }[] = [
  { suffix: "", archive: "main" },
  { suffix: "-updates", archive: "main" },
  { suffix: "-security", archive: "security" },
];

/** More than any `InRelease` or index has; a mirror that sends more is broken or hostile. */
const IN_RELEASE_LIMIT = 16 << 20;
const INDEX_LIMIT = 512 << 20;

/** Reads a whole small file. Undefined if the mirror does not have it. */
export async function fetchWhole(fetch: MirrorFetch, url: string, limit: number): Promise<Buffer | undefined> {
  const body = await fetch(url);
  if (body === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw new D2nError("debian-archive", `${url} is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** `InRelease` of a distribution, fetched and verified. Undefined if the mirror has no such distribution. */
export async function fetchInRelease(
  fetch: MirrorFetch,
  base: string,
  distribution: string,
  options: { readonly now: Date; readonly keys?: readonly string[] | undefined },
): Promise<{ readonly release: Release; readonly sha256: string } | undefined> {
  const origin = `${base}/dists/${distribution}/InRelease`;
  const content = await fetchWhole(fetch, origin, IN_RELEASE_LIMIT);
  if (content === undefined) return undefined;
  const release = await verifyInRelease(content, { ...options, distribution, origin });
  return { release, sha256: createHash("sha256").update(content).digest("hex") };
}

interface OpenIndex {
  readonly pin: IndexPin;
  readonly index: PackageIndex;
}

/** What one suite has on one architecture: several indexes, of which the highest version counts. */
class SuitePackages implements Candidates {
  readonly #indexes: readonly OpenIndex[];
  readonly #best = new Map<string, { readonly entry: PackageEntry; readonly archive: ArchiveName } | undefined>();

  constructor(indexes: readonly OpenIndex[]) {
    this.#indexes = indexes;
  }

  best(name: string) {
    let best = this.#best.get(name);
    if (best !== undefined || this.#best.has(name)) return best;
    for (const { index, pin } of this.#indexes)
      for (const entry of index.packages(name))
        if (best === undefined || compareVersions(entry.version, best.entry.version) > 0)
          best = { entry, archive: pin.archive };
    this.#best.set(name, best);
    return best;
  }

  version(name: string): string | undefined {
    return this.best(name)?.entry.version;
  }

  providers(name: string): Provider[] {
    return this.#indexes.flatMap(({ index }) => index.providers(name));
  }

  lookup(name: string): DebPin | undefined {
    let best = this.best(name);
    if (best === undefined) {
      const provider = this.providers(name)
        .map((candidate) => candidate.name)
        .sort()[0];
      best = provider === undefined ? undefined : this.best(provider);
    }
    if (best === undefined) return undefined;
    const { entry, archive } = best;
    return {
      package: entry.name,
      version: entry.version,
      source: entry.source,
      archive,
      filename: entry.filename,
      sha256: entry.sha256,
      size: entry.size,
      depends: resolveClauses(parseDependencies(entry.depends), this),
      description: entry.description,
    };
  }
}

export interface OpenArchiveOptions extends ArchiveOptions {
  /**
   * Indexes to use as they are, from `d2n.lock`: what is looked up later comes from the same state of the archive as what was
   * looked up then. Needs no network while the parsed index is in the cache.
   */
  readonly pinned?: readonly IndexPin[] | undefined;
  /** Public keys to trust in place of Debian's. */
  readonly keys?: readonly string[] | undefined;
}

/** Opens an archive; nothing is fetched before the first look-up. */
export function openArchive(options: OpenArchiveOptions): Archive {
  const files: PackageIndex[] = [];
  const { mirrors, fetch, cacheDir, now, sink, keys, pinned = [] } = options;
  const suites = new Map<string, Promise<SuitePackages>>();
  const used = new Map<string, IndexPin>();

  function base(archive: ArchiveName): string | undefined {
    return archive === "main" ? mirrors.main : mirrors.security;
  }

  /** The index of the given hash: out of the cache, else fetched, checked and parsed. */
  async function openIndex(pin: IndexPin, expectedSize: number | undefined): Promise<OpenIndex> {
    const cached = join(cacheDir, `${pin.sha256}.index`);
    const known = PackageIndex.open(cached);
    if (known !== undefined) {
      files.push(known);
      return { pin, index: known };
    }
    const root = base(pin.archive);
    if (root === undefined) throw missingSecurity();
    const folder = `${root}/dists/${pin.distribution}/main/binary-${pin.architecture}`;
    using activity = new Activity(sink, "download", `${pin.distribution} package index`, { total: expectedSize });
    const body = (await fetch(`${folder}/by-hash/SHA256/${pin.sha256}`)) ?? (await fetch(`${folder}/Packages.xz`));
    if (body === undefined)
      throw new D2nError(
        "debian-archive",
        `the mirror lacks the index of ${pin.distribution} of ${pin.date}: ${folder}`,
        {
          hint: "The mirror has moved on, or is being updated: `d2n flake update` takes its current state; or try another mirror.",
        },
      );
    const hash = createHash("sha256");
    async function* checked(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      let done = 0;
      for await (const chunk of chunks) {
        done += chunk.length;
        if (done > INDEX_LIMIT) throw new D2nError("debian-archive", `${folder}/Packages.xz is absurdly large`);
        hash.update(chunk);
        activity.progress(done);
        yield chunk;
      }
    }
    let bytes: Buffer;
    try {
      bytes = await buildIndex(decompress(checked(body), "xz"));
    } catch (error) {
      if (error instanceof D2nError) throw error;
      throw new D2nError("debian-archive", `the index of ${pin.distribution} cannot be read: ${messageOf(error)}`, {
        cause: error,
      });
    }
    const actual = hash.digest("hex");
    // Nothing of it has been used so far, and nothing will be unless it is what Debian signed.
    if (actual !== pin.sha256)
      throw new D2nError(
        "debian-archive",
        `the mirror's index of ${pin.distribution} is not the one that Debian signed`,
        {
          details: `expected ${pin.sha256}\n     got ${actual}\n    from ${folder}`,
          hint: "The mirror is being updated, or something on the way changes its files: try again in a while, or another mirror.",
        },
      );
    writeFileAtomically(cached, bytes);
    activity.stop(true);
    return { pin, index: new PackageIndex(bytes) };
  }

  async function openDistribution(
    suite: Suite,
    architecture: Architecture,
    { suffix, archive }: (typeof distributions)[number],
  ): Promise<OpenIndex | undefined> {
    const distribution = `${suite}${suffix}`;
    const pin = pinned.find((known) => known.distribution === distribution && known.architecture === architecture);
    if (pin !== undefined) {
      try {
        return await openIndex(pin, undefined);
      } catch (error) {
        if (!(error instanceof D2nError) || error.code !== "debian-archive") throw error;
        // Mirrors keep superseded indexes for a while only.
        warn(
          sink,
          `the state of '${distribution}' that d2n.lock names is no longer on the mirror: packages that are not locked yet come from its present state`,
        );
      }
    }
    // A suite that is pinned in parts stays as it is: its other parts did not exist, or were not configured, back then.
    else if (pinned.some((known) => known.distribution === suite && known.architecture === architecture))
      return undefined;
    const root = base(archive);
    if (root === undefined) {
      warn(sink, `no Debian security archive is configured: ${suite} is used without its security updates`);
      return undefined;
    }
    let found: Awaited<ReturnType<typeof fetchInRelease>>;
    try {
      found = await fetchInRelease(fetch, root, distribution, { now, keys });
    } catch (error) {
      // A mirror that lags behind: without its updates the suite is still a signed, consistent whole.
      if (suffix === "" || !(error instanceof D2nError) || error.code !== "debian-expired") throw error;
      warn(sink, `${error.message}: ${suite} is used without these updates`);
      return undefined;
    }
    if (found === undefined) {
      if (suffix === "")
        throw new D2nError("debian-mirror", `the mirror ${root} does not have Debian's suite '${suite}'`, {
          hint: "Name one that does: `d2n config debian-mirror URL`, or the environment variable D2N_DEBIAN_MIRROR.",
        });
      warn(sink, `the mirror ${root} does not have '${distribution}': its updates are missing`);
      return undefined;
    }
    const path = `main/binary-${architecture}/Packages.xz`;
    const file = found.release.files.get(path);
    if (file === undefined)
      throw new D2nError(
        "debian-archive",
        `Debian's '${distribution}' has no index for the architecture ${architecture}`,
      );
    return openIndex(
      {
        distribution,
        archive,
        architecture,
        date: found.release.date.toISOString(),
        inRelease: found.sha256,
        sha256: file.sha256,
      },
      file.size,
    );
  }

  async function openSuite(suite: Suite, architecture: Architecture): Promise<SuitePackages> {
    const opening = distributions.map((part) => openDistribution(suite, architecture, part));
    // All of them end before an error counts: one that goes on while the program ends leaves its temporary files behind.
    await Promise.allSettled(opening);
    const indexes = (await Promise.all(opening)).filter((index) => index !== undefined);
    for (const { pin } of indexes) used.set(`${pin.distribution} ${pin.architecture}`, pin);
    return new SuitePackages(indexes);
  }

  return {
    mirrors,
    async lookup(suite, architecture, name) {
      const key = `${suite} ${architecture}`;
      let packages = suites.get(key);
      if (packages === undefined) {
        packages = openSuite(suite, architecture);
        suites.set(key, packages);
        // A later look-up may find the network back.
        packages.catch(() => suites.delete(key));
      }
      return (await packages).lookup(name);
    },
    indexes: () => [...used.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pin]) => pin),
    url(pin) {
      return debUrl(mirrors, pin);
    },
    close() {
      suites.clear();
      for (const file of files.splice(0)) file.close();
    },
  };
}

function missingSecurity(): D2nError {
  return new D2nError("debian-package", "a package comes from Debian's security archive, and none is configured", {
    hint: "Name one: `d2n config debian-security-mirror URL`, or the environment variable D2N_DEBIAN_SECURITY_MIRROR.",
  });
}

/** The address of a package's file on the given mirrors. */
export function debUrl(mirrors: ArchiveOptions["mirrors"], pin: Pick<DebPin, "archive" | "filename">): string {
  const root = pin.archive === "main" ? mirrors.main : mirrors.security;
  if (root === undefined) throw missingSecurity();
  return `${root}/${pin.filename}`;
}
