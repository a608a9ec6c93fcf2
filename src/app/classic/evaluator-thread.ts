/**
 * The thread that evaluates, with a large stack. It loads the language while the main thread still reads its command line, so
 * this module imports next to nothing.
 */
import { MessageChannel, type MessagePort, type Worker } from "node:worker_threads";
import { startThread } from "../evaluation/threads.ts";

/** A thread that waits for its job. */
export interface EvaluatorThread {
  readonly worker: Worker;
  /** Where requests for services come, and answers go. */
  readonly port: MessagePort;
  /** Counts the answers. */
  readonly answered: Int32Array;
}

/** What the thread gets before its job. */
export interface ThreadData {
  readonly signal: SharedArrayBuffer;
  readonly port: MessagePort;
}

export function startEvaluatorThread(): EvaluatorThread {
  const signal = new SharedArrayBuffer(4);
  const { port1, port2 } = new MessageChannel();
  const data: ThreadData = { signal, port: port2 };
  const worker = startThread(new URL("./worker.cjs", import.meta.url), data, [port2]);
  // Until somebody gives it a job, the process need not wait for it.
  worker.unref();
  port1.unref();
  return { worker, port: port1, answered: new Int32Array(signal) };
}
