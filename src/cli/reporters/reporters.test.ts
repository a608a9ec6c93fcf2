import { describe, expect, it } from "vitest";
import type { Event } from "../../base/index.ts";
import { jsonReporter } from "./json.ts";
import { plainReporter } from "./plain.ts";
import { formatBytes, formatSeconds, printable } from "./reporter.ts";
import { terminalReporter } from "./terminal.ts";

function record(): { text: () => string; write: (text: string) => void; clock: { now: number }; now: () => number } {
  let text = "";
  const clock = { now: 0 };
  return { text: () => text, write: (more) => void (text += more), clock, now: () => clock.now };
}

const build: Event[] = [
  { type: "expected", builds: 2, downloads: 1 },
  { type: "activity-start", id: 1, kind: "build", name: "hello" },
  { type: "activity-phase", id: 1, phase: "buildPhase" },
  { type: "activity-log", id: 1, line: "\u001b[31mcompiling\u001b[0m\u0007" },
];

describe("the plain reporter", () => {
  it("adds a line for what starts and for what took its time", () => {
    const out = record();
    const reporter = plainReporter({ ...out, color: false, showLogs: false, verbose: false });
    for (const event of build) reporter.report(event);
    out.clock.now = 61_000;
    reporter.report({ type: "activity-stop", id: 1, ok: true });
    reporter.report({ type: "message", level: "warning", text: "careful" });
    expect(out.text()).toBe(
      "to do: 2 builds, 1 download\nbuilding hello (1/2)\nbuilt hello in 1 min 01 s\nwarning: careful\n",
    );
  });

  it("counts the builds of each plan by itself", () => {
    const out = record();
    const reporter = plainReporter({ ...out, color: false, showLogs: false, verbose: false });
    for (const event of build) reporter.report(event);
    reporter.report({ type: "activity-stop", id: 1, ok: true });
    reporter.report({ type: "expected", builds: 3, downloads: 0 });
    reporter.report({ type: "activity-start", id: 2, kind: "build", name: "next" });
    expect(out.text()).toMatch(/building next \(1\/3\)\n$/);
  });

  it("shows logs when asked to, without control characters", () => {
    const out = record();
    const reporter = plainReporter({ ...out, color: false, showLogs: true, verbose: false });
    for (const event of build) reporter.report(event);
    expect(out.text()).toContain("hello> phase: buildPhase\nhello> compiling\n");
  });
});

describe("a lock", () => {
  const events: Event[] = [
    { type: "activity-start", id: 2, kind: "lock", name: "app" },
    { type: "activity-log", id: 2, line: "Collecting docopt" },
    { type: "activity-phase", id: 2, phase: "docopt 0.6.2" },
    { type: "activity-phase", id: 2, phase: "docopt 0.6.2: preparing metadata" },
  ];
  const reported = (verbose: boolean): string => {
    const out = record();
    const reporter = plainReporter({ ...out, color: false, showLogs: false, verbose });
    for (const event of events) reporter.report(event);
    return out.text();
  };

  it("has a line for each package, and all that pip says when more is asked for", () => {
    expect(reported(false)).toBe("locking app\n  docopt 0.6.2\n");
    expect(reported(true)).toBe("locking app\nCollecting docopt\n");
  });
});

describe("the terminal reporter", () => {
  it("draws what goes on, prints messages above it, and leaves the screen clean", () => {
    const out = record();
    let redraw = (): void => {};
    const reporter = terminalReporter({
      ...out,
      color: false,
      showLogs: false,
      verbose: false,
      columns: () => 60,
      tick: (callback) => {
        redraw = callback;
        return () => {};
      },
    });
    for (const event of build) reporter.report(event);
    out.clock.now = 12_000;
    redraw();
    expect(out.text()).toContain("[0/2 built, 0/1 downloaded (0 B)]\n  building hello (buildPhase)  12 s  compiling");
    reporter.report({ type: "message", level: "notice", text: "a message" });
    reporter.report({ type: "activity-stop", id: 1, ok: true });
    reporter.close();
    const last = out.text().slice(out.text().lastIndexOf("a message"));
    expect(last.startsWith("a message\n")).toBe(true);
    expect(out.text().endsWith("\x1b[J")).toBe(true);
  });

  it("cuts lines that are too long for the screen", () => {
    const out = record();
    let redraw = (): void => {};
    const reporter = terminalReporter({
      ...out,
      color: false,
      showLogs: false,
      verbose: false,
      columns: () => 30,
      tick: (callback) => ((redraw = callback), () => {}),
    });
    reporter.report({ type: "activity-start", id: 1, kind: "build", name: "a-package-with-quite-a-long-name" });
    redraw();
    for (const line of out
      .text()
      .replace(/\x1b\[[?0-9;]*[a-zA-Z]/g, "")
      .split("\n"))
      expect(line.replace("\r", "").length).toBeLessThan(30);
    reporter.close();
  });
});

describe("the JSON reporter", () => {
  it("writes one object a line", () => {
    const out = record();
    const reporter = jsonReporter({ ...out, color: false, showLogs: false, verbose: false });
    for (const event of build) reporter.report(event);
    const lines = out.text().trimEnd().split("\n");
    expect(lines).toHaveLength(build.length);
    for (const line of lines) expect(JSON.parse(line.slice("@nix ".length))).toHaveProperty("action");
  });
});

describe("amounts", () => {
  it("are shown in sensible units", () => {
    expect([0, 1023, 1024, 10_500_000, 5_000_000_000].map(formatBytes)).toEqual([
      "0 B",
      "1023 B",
      "1.0 KiB",
      "10.0 MiB",
      "4.7 GiB",
    ]);
    expect([120, 59_400, 125_000].map(formatSeconds)).toEqual(["0.1 s", "59 s", "2 min 05 s"]);
    expect(printable("a\x1b[2Jb\x07c\td")).toBe("abc\td");
  });
});
