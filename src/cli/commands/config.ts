import type { Command } from "commander";
import { configurationKeys } from "../../app/settings.ts";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";

interface ConfigOptions extends RawOptions {
  readonly unset?: boolean;
}

export function addConfig(root: Command, invocation: Invocation): void {
  withCommonOptions(
    root
      .command("config")
      .description("Show or change the user's settings.")
      .argument("[key]", "name of a setting")
      .argument("[value]", "its new value")
      .option("--unset", "remove the setting")
      .addHelpText(
        "after",
        `\nSettings:\n${Object.entries(configurationKeys)
          .map(([key, meaning]) => `  ${key.padEnd(24)} ${meaning}`)
          .join("\n")}`,
      ),
  ).action(async (key: string | undefined, value: string | undefined, options: ConfigOptions) =>
    invocation.execute(options, async (context) => {
      const { checkConfigurationKey, writeConfiguration } = await import("../../app/settings.ts");
      const { stdout } = invocation.world;
      if (key === undefined) {
        for (const [name, current] of Object.entries(context.configuration)) stdout.write(`${name} = ${current}\n`);
        return;
      }
      const known = checkConfigurationKey(key);
      if (options.unset || value !== undefined)
        writeConfiguration(context.directories.configurationFile, known, options.unset ? undefined : value);
      else stdout.write(`${context.configuration[known] ?? ""}\n`);
    }),
  );
}
