/** How full the heap of an evaluating thread is. */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { resourceLimits } from "node:worker_threads";
import { watchHeap } from "../../lang/index.ts";

/** For the thread that this is called in: large values that do not fit are errors, where the engine would end the process. */
export function guardHeap(): void {
  // The limit that V8 tells of counts the nursery, where nothing large can be.
  const { maxOldGenerationSizeMb } = resourceLimits;
  if (maxOldGenerationSizeMb === undefined) return;
  const limit = maxOldGenerationSizeMb * 2 ** 20;
  watchHeap({
    free: () => limit - getHeapStatistics().used_heap_size,
    collect() {
      setFlagsFromString("--expose-gc");
      (runInNewContext("gc") as () => void)();
    },
  });
}
