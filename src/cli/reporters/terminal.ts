/** A live view at the bottom of a terminal: what is going on, how far it is, for how long. */
import colors from "picocolors";
import stringWidth from "string-width";
import type { Event } from "../../base/index.ts";
import { plainReporter } from "./plain.ts";
import { doing, formatBytes, formatSeconds, printable, type Reporter, type ReporterOptions } from "./reporter.ts";

interface Running {
  readonly kind: keyof typeof doing;
  readonly name: string;
  readonly started: number;
  done: number;
  total: number | undefined;
  phase: string;
  lastLine: string;
}

export interface TerminalOptions extends ReporterOptions {
  readonly columns: () => number;
  /** Calls back some ten times a second until told to stop. */
  readonly tick: (redraw: () => void) => () => void;
}

/** Rows of activities that are shown at most. */
const ROWS = 8;
/** Synchronised output: the terminal shows a frame at once (mode 2026). */
const BEGIN = "\x1b[?2026h";
const END = "\x1b[?2026l";

export function terminalReporter(options: TerminalOptions): Reporter {
  const paint = colors.createColors(options.color);
  const running = new Map<number, Running>();
  const totals = { builds: 0, downloads: 0, built: 0, downloaded: 0, bytes: 0 };
  let drawn = 0;
  let dirty = false;
  let closed = false;
  const erase = (): string => (drawn === 0 ? "" : `\r${drawn > 1 ? `\x1b[${drawn - 1}A` : ""}\x1b[J`);

  // Whole lines come from the plain reporter, above the view; it is told only what it should print.
  const above = plainReporter({
    ...options,
    write: (text) => {
      options.write(`${BEGIN}${erase()}${text}`);
      drawn = 0;
      draw();
      options.write(END);
    },
  });

  function fit(text: string): string {
    const width = Math.max(20, options.columns() - 1);
    if (stringWidth(text) <= width) return text;
    let cut = text.slice(0, width - 1);
    while (stringWidth(cut) > width - 1) cut = cut.slice(0, -1);
    return `${cut}…`;
  }

  function row(activity: Running): string {
    const took = formatSeconds(options.now() - activity.started);
    if (activity.kind === "download") {
      const of = activity.total === undefined ? "" : ` of ${formatBytes(activity.total)}`;
      return fit(`  ${doing.download} ${activity.name}  ${formatBytes(activity.done)}${of}  ${took}`);
    }
    const phase = activity.phase === "" ? "" : ` (${activity.phase})`;
    return fit(
      `  ${doing[activity.kind]} ${activity.name}${phase}  ${took}${activity.lastLine === "" ? "" : `  ${activity.lastLine}`}`,
    );
  }

  function frame(): string[] {
    if (running.size === 0) return [];
    const parts: string[] = [];
    if (totals.builds > 0) parts.push(`${totals.built}/${totals.builds} built`);
    if (totals.downloads > 0)
      parts.push(`${totals.downloaded}/${totals.downloads} downloaded (${formatBytes(totals.bytes)})`);
    const rows = [...running.values()].slice(0, ROWS).map(row);
    if (running.size > ROWS) rows.push(`  … and ${running.size - ROWS} more`);
    return parts.length === 0 ? rows : [paint.bold(fit(`[${parts.join(", ")}]`)), ...rows];
  }

  function draw(): void {
    const lines = closed ? [] : frame();
    options.write(`${erase()}${lines.join("\n")}`);
    drawn = lines.length;
    dirty = false;
  }

  const stop = options.tick(() => {
    if (closed || (!dirty && running.size === 0)) return;
    options.write(BEGIN);
    draw();
    options.write(END);
  });

  const report = (event: Event): void => {
    dirty = true;
    switch (event.type) {
      case "activity-start":
        running.set(event.id, {
          kind: event.kind,
          name: event.name,
          started: options.now(),
          done: 0,
          total: event.total,
          phase: "",
          lastLine: "",
        });
        if (event.kind === "lock") above.report(event);
        break;
      case "activity-progress": {
        const activity = running.get(event.id);
        if (activity === undefined) break;
        if (activity.kind === "download") totals.bytes += Math.max(0, event.done - activity.done);
        activity.done = event.done;
        activity.total = event.total ?? activity.total;
        break;
      }
      case "activity-log": {
        const activity = running.get(event.id);
        if (activity === undefined) break;
        activity.lastLine = printable(event.line).trim();
        if (activity.kind === "lock" && options.verbose) above.print(`${activity.lastLine}\n`);
        else if (options.showLogs) above.print(`${paint.dim(`${activity.name}>`)} ${activity.lastLine}\n`);
        break;
      }
      case "activity-phase": {
        const activity = running.get(event.id);
        if (activity !== undefined) activity.phase = event.phase;
        break;
      }
      case "activity-stop": {
        const activity = running.get(event.id);
        running.delete(event.id);
        if (event.ok && activity?.kind === "build") totals.built++;
        if (event.ok && activity?.kind === "download") totals.downloaded++;
        break;
      }
      case "expected":
        totals.builds += event.builds;
        totals.downloads += event.downloads;
        break;
      case "message":
        above.report(event);
        break;
    }
  };

  return {
    report,
    print: (text) => above.print(text),
    close: () => {
      if (closed) return;
      closed = true;
      stop();
      draw();
    },
  };
}
