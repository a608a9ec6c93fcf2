import type { Command } from "commander";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";
import { formatBytes } from "../reporters/reporter.ts";
import { exitStatus } from "../world.ts";

interface VerifyOptions extends RawOptions {
  readonly contents?: boolean;
  readonly repair?: boolean;
}

interface GarbageOptions extends RawOptions {
  readonly dryRun?: boolean;
  readonly maxFreed?: string;
}

interface PathInfoOptions extends RawOptions {
  readonly json?: boolean;
  readonly size?: boolean;
  readonly closureSize?: boolean;
  readonly recursive?: boolean;
}

export function addStore(root: Command, invocation: Invocation): void {
  const store = root.command("store").description("Look after the store.");
  const { stdout } = invocation.world;

  withCommonOptions(
    store
      .command("verify")
      .description("Check that the store holds what it says: every path present and unchanged.")
      .option("--no-contents", "do not read the contents again")
      .option("--repair", "forget paths that have vanished"),
  ).action(async (options: VerifyOptions) =>
    invocation.execute(options, async (context) => {
      const { verifyStore } = await import("../../app/store-commands.ts");
      const { checked, problems } = await verifyStore(context, {
        contents: options.contents !== false,
        repair: options.repair === true,
      });
      const serious = problems.filter(({ problem }) => problem !== "unregistered");
      for (const { message } of problems) stdout.write(`${message}\n`);
      stdout.write(`${checked} paths checked, ${serious.length} ${serious.length === 1 ? "problem" : "problems"}\n`);
      return serious.length === 0 ? exitStatus.success : exitStatus.failure;
    }),
  );

  withCommonOptions(
    store
      .command("gc")
      .description("Delete what nothing needs: no result link, no running process.")
      .option("--dry-run", "only say what would be deleted")
      .option("--max-freed <bytes>", "stop after so many bytes"),
  ).action(async (options: GarbageOptions) =>
    invocation.execute(options, async (context) => {
      const { collectGarbage } = await import("../../app/store-commands.ts");
      const { paths, bytesFreed } = await collectGarbage(context, {
        dryRun: options.dryRun === true,
        maxFreed: options.maxFreed === undefined ? undefined : Number(options.maxFreed),
      });
      if (options.dryRun) for (const path of paths) stdout.write(`${path}\n`);
      stdout.write(
        `${paths.length} paths ${options.dryRun ? "would be" : ""} deleted, ${formatBytes(bytesFreed)} freed\n`.replace(
          "paths  ",
          "paths ",
        ),
      );
    }),
  );

  withCommonOptions(
    store
      .command("path-info")
      .description("Describe store paths.")
      .argument("[installables...]", "flake attributes, store paths, or links such as ./result; `.` unless given")
      .option("--json", "print JSON")
      .option("-s, --size", "with the size")
      .option("-S, --closure-size", "with the size of everything it needs")
      .option("-r, --recursive", "also everything it needs"),
  ).action(async (installables: string[], options: PathInfoOptions) =>
    invocation.execute(options, async (context) => {
      const { pathInfo } = await import("../../app/store-commands.ts");
      const paths = await pathInfo(context, installables.length === 0 ? ["."] : installables, {
        size: options.closureSize === true,
        recursive: options.recursive === true,
      });
      if (options.json)
        stdout.write(`${JSON.stringify(Object.fromEntries(paths.map(({ path, ...rest }) => [path, rest])))}\n`);
      else
        for (const { path, narSize, closureSize } of paths)
          stdout.write(
            `${[path, ...(options.size ? [formatBytes(narSize).padStart(10)] : []), ...(closureSize === undefined ? [] : [formatBytes(closureSize).padStart(10)])].join("  ")}\n`,
          );
    }),
  );
}
