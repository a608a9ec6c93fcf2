import { UsageError } from "../../base/index.ts";
import type { GarbageResult } from "../../app/store-commands.ts";

/** What a collection did, in Nix's words. */
export function freed({ paths, bytesFreed }: GarbageResult): string {
  return `${paths.length} store paths deleted, ${sizeInNix(bytesFreed)} freed\n`;
}

/** `1.5 MiB`: never less than KiB (libutil, `renderSize`). */
export function sizeInNix(bytes: number): string {
  let value = bytes / 1024;
  let power = 0;
  while (value > 1024 && power < 7) {
    value /= 1024;
    power++;
  }
  return `${value.toFixed(1)} ${"KMGTPEZY"[power]}iB`;
}

/** A number of bytes, `10M` too. */
export function bytesOf(option: string, text: string): number {
  const match = /^(-?\d+)([KMGT]?)$/i.exec(text);
  if (match === null) throw new UsageError(`'${option}' requires an integer argument`);
  return Math.max(0, Number(match[1]) * 1024 ** " KMGT".indexOf(match[2]!.toUpperCase() || " "));
}
