import { resolve } from "node:path";
import type { Command } from "commander";
import { notice, UsageError } from "../../base/index.ts";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";

interface CopyOptions extends RawOptions {
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly outLink?: string;
  readonly dest?: string;
}

/** `prefetch`, `prefetch-inputs`, `archive` and `clone`, subcommands of `flake`. */
export function addFlakeCopies(flake: Command, invocation: Invocation): void {
  const print = (text: string): void => void invocation.world.stdout.write(text);
  withCommonOptions(
    flake
      .command("prefetch")
      .description("Fetch the source tree of a flake reference to the store.")
      .argument("[flake]", "what to fetch, be it a flake or not; `.` unless given")
      .option("--json", "print JSON")
      .option("-o, --out-link <path>", "make a link to it, which keeps it"),
  ).action(async (reference: string | undefined, options: CopyOptions) =>
    invocation.execute(options, async (context) => {
      const { prefetchFlake } = await import("../../app/flake-copies.ts");
      const { url, hash, locked, original, storePath } = await prefetchFlake(context, reference ?? ".");
      if (options.outLink !== undefined) {
        const { linkResult } = await import("../../app/result-links.ts");
        await linkResult(context, resolve(context.cwd, options.outLink), storePath);
      }
      if (options.json) print(`${JSON.stringify({ hash, locked, original, storePath })}\n`);
      else notice(context.sink, `Downloaded '${url}' to '${storePath}' (hash '${hash}').`);
    }),
  );
  withCommonOptions(
    flake
      .command("prefetch-inputs")
      .description("Fetch the source trees of a flake's inputs to the store.")
      .argument("[flake]", "the flake; `.` unless given"),
  ).action(async (reference: string | undefined, options: CopyOptions) =>
    invocation.execute(options, async (context) => {
      const { archiveFlake } = await import("../../app/flake-copies.ts");
      await archiveFlake(context, reference ?? ".", { dryRun: false });
    }),
  );
  withCommonOptions(
    flake
      .command("archive")
      .description("Fetch the source trees of a flake and its inputs to the store.")
      .argument("[flake]", "the flake; `.` unless given")
      .option("--json", "print their store paths as JSON")
      .option("--dry-run", "fetch nothing that has a hash"),
  ).action(async (reference: string | undefined, options: CopyOptions) =>
    invocation.execute(options, async (context) => {
      const { archiveFlake } = await import("../../app/flake-copies.ts");
      const archived = await archiveFlake(context, reference ?? ".", { dryRun: options.dryRun === true });
      if (options.json) print(`${JSON.stringify(archived)}\n`);
    }),
  );
  withCommonOptions(
    flake
      .command("clone")
      .description("Make a checkout of a flake's repository.")
      .argument("[flake]", "the flake; `.` unless given")
      .option("-f, --dest <folder>", "where to"),
  ).action(async (reference: string | undefined, options: CopyOptions) =>
    invocation.execute(options, async (context) => {
      if (options.dest === undefined) throw new UsageError("missing flag '--dest'");
      const { cloneFlake } = await import("../../app/flake-copies.ts");
      await cloneFlake(context, reference ?? ".", options.dest);
    }),
  );
}
