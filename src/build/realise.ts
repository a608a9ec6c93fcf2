/** Making valid what somebody wants: plan, then fetch and build, as much at once as may be. */
import { availableParallelism } from "node:os";
import { Activity, D2nError, messageOf } from "../base/index.ts";
import { buildDerivation } from "./builder.ts";
import { fromBytes } from "./derivation-options.ts";
import { copyOutput, fetchOutput, hostOutput } from "./fetch-output.ts";
import { makePlan, outputPath, type Plan, type PlannedDerivation } from "./plan.ts";
import { type Failure, schedule, type Task } from "./scheduler.ts";
import type { Realisation, RealisedDerivation, RealiseOptions, RealiseResult } from "./types.ts";

/** Downloads at once, unless the caller wants another number. */
const usualDownloads = 6;

/**
 * Makes everything that is wanted valid.
 * @throws D2nError: the failure of a build or download; with `keepGoing` one that lists all of them. What was done before
 *   stays done.
 */
export async function realise(request: RealiseOptions): Promise<RealiseResult> {
  const { store, sink, signal } = request;
  const plan = await makePlan(request);
  const byPath = new Map(plan.derivations.map((planned) => [planned.drvPath, planned]));
  const how = new Map<string, Realisation>();
  const tools = once(request.sandbox);
  const shared: RealiseOptions = { ...request, sandbox: tools };

  const downloads = plan.derivations.filter(({ action }) => action !== "build").length + plan.substitutions.length;
  const builds = plan.derivations.length + plan.substitutions.length - downloads;
  if (builds + downloads > 0) sink({ type: "expected", builds, downloads });
  // Getting the tools may take a download of its own: it runs beside the others.
  if (builds > 0) tools().catch(() => {});

  const tasks: Task[] = [
    ...plan.substitutions.map((path): Task => ({
      id: path,
      kind: "download",
      dependencies: [],
      run: (aborted) => substitute(shared, [path], aborted),
    })),
    ...plan.derivations.map((planned): Task => ({
      id: planned.drvPath,
      kind: planned.action === "build" ? "build" : "download",
      dependencies: [...planned.dependencies, ...planned.derivation.inputSrcs],
      run: async (aborted) => {
        how.set(planned.drvPath, await work(shared, planned, aborted));
      },
    })),
  ];
  const limits = { build: request.maxJobs || availableParallelism(), download: request.maxDownloads ?? usualDownloads };
  const { done, failures, skipped } = await schedule(tasks, { limits, keepGoing: request.keepGoing ?? false, signal });
  if (failures.length > 0) throw report(plan, failures, skipped.length);

  const realisedOf = (drvPath: string, outputs: Iterable<string>): RealisedDerivation => {
    const derivation = byPath.get(drvPath)?.derivation ?? store.readDerivationSync(drvPath);
    return {
      drvPath,
      derivation,
      outputs: new Map([...outputs].map((name) => [name, outputPath(derivation, name)])),
      how: how.get(drvPath) ?? "valid",
    };
  };
  return {
    wanted: request.wanted.map((item) => {
      if ("path" in item) return item;
      const outputs = item.outputs === "all" ? plan.wanted.get(item.drvPath)! : item.outputs;
      return realisedOf(item.drvPath, outputs);
    }),
    realised: done.filter((id) => how.has(id)).map((drvPath) => ({ drvPath, how: how.get(drvPath)! })),
  };
}

async function work(request: RealiseOptions, planned: PlannedDerivation, signal: AbortSignal): Promise<Realisation> {
  switch (planned.action) {
    case "substitute":
      await substitute(
        request,
        planned.missing.map((name) => outputPath(planned.derivation, name)),
        signal,
      );
      return "substituted";
    case "copy":
      return copyOutput(request, planned, signal);
    case "host":
      return hostOutput(request, planned, signal);
    case "fetch":
      return fetchOutput(request, planned, signal);
    case "build":
      return buildDerivation(request, planned, signal);
  }
}

async function substitute(
  { substituter, sink, store }: RealiseOptions,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const path of paths) {
    using activity = new Activity(sink, "copy", fromBytes(path));
    await substituter!.substitute(path, sink, signal);
    if (!store.isValidPathSync(path))
      throw new D2nError("path-unavailable", `path '${path}' was promised by a binary cache, but did not come`);
    activity.stop(true);
  }
}

/** One error for what failed; its trace tells what needed it. */
function report(plan: Plan, failures: readonly Failure[], skipped: number): unknown {
  const first = failures[0]!.error;
  if (first instanceof D2nError)
    first.trace = [...first.trace, ...neededBy(plan, failures[0]!.id).map((message) => ({ message }))];
  if (failures.length === 1) {
    if (first instanceof D2nError && skipped > 0 && first.trace.length === 0)
      first.trace = [{ message: `${skipped} more were not begun` }];
    return first;
  }
  for (const { error } of failures) if (!(error instanceof D2nError)) return error;
  const names = failures.map(({ id, error }) => `${nameOf(id)}: ${messageOf(error)}`);
  const [head] = failures as readonly [Failure & { error: D2nError }, ...Failure[]];
  return new D2nError(
    head.error.code,
    `${failures.length} builds or downloads failed${skipped > 0 ? `, ${skipped} more needed them and were not begun` : ""}`,
    {
      details: [
        ...names.map((line) => `- ${line}`),
        ...failures.flatMap(({ id, error }) => ["", `${nameOf(id)}:`, (error as D2nError).details ?? messageOf(error)]),
      ].join("\n"),
      hint: head.error.hint,
      cause: head.error,
    },
  );
}

/** The way from a derivation up to what was wanted, shortest first found, with the steps between left out if there are many. */
function neededBy(plan: Plan, failed: string): string[] {
  const users = new Map<string, string>();
  const queue = [failed];
  let end: string | undefined;
  for (const id of queue) {
    if (plan.wanted.has(id)) {
      end = id;
      break;
    }
    for (const { drvPath, dependencies } of plan.derivations)
      if (dependencies.includes(id) && drvPath !== failed && !users.has(drvPath)) {
        users.set(drvPath, id);
        queue.push(drvPath);
      }
  }
  const way: string[] = [];
  for (let id = end; id !== undefined && id !== failed; id = users.get(id)) way.unshift(id);
  const shown = way.length > 4 ? [...way.slice(0, 2), undefined, ...way.slice(-1)] : way;
  return shown.map((id) => (id === undefined ? `… ${way.length - 3} more …` : `needed by '${nameOf(id)}'`));
}

function nameOf(path: string): string {
  return fromBytes(path.slice(path.lastIndexOf("/") + 34)).replace(/\.drv$/, "");
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
