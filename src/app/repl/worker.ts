/** Entry of the thread in which the REPL evaluates. */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { keepCompiledCode } from "../../base/index.ts";
import { classicErrorMessage } from "../classic/errors.ts";
import type { SyncClassicServices } from "../classic/services.ts";
import { guardHeap } from "../evaluation/heap.ts";
import { createServiceClient } from "../evaluation/service-client.ts";
import type { ReplCall, ReplMessage, ReplSettings } from "./protocol.ts";
import { ReplScope } from "./scope.ts";
import { createReplWorld } from "./world.ts";

/** What the thread is started with. */
export interface ReplThreadData {
  readonly settings: ReplSettings;
  /** Counts the answers of services. */
  readonly signal: SharedArrayBuffer;
  readonly port: MessagePort;
}

const { settings, signal, port } = workerData as ReplThreadData;
const send = (message: ReplMessage): void => parentPort!.postMessage(message);
const services = createServiceClient(port, new Int32Array(signal)) as SyncClassicServices;
guardHeap();
const world = createReplWorld(settings.world, services, (level, text) => send({ notice: { level, text } }));
const scope = new ReplScope(world, settings, (begun) => send({ begun }));

parentPort!.on("message", ({ request, showTrace }: ReplCall) => {
  try {
    send({ result: scope.run(request) });
  } catch (error) {
    send({ failed: classicErrorMessage(error, showTrace) });
  }
  keepCompiledCode();
});
