/** What the flake layer needs from the world. */
import type { Lazy } from "../lang/index.ts";
import type { FlakeReference, RefAttributes } from "./reference.ts";
import { lookUpInRegistry, type RegistryEntry } from "./registry-file.ts";

/** A source tree in the store. */
export interface FetchedTree {
  /** Logical store path, a byte string. */
  readonly outPath: string;
  /** The store path that `outPath` is in; `outPath` itself unless given. */
  readonly root?: string;
  /** The reference with everything pinned: `rev`, `narHash`, `lastModified`. */
  readonly locked: FlakeReference;
  /** `rev`, `shortRev`, `dirtyRev`, `lastModified`, `lastModifiedDate`, `narHash`, `revCount`, `submodules`: what `self` shows. */
  readonly info: RefAttributes;
}

/** A flake that is part of d2n. */
export interface BuiltInFlake {
  readonly outPath: string;
  /** Names of other built-in flakes by input name. */
  readonly inputs: ReadonlyMap<string, string>;
  /** Makes the outputs; `inputs` is the set of its inputs as the lock graph resolved them. */
  readonly outputs: (self: Lazy, inputs: Lazy) => Lazy;
}

export interface FlakeSources {
  /** Fetches the tree of a locked or unlocked reference; never called for `d2n:` and `indirect:`. */
  fetch(reference: FlakeReference): FetchedTree;
  readonly builtIns: ReadonlyMap<string, BuiltInFlake>;
  /** What names of flakes mean, before what is built in. */
  readonly registry: readonly RegistryEntry[];
}

/** The built-in flake that stands in for a reference, if one does. */
export function builtInFor(reference: FlakeReference, sources: FlakeSources): string | undefined {
  const { type, attributes } = reference;
  const text = (name: string): string => String(attributes.get(name) ?? "").toLowerCase();
  let id: string | undefined;
  if (type === "d2n" || type === "indirect") id = text("id");
  else if (type === "github" && text("owner") === "nix-community")
    id = text("repo") === "dream2nix" ? "dream2nix" : undefined;
  if (id === undefined || !sources.builtIns.has(id)) return undefined;
  return type === "indirect" && lookUpInRegistry(reference, sources.registry) !== undefined ? undefined : id;
}
