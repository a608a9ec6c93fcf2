/** Running a job in a worker with a large stack, and serving it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { Activity, D2nError, InterruptedError, type SourceLocation } from "../../base/index.ts";
import { errorToMessage, messageToError } from "./errors.ts";
import type {
  Job,
  JobResult,
  ProjectMessage,
  ServiceReply,
  ServiceRequest,
  Services,
  WorkerReply,
} from "./protocol.ts";
import type { Session } from "./session.ts";
import { awaitThread, startThread } from "./threads.ts";

/** What a worker is started with. */
export interface WorkerData {
  readonly job: Job;
  /** Counts the answers of services. */
  readonly signal: SharedArrayBuffer;
  readonly port: MessagePort;
}

/**
 * Evaluates. Interrupting the context's signal ends the worker at once.
 * @throws whatever evaluation throws, with places in the user's own files
 */
export async function evaluate(session: Session, job: Job): Promise<JobResult> {
  const { context } = session;
  if (context.signal.aborted) throw new InterruptedError();
  const counter = new SharedArrayBuffer(4);
  const answered = new Int32Array(counter);
  const channel = new MessageChannel();
  using activity = new Activity(
    context.sink,
    "evaluate",
    job.kind === "installable" ? `${job.reference}#${job.fragment}` : job.reference,
  );
  const data: WorkerData = { job, signal: counter, port: channel.port2 };
  const worker = startThread(new URL("./worker.cjs", import.meta.url), data, [channel.port2]);
  // The worker takes a while to load its code.
  session.openAhead(job.reference);
  channel.port1.on("message", (request: ServiceRequest) => {
    void serve(session.services, request).then((reply) => {
      channel.port1.postMessage(reply);
      Atomics.add(answered, 0, 1);
      Atomics.notify(answered, 0);
    });
  });
  using thread = awaitThread(worker);
  try {
    const answer = new Promise<WorkerReply>((resolve, reject) => {
      const interrupt = (): void => {
        reject(new InterruptedError());
        void worker.terminate();
      };
      context.signal.addEventListener("abort", interrupt, { once: true });
      worker.once("message", (message: WorkerReply) => {
        context.signal.removeEventListener("abort", interrupt);
        resolve(message);
      });
    });
    const reply = await Promise.race([answer, thread.loss]);
    if ("error" in reply) throw inUsersFiles(messageToError(reply.error), session.project);
    activity.stop(true);
    return reply.result;
  } finally {
    channel.port1.close();
    void worker.terminate();
  }
}

async function serve(services: Services, { service, argument }: ServiceRequest): Promise<ServiceReply> {
  try {
    return { value: await (services[service] as (argument: unknown) => Promise<unknown>)(argument) };
  } catch (error) {
    return { error: errorToMessage(error) };
  }
}

/** Names the user's own files where an error speaks of their copy in the store, and files that git does not know of. */
function inUsersFiles(error: Error, project: ProjectMessage | undefined): Error {
  if (!(error instanceof D2nError) || project?.root === undefined) return error;
  const { outPath } = project.tree;
  const { root } = project;
  const rename = (text: string): string => text.replaceAll(`${outPath}/`, `${root}/`).replaceAll(outPath, root);
  const place = (location: SourceLocation | undefined): SourceLocation | undefined =>
    location && { ...location, file: rename(location.file) };
  const lockFile = error.code === "lock-missing" ? /^the lock file (\S+) of /.exec(error.message)?.[1] : undefined;
  const missing =
    lockFile === undefined
      ? new RegExp(`${escapeRegExp(outPath)}/([^'\`"]+)['\`]`).exec(error.message)?.[1]
      : join(project.dir, lockFile);
  let { message } = error;
  let hint = error.hint === undefined ? undefined : rename(error.hint);
  if (missing !== undefined && project.display.startsWith("git+file:") && existsSync(join(root, missing))) {
    if (lockFile !== undefined) message = message.replace(/ is missing;.*$/s, " is not tracked by git");
    hint = `\`${missing}\` exists but is not tracked by git, so it is no part of the flake. Run \`git -C ${root} add ${missing}\`.`;
  }
  const renamed = new D2nError(error.code, rename(message), {
    hint,
    location: place(error.location),
    trace: error.trace.map((frame) => ({ message: rename(frame.message), location: place(frame.location) })),
    details: error.details === undefined ? undefined : rename(error.details),
    exitCode: error.exitCode,
  });
  if (error.stack !== undefined) renamed.stack = error.stack;
  return renamed;
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
