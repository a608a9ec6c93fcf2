/** Files that evaluation makes for the store: derivations, and the texts of `builtins.toFile`. */
import type { Derivation } from "../../formats/index.ts";
import type { FileStatus } from "../../lang/index.ts";
import type { MadeObject, MadeText } from "./protocol.ts";

/** What the other thread is to do with them. */
export interface ObjectServices {
  /** Keeps the paths from the garbage collector; gives those that are not in the store. */
  missingPaths(paths: readonly string[]): readonly string[];
  addObjects(objects: readonly MadeObject[]): void;
}

/** More at once save little, and a store that is asked for them has to wait. */
const MAX_PENDING = 256;

/**
 * They are handed over many at a time, for each handing over waits for the other thread; and only those that the store does
 * not have, which after a small change are few.
 */
export class MadeObjects {
  readonly #derivations = new Map<string, Derivation>();
  /** Those that have not been handed over. */
  readonly #texts = new Map<string, MadeText>();
  readonly #paths = new Set<string>();
  #pending: MadeObject[] = [];
  readonly #services: ObjectServices | undefined;

  /** @param services undefined where they are only computed */
  constructor(services: ObjectServices | undefined) {
    this.#services = services;
  }

  addDerivation(path: string, derivation: Derivation): void {
    if (this.#paths.has(path)) return;
    this.#derivations.set(path, derivation);
    this.#add({ path, derivation });
  }

  addText(path: string, text: MadeText): void {
    if (this.#paths.has(path)) return;
    this.#texts.set(path, text);
    this.#add({ path, text });
  }

  #add(object: MadeObject): void {
    this.#paths.add(object.path);
    if (this.#services === undefined) return;
    this.#pending.push(object);
    if (this.#pending.length >= MAX_PENDING) this.flush();
  }

  has(path: string): boolean {
    return this.#paths.has(path);
  }

  derivation(path: string): Derivation | undefined {
    return this.#derivations.get(path);
  }

  /** A text that may not be in the store yet. */
  text(path: string): MadeText | undefined {
    return this.#texts.get(path);
  }

  /** What is known of such a text as a file. */
  status(path: string): FileStatus | undefined {
    const text = this.#texts.get(path);
    return text && { type: "regular", executable: false, size: text.content.length };
  }

  /** Before something else than its content is asked of a text: the store has to have it. */
  settle(path: string): void {
    if (this.#texts.has(path)) this.flush();
  }

  /** Hands over what was put off. */
  flush(): void {
    const objects = this.#pending;
    if (this.#services === undefined || objects.length === 0) return;
    this.#pending = [];
    const missing = new Set(this.#services.missingPaths(objects.map(({ path }) => path)));
    if (missing.size > 0) this.#services.addObjects(objects.filter(({ path }) => missing.has(path)));
    this.#texts.clear();
  }
}
