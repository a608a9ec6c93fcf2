/** Entry of the worker of a classic command. */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { createServiceClient } from "../evaluation/service-client.ts";
import { classicErrorMessage } from "./errors.ts";
import type { ClassicJob, ClassicMessage } from "./protocol.ts";
import type { SyncClassicServices } from "./services.ts";
import { runTask } from "./task.ts";

const { job, signal, port } = workerData as { job: ClassicJob; signal: SharedArrayBuffer; port: MessagePort };
const send = (message: ClassicMessage): void => parentPort!.postMessage(message);

try {
  runTask(job, createServiceClient(port, new Int32Array(signal)) as SyncClassicServices, {
    write: (output) => send({ output }),
    derivation: (derivation) => send({ derivation }),
    notice: (level, text) => send({ notice: { level, text } }),
  });
  send({ done: true });
} catch (error) {
  send({ failed: classicErrorMessage(error, job.settings.showTrace) });
}
port.close();
