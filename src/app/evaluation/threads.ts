/** The threads that evaluate: how they start, and how they end, be it that they take too much memory or that nobody wants them any more. */
import { totalmem } from "node:os";
import { type ResourceLimits, type Transferable, Worker } from "node:worker_threads";
import { outOfMemory, tuneEngine, workerFailure } from "./engine.ts";

const MEGABYTE = 2 ** 20;

const limits: Readonly<ResourceLimits> = {
  /** Megabytes. Deep recursion is what Nix code does; 10,000 nested calls must fit, and far more if somebody allows it. */
  stackSizeMb: 512,
  /** Megabytes; most of what evaluation allocates dies at once, and a small nursery would copy it around. */
  maxYoungGenerationSizeMb: 128,
  maxOldGenerationSizeMb: Math.max(512, Math.min(9600, Math.floor((memory() / MEGABYTE) * 0.75))),
};

/** Bytes of memory that this machine, or this container, has: what goes beyond is to end in an error, not in a killed process. */
function memory(): number {
  const allowed = process.constrainedMemory();
  return allowed > 0 && allowed < totalmem() ? allowed : totalmem();
}

/**
 * Bytes that the process may occupy. Close to its limit the engine collects garbage after each half of what is left, and gives up only
 * when next to nothing is: that takes longer than all that was before. So evaluation ends somewhat earlier. The stack and what the main
 * thread needs come on top of the heap.
 */
const mostMemory = (limits.maxOldGenerationSizeMb! * 0.85 + 750) * MEGABYTE;
/** Milliseconds in which no evaluation takes more than what is left then. */
const LOOK = 100;

/** One for the whole process: the scripts that it is made of each have a copy of this module. */
const running = ((globalThis as Record<symbol, unknown>)[Symbol.for("d2n.threads")] ??= new Set()) as Set<Worker>;

/** Starts a thread with a large stack. */
export function startThread(script: URL, workerData: unknown, transferList: readonly Transferable[]): Worker {
  tuneEngine();
  const worker = new Worker(script, { workerData, transferList: [...transferList], resourceLimits: limits });
  running.add(worker);
  worker.once("exit", () => running.delete(worker));
  return worker;
}

/** A thread that somebody waits for. Dispose of it when it has answered. */
export interface AwaitedThread extends Disposable {
  /** Rejects when there will be no answer: the thread failed, ended, or the process has come to occupy too much memory. */
  readonly loss: Promise<never>;
}

export function awaitThread(worker: Worker): AwaitedThread {
  let watch: Disposable | undefined;
  const loss = new Promise<never>((_, reject) => {
    worker.once("error", (error) => reject(workerFailure(error)));
    worker.once("exit", () => reject(new Error("internal error: the evaluator ended without a word")));
    watch = watchMemory(() => reject(outOfMemory()));
  });
  // It may happen when nobody waits any more.
  loss.catch(() => {});
  return { loss, [Symbol.dispose]: () => watch?.[Symbol.dispose]() };
}

/** Calls back, once, when the process has come to occupy too much memory. Dispose of it when nothing evaluates any more. */
export function watchMemory(full: () => void, most = mostMemory): Disposable {
  const timer = setInterval(() => {
    if (process.memoryUsage.rss() <= most) return;
    clearInterval(timer);
    full();
  }, LOOK).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Ends all threads. @returns whether they ended within this time, in milliseconds: what they are in the middle of may be long */
export function endThreads(patience: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patience, false);
    void Promise.all([...running].map((worker) => worker.terminate())).then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
