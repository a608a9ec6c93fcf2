/** Lines that only ever get added: for pipes, files and CI. */
import colors from "picocolors";
import type { Event } from "../../base/index.ts";
import { doing, formatBytes, formatSeconds, printable, type Reporter, type ReporterOptions } from "./reporter.ts";

interface Running {
  readonly kind: keyof typeof doing;
  readonly name: string;
  readonly started: number;
  done: number;
  announced: boolean;
  /** What a lock has told of already. */
  readonly subjects: Set<string>;
}

/** Work that is over sooner is not worth a line. */
const QUICK = 1000;

export function plainReporter(options: ReporterOptions): Reporter {
  const paint = colors.createColors(options.color);
  const running = new Map<number, Running>();
  let expected = { builds: 0, downloads: 0 };
  let built = 0;
  const line = (text: string): void => options.write(`${text}\n`);

  const report = (event: Event): void => {
    switch (event.type) {
      case "activity-start":
        running.set(event.id, {
          kind: event.kind,
          name: event.name,
          started: options.now(),
          done: 0,
          announced: event.kind === "build" || event.kind === "lock",
          subjects: new Set(),
        });
        if (event.kind === "build")
          line(`building ${event.name}${expected.builds > 1 ? ` (${built + 1}/${expected.builds})` : ""}`);
        else if (event.kind === "lock") line(`locking ${event.name}`);
        break;
      case "activity-progress": {
        const activity = running.get(event.id);
        if (activity === undefined) break;
        activity.done = event.done;
        // A download that takes its time says so once, with what is to come.
        if (!activity.announced && activity.kind === "download" && options.now() - activity.started > QUICK) {
          activity.announced = true;
          line(`downloading ${activity.name}${event.total === undefined ? "" : ` (${formatBytes(event.total)})`}`);
        }
        break;
      }
      case "activity-log": {
        const activity = running.get(event.id);
        if (activity === undefined) break;
        if (activity.kind === "lock" && options.verbose) line(printable(event.line));
        else if (options.showLogs) line(`${paint.dim(`${activity.name}>`)} ${printable(event.line)}`);
        break;
      }
      case "activity-phase": {
        const activity = running.get(event.id);
        if (options.showLogs) line(`${paint.dim(`${activity?.name ?? ""}>`)} phase: ${event.phase}`);
        else if (activity?.kind === "lock" && !options.verbose) {
          // A line for each package; what is done with it comes behind a colon.
          const subject = printable(event.phase.replace(/: .*$/, ""));
          if (!activity.subjects.has(subject)) line(`  ${subject}`);
          activity.subjects.add(subject);
        }
        break;
      }
      case "activity-stop": {
        const activity = running.get(event.id);
        if (activity === undefined) break;
        running.delete(event.id);
        const took = options.now() - activity.started;
        if (activity.kind === "build") {
          if (event.ok) built++;
          if (took > QUICK || !event.ok)
            line(`${event.ok ? "built" : "failed"} ${activity.name} in ${formatSeconds(took)}`);
        } else if (event.ok && took > QUICK) {
          const amount = activity.kind === "download" && activity.done > 0 ? `, ${formatBytes(activity.done)}` : "";
          if (activity.kind === "evaluate") line(`evaluated ${activity.name} in ${formatSeconds(took)}`);
          else line(`${doing[activity.kind]} ${activity.name}: done in ${formatSeconds(took)}${amount}`);
        }
        break;
      }
      case "expected":
        // Each package that is asked for has a plan of its own, and is counted by itself.
        expected = { builds: event.builds, downloads: event.downloads };
        built = 0;
        if (event.builds + event.downloads > 0)
          line(
            `to do: ${[
              ...(event.builds > 0 ? [`${event.builds} ${event.builds === 1 ? "build" : "builds"}`] : []),
              ...(event.downloads > 0
                ? [`${event.downloads} ${event.downloads === 1 ? "download" : "downloads"}`]
                : []),
            ].join(", ")}`,
          );
        break;
      case "message":
        if (event.level === "warning") line(`${paint.yellow("warning:")} ${event.text}`);
        else if (event.level === "error") line(`${paint.red("error:")} ${event.text}`);
        else if (event.level === "notice" || options.verbose) line(event.text);
        break;
    }
  };
  return { report, print: (text) => options.write(text), close: () => {} };
}
