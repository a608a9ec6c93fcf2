import { describe, expect, it } from "vitest";
import { Activity, type Event } from "../base/index.ts";
import { PipProgress } from "./pip-output.ts";

function follow(...lines: readonly string[]): { readonly progress: PipProgress; readonly events: Event[] } {
  const events: Event[] = [];
  const sink = (event: Event): void => void events.push(event);
  const progress = new PipProgress(sink, new Activity(sink, "lock", "app"));
  for (const line of lines) progress.line(line);
  return { progress, events };
}
const phases = (events: readonly Event[]): string[] =>
  events.flatMap((event) => (event.type === "activity-phase" ? [event.phase] : []));

describe("pip's output", () => {
  it("is told as packages and what is done with them", () => {
    const { events, progress } = follow(
      "Looking in indexes: https://me:secret@example.org/simple",
      "Collecting click[x]>=8 (from -r a.txt (line 1))",
      "  Downloading click-8.1.8-py3-none-any.whl.metadata (2.3 kB)",
      "Collecting docopt==0.6.2",
      "  Using cached docopt-0.6.2.tar.gz (25 kB)",
      "  Preparing metadata (setup.py): started",
      "  Preparing metadata (setup.py): finished with status 'done'",
      "Processing ./libs/thing",
      "Collecting tool@ git+https://example.org/tool.git@main",
      "  Cloning https://example.org/tool.git (to revision main) to /tmp/pip-install-x/tool_y",
      "Downloading click-8.1.8-py3-none-any.whl (98 kB)",
      "Would install click-8.1.8 docopt-0.6.2",
    );
    progress.stop(true);
    expect(phases(events)).toEqual([
      "click 8.1.8",
      "docopt 0.6.2",
      "docopt 0.6.2: preparing metadata (setup.py)",
      "docopt 0.6.2: preparing metadata (setup.py)",
      "thing",
      "tool",
      "click 8.1.8",
    ]);
    const downloads = events.filter((event) => event.type === "activity-start" && event.kind === "download");
    expect(downloads).toMatchObject([{ name: "click-8.1.8-py3-none-any.whl", total: 98_000 }]);
    expect(JSON.stringify(events)).not.toContain("secret");
  });

  it("names the package that it was busy with, where there is a name", () => {
    expect(follow("Collecting Foo.Bar[x]==1").progress.lastPackage()).toBe("foo-bar");
    expect(follow("Collecting tool@ git+https://example.org/x").progress.lastPackage()).toBe("tool");
    for (const unnamed of ["Processing ./app", "Collecting https://example.org/a-1.tar.gz", "Obtaining file:///x"])
      expect(follow("Collecting a", unnamed).progress.lastPackage()).toBeUndefined();
  });

  it("gives pip's reason, or that of what broke it", () => {
    expect(follow("ERROR: Could not find x", "ERROR: No matching distribution found for x").progress.reason()).toBe(
      "No matching distribution found for x",
    );
    const broken = follow(
      "ERROR: Exception:",
      "Traceback (most recent call last):",
      '  File "x"',
      "AttributeError: no y",
      "",
    );
    expect(broken.progress.reason()).toBe("AttributeError: no y");
    expect(follow("fine").progress.reason()).toBeUndefined();
  });
});
