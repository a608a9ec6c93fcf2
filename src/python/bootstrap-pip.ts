/** Running the pip that comes with the interpreter's packages: to fetch the one that is to lock, and pdm. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Activity, EventSink } from "../base/index.ts";
import { cleanEnvironment, type Environment } from "./pip-environment.ts";
import { PipProgress } from "./pip-output.ts";
import type { Run } from "./run.ts";

export interface BootstrapPip {
  /** Logical path of the interpreter. */
  readonly interpreter: string;
  /** Logical path of a `site-packages` that holds any pip. */
  readonly bootstrapPip: string;
  /** A folder to work in. */
  readonly work: string;
  readonly environment: Environment;
}

export interface BootstrapPipServices {
  readonly run: Run;
  readonly cwd: string;
  readonly events: EventSink;
  readonly signal?: AbortSignal | undefined;
}

/** Runs a command of pip's; `progress` knows why one failed. */
export async function runBootstrapPip(
  args: readonly string[],
  { interpreter, bootstrapPip, work, environment }: BootstrapPip,
  { run, cwd, events, signal }: BootstrapPipServices,
  activity: Activity,
): Promise<{ readonly status: number; readonly progress: PipProgress }> {
  const starter = join(work, "pip");
  writeFileSync(starter, "import sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n");
  const progress = new PipProgress(events, activity);
  const status = await run(
    [interpreter, "-s", starter, ...args, "--disable-pip-version-check", "--no-input", "--progress-bar", "off"],
    {
      env: {
        ...cleanEnvironment(environment, { fetchingPip: true }),
        TMPDIR: work,
        PYTHONPATH: bootstrapPip,
        PYTHONDONTWRITEBYTECODE: "1",
        PYTHONUNBUFFERED: "1",
      },
      cwd,
      onLine: (line) => progress.line(line),
      signal,
    },
  );
  progress.stop(status === 0);
  return { status, progress };
}
