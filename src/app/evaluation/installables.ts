/** From what the user typed to what is to be built, through the cache of evaluation results. */
import { join } from "node:path";
import { parseInstallable } from "../../flake/syntax.ts";
import type { Context } from "../context.ts";
import { globalRegistry, withRegistries } from "../registries.ts";
import type { InstallableJob, Job, JobResult, JobSettings, ShowJob } from "./protocol.ts";
import { hasResult, recallResult, recallUnchanged, rememberOutputs, rememberResult } from "./result-cache.ts";
import type { Session } from "./session.ts";

export type InstallableRequest = Pick<InstallableJob, "lookup" | "want"> & {
  readonly apply?: string;
  /** Whether lock files are written where they lack something; true unless given. */
  readonly writeLocks?: boolean;
};

/** A result, and the name a user has for it. */
export interface EvaluatedInstallable {
  readonly text: string;
  readonly result: JobResult;
  /** Names of outputs after `^`; undefined for the default. */
  readonly outputs: readonly string[] | "*" | undefined;
  /** Keeps the paths of the default outputs with the result, so that the next command needs not ask for them. */
  readonly remember: (outputPaths: readonly (readonly [string, string])[]) => void;
}

export async function evaluateInstallable(
  context: Context,
  text: string,
  request: InstallableRequest,
): Promise<EvaluatedInstallable> {
  const { reference, fragment, outputs } = parseInstallable(text);
  const job: InstallableJob = {
    kind: "installable",
    reference: withRegistries(context, reference),
    fragment,
    settings: jobSettings(context),
    apply: request.apply,
    lookup: request.lookup,
    want: request.want,
  };
  return {
    text,
    result: await evaluateJob(context, job, request.writeLocks),
    outputs,
    remember: (paths) => rememberOutputs(context, job, paths),
  };
}

export async function evaluateShow(
  context: Context,
  reference: string,
  rules: Pick<ShowJob, "allSystems" | "legacy">,
): Promise<JobResult> {
  const job: ShowJob = {
    kind: "show",
    reference: withRegistries(context, reference),
    ...rules,
    settings: jobSettings(context),
  };
  return evaluateJob(context, job);
}

/** `d2n flake metadata`, `lock` and `check`: what a job about a flake as a whole finds; inputs are locked where they are not. */
export async function evaluateFlake(
  context: Context,
  reference: string,
  work:
    | { readonly kind: "metadata" }
    | { readonly kind: "lock" }
    | { readonly kind: "search"; readonly under: string }
    | { readonly kind: "check"; readonly allSystems: boolean },
): Promise<JobResult> {
  const { evaluate, Session } = await evaluation();
  const session = new Session(context);
  try {
    const result = await evaluate(session, {
      ...work,
      reference: withRegistries(context, reference),
      settings: jobSettings(context),
    });
    await session.writeLocks(result);
    return result;
  } finally {
    await session.close();
  }
}

/**
 * `d2n flake update`: locks the named inputs anew, all of them and the packages of the Debian archive if none is named.
 * @returns what changed, a line each, and what was named and is no input
 */
export async function updateLocks(
  context: Context,
  reference: string,
  inputs: readonly string[],
): Promise<{ readonly changes: readonly string[]; readonly unknown: readonly string[] }> {
  const settings = { ...jobSettings(context), updateInputs: inputs.length === 0 ? [""] : inputs };
  const { evaluate, Session } = await evaluation();
  const session = new Session(context);
  try {
    const result = await evaluate(session, { kind: "lock", reference: withRegistries(context, reference), settings });
    if (inputs.length === 0) {
      session.forgetPins();
      // Before the old state is let go of, there must be a new one.
      await session.archive();
    }
    await session.writeLocks(result);
    return { changes: result.lockChanges, unknown: result.value.type === "locked" ? result.value.unknown : [] };
  } finally {
    await session.close();
  }
}

async function evaluateJob(context: Context, job: Job, writeLocks = true): Promise<JobResult> {
  // A kept result does not say whether the checkout was dirty.
  const known = context.options.dirtyTrees === "refuse" ? undefined : recallResult(context, job);
  if (known !== undefined) return known;
  const { evaluate, Session } = await evaluation();
  const session = new Session(context);
  try {
    const same = await unchanged(context, job, session);
    if (same !== undefined) {
      const { result, watched } = same;
      await rememberResult(context, job, { project: session.project, watched, unlocked: false }, result);
      return result;
    }
    const result = await evaluate(session, job);
    if (writeLocks) await session.writeLocks(result);
    await rememberResult(context, job, session, result);
    return result;
  } finally {
    await session.close();
  }
}

/** The kept result of a project whose files were touched, but have the contents that they had. */
async function unchanged(context: Context, job: Job, session: Session): Promise<ReturnType<typeof recallUnchanged>> {
  if (!hasResult(context, job)) return undefined;
  try {
    return recallUnchanged(context, job, await session.open(job.reference));
  } catch {
    // Evaluation says what is wrong, and knows more of it.
    return undefined;
  }
}

/** Loaded only when something has to be evaluated: most of d2n hangs on it. */
async function evaluation() {
  const [{ evaluate }, { Session }] = await Promise.all([import("./evaluate.ts"), import("./session.ts")]);
  return { evaluate, Session };
}

export function jobSettings(context: Context): JobSettings {
  const environment: Record<string, string> = {};
  if (context.options.impure)
    for (const [name, value] of Object.entries(context.environment)) if (value !== undefined) environment[name] = value;
  return {
    storeDir: context.storeDir,
    physicalStoreDir: context.physicalStoreDir,
    parsedFiles: join(context.directories.cache, "parsed"),
    system: context.system,
    pure: !context.options.impure,
    environment,
    overrideInputs: context.options.overrideInputs ?? [],
    updateInputs: [],
    registry: globalRegistry(context),
    maxCallDepth: context.options.maxCallDepth,
    cwd: context.cwd,
  };
}
