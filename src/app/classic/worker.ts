/** Entry of the thread that evaluates. */
import { parentPort, workerData } from "node:worker_threads";
import { keepCompiledCode } from "../../base/index.ts";
import { guardHeap } from "../evaluation/heap.ts";
import { createServiceClient } from "../evaluation/service-client.ts";
import { classicErrorMessage } from "./errors.ts";
import type { ThreadData } from "./evaluator-thread.ts";
import type { ClassicJob, ClassicMessage } from "./protocol.ts";
import type { SyncClassicServices } from "./services.ts";
import { runTask } from "./task.ts";

const { signal, port } = workerData as ThreadData;
const send = (message: ClassicMessage): void => parentPort!.postMessage(message);

guardHeap();
parentPort!.once("message", (job: ClassicJob) => {
  try {
    runTask(job, createServiceClient(port, new Int32Array(signal)) as SyncClassicServices, {
      write: (output) => send({ output }),
      derivation: (derivation) => send({ derivation }),
      notice: (level, text) => send({ notice: { level, text } }),
    });
    // Before the last word: the main thread ends this one as soon as it has it.
    keepCompiledCode();
    send({ done: true });
  } catch (error) {
    send({ failed: classicErrorMessage(error, job.settings.showTrace) });
  }
  port.close();
});
