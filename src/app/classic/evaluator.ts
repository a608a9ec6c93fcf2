/** The evaluator of the classic commands, the REPL among them, by the settings that Nix's configuration gives. */
import { createEvaluator, type Evaluator, fromUtf8, utf8 } from "../../lang/index.ts";
import type { FlakeSources } from "../../flake/index.ts";
import { getFlake, sourcesWith } from "../evaluation/flake-loading.ts";
import type { ParsedFiles } from "../evaluation/parsed-files.ts";
import { ClassicHost } from "./host.ts";
import type { ClassicSettings } from "./protocol.ts";
import { absoluteEntry } from "./search-path.ts";
import type { SyncClassicServices } from "./services.ts";

export interface ClassicEvaluator {
  readonly host: ClassicHost;
  readonly ev: Evaluator;
  /** Where `builtins.getFlake` finds flakes. */
  readonly sources: FlakeSources;
}

export interface ClassicEvaluatorOptions {
  readonly notice: (level: "trace" | "warning", text: string) => void;
  readonly trees: ParsedFiles | undefined;
  /** See `EvaluatorOptions`. */
  readonly exactThunks?: boolean;
}

export function createClassicEvaluator(
  settings: ClassicSettings,
  services: SyncClassicServices,
  { notice, trees, exactThunks = false }: ClassicEvaluatorOptions,
): ClassicEvaluator {
  const host = new ClassicHost(settings, services, notice);
  const ev = createEvaluator({
    host,
    maxCallDepth: settings.maxCallDepth,
    experimentalFeatures: new Set(settings.experimentalFeatures),
    searchPath: settings.searchPath.map(utf8),
    traceVerbose: settings.traceVerbose,
    abortOnWarn: settings.abortOnWarn,
    lints: settings.lints,
    trees,
    exactThunks,
  });
  const sources = sourcesWith(services, host, { builtIns: new Map(), registry: settings.registry });
  host.getFlake = (reference) => {
    host.needStore("fetch a flake");
    return getFlake(ev, sources, host, fromUtf8(reference));
  };
  if (settings.restricted)
    for (const entry of settings.searchPath) {
      const absolute = absoluteEntry(entry, settings.cwd);
      const path = absolute.slice(absolute.indexOf("=") + 1);
      if (path.startsWith("/")) host.allow(utf8(path));
    }
  return { host, ev, sources };
}
