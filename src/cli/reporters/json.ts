/** One JSON object a line: `--log-format internal-json`, with Nix's prefix. */
import type { Event } from "../../base/index.ts";
import type { Reporter, ReporterOptions } from "./reporter.ts";

export function jsonReporter(options: ReporterOptions): Reporter {
  const line = (value: unknown): void => options.write(`@nix ${JSON.stringify(value)}\n`);
  return {
    report: (event: Event) => line({ action: event.type, ...event }),
    print: (text) => line({ action: "msg", level: 0, msg: text.trimEnd() }),
    close: () => {},
  };
}
