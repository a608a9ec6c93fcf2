/** The one thing that a bundled program does about its code cache (`bundled-code.ts`), in a file that loads nothing. */

const KEEPER: unique symbol = Symbol.for("d2n.keepCompiledCode") as never;

const global = globalThis as unknown as { [KEEPER]?: (() => void) | undefined };

/**
 * Keeps what has been compiled of this thread's bundle, if that is worth it: to be called when the work is done. Does nothing
 * where no bundle runs.
 */
export function keepCompiledCode(): void {
  global[KEEPER]?.();
}

/** Says how; called by whoever loads a bundle. */
export function onKeepCompiledCode(keep: () => void): void {
  global[KEEPER] = () => {
    global[KEEPER] = undefined;
    keep();
  };
}
