/** What has to be done to make something valid: found out before anything starts. */
import { D2nError } from "../base/index.ts";
import {
  type Derivation,
  derivationKind,
  type Hash,
  type IngestionMethod,
  isFixedOutput,
  parseHash,
  parseHashAlgorithm,
  parseOutputMethod,
} from "../formats/index.ts";
import type { PhysicalStore } from "../store/index.ts";
import { type DerivationOptions, derivationOptions } from "./derivation-options.ts";
import type { RealiseOptions, Wanted } from "./types.ts";

/** "copy": the content of a fixed output is in the content cache. "host": the host fetcher makes it. */
export type Action = "substitute" | "copy" | "host" | "fetch" | "build";

export interface PlannedDerivation {
  readonly drvPath: string;
  readonly derivation: Derivation;
  readonly options: DerivationOptions;
  readonly action: Action;
  /** Outputs that somebody needs. */
  readonly needed: ReadonlySet<string>;
  /** Of these, those that are not valid yet. */
  readonly missing: readonly string[];
  /** Derivations of this plan that must be valid first. */
  readonly dependencies: readonly string[];
  /** It is valid; build it again to compare. */
  readonly check: boolean;
}

export interface Plan {
  /** Dependencies first; only what has to be worked on. */
  readonly derivations: readonly PlannedDerivation[];
  /** Store paths that no derivation of this plan makes. */
  readonly substitutions: readonly string[];
  /** The derivations that are wanted, with the outputs that are. */
  readonly wanted: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The features of this machine that derivations may require. */
const systemFeatures = new Set(["benchmark", "big-parallel", "nixos-test"]);

const builtins = new Set(["builtin:fetchurl"]);

interface Draft {
  readonly derivation: Derivation;
  readonly needed: Set<string>;
  action?: Action;
  options?: DerivationOptions;
  missing: string[];
  check: boolean;
  dependencies: string[];
}

/**
 * Walks from what is wanted down to what is valid.
 * @throws D2nError `system-unsupported`, `path-unavailable`, `derivation-malformed`, `usage` for an output that does not exist
 */
export async function makePlan(request: RealiseOptions): Promise<Plan> {
  const { store, signal } = request;
  const drafts = new Map<string, Draft>();
  const wanted = new Map<string, Set<string>>();
  const substitutions: string[] = [];
  const queue: string[] = [];

  const need = (drvPath: string, outputs: Iterable<string>): Draft => {
    let draft = drafts.get(drvPath);
    if (draft === undefined) {
      const derivation = store.readDerivationSync(drvPath);
      const kind = derivationKind(derivation);
      if (kind !== "input" && kind !== "fixed")
        throw new D2nError(
          "system-unsupported",
          `derivation '${drvPath}' has outputs whose paths are only known after the build (${kind}), which is not supported`,
          {
            hint: "Remove `__contentAddressed` or `__impure` from it.",
          },
        );
      draft = { derivation, needed: new Set(), missing: [], check: false, dependencies: [] };
      drafts.set(drvPath, draft);
    }
    const before = draft.needed.size;
    for (const output of outputs) draft.needed.add(output);
    if (draft.needed.size > before) queue.push(drvPath);
    return draft;
  };

  for (const item of request.wanted) {
    if ("path" in item) {
      await store.addTempRoot(item.path);
      if (!store.isValidPathSync(item.path)) substitutions.push(item.path);
      continue;
    }
    const outputs = wantedOutputs(store, item);
    const own = wanted.get(item.drvPath) ?? new Set();
    for (const output of outputs) own.add(output);
    wanted.set(item.drvPath, own);
    await store.addTempRoot(item.drvPath);
    const draft = need(item.drvPath, outputs);
    if (request.check === true) draft.check = true;
  }
  await checkSubstitutable(request, substitutions);

  // The queue grows while it is worked on.
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    signal?.throwIfAborted();
    const draft = drafts.get(next)!;
    const { derivation } = draft;
    for (const name of draft.needed) await store.addTempRoot(outputPath(derivation, name));
    draft.missing = [...draft.needed].filter((name) => !store.isValidPathSync(outputPath(derivation, name)));
    if (draft.check && draft.missing.length > 0)
      throw new D2nError(
        "usage",
        `cannot check '${next}': it has not been built yet (${draft.missing.map((name) => outputPath(derivation, name)).join(", ")})`,
        {
          hint: "Build it first, without --rebuild or --check.",
        },
      );
    if (draft.missing.length === 0 && !draft.check) continue;
    if (draft.action !== undefined && draft.action !== "substitute") continue;
    draft.options = derivationOptions(next, derivation);
    draft.action = await chooseAction(request, next, draft);
    if (draft.action === "substitute" || draft.action === "copy" || draft.action === "host") continue;
    for (const path of derivation.inputSrcs) {
      if (store.isValidPathSync(path) || substitutions.includes(path)) continue;
      await checkSubstitutable(request, [path], next);
      substitutions.push(path);
    }
    for (const drvPath of [...derivation.inputDrvs.keys()].sort()) {
      draft.dependencies.push(drvPath);
      need(drvPath, derivation.inputDrvs.get(drvPath)!);
    }
  }

  return { derivations: inOrder(drafts), substitutions, wanted };
}

function wantedOutputs(
  store: PhysicalStore,
  { drvPath, outputs }: Extract<Wanted, { drvPath: string }>,
): readonly string[] {
  const { outputs: existing } = store.readDerivationSync(drvPath);
  if (outputs === "all") return [...existing.keys()].sort();
  for (const name of outputs)
    if (!existing.has(name))
      throw new D2nError("usage", `derivation '${drvPath}' has no output '${name}'`, {
        hint: `It has ${[...existing.keys()].sort().join(", ")}.`,
      });
  return outputs;
}

export function outputPath(derivation: Derivation, output: string): string {
  const path = derivation.outputs.get(output)?.path;
  if (path === undefined)
    throw new D2nError(
      "derivation-malformed",
      `a derivation needs the output '${output}' of '${derivation.name}', which it does not have`,
    );
  return path;
}

export interface FixedOutput {
  readonly path: string;
  readonly method: IngestionMethod;
  readonly hash: Hash;
}

/** What a fixed-output derivation promises. */
export function fixedOutput(derivation: Derivation): FixedOutput | undefined {
  if (!isFixedOutput(derivation)) return undefined;
  const output = derivation.outputs.get("out")!;
  const { method, algorithm } = parseOutputMethod(output.hashAlgo);
  return { path: output.path, method, hash: parseHash(output.hash, parseHashAlgorithm(algorithm)) };
}

async function chooseAction(request: RealiseOptions, drvPath: string, draft: Draft): Promise<Action> {
  const { derivation, options, missing, check } = draft;
  const { substituter, signal, contentCache } = request;
  if (!check && substituter !== undefined && options!.allowSubstitutes) {
    const paths = missing.map((name) => outputPath(derivation, name));
    const known = await substituter.query(paths, signal);
    if (paths.every((path) => known.has(path))) return "substitute";
  }
  const fixed = fixedOutput(derivation);
  if (derivation.builder === "builtin:fetchurl" && fixed !== undefined) return "fetch";
  if (!check && fixed?.method === "flat" && (await contentCache?.lookup(fixed.hash, signal)) !== undefined)
    return "copy";
  if (fixed !== undefined && request.hostFetcher?.handles(derivation) === true) return "host";
  checkBuildable(request, drvPath, draft);
  return "build";
}

/** @throws D2nError `system-unsupported` */
function checkBuildable(request: RealiseOptions, drvPath: string, { derivation, options }: Draft): void {
  const unsupported = (message: string, hint?: string) => new D2nError("system-unsupported", message, { hint });
  if (derivation.builder.startsWith("builtin:")) {
    if (!builtins.has(derivation.builder))
      throw unsupported(`derivation '${drvPath}' needs the builder '${derivation.builder}', which d2n does not have`);
    throw unsupported(`derivation '${drvPath}': '${derivation.builder}' must be a fixed-output derivation`);
  }
  if (derivation.system !== request.system && request.extraSystems?.includes(derivation.system) !== true)
    throw unsupported(
      `a '${derivation.system}' machine is needed to build '${drvPath}', but this is '${[request.system, ...(request.extraSystems ?? [])].join("', '")}'`,
      "Build it on such a machine, or ask for the package of this machine's system.",
    );
  const lacking = options!.requiredSystemFeatures.filter((feature) => !systemFeatures.has(feature));
  if (lacking.length > 0)
    throw unsupported(
      `building '${drvPath}' requires the system feature '${lacking.join("', '")}', which d2n's builds do not have`,
    );
  if (options!.noSandbox && (request.sandboxing ?? "always") === "always")
    throw unsupported(
      `derivation '${drvPath}' has '__noChroot' set, but that's not allowed when 'sandbox' is 'true'`,
      "d2n always builds in a sandbox; only its classic commands heed the setting `sandbox` of nix.conf.",
    );
  if (request.maxJobs === 0)
    throw unsupported(
      `'${drvPath}' has to be built, but builds are switched off (--max-jobs 0)`,
      "Allow builds with --max-jobs 1 or more.",
    );
}

async function checkSubstitutable(request: RealiseOptions, paths: readonly string[], neededBy?: string): Promise<void> {
  if (paths.length === 0) return;
  const known = (await request.substituter?.query(paths, request.signal)) ?? new Set();
  const missing = paths.find((path) => !known.has(path));
  if (missing !== undefined)
    throw new D2nError(
      "path-unavailable",
      `path '${missing}'${neededBy === undefined ? "" : `, an input of '${neededBy}',`} is not valid, and nothing can make it`,
      {
        hint: "It was deleted, or never copied to this store. Evaluate again: that adds sources and derivations.",
      },
    );
}

/** Dependencies first, otherwise in the order of paths. */
function inOrder(drafts: ReadonlyMap<string, Draft>): PlannedDerivation[] {
  const ordered: PlannedDerivation[] = [];
  const seen = new Set<string>();
  const active = (draft: Draft | undefined): draft is Draft =>
    draft?.action !== undefined && (draft.missing.length > 0 || draft.check);
  // Not recursive: graphs can be deep.
  for (const root of [...drafts.keys()].sort()) {
    const stack: { id: string; left: string[] }[] = [];
    const open = (id: string): void => {
      if (seen.has(id) || !active(drafts.get(id))) return;
      seen.add(id);
      stack.push({ id, left: [...drafts.get(id)!.dependencies].reverse() });
    };
    open(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.left.pop();
      if (next !== undefined) {
        open(next);
        continue;
      }
      stack.pop();
      const { derivation, needed, missing, check, dependencies, action, options } = drafts.get(top.id)!;
      ordered.push({
        drvPath: top.id,
        derivation,
        options: options!,
        action: action!,
        needed,
        missing,
        check,
        dependencies: dependencies.filter((id) => active(drafts.get(id))),
      });
    }
  }
  return ordered;
}
