import { afterEach, expect, test } from "vitest";
import { OutOfMemoryError } from "./errors.ts";
import { createEvaluator } from "./evaluator.ts";
import { reserveElements, watchHeap } from "./memory.ts";
import { MemoryHost } from "./testing.ts";

afterEach(() => watchHeap({ free: () => Infinity, collect() {} }));

const MEGABYTE = 2 ** 20;

test("what fits is made", () => {
  watchHeap({ free: () => 100 * MEGABYTE, collect: () => expect.unreachable("there is room") });
  reserveElements(1_000_000);
});

test("garbage makes room", () => {
  let free = 10 * MEGABYTE;
  watchHeap({ free: () => free, collect: () => (free = 100 * MEGABYTE) });
  reserveElements(1_000_000);
});

test("what does not fit is an error", () => {
  watchHeap({ free: () => 65 * MEGABYTE, collect() {} });
  expect(() => reserveElements(1_000_000)).toThrow(OutOfMemoryError);
  // Small values are the engine's business.
  reserveElements(100);
});

test.each([
  "builtins.genList (x: x) 100000",
  "let xs = [ 1 2 3 4 5 6 7 8 ]; f = n: xs: if n == 0 then xs else f (n - 1) (xs ++ xs); in f 14 xs",
  'builtins.concatStringsSep "" (builtins.genList (x: "0123456789abcdef") 10000)',
  'builtins.replaceStrings [ "a" ] [ "0123456789abcdef0123456789abcdef" ] (builtins.concatStringsSep "" (builtins.genList (x: "a") 10000))',
])("large values ask first: %s", (source) => {
  const evaluator = createEvaluator({ host: new MemoryHost() });
  watchHeap({ free: () => 0, collect() {} });
  expect(() => evaluator.evaluate(source, { basePath: "/" })).toThrow(OutOfMemoryError);
});
