/** Running a task in a thread with a large stack. Loads nothing that a plain evaluation does not need: it has to start fast. */
import { InterruptedError } from "../../base/index.ts";
import type { Context } from "../context.ts";
import { awaitThread } from "../evaluation/threads.ts";
import { errorToMessage, messageToError } from "../evaluation/errors.ts";
import type { ServiceReply, ServiceRequest } from "../evaluation/protocol.ts";
import { type EvaluatorThread, startEvaluatorThread } from "./evaluator-thread.ts";
import type { ClassicJob, ClassicMessage, FoundDerivation } from "./protocol.ts";
import type { OpenServices } from "./services.ts";

export interface ClassicSink {
  /** Standard output, in order. */
  write(bytes: Uint8Array): void;
  derivation?(found: FoundDerivation): void;
  notice(level: "trace" | "warning", text: string): void;
}

export interface ClassicRun {
  readonly job: ClassicJob;
  readonly sink: ClassicSink;
  /** Called only if evaluation needs the store or the network. */
  readonly context: () => Promise<Context>;
  /** Ends the evaluation at once. */
  readonly signal?: AbortSignal | undefined;
  /** One that was started beforehand. */
  readonly thread?: EvaluatorThread | undefined;
}

/** @throws whatever evaluation throws */
export async function runClassic({ job, sink, context, signal, thread }: ClassicRun): Promise<void> {
  const { worker, port, answered } = thread ?? startEvaluatorThread();
  worker.ref();
  let opened: Promise<OpenServices> | undefined;
  port.on("message", (request: ServiceRequest) => {
    opened ??= import("./services.ts").then(({ openServices }) => openServices(context));
    void answer(opened, request).then((reply) => {
      port.postMessage(reply);
      Atomics.add(answered, 0, 1);
      Atomics.notify(answered, 0);
    });
  });
  using awaited = awaitThread(worker);
  try {
    const done = new Promise<void>((resolve, reject) => {
      worker.on("message", (message: ClassicMessage) => {
        if ("output" in message) sink.write(Buffer.from(message.output, "latin1"));
        else if ("derivation" in message) sink.derivation?.(message.derivation);
        else if ("notice" in message) sink.notice(message.notice.level, message.notice.text);
        else if ("failed" in message) reject(messageToError(message.failed));
        else resolve();
      });
      signal?.addEventListener("abort", () => reject(new InterruptedError()), { once: true });
      worker.postMessage(job);
    });
    await Promise.race([done, awaited.loss]);
  } finally {
    port.close();
    // First of all: an evaluation that was interrupted takes the time of what is still to be done.
    void worker.terminate();
    await (await opened)?.close();
  }
}

async function answer(opened: Promise<OpenServices>, { service, argument }: ServiceRequest): Promise<ServiceReply> {
  try {
    const { services } = await opened;
    return { value: await (services[service] as (argument: unknown) => Promise<unknown>)(argument) };
  } catch (error) {
    return { error: errorToMessage(error) };
  }
}
