import { describe, expect, it } from "vitest";
import { type ScheduleOptions, schedule, type Task } from "./scheduler.ts";

/** Tasks as "name: dependencies", "!" fails, "~" is a download; records what happens. */
function world(...lines: string[]) {
  const events: string[] = [];
  let most = 0;
  const active = new Set<string>();
  const tasks: Task[] = lines.map((line) => {
    const [head, rest] = line.split(":") as [string, string];
    const id = head.replace(/[!~]/g, "");
    return {
      id,
      kind: head.includes("~") ? "download" : "build",
      dependencies: rest.trim() === "" ? [] : rest.trim().split(" "),
      async run(signal) {
        events.push(`+${id}`);
        active.add(id);
        most = Math.max(most, active.size);
        await new Promise((resolve) => setTimeout(resolve, 5));
        active.delete(id);
        if (signal.aborted) {
          events.push(`x${id}`);
          throw new Error("aborted");
        }
        if (head.includes("!")) throw new Error(`${id} failed`);
        events.push(`-${id}`);
      },
    };
  });
  const run = (options: Partial<ScheduleOptions> = {}) =>
    schedule(tasks, { limits: { build: 2, download: 2 }, keepGoing: false, ...options });
  return { run, events, most: () => most };
}

describe("schedule()", () => {
  it("keeps the order of dependencies and the limits", async () => {
    const { run, events, most } = world("a:", "b: a", "c: a", "d: b c", "e: a", "f: a");
    const { done } = await run();
    expect(done).toHaveLength(6);
    for (const [first, then] of [
      ["a", "b"],
      ["a", "c"],
      ["b", "d"],
      ["c", "d"],
    ])
      expect(events.indexOf(`-${first}`)).toBeLessThan(events.indexOf(`+${then}`));
    expect(most()).toBe(2);
  });

  it("starts the longest way first, then in the order given, always the same", async () => {
    for (let i = 0; i < 3; i++) {
      const { run, events } = world("short1:", "short2:", "long1:", "long2: long1", "long3: long2");
      await run({ limits: { build: 1, download: 1 } });
      expect(events.filter((event) => event.startsWith("+"))).toEqual([
        "+long1",
        "+long2",
        "+short1",
        "+short2",
        "+long3",
      ]);
    }
  });

  it("downloads beside builds", async () => {
    const { run, most } = world("a:", "b:", "c:", "~d:", "~e:", "~f:");
    await run({ limits: { build: 1, download: 2 } });
    expect(most()).toBe(3);
  });

  it("stops at the first failure, aborts what runs, starts nothing more", async () => {
    const { run, events } = world("a!:", "b: a", "c:", "d: c", "e:");
    const { failures, skipped } = await run();
    expect(failures.map(({ id }) => id)).toEqual(["a"]);
    expect(skipped).toEqual(["b", "d", "e"].filter((id) => !events.includes(`+${id}`)));
    expect(events).not.toContain("+b");
  });

  it("keeps going with what does not depend on a failure", async () => {
    const { run } = world("a!:", "b: a", "c: b", "d:", "e: d", "f!: d", "g: c e");
    const { done, failures, skipped } = await run({ keepGoing: true });
    expect([...done].sort()).toEqual(["d", "e"]);
    expect(failures.map(({ id }) => id).sort()).toEqual(["a", "f"]);
    expect(skipped).toEqual(["b", "c", "g"]);
  });

  it("ends when it is aborted, after what was running has ended", async () => {
    const controller = new AbortController();
    const { run, events } = world("a:", "b: a");
    setTimeout(() => controller.abort(), 1);
    await expect(run({ signal: controller.signal })).rejects.toMatchObject({ code: "interrupted" });
    expect(events).toEqual(["+a", "xa"]);
    await expect(run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "interrupted" });
  });

  it("ignores dependencies that are no tasks, and repeated ones", async () => {
    const { run } = world("a: z z", "b: a a");
    expect((await run()).done).toEqual(["a", "b"]);
  });

  it("refuses circles", async () => {
    await expect(world("a: b", "b: a").run()).rejects.toThrow(/circle/);
  });

  it("does nothing with nothing", async () => {
    expect(await world().run()).toEqual({ done: [], failures: [], skipped: [] });
  });
});
