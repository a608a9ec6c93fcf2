/** pip's own words: what is going on, and why it failed. */
import { Activity, type EventSink, redactCredentials } from "../base/index.ts";
import { canonicalName } from "./names.ts";

/** Follows pip's output, line by line, and tells of it as events of one activity. */
export class PipProgress {
  readonly #activity: Activity;
  readonly #sink: EventSink;
  #download: Activity | undefined;
  #package: string | undefined;
  /** What is being worked on, in words. */
  #subject = "";
  readonly #lines: string[] = [];

  constructor(sink: EventSink, activity: Activity) {
    this.#sink = sink;
    this.#activity = activity;
  }

  line(text: string): void {
    const line = redactCredentials(text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "").trimEnd());
    this.#lines.push(line);
    if (this.#lines.length > 400) this.#lines.splice(0, 100);
    this.#activity.log(line);
    const bare = line.trim();
    const [, verb, object, size] = /^([A-Z][a-z]+(?: cached)?) (\S+)(?:.*?\(([0-9.]+ \w+)\)$)?/.exec(bare) ?? [];
    if (verb === undefined || object === undefined) return;
    this.#stopDownload(true);
    if (verb === "Collecting" || verb === "Processing" || verb === "Obtaining") {
      // An address or a path says nothing of what is there.
      this.#package = /^[A-Za-z0-9][A-Za-z0-9._-]*(?=[[<>=!~;@(]|$)/.exec(object)?.[0];
      this.#subject = this.#package ?? fileOf(object);
      if (verb !== "Collecting" || this.#package === undefined) this.#activity.phase(this.#subject);
    } else if (verb === "Downloading" || verb === "Using cached") {
      const file = fileOf(object);
      this.#subject = released(file.replace(/\.metadata$/, "")) ?? this.#subject;
      this.#activity.phase(this.#subject);
      if (verb === "Downloading" && !file.endsWith(".metadata"))
        this.#download = new Activity(this.#sink, "download", file, { total: bytesOf(size) });
    } else if (verb === "Cloning") {
      this.#activity.phase(this.#subject);
    } else {
      const step = /^(?:Building|Preparing|Installing|Getting|Running)\b.*?(?=: started|: finished|$)/.exec(bare)?.[0];
      if (step !== undefined && this.#subject !== "")
        this.#activity.phase(`${this.#subject}: ${step[0]!.toLowerCase()}${step.slice(1)}`.slice(0, 120));
    }
  }

  /** Ends what is still open. */
  stop(ok: boolean): void {
    this.#stopDownload(ok);
  }

  #stopDownload(ok: boolean): void {
    this.#download?.stop(ok);
    this.#download = undefined;
  }

  /** The last few hundred lines. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** The last lines, for the details of an error. */
  tail(count = 25): string {
    return this.#lines
      .filter((line) => line.trim() !== "" && !line.includes("[notice]"))
      .slice(-count)
      .join("\n");
  }

  /** Canonical name of the package that pip was busy with at last; undefined where it did not say. */
  lastPackage(): string | undefined {
    return this.#package === undefined ? undefined : canonicalName(this.#package);
  }

  /** Whether it failed over a source distribution that was not able to tell its metadata, or to be built. */
  wantsCompiler(): boolean {
    const says = (pattern: RegExp): boolean => this.#lines.some((line) => pattern.test(line));
    return (
      says(/metadata-generation-failed|subprocess-exited-with-error|Failed to build|Failed building wheel/) &&
      !says(/No matching distribution found|Could not find a version|ResolutionImpossible|conflicting dependencies/)
    );
  }

  /** pip's reason: the first of its last ERROR lines; undefined if it gave none. */
  reason(): string | undefined {
    const errors = this.#lines
      .map((line) => /^\s*(?:ERROR|error): (.+)$/.exec(line)?.[1])
      .filter((line) => line !== undefined);
    const reason = errors.findLast(
      (line) => !/^(?:subprocess-exited-with-error|metadata-generation-failed)/.test(line),
    );
    if (reason?.trim() !== "Exception:") return reason;
    // It has broken down: a pip that is too old for the interpreter, say. The traceback's last line tells.
    return this.#lines.findLast((line) => /^\w+(?:\.\w+)*(?:Error|Exception)\b/.test(line)) ?? reason;
  }
}

function fileOf(place: string): string {
  const path = place.replace(/[?#].*$/, "").replace(/\/+$/, "");
  return path.split("/").at(-1) || place;
}

/** `numpy 2.1.0` of the name of a wheel or a source distribution; undefined for other files. */
function released(file: string): string | undefined {
  const wheel = /^([^-]+)-([^-]+)-.*\.whl$/.exec(file);
  const [, name, version] = wheel ?? /^(.+)-([^-]+?)\.(?:tar\.\w+|tgz|zip)$/.exec(file) ?? [];
  return name === undefined ? undefined : `${name} ${version}`;
}

function bytesOf(size: string | undefined): number | undefined {
  const match = /^([0-9.]+) (bytes|kB|MB|GB)$/.exec(size ?? "");
  if (match === null) return undefined;
  return Math.round(
    Number(match[1]) * { bytes: 1, kB: 1e3, MB: 1e6, GB: 1e9 }[match[2] as "bytes" | "kB" | "MB" | "GB"],
  );
}
