/** What a reporter is: something that events can be shown to. */
import type { Event } from "../../base/index.ts";

export interface Reporter {
  report(event: Event): void;
  /** Shows text above whatever is being drawn: errors, for instance. */
  print(text: string): void;
  /** Leaves the screen as a shell expects it. */
  close(): void;
}

export interface ReporterOptions {
  readonly write: (text: string) => void;
  readonly color: boolean;
  /** Build logs line by line. */
  readonly showLogs: boolean;
  /** Messages of level info too. */
  readonly verbose: boolean;
  /** Milliseconds; the clock. */
  readonly now: () => number;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

export function formatSeconds(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${String(Math.round(seconds % 60)).padStart(2, "0")} s`;
}

/** The words for a kind of work, while it goes on. */
export const doing = {
  download: "downloading",
  build: "building",
  copy: "copying",
  evaluate: "evaluating",
  lock: "locking",
  "fetch-git": "fetching",
  unpack: "unpacking",
  verify: "verifying",
  collect: "collecting garbage",
} as const;

/** Text from elsewhere must not move the cursor about. */
export function printable(text: string): string {
  return text.replace(/\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|[\x00-\x08\x0b-\x1f\x7f]/g, "");
}
