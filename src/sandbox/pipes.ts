/**
 * Pipes for the output of builders. Not what Node's `spawn` calls a pipe: that is a socket, which cannot be opened as
 * /dev/stderr; and two of them, for standard output and standard error, would mix up the order of lines.
 *
 * Node cannot make pipes, busybox can, as named ones. One is enough for many builds one after the other: it is held open and
 * opened anew for each of them by way of /proc.
 */
import { execFile } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Idle pipes: descriptors that keep them alive. */
const idle: number[] = [];

export interface OutputPipe {
  /** Non-blocking; whoever takes it closes it. */
  readonly reader: number;
  /** For the builder; must be closed here once the builder has it. */
  readonly writer: number;
  /** `drained`: everything was read and no process holds the other end, so the pipe can serve again. */
  release(drained: boolean): void;
}

/** `folder` is where the pipe has its name for a moment, if a new one is needed. */
export async function openOutputPipe(busybox: string, folder: string): Promise<OutputPipe> {
  const keeper = idle.pop() ?? (await makePipe(busybox, folder));
  const again = `/proc/self/fd/${keeper}`;
  let reader: number | undefined;
  try {
    reader = openSync(again, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(again, constants.O_WRONLY);
    return {
      reader,
      writer,
      release: (drained) => {
        if (drained) idle.push(keeper);
        else closeSync(keeper);
      },
    };
  } catch (error) {
    if (reader !== undefined) closeSync(reader);
    closeSync(keeper);
    throw error;
  }
}

async function makePipe(busybox: string, folder: string): Promise<number> {
  const path = join(folder, "output");
  await run(busybox, ["mkfifo", "-m", "0600", path], { env: {} });
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } finally {
    await rm(path, { force: true });
  }
}
