/** Flakes that evaluation itself asks for: `builtins.getFlake`, the REPL's `:load-flake`. Their locks are used, never written. */
import type { TreeMessage } from "./protocol.ts";
import type { SyncServices } from "./service-client.ts";
import {
  builtInFor,
  callFlake,
  folder,
  type FetchedTree,
  type FlakeSources,
  lockFlake,
  parseLockFile,
  parseReference,
  referenceFromAttributes,
  referenceToAttributes,
} from "../../flake/index.ts";
import { EvalError, type Evaluator, type Host, type Lazy } from "../../lang/index.ts";

/** The value of a flake in a tree, with the lock file that it has. */
export function loadFlake(ev: Evaluator, sources: FlakeSources, tree: FetchedTree, dir: string): Lazy {
  const { host } = ev;
  const lockPath = `${folder(tree.outPath, dir)}/flake.lock`;
  const old =
    host.status(lockPath) === undefined
      ? undefined
      : parseLockFile(Buffer.from(host.readFile(lockPath)).toString("utf8"), lockPath);
  const flake = lockFlake({ ev, sources, tree, dir, old, overrides: new Map(), update: new Set() });
  return callFlake({ ev, sources, flake, tree, dir });
}

/** `builtins.getFlake`: a flake by reference, with its own lock file; in pure mode it has to be pinned. */
export function getFlake(ev: Evaluator, sources: FlakeSources, host: Host, text: string): Lazy {
  const reference = parseReference(text);
  if (builtInFor(reference, sources) !== undefined)
    throw new EvalError(`'${text}' is built into d2n: make it an input of the flake in place of calling 'getFlake'`);
  const pinned = reference.attributes.has("narHash") || reference.attributes.has("rev");
  if (host.pure && !pinned)
    throw new EvalError(`cannot call 'getFlake' on unlocked flake reference '${text}' (use --impure to override)`, {
      hint: "Give it a `rev` or `narHash`, make it an input of the flake, or use `--impure`.",
    });
  return loadFlake(ev, sources, sources.fetch(reference), reference.dir);
}

/** Sources of flakes that a worker fetches by its services; what has been fetched may be read. */
export function sourcesWith(
  services: Pick<SyncServices, "fetchTree">,
  host: Host & { allow(path: string): void },
  { builtIns, registry }: Pick<FlakeSources, "builtIns" | "registry">,
): FlakeSources {
  return {
    builtIns,
    registry,
    fetch: (reference) => {
      const fetched = treeFrom(services.fetchTree([...referenceToAttributes(reference)]));
      host.allow(fetched.outPath);
      return fetched;
    },
  };
}

export function treeFrom(message: TreeMessage): FetchedTree {
  return {
    outPath: message.outPath,
    locked: referenceFromAttributes(new Map(message.locked)),
    info: new Map(message.info),
  };
}
