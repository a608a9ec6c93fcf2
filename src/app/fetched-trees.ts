/** What has been fetched, as the flake layer sees it: a store path, the locked reference, and what is known of the tree. */
import { type FlakeReference, referenceToAttributes } from "../flake/index.ts";
import { checkStorePathName, formatHash } from "../formats/index.ts";
import type { PathInfo } from "../store/index.ts";
import type { Plain, PlainEntries, TreeMessage } from "./evaluation/protocol.ts";

/**
 * What d2n itself writes while it works on a project: its lock, and what development shells need. It is no source of the project at
 * hand, or the first build would change what it builds. Of inputs and of clean checkouts it is, as everything is: their hashes stand
 * in lock files, and have to be what Nix computes.
 */
export const NO_SOURCE: ReadonlySet<string> = new Set(["d2n.lock", ".dream2nix"]);

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The name of the store object. */
export function nameOf(reference: FlakeReference): string {
  const name = reference.attributes.get("name");
  if (name === undefined) return "source";
  checkStorePathName(String(name));
  return String(name);
}

/** @param facts what is known besides the hash: `rev`, `lastModified` and so on */
export function tree(info: PathInfo, reference: FlakeReference, facts: PlainEntries): TreeMessage {
  const narHash = formatHash(info.narHash, "sri");
  const all = new Map<string, Plain>([["narHash", narHash], ...facts]);
  const rev = all.get("rev");
  if (typeof rev === "string") all.set("shortRev", rev.slice(0, 7));
  const lastModified = all.get("lastModified");
  if (typeof lastModified === "number") all.set("lastModifiedDate", dateOf(lastModified));
  const locked = new Map(referenceToAttributes(reference));
  locked.set("narHash", narHash);
  for (const name of ["rev", "ref", "revCount", "lastModified"]) {
    const value = all.get(name);
    if (value !== undefined) locked.set(name, value);
  }
  all.delete("ref");
  return { outPath: Buffer.from(info.path, "utf8").toString("latin1"), locked: [...locked], info: [...all] };
}

/** The facts that a locked reference carries. */
export function sourceInfo(attributes: ReadonlyMap<string, Plain>): PlainEntries {
  const facts: [string, Plain][] = [];
  for (const name of ["rev", "ref", "revCount", "lastModified"]) {
    const value = attributes.get(name);
    if (value !== undefined) facts.push([name, value]);
  }
  if (attributes.get("type") === "git") facts.push(["submodules", attributes.get("submodules") === true]);
  return facts;
}

/** YYYYMMDDhhmmss in UTC, as `lastModifiedDate` has it. */
function dateOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/[-:T]/g, "").slice(0, 14);
}
