/** The worker's side of the services: synchronous calls. */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { messageToError } from "./errors.ts";
import type { ServiceName, ServiceReply, Services } from "./protocol.ts";

export type SyncServices = {
  readonly [Name in ServiceName]: (argument: Parameters<Services[Name]>[0]) => Awaited<ReturnType<Services[Name]>>;
};

/**
 * @param port where requests go and answers come
 * @param signal one shared integer that counts the answers
 */
export function createServiceClient(port: MessagePort, signal: Int32Array): SyncServices {
  let answered = 0;
  const call = (service: ServiceName, argument: unknown): unknown => {
    port.postMessage({ service, argument });
    for (;;) {
      Atomics.wait(signal, 0, answered);
      const received = receiveMessageOnPort(port);
      if (received === undefined) continue;
      answered++;
      const reply = received.message as ServiceReply;
      if ("error" in reply) throw messageToError(reply.error);
      return reply.value;
    }
  };
  return new Proxy({} as SyncServices, {
    get: (_, service) => (argument: unknown) => call(service as ServiceName, argument),
  });
}
