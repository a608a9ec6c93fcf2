/** Entry of the evaluation worker. */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { keepCompiledCode } from "../../base/index.ts";
import { errorToMessage } from "./errors.ts";
import { guardHeap } from "./heap.ts";
import { runJob } from "./job.ts";
import type { Job, WorkerReply } from "./protocol.ts";
import { createServiceClient } from "./service-client.ts";

const { job, signal, port } = workerData as { job: Job; signal: SharedArrayBuffer; port: MessagePort };

guardHeap();
let reply: WorkerReply;
try {
  reply = { result: runJob(job, createServiceClient(port, new Int32Array(signal))) };
} catch (error) {
  reply = { error: errorToMessage(error) };
}
// Before the answer: the main thread ends this one as soon as it has it.
keepCompiledCode();
parentPort!.postMessage(reply);
port.close();
