/** Where every package comes from, out of pip's report: the `sources` of a lock file. */
import { isAbsolute, join, relative } from "node:path";
import { D2nError, redactCredentials } from "../base/index.ts";
import { canonicalName } from "./names.ts";
import type { PipReport, PipReportItem } from "./pip-report.ts";

interface SourceBase {
  /** The requirement named an address or a path, not just a project. */
  readonly is_direct: boolean;
  readonly version: string;
  /** Folder of the project inside of the source. Upstream's format has no place for it: `d2n.lock` has. */
  readonly subdirectory?: string;
}

export type LockedSource = SourceBase &
  (
    | { readonly type: "url"; readonly url: string /** Hexadecimal. */; readonly sha256: string }
    | {
        readonly type: "git";
        readonly url: string;
        readonly rev: string /** Nix' base 32, of the tree without `.git`. */;
        readonly sha256: string;
      }
    | { readonly type: "local" /** Relative to the project's root; "." for itself. */; readonly path: string }
  );

export interface SourceServices {
  /** The live root of the project; several spellings (with and without symbolic links) may be given. */
  readonly projectRoots: readonly string[];
  /** `/nix/store`. */
  readonly storeDir: string;
  /** Copies that pip was given, to the store paths they were made from. */
  readonly copies: ReadonlyMap<string, string>;
  /** SHA-256 of a git commit's tree, as Nix' base 32. */
  readonly prefetchGit: (url: string, rev: string) => Promise<string>;
  /**
   * What is known of a top-level store path: the address and hash (hexadecimal) of a fixed-output derivation's output;
   * undefined if it is something else.
   */
  readonly describeStorePath: (path: string) => Promise<{ readonly url: string; readonly sha256: string } | undefined>;
}

/** @throws D2nError `lock-no-hash`, `lock-requirement`, or what the services throw */
export async function sourcesFromReport(
  report: PipReport,
  services: SourceServices,
): Promise<Map<string, LockedSource>> {
  const sources = new Map<string, LockedSource>();
  for (const item of report.install) sources.set(canonicalName(item.metadata.name), await sourceOf(item, services));
  return sources;
}

async function sourceOf(item: PipReportItem, services: SourceServices): Promise<LockedSource> {
  const { download_info: info, is_direct } = item;
  const { name, version } = item.metadata;
  const base: SourceBase = {
    is_direct,
    version,
    ...(info.subdirectory ? { subdirectory: info.subdirectory } : {}),
  };

  const path = pathOfFileUrl(info.url);
  const given = path === undefined ? undefined : originalOf(path, services);
  if (info.vcs_info !== undefined) {
    const { vcs, commit_id } = info.vcs_info;
    if (vcs !== "git")
      throw new D2nError(
        "lock-requirement",
        `${name} comes from a ${vcs} repository, which a lock file has no form for`,
        {
          hint: "Use a git repository, or the address of an archive.",
        },
      );
    return {
      ...base,
      type: "git",
      url: info.url,
      rev: commit_id,
      sha256: await services.prefetchGit(info.url, commit_id),
    };
  }
  if (given !== undefined && is_direct) {
    const local = insideProject(given, services);
    if (local !== undefined) return { ...base, type: "local", path: local };
    const top = topOfStorePath(given, services.storeDir);
    const fixed = top === undefined ? undefined : await services.describeStorePath(top);
    if (fixed !== undefined) return { ...base, type: "url", ...fixed };
    if (info.archive_info === undefined) throw outside(name, given);
  }
  const sha256 = hashOf(item);
  if (sha256 === undefined) {
    if (given !== undefined && info.archive_info === undefined) throw outside(name, given);
    throw new D2nError(
      "lock-no-hash",
      `no SHA-256 hash is known for ${name} ${version}: the index gave none with ${redactCredentials(info.url)}`,
      {
        hint: `Lock ${name} from an index that publishes hashes, or by an address with #sha256=… at its end.`,
      },
    );
  }
  return { ...base, type: "url", url: info.url, sha256 };
}

function outside(name: string, path: string): D2nError {
  return new D2nError(
    "lock-requirement",
    `${name} comes from ${path}, which is neither in the project nor a fetched store path`,
    {
      hint: "Move it into the project, or give pip an address or a fetched source (fetchurl, fetchFromGitHub, …).",
    },
  );
}

function hashOf(item: PipReportItem): string | undefined {
  const archive = item.download_info.archive_info;
  const hash =
    archive?.hashes?.["sha256"] ?? (archive?.hash?.startsWith("sha256=") ? archive.hash.slice(7) : undefined);
  return hash !== undefined && /^[0-9a-f]{64}$/i.test(hash) ? hash.toLowerCase() : undefined;
}

/** The path of a `file:` URL, percent-decoded; undefined for others. */
export function pathOfFileUrl(url: string): string | undefined {
  const match = /^file:\/\/(?:localhost)?(\/[^?#]*)/.exec(url);
  if (match === null) return undefined;
  try {
    return decodeURIComponent(match[1]!);
  } catch {
    return match[1]!;
  }
}

/** The store path that a copy, or something in it, was made from. */
function originalOf(path: string, { copies }: SourceServices): string {
  for (const [copy, original] of copies) {
    if (path === copy) return original;
    if (path.startsWith(`${copy}/`)) return join(original, path.slice(copy.length + 1));
  }
  return path;
}

function insideProject(path: string, { projectRoots }: SourceServices): string | undefined {
  for (const root of projectRoots) {
    const inside = relative(root, path);
    if (inside === "") return ".";
    if (!isAbsolute(inside) && inside !== ".." && !inside.startsWith("../")) return inside;
  }
  return undefined;
}

/** `/nix/store/<name>` of a path in the store. */
function topOfStorePath(path: string, storeDir: string): string | undefined {
  if (!path.startsWith(`${storeDir}/`)) return undefined;
  const name = path.slice(storeDir.length + 1).split("/")[0]!;
  return name === "" ? undefined : `${storeDir}/${name}`;
}
