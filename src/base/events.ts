/**
 * What happens while d2n works. Logic emits events, reporters (in `cli`) render them; nothing below `cli` prints.
 */

export type ActivityKind =
  "download" | "build" | "copy" | "evaluate" | "lock" | "fetch-git" | "unpack" | "verify" | "collect";

export type MessageLevel = "error" | "warning" | "notice" | "info" | "debug";

export type Event =
  | {
      readonly type: "activity-start";
      readonly id: number;
      readonly kind: ActivityKind;
      /** What is worked on: a store path name, a file name, a package. */
      readonly name: string;
      /** Expected amount, in bytes for downloads and copies. */
      readonly total?: number | undefined;
      /** Of a build: its .drv. */
      readonly path?: string | undefined;
    }
  | {
      readonly type: "activity-progress";
      readonly id: number;
      readonly done: number;
      readonly total?: number | undefined;
    }
  /** A line of output of the work itself, a builder's log line for instance, without its line end. */
  | { readonly type: "activity-log"; readonly id: number; readonly line: string }
  | { readonly type: "activity-phase"; readonly id: number; readonly phase: string }
  | { readonly type: "activity-stop"; readonly id: number; readonly ok: boolean }
  /** How much there is to do in all: derivations to build, files to download. */
  | {
      readonly type: "expected";
      readonly builds: number;
      readonly downloads: number;
      readonly bytes?: number | undefined;
    }
  | { readonly type: "message"; readonly level: MessageLevel; readonly text: string };

/** Where events go. Must not throw and must not block. */
export type EventSink = (event: Event) => void;

/** A sink that drops everything. */
export const silent: EventSink = () => {};

let lastActivity = 0;

/** One piece of work that a reporter can show. */
export class Activity implements Disposable {
  readonly id = ++lastActivity;
  #sink: EventSink;
  #stopped = false;

  constructor(
    sink: EventSink,
    kind: ActivityKind,
    name: string,
    { total, path }: { readonly total?: number | undefined; readonly path?: string | undefined } = {},
  ) {
    this.#sink = sink;
    sink({ type: "activity-start", id: this.id, kind, name, total, path });
  }

  progress(done: number, total?: number): void {
    this.#sink({ type: "activity-progress", id: this.id, done, total });
  }

  log(line: string): void {
    this.#sink({ type: "activity-log", id: this.id, line });
  }

  phase(phase: string): void {
    this.#sink({ type: "activity-phase", id: this.id, phase });
  }

  stop(ok: boolean): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#sink({ type: "activity-stop", id: this.id, ok });
  }

  /** Counts as failed unless `stop(true)` came first. */
  [Symbol.dispose](): void {
    this.stop(false);
  }
}

/** Shorthands for messages. */
export function warn(sink: EventSink, text: string): void {
  sink({ type: "message", level: "warning", text });
}

export function notice(sink: EventSink, text: string): void {
  sink({ type: "message", level: "notice", text });
}
