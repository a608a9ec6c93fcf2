/** The evaluator of a REPL and what it can load. */
import { D2nError } from "../../base/index.ts";
import { builtInFor, type FlakeSources, parseReference } from "../../flake/index.ts";
import { createEvaluator, type Evaluator, fromUtf8, type Lazy, utf8 } from "../../lang/index.ts";
import { createClassicEvaluator } from "../classic/evaluator.ts";
import type { SyncClassicServices } from "../classic/services.ts";
import { createBuiltIns } from "../evaluation/built-in-flakes.ts";
import { getFlake, loadFlake, sourcesWith, treeFrom } from "../evaluation/flake-loading.ts";
import { ParsedFiles } from "../evaluation/parsed-files.ts";
import { WorkerHost } from "../evaluation/worker-host.ts";
import type { ReplWorld } from "./protocol.ts";

export interface LoadedWorld {
  readonly ev: Evaluator;
  /** Stores the derivations that were put off. */
  flush(): void;
  /** The value of a flake by the reference that a user wrote (text). */
  openFlake(reference: string): Lazy;
}

export function createReplWorld(
  world: ReplWorld,
  services: SyncClassicServices,
  notify: (level: "trace" | "warning", text: string) => void,
): LoadedWorld {
  return world.kind === "d2n" ? ownWorld(world, services) : classicWorld(world, services, notify);
}

function ownWorld(
  { settings, searchPath }: Extract<ReplWorld, { kind: "d2n" }>,
  services: SyncClassicServices,
): LoadedWorld {
  const host = new WorkerHost(settings, services);
  const trees = new ParsedFiles(settings.parsedFiles);
  const nativeFiles = new Map<string, () => Lazy>();
  const ev = createEvaluator({
    host,
    maxCallDepth: settings.maxCallDepth ?? 10_000,
    experimentalFeatures: new Set(["flakes", "fetch-tree"]),
    searchPath: searchPath.map(utf8),
    nativeFiles,
    trees,
  });
  let made: FlakeSources | undefined;
  // Most sessions need no flakes.
  const sources = (): FlakeSources =>
    (made ??= sourcesWith(services, host, {
      builtIns: createBuiltIns({ ev, host, services, nativeFiles }).flakes,
      registry: settings.registry,
    }));
  host.getFlake = (reference) => getFlake(ev, sources(), host, fromUtf8(reference));
  return {
    ev,
    flush: () => {
      host.flush();
      trees.save();
    },
    openFlake: (text) => {
      const reference = parseReference(text);
      const builtIn = sources().builtIns.get(builtInFor(reference, sources()) ?? "");
      if (builtIn !== undefined) return builtIn.outputs(null, null);
      const project = services.openProject(text);
      const tree = treeFrom(project.tree);
      host.allow(tree.outPath);
      // Lock files of sources in this flake say how they are built.
      const { flakes } = createBuiltIns({ ev, host, services, nativeFiles });
      return loadFlake(ev, { ...sources(), builtIns: flakes }, tree, project.dir);
    },
  };
}

function classicWorld(
  { settings }: Extract<ReplWorld, { kind: "classic" }>,
  services: SyncClassicServices,
  notify: (level: "trace" | "warning", text: string) => void,
): LoadedWorld {
  const trees = settings.parsedFiles === undefined ? undefined : new ParsedFiles(settings.parsedFiles);
  const { host, ev, sources } = createClassicEvaluator(settings, services, { notice: notify, trees });
  return {
    ev,
    flush: () => {
      host.flush();
      trees?.save();
    },
    openFlake: (text) => {
      if (settings.store === "none")
        throw new D2nError("flake-missing", "flakes need a store, and there is none (dummy://)");
      const project = services.openProject(text);
      return loadFlake(ev, sources, treeFrom(project.tree), project.dir);
    },
  };
}
