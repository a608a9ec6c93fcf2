/**
 * Runs tasks that depend on each other, several at once. Nothing here knows what a task does.
 *
 * Order: a task starts when what it depends on is done and its class has a free place; among those the one with the longest
 * way to the end behind it comes first, then the one listed first. Same tasks, same order.
 */
import { InterruptedError } from "../base/index.ts";

export interface Task {
  readonly id: string;
  /** Which limit it counts for. */
  readonly kind: "build" | "download";
  /** Ids of other tasks; what is no task is done already. */
  readonly dependencies: readonly string[];
  /** Does the work; must end soon after the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

export interface ScheduleOptions {
  /** Tasks of a kind at once; at least 1. */
  readonly limits: Readonly<Record<Task["kind"], number>>;
  /** After a failure go on with everything that does not depend on it. */
  readonly keepGoing: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Failure {
  readonly id: string;
  readonly error: unknown;
}

export interface ScheduleResult {
  /** In the order in which they were done. */
  readonly done: readonly string[];
  /** First failure first; only tasks that failed themselves. */
  readonly failures: readonly Failure[];
  /** Not started, because of a failure. */
  readonly skipped: readonly string[];
}

/**
 * Runs them all. Resolves when nothing runs any more; failures of tasks are in the result. Without `keepGoing` the first one
 * aborts what is running.
 * @throws what the signal was aborted with, or InterruptedError, once everything has ended
 */
export async function schedule(tasks: readonly Task[], options: ScheduleOptions): Promise<ScheduleResult> {
  const byId = new Map<string, Task>();
  for (const task of tasks) {
    if (byId.has(task.id)) throw new Error(`internal error: two tasks with the id '${task.id}'`);
    byId.set(task.id, task);
  }
  const dependents = new Map<string, string[]>();
  const waiting = new Map<string, number>();
  for (const task of tasks) {
    const own = new Set(task.dependencies.filter((id) => byId.has(id)));
    waiting.set(task.id, own.size);
    for (const id of own) {
      const others = dependents.get(id);
      if (others === undefined) dependents.set(id, [task.id]);
      else others.push(task.id);
    }
  }
  const heights = heightsOf(tasks, dependents, waiting);
  const position = new Map(tasks.map((task, index) => [task.id, index]));
  const before = (a: Task, b: Task): number =>
    heights.get(b.id)! - heights.get(a.id)! || position.get(a.id)! - position.get(b.id)!;

  const controller = new AbortController();
  const stop = (): void => controller.abort(options.signal?.reason);
  if (options.signal?.aborted === true) stop();
  options.signal?.addEventListener("abort", stop, { once: true });

  const ready: Record<Task["kind"], Task[]> = { build: [], download: [] };
  for (const task of tasks) if (waiting.get(task.id) === 0) ready[task.kind].push(task);
  const running: Record<Task["kind"], number> = { build: 0, download: 0 };
  const done: string[] = [];
  const failures: Failure[] = [];
  const started = new Set<string>();
  const blocked = new Set<string>();

  const block = (id: string): void => {
    for (const next of dependents.get(id) ?? [])
      if (!blocked.has(next)) {
        blocked.add(next);
        block(next);
      }
  };

  try {
    await new Promise<void>((resolve) => {
      const advance = (): void => {
        for (const kind of ["download", "build"] as const) {
          ready[kind].sort(before);
          while (
            !controller.signal.aborted &&
            running[kind] < Math.max(1, options.limits[kind]) &&
            ready[kind].length > 0
          )
            start(ready[kind].shift()!);
        }
        if (running.build + running.download === 0) resolve();
      };
      const start = (task: Task): void => {
        running[task.kind]++;
        started.add(task.id);
        void task
          .run(controller.signal)
          .then(
            () => {
              done.push(task.id);
              for (const id of dependents.get(task.id) ?? []) {
                const left = waiting.get(id)! - 1;
                waiting.set(id, left);
                if (left === 0 && !blocked.has(id)) ready[byId.get(id)!.kind].push(byId.get(id)!);
              }
            },
            (error: unknown) => {
              // What fails because another failure, or the user, stopped it has nothing to say.
              if (controller.signal.aborted) return;
              failures.push({ id: task.id, error });
              block(task.id);
              if (!options.keepGoing) controller.abort(new InterruptedError("stopped because another task failed"));
            },
          )
          .then(() => {
            running[task.kind]--;
            advance();
          });
      };
      advance();
    });
  } finally {
    options.signal?.removeEventListener("abort", stop);
  }
  if (options.signal?.aborted === true) {
    const reason: unknown = options.signal.reason;
    throw reason instanceof Error && reason.name !== "AbortError" ? reason : new InterruptedError();
  }
  return { done, failures, skipped: tasks.map(({ id }) => id).filter((id) => !started.has(id)) };
}

/** For each task the number of tasks on the longest way from it to the end. @throws for a cycle */
function heightsOf(
  tasks: readonly Task[],
  dependents: ReadonlyMap<string, readonly string[]>,
  waiting: ReadonlyMap<string, number>,
): Map<string, number> {
  const left = new Map(waiting);
  const order: string[] = tasks.filter(({ id }) => left.get(id) === 0).map(({ id }) => id);
  for (const id of order)
    for (const next of dependents.get(id) ?? []) {
      const count = left.get(next)! - 1;
      left.set(next, count);
      if (count === 0) order.push(next);
    }
  if (order.length !== tasks.length) throw new Error("internal error: tasks depend on each other in a circle");
  const heights = new Map<string, number>();
  for (const id of order.reverse())
    heights.set(id, 1 + Math.max(0, ...(dependents.get(id) ?? []).map((next) => heights.get(next)!)));
  return heights;
}
