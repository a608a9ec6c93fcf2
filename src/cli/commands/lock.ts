import type { Command } from "commander";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";
import { exitStatus } from "../world.ts";

interface LockOptions extends RawOptions {
  readonly check?: boolean;
  readonly json?: boolean;
  readonly field?: string;
}

export function addLock(root: Command, invocation: Invocation): void {
  withCommonOptions(
    root
      .command("lock")
      .description("Lock the dependencies of a package (`d2n run .#default.lock`), or check that its lock is current.")
      .argument("[installable]", "the package; `.` unless given, with `--check` all packages of the flake")
      .option("--check", "only say whether the lock is current; exit status 1 if it is not")
      .option("--field <name>", "make only this one of `lock.fields` anew; the lock file has to be current otherwise")
      .option("--json", "with --check: print JSON"),
  ).action(async (installable: string | undefined, options: LockOptions) =>
    invocation.execute(options, async (context) => {
      const { checkLocks, lock } = await import("../../app/lock-check.ts");
      if (!options.check) return lock(context, installable ?? ".", options.field);
      const checked = await checkLocks(context, installable ?? ".");
      const { stdout } = invocation.world;
      if (options.json) stdout.write(`${JSON.stringify(checked)}\n`);
      else
        for (const { package: name, file, current, reason, command } of checked)
          stdout.write(
            current
              ? `${name}: ${file} is current\n`
              : `${name}: ${reason ?? "it is outdated"}\n${command === undefined ? "" : `  ${command}\n`}`,
          );
      return checked.every(({ current }) => current) ? exitStatus.success : exitStatus.failure;
    }),
  );
}
