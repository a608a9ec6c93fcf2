import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { awaitThread, endThreads, startThread, watchMemory } from "./threads.ts";

const folder = mkdtempSync(join(tmpdir(), "d2n-threads-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.useRealTimers());

const script = (text: string): URL => new URL(`data:text/javascript,${encodeURIComponent(text)}`);

test("threads that are busy end", async () => {
  const thread = startThread(
    script("import { parentPort } from 'node:worker_threads'; parentPort.postMessage(1); for (;;);"),
    undefined,
    [],
  );
  await once(thread, "message");
  expect(await endThreads(60_000)).toBe(true);
  expect(await endThreads(0)).toBe(true);
});

test("whichever copy of the module started them", async () => {
  vi.resetModules();
  const copy = await import("./threads.ts");
  expect(copy.startThread).not.toBe(startThread);
  const thread = copy.startThread(script("for (;;);"), undefined, []);
  const ended = once(thread, "exit");
  expect(await endThreads(60_000)).toBe(true);
  await ended;
});

test("nobody waits for a thread that is in the middle of something long", async () => {
  const pipes = ["begun", "over"].map((name) => join(folder, name));
  execFileSync("mkfifo", pipes);
  const thread = startThread(
    script(
      `import { workerData } from "node:worker_threads"; import { execFileSync } from "node:child_process";
       execFileSync("cat", workerData);`,
    ),
    pipes,
    [],
  );
  const ended = once(thread, "exit");
  // Each waits until it is read.
  writeFileSync(pipes[0]!, "x");
  expect(await endThreads(1)).toBe(false);
  writeFileSync(pipes[1]!, "x");
  await ended;
});

test.each([
  ["fails", "throw new Error('no good')", "no good"],
  ["ends without a word", "", "internal error: the evaluator ended without a word"],
])("a thread that %s gives no answer", async (_, text, message) => {
  using awaited = awaitThread(startThread(script(text), undefined, []));
  await expect(awaited.loss).rejects.toThrow(message);
});

test("too much memory is told once", () => {
  vi.useFakeTimers();
  const full = vi.fn();
  {
    using _enough = watchMemory(full);
    vi.advanceTimersByTime(1000);
    expect(full).not.toHaveBeenCalled();
  }
  using _tooLittle = watchMemory(full, 1);
  vi.advanceTimersByTime(1000);
  expect(full).toHaveBeenCalledOnce();
});

test("nobody is told any more once the evaluation is over", () => {
  vi.useFakeTimers();
  const full = vi.fn();
  watchMemory(full, 1)[Symbol.dispose]();
  vi.advanceTimersByTime(1000);
  expect(full).not.toHaveBeenCalled();
});
