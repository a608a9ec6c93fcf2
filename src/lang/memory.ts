/**
 * Room for large values. The engine ends a thread that has used up its memory, and that can be told in an error; but where one
 * large allocation does not fit, it ends the whole process. So whoever is about to make a large value asks first.
 */
import { OutOfMemoryError } from "./errors.ts";

/** The heap of the thread, where somebody can tell about it. */
export interface HeapGauge {
  /** Bytes that are still free; what is garbage does not count as free before it is collected. */
  free(): number;
  /** Collects garbage. */
  collect(): void;
}

/** Smaller values than this (in bytes) lie among others and need no room of their own. */
const LARGE = 2 ** 17;
/** Bytes that stay free, for the engine and for whoever makes an error of it. */
const MARGIN = 64 * 2 ** 20;

let gauge: HeapGauge | undefined;

/** From now on large values are refused when they do not fit. */
export function watchHeap(heap: HeapGauge): void {
  gauge = heap;
}

/** To be called before something of this many elements is made. @throws OutOfMemoryError if it does not fit */
export function reserveElements(count: number): void {
  if (count * 8 >= LARGE && gauge !== undefined) reserve(count * 8, gauge);
}

/** To be called before a string of this many bytes is made. @throws OutOfMemoryError if it does not fit */
export function reserveBytes(count: number): void {
  if (count >= LARGE && gauge !== undefined) reserve(count, gauge);
}

function reserve(bytes: number, heap: HeapGauge): void {
  if (heap.free() >= bytes + MARGIN) return;
  heap.collect();
  if (heap.free() < bytes + MARGIN) throw new OutOfMemoryError();
}
